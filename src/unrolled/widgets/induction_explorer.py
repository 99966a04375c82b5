"""The induction explorer: type letters, and two layers of heads find in the page what followed last time.

Used in chapter 12.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import traitlets

from unrolled.inputs import floats, not_text
from unrolled.widgets.base import Widget, table_html
from unrolled.widgets.checks import state_text
from unrolled.widgets.packed import check_heads, pack

__all__ = ["InductionExplorer"]

GUESSES = 5
LAYERS = 2


class InductionExplorer(Widget):
    r"""A trained model of two layers of attention, whose heads can be followed and cut.

    .. math::  x \leftarrow x + \mathrm{MHA}_1(x), \qquad x \leftarrow x + \mathrm{MHA}_2(x), \qquad
               \text{logits} = x\,U^\top

    The reader types letters and asks at a place: where does layer 2 look from there, where had layer 1
    looked from that place, what is the guess? Each head says what it found, or zero, or its mean over many
    sequences; every number is computed in the page. Taught in chapter 12.

    Args:
        tensors: ``embedding.weight`` ``[V, D]``, ``positions`` ``[N, D]``, ``unembedding.weight`` ``[V, D]``
            and, for each of the two layers, ``layers.0.qkv_proj.weight`` ``[3 D, D]`` and
            ``layers.0.out_proj.weight`` ``[D, D]``, without biases.
        letters: V single letters, in the order of their ids.
        text: the letters to begin with, two to N.
        n_heads: attention heads of each layer.
        means: what the heads of each layer find on average, side by side, ``[2, D]``.
        weights: the attention weights for `text`, ``[2, H, T, T]``, as the package computes them, for readers
            without JavaScript.
        chances: likewise the probability of each letter after `text`, ``[V]``.
        title: a heading, if any.

    Raises:
        TypeError: the letters are one text.
        ValueError: shapes that do not belong together, or a letter that is not known.
    """

    name: ClassVar[str] = "induction-explorer"

    packed = traitlets.Dict().tag(sync=True)
    letters = traitlets.List(traitlets.Unicode()).tag(sync=True)
    text = traitlets.Unicode().tag(sync=True)
    n_heads = traitlets.Int().tag(sync=True)
    cuts: traitlets.List[Any] = traitlets.List().tag(sync=True)
    title = traitlets.Unicode("").tag(sync=True)

    def __init__(
        self,
        tensors: Mapping[str, Any],
        letters: Sequence[str],
        text: str,
        *,
        n_heads: int,
        means: Any,
        weights: Any,
        chances: Any,
        title: str | None = None,
    ) -> None:
        arrays = {name: floats(tensor) for name, tensor in tensors.items()}
        known = list(not_text("letters", letters, "letters"))
        size, width = arrays["embedding.weight"].shape
        if len(known) != size or any(len(letter) != 1 for letter in known) or len(set(known)) != size:
            raise ValueError(
                f"letters: expected {size} different ones, one for each row of the embedding, got {known}"
            )
        check_heads(n_heads, width)
        longest = len(arrays["positions"])
        if not 2 <= len(text) <= longest:
            raise ValueError(f"text: expected 2 to {longest} letters, got {len(text)}")
        if unknown := [letter for letter in text if letter not in known]:
            raise ValueError(f"text: expected the letters {''.join(known)}, got {unknown[0]!r}")
        expected = {"positions": (longest, width), "unembedding.weight": (size, width)}
        for layer in range(LAYERS):
            expected[f"layers.{layer}.qkv_proj.weight"] = (3 * width, width)
            expected[f"layers.{layer}.out_proj.weight"] = (width, width)
        for name, shape in expected.items():
            if arrays[name].shape != shape:
                raise ValueError(f"{name}: expected {list(shape)}, got {list(arrays[name].shape)}")
        average, seen, likely = floats(means), floats(weights), floats(chances)
        maps = (LAYERS, n_heads, len(text), len(text))
        for name, array, wanted in (
            ("means", average, (LAYERS, width)),
            ("weights", seen, maps),
            ("chances", likely, (size,)),
        ):
            if array.shape != wanted:
                raise ValueError(f"{name}: expected {list(wanted)}, got {list(array.shape)}")
        self._weights, self._chances = seen, likely
        state_text({"weights": seen.tolist(), "chances": likely.tolist()})
        kept = {name: arrays[name] for name in ("embedding.weight", *expected)}
        kept |= {f"means.{layer}": row for layer, row in enumerate(average)}
        super().__init__(
            packed=pack(kept),
            letters=known,
            text=text,
            n_heads=n_heads,
            cuts=[["on"] * n_heads for _ in range(LAYERS)],
            title=title or "",
        )

    def fallback_html(self) -> str:
        """Return where the heads look from the last letter, and the likeliest next letters, as tables."""
        here = len(self.text) - 1
        there = int(self._weights[1, :, here].sum(0).argmax())
        at = f"place {here + 1}, “{self.text[here]}”"
        rows = [
            (f"head {layer + 1}.{head + 1}, from place {place + 1}", list(self._weights[layer, head, place]))
            for layer, place in ((1, here), (0, there))
            for head in range(self.n_heads)
        ]
        looks = table_html(
            f"Where the heads look, asked at {at}. Layer 1 is shown from where layer 2 looks most.",
            [f"{t} {letter}" for t, letter in enumerate(self.text, 1)],
            rows,
            full=1.0,
        )
        best = np.argsort(-self._chances, kind="stable")[:GUESSES]
        guess = table_html(
            f"The likeliest letters after {at}, and their probability.",
            ["probability"],
            [(self.letters[i], [float(self._chances[i])]) for i in best],
        )
        return looks + guess
