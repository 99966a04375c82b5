"""Two small exercises, on which the engine of the checks is tried: scores, and all of self-attention."""

import torch
from torch import Tensor

from unrolled.exercises._check import Case, Exercise, Misconception
from unrolled.exercises._draw import gaussian
from unrolled.exercises.result import Result


def _cases() -> list[Case]:
    return [Case({"X": gaussian(*shape)}, batched=len(shape) > 2) for shape in [(3, 5), (7, 2), (2, 3, 5)]]


def check_scores(fn: object) -> Result:
    """Check ``fn(X)``: the dot products of every token with every token, [..., T, d] -> [..., T, T]."""
    return Exercise("scores", lambda X: X @ X.mT, _cases(), SCORES).check(fn)


def check_self_attention(fn: object) -> Result:
    """Check ``fn(X)``: softmax(XXᵀ)X, for a sentence [T, d] and a batch [B, T, d]."""
    return Exercise("context", _whole, _cases(), WHOLE).check(fn)


def _whole(X: Tensor) -> Tensor:
    return torch.softmax(X @ X.mT, dim=-1) @ X


SCORES = [
    Misconception("raises", lambda X: X @ X, "A missing transpose."),
    Misconception("another shape", lambda X: X.mT @ X, "This compares the d dimensions."),
    Misconception("wrong on a batch", lambda X: X @ X.permute(*reversed(range(X.dim()))), "All reversed."),
    Misconception("raises on a batch", lambda X: X @ X.t(), "Matrices only."),
    Misconception("other numbers", lambda X: X @ X.mT / X.shape[-1] ** 0.5, "Divided by √d."),
]

WHOLE = [
    # The first of two that do the same is named.
    Misconception("columns", lambda X: torch.softmax(X @ X.mT, dim=-2) @ X, "Columns or transposed."),
    Misconception("transposed", lambda X: torch.softmax(X @ X.mT, dim=-1).mT @ X, "Never named."),
    Misconception("first sentence only", lambda X: _whole(X[0]), "The first sentence of the batch only."),
]
