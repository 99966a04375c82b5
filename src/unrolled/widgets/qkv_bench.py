"""The QKV bench: tokens, three matrices, and the arithmetic of every number that comes out.

Used in chapter 5.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import traitlets
from numpy.typing import NDArray

from unrolled.widgets.base import Widget, table_html
from unrolled.widgets.qkv_settings import checked_bench, read_setting

__all__ = ["QKVBench"]

MAX_SETTINGS = 8
Array = NDArray[np.float64]


class QKVBench(Widget):
    r"""A bench for attention with queries, keys and values, in which every number can be edited or asked.

    .. math::

        Q = XW_q, \quad K = ZW_k, \quad V = ZW_v, \qquad
        \hat X = \mathrm{softmax}\!\left(\frac{QK^\top}{\sqrt{d_k}}\right) V

    The reader edits tokens and matrices, switches the scale, the causal mask and single tokens on and off,
    takes keys and values from another sequence, and chooses any cell to see how it was computed. A token that
    may attend to nothing gets zeros. Taught in chapter 5.

    Args:
        settings: what to start from, by name: for each a dictionary with ``X`` ``[T, d]``, ``W_q`` and
            ``W_k`` ``[d, K]``, ``W_v`` ``[d, K']`` and T ``tokens``; if wanted ``features``, the names of the
            d columns; ``source`` ``[S, d]`` with its ``source_tokens``; ``real`` and ``source_real``, False
            for padding; ``scale`` (True unless given), ``causal``, ``cross``; and ``note``, a line about it.
        title: a heading, if any.

    Raises:
        TypeError: no mapping, no numbers, or no strings.
        ValueError: none or more than 8 settings, shapes that do not go together, more than 6 tokens or
            features, more than 4 columns of a matrix, a number beyond 20.
    """

    name: ClassVar[str] = "qkv-bench"

    settings: traitlets.List[Any] = traitlets.List().tag(sync=True)
    setting = traitlets.Int(0).tag(sync=True)
    bench: Any = traitlets.Dict().tag(sync=True)
    title = traitlets.Unicode("").tag(sync=True)

    def __init__(self, settings: Mapping[str, Mapping[str, Any]], *, title: str | None = None) -> None:
        if not isinstance(settings, Mapping):
            raise TypeError(f"settings: expected {{name: dict}}, got {type(settings).__name__}")
        if not 1 <= len(settings) <= MAX_SETTINGS:
            raise ValueError(f"settings: expected 1 to {MAX_SETTINGS}, got {len(settings)}")
        made = [read_setting(name, given) for name, given in settings.items()]
        super().__init__(settings=made, setting=0, bench=made[0]["bench"], title=title or "")

    @traitlets.validate("setting")
    def _check_setting(self, proposal: Any) -> Any:
        if not 0 <= proposal["value"] < len(self.settings):
            raise ValueError(
                f"setting: expected 0 to {len(self.settings) - 1}, got {proposal['value']}: one of "
                f"{', '.join(one['name'] for one in self.settings)}"
            )
        return proposal["value"]

    @traitlets.validate("bench")
    def _check_bench(self, proposal: Any) -> Any:
        now = self.settings[self.setting]
        return checked_bench(now["name"], proposal["value"], now["bench"])

    @traitlets.observe("setting")
    def _start_again(self, change: Any) -> None:
        self.bench = self.settings[change["new"]]["bench"]

    def results(self) -> dict[str, Array]:
        """Return Q, K, V, scores, weights and context of what stands on the bench, and its mask."""
        bench = {
            key: np.array(value) if isinstance(value, list) else value for key, value in self.bench.items()
        }
        x = bench["X"]
        source, real = (bench["Z"], bench["realZ"]) if bench["cross"] else (x, bench["realX"])
        query, key, value = x @ bench["W_q"], source @ bench["W_k"], source @ bench["W_v"]
        scores = query @ key.T / (np.sqrt(query.shape[1]) if bench["scale"] else 1.0)
        mask = np.broadcast_to(real, scores.shape)
        if bench["causal"] and not bench["cross"]:
            mask = mask & np.tri(len(x), dtype=bool)
        hidden = np.where(mask, scores, -np.inf)
        top = hidden.max(axis=1, keepdims=True)
        powers = np.exp(hidden - np.where(np.isfinite(top), top, 0.0))
        sums = powers.sum(axis=1, keepdims=True)
        weights = powers / np.where(sums > 0, sums, 1.0)
        return {
            "Q": query, "K": key, "V": value, "scores": scores, "mask": mask, "weights": weights,
            "context": weights @ value,
        }  # fmt: skip

    def fallback_html(self) -> str:
        """Return every matrix of the bench as a table."""
        now, made = self.settings[self.setting], self.results()
        tokens, cross = now["tokens"], self.bench["cross"]
        keys = now["source_tokens"] if cross else tokens
        numbered = [str(k + 1) for k in range(max(made["Q"].shape[1], made["V"].shape[1]))]

        def table(
            caption: str, rows: list[str], columns: list[str], values: Any, full: float | None = None
        ) -> str:
            shown = [(row, [float(v) for v in line]) for row, line in zip(rows, values, strict=True)]
            return table_html(caption, columns[: len(values[0])], shown, full=full)

        blind = [
            token if may.any() else f"{token} (may attend to nothing)"
            for token, may in zip(tokens, made["mask"], strict=True)
        ]
        parts = [table("X, the tokens", tokens, now["features"], self.bench["X"])]
        if cross:
            parts.append(table("Z, the source", keys, now["features"], self.bench["Z"]))
        parts += [
            table(f"{key}, {what}", now["features"], numbered, self.bench[key])
            for key, what in (("W_q", "for queries"), ("W_k", "for keys"), ("W_v", "for values"))
        ]
        divided = f", divided by the root of {made['Q'].shape[1]}" if self.bench["scale"] else ""
        parts += [
            table("Q, what each token looks for", tokens, numbered, made["Q"]),
            table("K, what each token is", keys, numbered, made["K"]),
            table("V, what each token hands over", keys, numbered, made["V"]),
            table(f"Scores{divided}. Each row looks, each column is looked at", tokens, keys, made["scores"]),
            table("Weights", blind, keys, made["weights"], full=1.0),
            table("Context vectors", tokens, numbered, made["context"]),
        ]
        return "".join(parts)
