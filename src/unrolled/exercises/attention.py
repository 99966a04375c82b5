r"""The checks of chapter 3, attention between two sentences.

>>> from unrolled.exercises.attention import check_context
>>> check_context(lambda h, states: h).passed
False

Each takes what the learner made and returns a `Result`, which a notebook shows as the last line of a cell.
A check never raises because of a learner's code.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from unrolled.exercises._check import (
    Case,
    Exercise,
    Misconception,
    blank,
    describe,
    failed,
    passed,
    unattempted,
)
from unrolled.exercises._draw import gaussian
from unrolled.exercises.result import Result
from unrolled.nn import attend, attention_scores, attention_weights

__all__ = ["check_additive", "check_context", "check_score_matrix"]

# Steps T, source words S and d are different primes, so that no wrong axis fits by chance.
SHAPES = [(5, 7, 3), (2, 3, 11), (3, 5, 7, 2)]


def context(h: Tensor, states: Tensor) -> Tensor:
    """Return what each step finds, by the package: ``[..., T, d]`` and ``[..., S, d]`` to ``[..., T, d]``."""
    return attend(attention_weights(attention_scores(h, states)), states)


def additive(h: Tensor, states: Tensor, W_1: Tensor, W_2: Tensor, u: Tensor) -> Tensor:
    """Return the additive scores ``[..., T, S]`` of ``[..., T, d]`` and ``[..., S, d]``."""
    return torch.tanh((h @ W_1.mT)[..., :, None, :] + (states @ W_2.mT)[..., None, :, :]) @ u


def check_context(fn: object) -> Result:
    """Check ``fn(h, states)``: what each decoder step finds, [..., T, d] and [..., S, d] -> [..., T, d]."""
    cases = [
        Case(
            {"h": gaussian(*front, T, d), "states": gaussian(*front, S, d, seed=1)},
            batched=bool(front),
        )
        for *front, T, S, d in SHAPES
    ]
    return Exercise("context", context, cases, CONTEXTS, SHORTCUTS).check(fn)


def check_additive(fn: object) -> Result:
    """Check ``fn(h, states, W_1, W_2, u)``: additive scores, [..., T, d] and [..., S, d] -> [..., T, S]."""
    cases = []
    for *front, T, S, d in SHAPES:
        width = 13
        cases.append(
            Case(
                {
                    "h": gaussian(*front, T, d),
                    "states": gaussian(*front, S, d, seed=1),
                    "W_1": gaussian(width, d, seed=2),
                    "W_2": gaussian(width, d, seed=3),
                    "u": gaussian(width, seed=4),
                },
                batched=bool(front),
            )
        )
    return Exercise("scores", additive, cases, ADDITIVE).check(fn)


SHORTCUTS = {
    "scaled_dot_product_attention": "Right. The exercise was to write the three steps yourself: scores, "
    "weights, context.",
}

CONTEXTS = [
    Misconception(
        "columns sum to one",
        lambda h, states: torch.softmax(h @ states.mT, -2) @ states,
        "The softmax runs over the wrong axis: your columns sum to one. Each decoder step shares out its own "
        "attention among the source words, which come last: `dim=-1`.",
    ),
    Misconception(
        "no softmax",
        lambda h, states: h @ states.mT @ states,
        "You mixed by the scores themselves. They may be negative and do not sum to one; the softmax makes "
        "shares of them.",
    ),
    Misconception(
        "weights returned",
        lambda h, states: torch.softmax(h @ states.mT, -1),
        "You returned the weights. One step is left: mix the encoder's states by them.",
    ),
    Misconception(
        "decoder states mixed",
        lambda h, states: torch.softmax(states @ h.mT, -1) @ h,
        "Encoder and decoder are exchanged: each of your rows belongs to a source word. A row belongs to a "
        "decoder step, and what is mixed are the encoder's states.",
    ),
    Misconception(
        "scaled",
        lambda h, states: torch.softmax(h @ states.mT / math.sqrt(h.shape[-1]), -1) @ states,
        "You divided the scores by the square root of d. That is the scaled dot product; here the plain one "
        "is asked for.",
    ),
    Misconception(
        "attends to itself",
        lambda h, states: torch.softmax(h @ h.mT, -1) @ h,
        "You compared the decoder's states with one another. That is chapter 4. Compare them with the "
        "encoder's states.",
    ),
    Misconception(
        "transpose of a batch",
        lambda h, states: torch.softmax(h @ states.permute(*range(states.dim())[::-1]), -1) @ states,
        "A forgotten batch dimension: `.T` reverses all dimensions. Swap the last two only: "
        "`states.transpose(-2, -1)`.",
    ),
]

ADDITIVE = [
    Misconception(
        "no tanh",
        lambda h, states, W_1, W_2, u: (
            ((h @ W_1.mT)[..., :, None, :] + (states @ W_2.mT)[..., None, :, :]) @ u
        ),
        "The tanh is missing. Without it the score falls apart into a part of the step and a part of the "
        "word, and the softmax cancels the step's.",
    ),
    Misconception(
        "tanh of each",
        lambda h, states, W_1, W_2, u: (
            (torch.tanh(h @ W_1.mT)[..., :, None, :] + torch.tanh(states @ W_2.mT)[..., None, :, :]) @ u
        ),
        "You took the tanh of each side before adding. First add, then the tanh: only so do the two meet.",
    ),
    Misconception(
        "matrices exchanged",
        lambda h, states, W_1, W_2, u: additive(h, states, W_2, W_1, u),
        "W_1 and W_2 are exchanged: W_1 belongs to the decoder's state, W_2 to the encoder's.",
    ),
    Misconception(
        "rows and columns exchanged",
        lambda h, states, W_1, W_2, u: additive(h, states, W_1, W_2, u).mT,
        "Rows and columns are exchanged: a row belongs to a decoder step, a column to a source word.",
    ),
    Misconception(
        "no u",
        lambda h, states, W_1, W_2, u: torch.tanh(
            (h @ W_1.mT)[..., :, None, :] + (states @ W_2.mT)[..., None, :, :]
        ).sum(-1),
        "You added the numbers up. Each has a weight of its own: multiply by u.",
    ),
    Misconception(
        "softmax taken",
        lambda h, states, W_1, W_2, u: torch.softmax(additive(h, states, W_1, W_2, u), -1),
        "These are the weights already. Only the scores are asked for, before the softmax.",
    ),
]

_NOWS = 8


def _hand_made(words: Sequence[tuple[float, float]], matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Return weights and context of the first step of the chapter's hand-made machine, scores hᵀ W h̄."""
    c = torch.zeros(2, dtype=torch.float64)
    states = []
    for x in words:  # the gates: half of the old, all of the new
        c = c / 2 + torch.tanh(torch.tensor(x, dtype=torch.float64))
        states.append(torch.tanh(c))
    encoded = torch.stack(states)  # [S, 2]
    h = torch.tanh(c + torch.tanh(torch.tensor([0.0, 0.3], dtype=torch.float64)))  # <eos> is given first
    weights = torch.softmax(encoded @ (matrix.T @ h), -1)
    return weights, weights @ encoded


