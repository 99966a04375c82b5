"""The checks of chapter 17: the weights that are never formed, and a pair taken out of a state.

>>> from unrolled.exercises.rolled_up import check_take_out
>>> check_take_out(lambda S, k: S).passed
False

Each takes what the learner made and returns a `Result`, which a notebook shows as the last line of a cell.
A check never raises because of a learner's code.
"""

import torch
from torch import Tensor
from torch.nn.functional import normalize

from unrolled.exercises._check import Case, Exercise, Misconception
from unrolled.exercises._draw import gaussian
from unrolled.exercises.result import Result
from unrolled.nn.linear import linear_weights

__all__ = ["check_gated_weights", "check_take_out"]


def check_gated_weights(fn: object) -> Result:
    """Check ``fn(Q, K, alpha)``: the weights ``[T, T]`` of attention without softmax and with gates."""
    cases = []
    for length, size in ((5, 3), (7, 11)):
        alpha = torch.sigmoid(gaussian(length, seed=2))
        cases.append(Case({"Q": gaussian(length, size), "K": gaussian(length, size, seed=1), "alpha": alpha}))
    return Exercise("weights", _weights, cases, _WEIGHTS).check(fn)


def check_take_out(fn: object) -> Result:
    """Check ``fn(S, k)``: the state ``[K, V]`` that answers k with zeros and all else as before."""
    cases = [
        Case({"S": gaussian(size, wide), "k": normalize(gaussian(size, seed=1), dim=-1)})
        for size, wide in ((3, 5), (7, 2))
    ]
    return Exercise("S", _taken_out, cases, _TAKEN).check(fn)


def _weights(Q: Tensor, K: Tensor, alpha: Tensor) -> Tensor:
    return linear_weights(Q, K, alpha.log())


def _ratio(alpha: Tensor) -> Tensor:
    summed = alpha.log().cumsum(0)
    return (summed[:, None] - summed[None, :]).exp()


_WEIGHTS = [
    Misconception(
        "no gates",
        lambda Q, K, alpha: (Q @ K.T).tril(),
        "Without gates that would be right. Here what position s wrote is multiplied by every gate after it.",
    ),
    Misconception(
        "not causal",
        lambda Q, K, alpha: (Q @ K.T) * _ratio(alpha),
        "Positions read what stands behind them. Nothing is in the state before it is written.",
    ),
    Misconception(
        "own gate included",
        lambda Q, K, alpha: ((Q @ K.T) * _ratio(alpha) * alpha[None, :]).tril(),
        "You multiplied by the gate of position s too. At s the gate acts on what was there before, and then "
        "the pair is written.",
    ),
    Misconception(
        "newest gate left out",
        lambda Q, K, alpha: ((Q @ K.T) * _ratio(alpha) / alpha[:, None]).tril(),
        "The gate of position t is missing: the state is multiplied by it before it is read.",
    ),
    Misconception(
        "one gate only",
        lambda Q, K, alpha: ((Q @ K.T) * alpha[:, None]).tril(),
        "You multiplied by one gate. Between s and t there are t − s of them, and all act.",
    ),
    Misconception(
        "softmax",
        lambda Q, K, alpha: torch.softmax(
            (Q @ K.T).masked_fill(torch.ones(len(Q), len(Q)).triu(1).bool(), -torch.inf), -1
        ),
        "There is no softmax here: a score is the weight.",
    ),
]


def _taken_out(S: Tensor, k: Tensor) -> Tensor:
    return S - torch.outer(k, k @ S)


_TAKEN = [
    Misconception("nothing", lambda S, k: S.clone(), "The state is as it was: k still gives what it gave."),
    Misconception(
        "all forgotten",
        lambda S, k: torch.zeros_like(S),
        "Everything is gone. Keys at a right angle to k must give what they gave.",
    ),
    Misconception(
        "row by row",
        lambda S, k: S * (1 - k)[:, None],
        "You scaled each row by 1 − k. That is right for a k with a single 1 and zeros; others point between "
        "the axes.",
    ),
    Misconception(
        "added",
        lambda S, k: S + torch.outer(k, k @ S),
        "You added what k gives once more. It has to be subtracted.",
    ),
    Misconception(
        "not placed at k",
        lambda S, k: S - k @ S,
        "You subtracted what k gives from every row. It has to go where k points: an outer product with k.",
    ),
]
