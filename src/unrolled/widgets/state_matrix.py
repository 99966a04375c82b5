"""The state as a matrix: pairs are written into it one by one, and asked for. Used in chapter 17."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import traitlets
from numpy.typing import NDArray

from unrolled.inputs import not_text
from unrolled.widgets.base import Widget, number, table_html

__all__ = ["StateMatrix"]

MOST_PAIRS = 12
RULES = ("linear", "gated", "delta", "gated delta")
Vectors = Mapping[str, Sequence[float]]


class StateMatrix(Widget):
    r"""A state filled pair by pair by a rule, and asked for the value of a key.

    .. math::  S \leftarrow \alpha S + k u^\top, \qquad o = S^\top q

    What is written, u, is the value v (linear, gated) or :math:`v - \alpha S^\top k` (delta); :math:`\alpha`
    is 1 in the rules without a gate. The reader types pairs, writes and takes back, switches the rule, sets
    the gate and asks; what comes back is compared with every value by its cosine. Equal to
    `unrolled.nn.linear_attention` and `unrolled.nn.delta_rule`. Taught in chapter 17.

    Args:
        keys: each word that can be asked for and its vector, all of one size from 1 to 4.
        values: each word that can come back and its vector, likewise.
        pairs: what is written, in order: at most 12 of ``(key, value)``.
        written: how many of them are written to begin with; all unless given.
        rule: ``"linear"``, ``"gated"``, ``"delta"`` or ``"gated delta"``.
        keep: the gate :math:`\alpha`, from 0 to 1.
        asked: the key that is asked for; the first unless given.
        title: a heading, if any.

    Raises:
        ValueError: a word, a size or a number that is not possible.
    """

    name: ClassVar[str] = "state-matrix"

    key_words = traitlets.List(traitlets.Unicode()).tag(sync=True)
    key_vectors = traitlets.List(traitlets.List(traitlets.Float())).tag(sync=True)
    value_words = traitlets.List(traitlets.Unicode()).tag(sync=True)
    value_vectors = traitlets.List(traitlets.List(traitlets.Float())).tag(sync=True)
    pairs = traitlets.List(traitlets.List(traitlets.Unicode())).tag(sync=True)
    written = traitlets.Int(0).tag(sync=True)
    rule = traitlets.Unicode("linear").tag(sync=True)
    keep = traitlets.Float(0.9).tag(sync=True)
    asked = traitlets.Unicode("").tag(sync=True)
    title = traitlets.Unicode("").tag(sync=True)

    def __init__(
        self,
        keys: Vectors,
        values: Vectors,
        pairs: Sequence[tuple[str, str]],
        *,
        written: int | None = None,
        rule: str = "linear",
        keep: float = 0.9,
        asked: str | None = None,
        title: str | None = None,
    ) -> None:
        key_words, key_vectors = _checked("keys", keys)
        value_words, value_vectors = _checked("values", values)
        if not 1 <= len(not_text("pairs", pairs, "pairs")) <= MOST_PAIRS:
            raise ValueError(f"pairs: expected 1 to {MOST_PAIRS}, got {len(pairs)}")
        for key, value in pairs:
            for word, known, what in ((key, key_words, "key"), (value, value_words, "value")):
                if word not in known:
                    raise ValueError(f"pairs: expected a {what} of {', '.join(known)}, got {word!r}")
        written = len(pairs) if written is None else written
        if not 0 <= written <= len(pairs):
            raise ValueError(f"written: expected 0 to {len(pairs)}, got {written}")
        asked = key_words[0] if asked is None else asked
        if asked not in key_words:
            raise ValueError(f"asked: expected one of {', '.join(key_words)}, got {asked!r}")
        super().__init__(
            key_words=key_words,
            key_vectors=key_vectors,
            value_words=value_words,
            value_vectors=value_vectors,
            pairs=[list(pair) for pair in pairs],
            written=written,
            rule=rule,
            keep=float(keep),
            asked=asked,
            title=title or "",
        )

    @traitlets.validate("rule")
    def _check_rule(self, proposal: Any) -> Any:
        if proposal["value"] not in RULES:
            raise ValueError(f"rule: expected one of {', '.join(RULES)}, got {proposal['value']!r}")
        return proposal["value"]

    @traitlets.validate("keep")
    def _check_keep(self, proposal: Any) -> Any:
        if not (math.isfinite(proposal["value"]) and 0 <= proposal["value"] <= 1):
            raise ValueError(f"keep: expected a number from 0 to 1, got {proposal['value']}")
        return proposal["value"]

    def matrix(self) -> NDArray[np.float64]:
        """Return the state after the pairs written so far, ``[K, V]``."""
        state = np.zeros((len(self.key_vectors[0]), len(self.value_vectors[0])))
        for key, value in self.pairs[: self.written]:
            k = np.array(self.key_vectors[self.key_words.index(key)])
            v = np.array(self.value_vectors[self.value_words.index(value)])
            state = (self.keep if "gated" in self.rule else 1.0) * state
            state = state + np.outer(k, v - k @ state if "delta" in self.rule else v)
        return state

    def found(self, key: str) -> tuple[NDArray[np.float64], str]:
        """Return what comes back for a key, and the word whose vector it is nearest to by its cosine."""
        back = np.array(self.key_vectors[self.key_words.index(key)]) @ self.matrix()
        cosines = [_cosine(back, np.array(v)) for v in self.value_vectors]
        best = max(range(len(cosines)), key=lambda i: (round(cosines[i], 9), -i))
        return back, self.value_words[best] if cosines[best] > 1e-9 else "nothing"

    def fallback_html(self) -> str:
        """Return what comes back for every key that was written, as a table."""
        last = dict(map(tuple, self.pairs[: self.written]))
        rows = []
        for key in (key for key in self.key_words if key in last):
            back, word = self.found(key)
            right = np.array(self.value_vectors[self.value_words.index(last[key])])
            rows.append((f"{key}: {last[key]} was written, {word} comes back", [*back, _cosine(back, right)]))
        columns = [*(f"{i + 1}" for i in range(len(self.value_vectors[0]))), "cosine with what was written"]
        return table_html(f"What comes back. {_told(self)}", columns, rows)


def _checked(name: str, vectors: Vectors) -> tuple[list[str], list[list[float]]]:
    if not isinstance(vectors, Mapping):
        raise ValueError(f"{name}: expected {{word: vector}}, got {type(vectors).__name__}")
    rows = [[float(x) for x in vector] for vector in vectors.values()]
    if not 1 <= len(rows) <= 8 or len({len(row) for row in rows}) != 1 or not 1 <= len(rows[0]) <= 4:
        raise ValueError(f"{name}: expected 1 to 8 vectors of one size from 1 to 4")
    if not all(math.isfinite(x) for row in rows for x in row) or not all(any(row) for row in rows):
        raise ValueError(f"{name}: expected finite numbers, not all of a vector 0")
    return list(vectors), rows


def _cosine(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    length = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / length if length > 1e-9 else 0.0


def _told(widget: StateMatrix) -> str:
    gate = f", of the state {number(widget.keep)} kept at each step" if "gated" in widget.rule else ""
    told = ", ".join(f"{key} {value}" for key, value in widget.pairs[: widget.written]) or "nothing"
    return f"Written by the {widget.rule} rule{gate}: {told}."
