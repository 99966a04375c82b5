"""The unroller: a recurrent network reads a sentence word by word, and every number of it can be seen.

Used in chapter 1.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import traitlets
from numpy.typing import NDArray

from unrolled.inputs import floats, not_text
from unrolled.widgets._sentence import shown_word, spoken_words, word_ids
from unrolled.widgets.base import Widget, table_html

__all__ = ["Unroller"]

MAX_WORDS = 24
MAX_UNITS = 8
GATES = ("i", "f", "o")
PARTS = ("wx", "wh", "bx", "bh")


class Unroller(Widget):
    r"""An RNN and an LSTM, unrolled over a sentence: hidden state, cell state and each gate, step by step.

    .. math::
        \text{RNN:}\quad  h_t &= \tanh(W_x x_t + b_x + W_h h_{t-1} + b_h) \\
        \text{LSTM:}\quad c_t &= f \odot c_{t-1} + i \odot g, \qquad h_t = o \odot \tanh(c_t)

    The reader steps through the words, switches between the cells, types a sentence of known words, and may
    force a gate to 0 or 1. The trace of the first word says what is left of it: the distance between the
    hidden state and what it would be had the reading begun with the second word. Taught in chapter 1.

    Args:
        vectors: ``{word: numbers}``, or a pair of the words and their vectors ``[V, D]``.
        sentence: one to 24 known words, matched without regard to case and to punctuation around them.
        rnn: ``W_x [H, D], W_h [H, H], b_x [H], b_h [H]``, as `unrolled.nn.RNNCell.kernel_weights` has them.
        lstm: the same with ``4 H`` rows, those of i, f, g and o below one another, as in `torch.nn.LSTM`.
            At least one of the two is given.
        units: a name for each of the H numbers of a state, eight at most; "unit 1", "unit 2" unless given.
        cell: ``"rnn"`` or ``"lstm"``, which is shown first.
        step: how many words are read at first.
        title: a heading, if any.

    Raises:
        TypeError: vectors or weights are of another kind.
        ValueError: shapes disagree, a number is not finite, an unknown word, an empty or too long sentence, a
            cell without weights, a gate forced to anything but 0 and 1.
    """

    name: ClassVar[str] = "unroller"

    words = traitlets.List(traitlets.Unicode()).tag(sync=True)
    vectors = traitlets.List(traitlets.List(traitlets.Float())).tag(sync=True)
    sentence = traitlets.Unicode().tag(sync=True)
    cells = traitlets.Dict().tag(sync=True)
    units = traitlets.List(traitlets.Unicode()).tag(sync=True)
    cell = traitlets.Unicode().tag(sync=True)
    step = traitlets.Int(1).tag(sync=True)
    forced = traitlets.Dict().tag(sync=True)
    title = traitlets.Unicode("").tag(sync=True)

    def __init__(
        self,
        vectors: Mapping[str, Sequence[float]] | tuple[Sequence[str], Any],
        sentence: str,
        *,
        rnn: Sequence[Any] | None = None,
        lstm: Sequence[Any] | None = None,
        units: Sequence[str] | None = None,
        cell: str | None = None,
        step: int = 1,
        title: str | None = None,
    ) -> None:
        words, matrix = _vocabulary(vectors)
        given = {"rnn": rnn, "lstm": lstm}
        cells = {
            kind: _weights(kind, weights, matrix.shape[1])
            for kind, weights in given.items()
            if weights is not None
        }
        if not cells:
            raise ValueError("rnn, lstm: expected the weights of at least one of them, got none")
        sizes = {kind: len(parts["wh"][0]) for kind, parts in cells.items()}
        if len(set(sizes.values())) > 1:
            raise ValueError(f"rnn, lstm: expected states of one size, got {sizes}")
        size = next(iter(sizes.values()))
        if units is None:
            units = [f"unit {k + 1}" for k in range(size)]
        units = list(not_text("units", units, "names"))
        if len(units) != size or len(set(units)) < size:
            raise ValueError(
                f"units: expected {size} different names, one per number of the state, got {units}"
            )
        word_ids(sentence, words, MAX_WORDS)
        super().__init__(
            words=words,
            vectors=matrix.tolist(),
            sentence=sentence,
            cells=cells,
            units=units,
            cell=next(iter(cells)) if cell is None else cell,
            step=step,
            title=title or "",
        )

    @traitlets.validate("sentence")
    def _check_sentence(self, proposal: Any) -> Any:
        word_ids(proposal["value"], self.words, MAX_WORDS)
        return proposal["value"]

    @traitlets.validate("cell")
    def _check_cell(self, proposal: Any) -> Any:
        if proposal["value"] not in self.cells:
            raise ValueError(f"cell: expected one of {', '.join(self.cells)}, got {proposal['value']!r}")
        return proposal["value"]

    @traitlets.validate("step")
    def _check_step(self, proposal: Any) -> Any:
        if not 0 <= proposal["value"] <= len(spoken_words(self.sentence)):
            last = len(spoken_words(self.sentence))
            raise ValueError(
                f"step: expected 0 to {last}, the words of the sentence, got {proposal['value']}"
            )
        return proposal["value"]

    @traitlets.validate("forced")
    def _check_forced(self, proposal: Any) -> Any:
        for gate, value in proposal["value"].items():
            if gate not in GATES or value not in (0, 1):
                raise ValueError(f"forced: expected 0 or 1 for {', '.join(GATES)}, got {gate!r}: {value!r}")
        return proposal["value"]

    def states(self, cell: str | None = None) -> dict[str, NDArray[np.float64]]:
        """Return what the network holds after each word of the sentence.

        Args:
            cell: ``"rnn"`` or ``"lstm"``; the one shown unless given.

        Returns:
            ``h`` ``[T, H]``, with an LSTM also ``c, i, f, g, o``, and ``trace`` ``[T]``, what is left of the
            first word: the distance of h from what it would be had the reading begun with the second.
        """
        kind = cell or self.cell
        ids = word_ids(self.sentence, self.words, MAX_WORDS)
        inputs = np.asarray(self.vectors, dtype=np.float64)[ids]  # [T, D]
        parts = {name: np.asarray(part, dtype=np.float64) for name, part in self.cells[kind].items()}
        steps = _unroll(kind, inputs, parts, self.forced)
        late = _unroll(kind, inputs[1:], parts, self.forced)
        without = np.stack([np.zeros_like(steps[0]["h"]), *(step["h"] for step in late)])  # [T, H]
        read = {name: np.stack([step[name] for step in steps]) for name in steps[0]}
        return read | {"trace": np.linalg.norm(read["h"] - without, axis=1)}

    def fallback_html(self) -> str:
        """Return the states, and for an LSTM the gates, after each word, as tables."""
        tables = []
        words = [shown_word(word) for word in spoken_words(self.sentence)]
        named = {"h": "hidden state", "c": "cell state", "i": "input gate", "f": "forget gate"}
        named |= {"g": "candidate", "o": "output gate"}
        for kind in self.cells:
            read = self.states(kind)
            for letters in ("hc", "fi", "go"):
                parts = [letter for letter in letters if letter in read]
                if not parts:
                    continue
                columns = [f"{letter}, {unit}" for letter in parts for unit in self.units]
                numbers = np.concatenate([read[letter] for letter in parts], axis=1)
                if "h" in parts:
                    columns.append("trace of the first word")
                    numbers = np.concatenate([numbers, read["trace"][:, None]], axis=1)
                caption = " and ".join(f"{named[letter]} {letter}" for letter in parts)
                rows = list(zip(words, numbers.tolist(), strict=True))
                tables.append(table_html(f"{kind.upper()}: {caption} after each word", columns, rows))
        return "".join(tables)


def _vocabulary(
    vectors: Mapping[str, Sequence[float]] | tuple[Sequence[str], Any],
) -> tuple[list[str], NDArray[np.float64]]:
    """Return the words and their vectors ``[V, D]``, checked."""
    if isinstance(vectors, Mapping):
        words, rows = list(vectors), list(vectors.values())
    elif isinstance(vectors, tuple) and len(vectors) == 2:
        words, rows = list(not_text("vectors", vectors[0], "words")), vectors[1]
    else:
        raise TypeError(
            f"vectors: expected {{word: numbers}} or (words, [V, D]), got {type(vectors).__name__}"
        )
    for word in words:
        if not isinstance(word, str) or spoken_words(word) != [word]:
            raise ValueError(f"vectors: expected single words as names, got {word!r}")
    if len({word.lower() for word in words}) < len(words):
        raise ValueError(f"vectors: expected words that differ in more than case, got {words}")
    matrix = _array("vectors", rows, (len(words), None))
    return words, matrix


def _weights(kind: str, weights: Sequence[Any], d_in: int) -> dict[str, Any]:
    """Return the four parts of a cell as nested lists, checked against one another."""
    if len(weights) != len(PARTS):
        raise ValueError(f"{kind}: expected W_x, W_h, b_x and b_h, got {len(weights)} arrays")
    gates = 4 if kind == "lstm" else 1
    hidden = _array(f"{kind} W_h", weights[1], (None, None))
    rows, size = hidden.shape
    if rows != gates * size or not 1 <= size <= MAX_UNITS:
        shape = f"[{gates} H, H]" if gates > 1 else "[H, H]"
        raise ValueError(f"{kind} W_h: expected {shape}, H from 1 to {MAX_UNITS}, got {list(hidden.shape)}")
    shapes: list[tuple[int | None, ...]] = [(rows, d_in), (rows, size), (rows,), (rows,)]
    names = ("W_x", "W_h", "b_x", "b_h")
    return {
        part: _array(f"{kind} {name}", given, shape).tolist()
        for part, name, given, shape in zip(PARTS, names, weights, shapes, strict=True)
    }


def _array(name: str, given: Any, shape: tuple[int | None, ...]) -> NDArray[np.float64]:
    array = floats(given)
    if array.ndim != len(shape) or any(
        n not in (None, m) or m == 0 for n, m in zip(shape, array.shape, strict=True)
    ):
        wanted = ", ".join("any" if n is None else str(n) for n in shape)
        raise ValueError(f"{name}: expected shape [{wanted}], got {list(array.shape)}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name}: expected finite numbers, got {array[~np.isfinite(array)][0]}")
    return array


def _sigmoid(x: float) -> float:
    power = math.exp(-abs(x))
    return 1 / (1 + power) if x >= 0 else power / (1 + power)


def _unroll(
    kind: str,
    inputs: NDArray[np.float64],
    parts: Mapping[str, NDArray[np.float64]],
    forced: Mapping[str, float],
) -> list[dict[str, NDArray[np.float64]]]:
    """Return what the cell holds after each input; js/recurrent.mjs does the same."""
    size = parts["wh"].shape[1]
    h = c = np.zeros(size)
    steps = []
    for x in inputs:
        sums = parts["wx"] @ x + parts["bx"] + parts["wh"] @ h + parts["bh"]
        if kind == "rnn":
            h = np.tanh(sums)
            steps.append({"h": h})
            continue
        step = {}
        for gate, part in zip("ifgo", np.split(sums, 4), strict=True):
            squashed = np.tanh(part) if gate == "g" else np.vectorize(_sigmoid)(part)
            step[gate] = np.full(size, float(forced[gate])) if gate in forced else squashed
        c = step["f"] * c + step["i"] * step["g"]
        h = step["o"] * np.tanh(c)
        steps.append({"h": h, "c": c, **step})
    return steps
