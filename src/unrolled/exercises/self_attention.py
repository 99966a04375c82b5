"""The checks of chapter 4, simple self-attention.

>>> from unrolled.exercises.self_attention import check_scores
>>> check_scores(lambda X: X.transpose(-2, -1) @ X).passed
False

Each takes what the learner made and returns a `Result`, which a notebook shows as the last line of a cell.
A check never raises because of a learner's code.
"""

from collections.abc import Iterable

import torch
from torch import Tensor

from unrolled.exercises._check import Case, Exercise, Misconception
from unrolled.exercises._draw import gaussian
from unrolled.exercises._steps import ATTEND, SCORES, WEIGHTS, self_attention_misconceptions, whole
from unrolled.exercises._vectors import check_only_itself, check_symmetric_pair
from unrolled.exercises.result import Result
from unrolled.nn import attend, attention_scores, attention_weights

__all__ = [
    "check_attend",
    "check_only_itself",
    "check_scores",
    "check_self_attention",
    "check_swap",
    "check_symmetric_pair",
    "check_weights",
]

# B, T and d are different primes, so that no wrong axis fits by chance.
SHAPES = [(3, 5), (7, 2), (2, 3, 5)]


def _weights(*shape: int) -> Tensor:
    return torch.softmax(gaussian(*shape, seed=100), dim=-1)


def _cases(*inputs: dict[str, Tensor]) -> list[Case]:
    return [Case(named, batched=next(iter(named.values())).dim() > 2) for named in inputs]


def _sentences() -> Iterable[dict[str, Tensor]]:
    return ({"X": gaussian(*shape)} for shape in SHAPES)


def check_scores(fn: object) -> Result:
    """Check ``fn(X)``: the dot products of every token with every token, [..., T, d] -> [..., T, T]."""
    return Exercise("scores", lambda X: attention_scores(X, X), _cases(*_sentences()), SCORES).check(fn)


def check_weights(fn: object) -> Result:
    """Check ``fn(scores)``: a softmax over each row, [..., T, T] -> [..., T, T]."""
    cases = _cases(*({"scores": gaussian(*shape[:-1], shape[-2])} for shape in SHAPES))
    by_hand = "You used torch.softmax; the exercise asks for exp and sums: try that too."
    shortcuts = {"softmax": by_hand}
    return Exercise("weights", attention_weights, cases, WEIGHTS, shortcuts).check(fn)


def check_attend(fn: object) -> Result:
    """Check ``fn(weights, X)``: one weighted sum per token, [..., T, T] and [..., T, d] -> [..., T, d]."""
    cases = _cases(
        *({"weights": _weights(*shape[:-1], shape[-2]), "X": gaussian(*shape)} for shape in SHAPES)
    )
    return Exercise("context", attend, cases, ATTEND).check(fn)


def check_self_attention(fn: object) -> Result:
    """Check ``fn(X)``: all three steps, softmax(XXᵀ)X, for a sentence [T, d] and a batch [B, T, d]."""
    return Exercise("context", whole, _cases(*_sentences()), self_attention_misconceptions()).check(fn)


def check_swap(fn: object) -> Result:
    """Check ``fn(X_hat, order)``: from a sentence's output, the output after its words trade places.

    `X_hat` [T, d] is self-attention's output for X; the answer is its output for ``X[order]``. Attention
    need not run again: word order is invisible to it, so the same vectors come out in the new order.
    """
    cases = _cases(
        # Neither order is its own inverse: gathering and scattering differ.
        {"X_hat": whole(gaussian(3, 5)), "order": torch.tensor([1, 2, 0])},
        {"X_hat": whole(gaussian(7, 2)), "order": torch.tensor([3, 0, 6, 1, 5, 2, 4])},
    )
    return Exercise("context", lambda X_hat, order: X_hat[order], cases, SWAPS).check(fn)


SWAPS = [
    Misconception(
        "unchanged",
        lambda X_hat, order: X_hat,
        "You returned X_hat unchanged. Attention does not see the order, but its output has one row per "
        "token, in the order of the input: when the tokens trade places, so do their rows.",
    ),
    Misconception(
        "inverse order",
        lambda X_hat, order: X_hat[order.argsort()],
        "You applied the order backwards. Row i of the new sentence is token order[i] of the old one, so row "
        "i of the new output is row order[i] of the old: `X_hat[order]`.",
    ),
    Misconception(
        "reversed",
        lambda X_hat, order: X_hat.flip(0),
        "You reversed the order of the rows, whatever `order` says. Use the order given: row i of the new "
        "output is row order[i] of X_hat.",
    ),
    Misconception(
        "attended again",
        lambda X_hat, order: whole(X_hat[order]),
        "You ran attention once more, on vectors that have been through it already. No new computation is "
        "needed.",
    ),
    Misconception(
        "columns reordered",
        lambda X_hat, order: X_hat[:, order],
        "You reordered the d dimensions. The tokens are the rows, the first dimension of X_hat.",
    ),
]
