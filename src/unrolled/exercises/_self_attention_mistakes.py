"""The classic mistakes in the softmax of chapter 4, and the whole of its self-attention done right."""

import torch
from torch import Tensor

from unrolled.exercises._check import Misconception
from unrolled.nn import attend, attention_scores, attention_weights

__all__ = ["OVERFLOWS", "WEIGHTS", "whole"]

# Right for small scores: only where large ones are asked for too.
OVERFLOWS = [
    Misconception(
        "overflow",
        lambda s: s.exp() / s.exp().sum(-1, keepdim=True),
        "Right for small scores, but e to the power of 1000 is too large for a computer: `exp` gives `inf`, "
        "and `inf / inf` is `nan`; in a row of large negative scores it is 0 / 0. Subtract the same number "
        "from all scores of a row first, which changes no weight. Which number keeps the powers at 1 or "
        "less?",
    ),
    Misconception(
        "one maximum for all rows",
        lambda s: (s - s.max()).exp() / (s - s.max()).exp().sum(-1, keepdim=True),
        "You subtracted the largest score of the whole tensor. In a row whose scores all lie far below it, "
        "every power is 0, and 0 / 0 is `nan`. Subtract from each row its own largest score: "
        "`scores.amax(dim=-1, keepdim=True)`.",
    ),
]

WEIGHTS = [
    # Before the columns: on a batch, dim=1 and dim=-2 are one.
    Misconception(
        "dim=1 on a batch",
        lambda s: torch.softmax(s, dim=1),
        "A forgotten batch dimension: in [B, T, T], dim 1 counts the tokens that look, so your columns sum "
        "to one. Count from the end: `dim=-1`.",
    ),
    Misconception(
        "columns sum to one",
        lambda s: torch.softmax(s, dim=-2),
        "The softmax runs over the wrong axis: your columns sum to one. Each token shares out its own "
        "attention, so each row sums to one: `dim=-1`.",
    ),
    Misconception(
        "all entries sum to one",
        lambda s: torch.softmax(s.flatten(), dim=0).view_as(s),
        "The softmax runs over the whole tensor: all entries together sum to one. Each row is a competition "
        "of its own and sums to one: `dim=-1`.",
    ),
    Misconception(
        "sentences compete",
        lambda s: torch.softmax(s, dim=0),
        "A forgotten batch dimension: in [B, T, T], dim 0 counts the sentences, so the sentences of the "
        "batch compete with one another. (`softmax` without `dim` picks 0 there too.) Write `dim=-1`.",
    ),
    Misconception(
        "not normalised",
        torch.exp,
        "You took the exponential but did not divide by the sum of the row: the rows do not sum to one.",
    ),
    Misconception(
        "wrong base",
        lambda s: 2**s / (2**s).sum(-1, keepdim=True),
        "The wrong base: you took powers of 2. Softmax takes powers of e, `torch.exp(scores)`.",
    ),
    Misconception(
        "wrong base, not normalised",
        lambda s: 2**s,
        "The wrong base: softmax takes powers of e, `torch.exp(scores)`. And divide by the sum of the row.",
    ),
    Misconception(
        "exp over the sum of columns",
        lambda s: s.exp() / s.exp().sum(-1).unsqueeze(-2),
        "You divided by the row sums as if they were column sums. Keep the summed dimension so that each row "
        "meets its own sum: `.sum(dim=-1, keepdim=True)`.",
    ),
    Misconception(
        "sigmoid",
        torch.sigmoid,
        "A sigmoid judges each score alone: the rows do not sum to one and no token competes with another. "
        "Softmax makes them compete.",
    ),
    Misconception(
        "no exponential",
        lambda s: s / s.sum(-1, keepdim=True),
        "You divided the scores by their sum without taking the exponential first: negative scores give "
        "negative weights, and a sum near zero blows up.",
    ),
    Misconception(
        "softmax twice",
        lambda s: torch.softmax(torch.softmax(s, dim=-1), dim=-1),
        "The softmax ran twice: the second one sees numbers between 0 and 1 and flattens them towards equal "
        "shares.",
    ),
    Misconception(
        "log_softmax",
        lambda s: torch.log_softmax(s, dim=-1),
        "These are the logarithms of the weights (`log_softmax`): none is above zero. Attention wants the "
        "weights.",
    ),
]


def whole(X: Tensor) -> Tensor:
    """Return the right answer, by the package: [..., T, d] -> [..., T, d]."""
    return attend(attention_weights(attention_scores(X, X)), X)
