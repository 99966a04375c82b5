"""A translation, with all three attentions of every layer of the model that made it. Used in chapter 9."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import traitlets

from unrolled.widgets.base import Widget, table_html
from unrolled.widgets.maps import MAX_NUMBERS, MAX_TOKENS, full_scale, maps_of, names_of, text_of

__all__ = ["TranslationView"]


class TranslationView(Widget):
    r"""Translations as an encoder and a decoder made them, and who attended to whom.

    Three maps for each layer and head: the source among itself ``[S, S]``, the translation among itself
    ``[T, T]``, causal, and across, from the translation to the source ``[T, S]``. Taught in chapter 9.

    Args:
        examples: one or more mappings with ``source`` and ``target``, the tokens the model read and those its
            decoder was given, and ``encoder``, ``decoder`` and ``cross``, the weights
            ``[layers, heads, T, S]``; also ``written``, the translation as text, and ``reference``, that of a
            person.
        title: a heading, if any.

    Raises:
        TypeError: weights are not numbers, or tokens are not strings.
        ValueError: a shape does not fit the tokens, a row adds up to neither 1 nor 0, the examples differ in
            layers or heads, or there are more than 60,000 weights.
    """

    name: ClassVar[str] = "translation"

    examples: traitlets.List[Any] = traitlets.List().tag(sync=True)
    title = traitlets.Unicode("").tag(sync=True)

    def __init__(self, examples: Sequence[Mapping[str, Any]], *, title: str | None = None) -> None:
        if not examples:
            raise ValueError("examples: expected one or more, got none")
        checked = [_example(i, example) for i, example in enumerate(examples)]
        sizes = {tuple(np.shape(example[kind])[:2]) for example in checked for kind in _KINDS}
        if len(sizes) > 1:
            raise ValueError(f"examples: expected the same layers and heads in all, got {sorted(sizes)}")
        count = sum(int(np.size(example[kind])) for example in checked for kind in _KINDS)
        if count > MAX_NUMBERS:
            raise ValueError(f"examples: expected at most {MAX_NUMBERS:,} weights, got {count:,}")
        super().__init__(examples=checked, title=title or "")

    def fallback_html(self) -> str:
        """Return, for each translation, the mean map across of the last layer as a table."""
        tables = []
        for example in self.examples:
            mean = np.mean(example["cross"][-1], axis=0)
            written = example["written"] or " ".join(example["target"])
            which = f"Layer {len(example['cross'])}, mean of all heads."
            caption = f"“{written}”: what each of its tokens attends to in the source. {which}"
            rows = [(token, row.tolist()) for token, row in zip(example["target"], mean, strict=True)]
            tables.append(table_html(caption, example["source"], rows, full=full_scale(mean)))
        return "".join(tables)


_KINDS = ("encoder", "decoder", "cross")


def _example(i: int, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return an example whose weights fit its tokens, in lists, to three digits: more is not seen."""
    missing = [key for key in ("source", "target", *_KINDS) if key not in given]
    if missing:
        raise ValueError(f"examples[{i}]: expected {', '.join(missing)}, got {', '.join(given)}")
    source = names_of(f"examples[{i}] source", given["source"], MAX_TOKENS)
    target = names_of(f"examples[{i}] target", given["target"], MAX_TOKENS)
    sizes = {"encoder": (source, source), "decoder": (target, target), "cross": (target, source)}
    maps = {kind: maps_of(given[kind], len(rows), len(columns)) for kind, (rows, columns) in sizes.items()}
    return {
        "source": source,
        "target": target,
        "written": text_of(f"examples[{i}] written", given.get("written")),
        "reference": text_of(f"examples[{i}] reference", given.get("reference")),
        **{kind: np.round(of, 3).tolist() for kind, of in maps.items()},
    }
