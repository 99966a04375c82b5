"""The checks of chapter 4, simple self-attention.

>>> from unrolled.exercises.self_attention import check_weights
>>> check_weights(lambda scores: scores.exp()).passed
False

Each takes what the learner made and returns a `Result`, which a notebook shows as the last line of a cell.
A check never raises because of a learner's code.
"""

import torch
from torch import Tensor

from unrolled.exercises._check import Case, Exercise, run
from unrolled.exercises._draw import gaussian
from unrolled.exercises._said import describe, failed, passed, refusal, stopped, unattempted, unwritten
from unrolled.exercises._self_attention_mistakes import OVERFLOWS, WEIGHTS, whole
from unrolled.exercises._self_attention_vectors import (
    check_only_itself,
    check_symmetric_pair,
    check_temperature,
)
from unrolled.exercises.result import Result
from unrolled.nn import attention_weights

__all__ = [
    "check_only_itself",
    "check_order",
    "check_symmetric_pair",
    "check_temperature",
    "check_weights",
]

# B, T and d are different primes, so that no wrong axis fits by chance.
SHAPES = [(3, 5), (7, 2), (2, 3, 5)]


def _cases(*inputs: dict[str, Tensor]) -> list[Case]:
    return [Case(named, batched=next(iter(named.values())).dim() > 2) for named in inputs]


def check_weights(fn: object) -> Result:
    """Check ``fn(scores)``: a softmax over each row, [..., T, T] -> [..., T, T], of large scores too."""
    cases = _cases(
        *({"scores": size * gaussian(*shape[:-1], shape[-2])} for shape in SHAPES for size in (1, 1000))
    )
    by_hand = "You used torch.softmax; the exercise asks for exp and sums: try that too."
    shortcuts = {"softmax": by_hand}
    return Exercise("weights", attention_weights, cases, [*OVERFLOWS, *WEIGHTS], shortcuts).check(fn)


def check_order(fn: object) -> Result:
    """Check ``fn(X)``, [T, d] -> [T, d]: self-attention after it must give other vectors in another order."""
    X = gaussian(5, 3)
    if refused := refusal(fn, ["X"]):
        return refused
    assert callable(fn)
    order = torch.tensor([2, 0, 3, 4, 1])
    outputs = [run(fn, Case({"X": x})) for x in (X, X, X[order])]
    for outcome in outputs:
        if placeholder := unwritten(outcome.value, outcome.error, "X"):
            return unattempted(placeholder)
        if outcome.error is not None:
            return failed(stopped(fn, outcome.error, "for X of shape [5, 3]"))
        if not isinstance(outcome.value, Tensor) or outcome.value.shape != X.shape:
            return failed(f"Expected a tensor of shape {list(X.shape)}, got {describe(outcome.value)}.")
        if not outcome.value.isfinite().all():
            return failed("Expected finite numbers, got others.")
    same, again, shuffled = (whole(outcome.value.detach().double()) for outcome in outputs)
    if not torch.allclose(same, again):
        return failed(
            "Your function gives another answer each time it is called. What marks a place must be the same "
            "in every sentence, or nobody can read it."
        )
    if torch.allclose(shuffled, same[order], atol=1e-6):
        return failed(
            "The shuffled sentence still gets the same vectors, shuffled likewise: what you do to a word is "
            "the same at every place. Let it depend on the row's number."
        )
    if torch.cdist(shuffled, same).amin(dim=-1).max() < 1e-6:
        return failed(
            "The two sentences get the same vectors, in another order: you have put the words into an order "
            "that does not depend on where they stood (by sorting, for one). So order is still lost."
        )
    moved = (shuffled - same[order]).norm(dim=-1).max()
    return passed(
        f"In another order the same words get other vectors: one of them differs by {moved:.2f}. "
        "Self-attention itself has not changed."
    )
