"""An LSTM encoder and decoder in numpy, for what stands in a widget's place where no script runs.

The widgets take arrays and import no model. js/seq2seq.mjs computes the same; both equal
`unrolled.nn.seq2seq.Seq2Seq`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Arrays", "Step", "encode", "state_sizes", "translate"]

Floats = NDArray[np.float64]
Arrays = Mapping[str, Floats]
State = list[tuple[Floats, Floats]]


class Step(NamedTuple):
    """One step of the decoder.

    Attributes:
        word: the likeliest next word.
        share: its probability.
        weights: attention weights over the source words, or None without attention.
    """

    word: int
    share: float
    weights: Floats | None


def _softmax(scores: Floats) -> Floats:
    powers = np.exp(scores - scores.max())
    shares: Floats = powers / powers.sum()
    return shares


def _cell(weights: Arrays, name: str, x: Floats, h: Floats, c: Floats) -> tuple[Floats, Floats]:
    sums = weights[f"{name}.input_proj.weight"] @ x + weights[f"{name}.input_proj.bias"]
    sums = sums + weights[f"{name}.hidden_proj.weight"] @ h + weights[f"{name}.hidden_proj.bias"]
    i, f, g, o = np.split(sums, 4)
    i, f, o = (1 / (1 + np.exp(-gate)) for gate in (i, f, o))
    c = f * c + i * np.tanh(g)
    return o * np.tanh(c), c


def _n_cells(weights: Arrays, side: str) -> int:
    return sum(name.startswith(f"{side}.cells.") and name.endswith("hidden_proj.bias") for name in weights)


def state_sizes(weights: Arrays) -> tuple[int, int]:
    """Return how many layers the decoder has, and how many numbers a hidden state."""
    return _n_cells(weights, "decoder"), weights["decoder.cells.0.hidden_proj.weight"].shape[1]


def encode(weights: Arrays, ids: Sequence[int]) -> tuple[Floats, State]:
    """Return one vector for each source word ``[S, d_hidden]``, and the last state of each layer."""
    n_layers = _n_cells(weights, "decoder")
    directions = _n_cells(weights, "encoder") // n_layers
    outputs: Floats = weights["source_embedding.weight"][list(ids)]
    ends: State = []
    for layer in range(n_layers):
        seen, last = [], []
        for direction in range(directions):
            name = f"encoder.cells.{layer * directions + direction}"
            h = c = np.zeros(weights[f"{name}.hidden_proj.weight"].shape[1])
            hidden = []
            for x in outputs[:: 1 if direction == 0 else -1]:
                h, c = _cell(weights, name, x, h, c)
                hidden.append(h)
            seen.append(np.stack(hidden[:: 1 if direction == 0 else -1]))
            last.append((h, c))
        outputs = np.concatenate(seen, axis=1)
        ends.append((np.concatenate([h for h, _ in last]), np.concatenate([c for _, c in last])))
    return outputs, ends


def translate(weights: Arrays, ids: Sequence[int], bos: int, eos: int, max_len: int) -> list[Step]:
    """Return the decoder's steps, always with the likeliest word, until `eos` or `max_len` words."""
    outputs, state = encode(weights, ids)
    steps: list[Step] = []
    word = bos
    while len(steps) < max_len and not (steps and word == eos):
        x: Any = weights["target_embedding.weight"][word]
        for layer, (h, c) in enumerate(state):
            state[layer] = _cell(weights, f"decoder.cells.{layer}", x, h, c)
            x = state[layer][0]
        attention = None
        if "combine.weight" in weights:
            attention = _softmax(outputs @ x)
            both = np.concatenate([attention @ outputs, x])
            x = np.tanh(weights["combine.weight"] @ both + weights["combine.bias"])
        shares = _softmax(weights["lm_head.weight"] @ x + weights["lm_head.bias"])
        word = int(shares.argmax())
        steps.append(Step(word, float(shares[word]), attention))
    return steps