def check_score_matrix(matrix: object) -> Result:
    """Check W of the score hᵀ W h̄: "let's go" and eight "now" must be vamos, and "go" and eight "now" ve."""
    if blank(matrix):
        return unattempted("Replace the placeholder by four numbers, [[., .], [., .]].")
    try:
        W = torch.as_tensor(matrix, dtype=torch.float64)
    except (TypeError, ValueError, RuntimeError):
        return failed(f"Expected a 2 × 2 matrix, got {describe(matrix)}.")
    if W.shape != (2, 2) or not W.isfinite().all():
        return failed(f"Expected four finite numbers, [[., .], [., .]], got {describe(matrix)}.")
    nows = [(0.0, 0.0)] * _NOWS
    weights, found = _hand_made([(1.0, 0.0), (0.0, 1.0), *nows], W)
    shares = (
        f"“let's” gets {weights[0]:.2f} and “go” {weights[1]:.2f} of the first step's attention; the first "
        f"context number is {found[0]:.3f}"
    )
    if found[0] <= 0.25:
        hint = " All ten words still get about the same." if weights.max() - weights.min() < 0.05 else ""
        if float((weights * torch.arange(10)).sum()) > 5:
            hint = " Your scores prefer the “now”s."
        return failed(f"{shares}, which is not above 0.25: ve.{hint}")
    _, alone = _hand_made([(0.0, 1.0), *nows], W)
    assert alone[0] <= 0.25, "without let's the first numbers of all states are zero"
    return passed(f"{shares}: vamos, after eight more words. Without “let's” it is still ve.")
