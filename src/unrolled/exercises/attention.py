r"""The checks of chapter 3, attention between two sentences.

>>> from unrolled.exercises.attention import check_local
>>> check_local(lambda scores, reach: scores.softmax(-1)).passed
False

Each takes what the learner made and returns a `Result`, which a notebook shows as the last line of a cell.
A check never raises because of a learner's code.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from unrolled.exercises._check import Case, Exercise, Misconception
from unrolled.exercises._draw import gaussian
from unrolled.exercises._said import apart, blank, describe, failed, passed, unattempted
from unrolled.exercises.result import Result

__all__ = ["check_additive", "check_local", "check_score_matrix"]

# Steps T, source words S and d are different primes, so that no wrong axis fits by chance.
SHAPES = [(5, 7, 3), (2, 3, 11), (3, 5, 7, 2)]


def _sums(steps: Tensor, words: Tensor) -> Tensor:
    """Add every step's vector to every word's: ``[..., T, w]`` and ``[..., S, w]`` to ``[..., T, S, w]``."""
    return steps[..., :, None, :] + words[..., None, :, :]


def additive(h: Tensor, states: Tensor, W_1: Tensor, W_2: Tensor, u: Tensor) -> Tensor:
    """Return the additive scores ``[..., T, S]`` of ``[..., T, d]`` and ``[..., S, d]``."""
    return torch.tanh(_sums(h @ W_1.mT, states @ W_2.mT)) @ u


def local(scores: Tensor, reach: Tensor) -> Tensor:
    """Return weights ``[..., T, S]`` of scores of which step i keeps those at most `reach` places from i."""
    return torch.softmax(scores.masked_fill(_far(scores, reach), -torch.inf), -1)


def _far(scores: Tensor, reach: Tensor) -> Tensor:
    T, S = scores.shape[-2:]
    return (torch.arange(T)[:, None] - torch.arange(S)).abs() > reach


def check_local(fn: object) -> Result:
    """Check ``fn(scores, reach)``: the weights of local attention, [..., T, S] -> [..., T, S]."""
    cases = [
        Case({"scores": gaussian(*front, T, S), "reach": torch.tensor(reach)}, batched=bool(front))
        for *front, T, S, reach in ((5, 7, 1), (5, 3, 2), (2, 5, 7, 2))
    ]
    return Exercise("weights", local, cases, LOCAL).check(fn)


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


LOCAL = [
    Misconception(
        "weights cut",
        lambda scores, reach: torch.softmax(scores, -1).masked_fill(_far(scores, reach), 0),
        "You set weights to zero after the softmax: what is left of a row no longer adds up to one. Set the "
        "scores to minus infinity before it.",
    ),
    Misconception(
        "scores set to zero",
        lambda scores, reach: torch.softmax(scores.masked_fill(_far(scores, reach), 0), -1),
        "You set the scores outside to 0, and e to the power of 0 is 1: those words still get a share. "
        "The score whose power is 0 is minus infinity.",
    ),
    Misconception(
        "kept what is far",
        lambda scores, reach: torch.softmax(scores.masked_fill(~_far(scores, reach), -torch.inf), -1),
        "The mask is turned round: you kept the words that are too far and hid the near ones.",
    ),
    Misconception(
        "one place short",
        lambda scores, reach: local(scores, reach - 1),
        "The words exactly `reach` places away may be looked at too: hide those with a distance greater "
        "than it.",
    ),
    Misconception(
        "back only",
        lambda scores, reach: torch.softmax(
            scores.masked_fill(
                _far(scores, reach)
                | (torch.arange(scores.shape[-1]) > torch.arange(scores.shape[-2])[:, None]),
                -torch.inf,
            ),
            -1,
        ),
        "Step i looks back only: the words after place i are near too. Take the absolute value of i - j.",
    ),
    Misconception(
        "ahead without limit",
        lambda scores, reach: torch.softmax(
            scores.masked_fill(
                torch.arange(scores.shape[-2])[:, None] - torch.arange(scores.shape[-1]) > reach, -torch.inf
            ),
            -1,
        ),
        "Only one side is cut off: i - j is negative for the words after place i, and never greater than "
        "`reach`. Take its absolute value.",
    ),
    Misconception(
        "columns sum to one",
        lambda scores, reach: torch.softmax(scores.masked_fill(_far(scores, reach), -torch.inf), -2),
        "The softmax runs over the wrong axis: your columns sum to one. The source words come last, "
        "`dim=-1`.",
    ),
    Misconception(
        "nothing hidden",
        lambda scores, reach: torch.softmax(scores, -1),
        "Every step still looks at every word: the scores of the words too far away must become minus "
        "infinity.",
    ),
]

ADDITIVE = [
    Misconception(
        "no tanh",
        lambda h, states, W_1, W_2, u: _sums(h @ W_1.mT, states @ W_2.mT) @ u,
        "The tanh is missing. Without it the score falls apart into a part of the step and a part of the "
        "word, and the softmax cancels the step's.",
    ),
    Misconception(
        "tanh of each",
        lambda h, states, W_1, W_2, u: _sums(torch.tanh(h @ W_1.mT), torch.tanh(states @ W_2.mT)) @ u,
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
        lambda h, states, W_1, W_2, u: torch.tanh(_sums(h @ W_1.mT, states @ W_2.mT)).sum(-1),
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
    """Check W of the score hᵀ W h̄: in "let's go" and eight "now" the first step looks at "let's" by half."""
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
        f"context number is {apart(0.25, float(found[0]), 3)[1]}"
    )
    if found[0] <= 0.25:
        hint = " All ten words still get about the same." if weights.max() - weights.min() < 0.05 else ""
        if float((weights * torch.arange(10)).sum()) > 5:
            hint = " Your scores prefer the “now”s."
        return failed(f"{shares}, which is not above 0.25: ve.{hint}")
    if weights[0] < 0.5:
        where = "you point at “go”" if weights[1] > weights[0] else "“let's” gets less than half"
        return failed(f"{shares}. The word is vamos, but {where}.")
    _, alone = _hand_made([(0.0, 1.0), *nows], W)
    assert alone[0] <= 0.25, "without let's the first numbers of all states are zero"
    return passed(f"{shares}: vamos, after eight more words. Without “let's” it is still ve.")
