r"""The classic mistakes in :math:`\hat X = \mathrm{softmax}(XX^\top)X`, step by step. Chapter 4."""

import math
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from unrolled.exercises._check import Misconception
from unrolled.nn import attend, attention_scores, attention_weights

__all__ = ["ATTEND", "SCORES", "WEIGHTS", "self_attention_misconceptions", "whole"]

BATCH_TRANSPOSE = (
    "A forgotten batch dimension: `X.T` reverses all dimensions of a batch [B, T, d], into [d, T, B]. "
    "Swap the last two only: `X.transpose(-2, -1)` or `X.mT`."
)

SCORES = [
    Misconception(
        "missing transpose",
        lambda X: X @ X,
        "A missing transpose: [T, d] times [T, d] does not fit. Row i of X should meet row j of X, so the "
        "second X stands transposed: `X @ X.transpose(-2, -1)`.",
    ),
    Misconception(
        "elementwise",
        lambda X: X * X,
        "`X * X` squares every number by itself, so no token meets another. A dot product of every token "
        "with every token is a matrix product: `X @ X.transpose(-2, -1)`.",
    ),
    Misconception(
        "dimensions meet instead of tokens",
        lambda X: X.transpose(-2, -1) @ X,
        "XᵀX compares the d dimensions with one another and gives [d, d]. You want the T tokens compared, "
        "[T, T]: the transposed X stands on the right.",
    ),
    Misconception("X.T on a batch", lambda X: X @ X.permute(*reversed(range(X.dim()))), BATCH_TRANSPOSE),
    Misconception(
        "t() on a batch",
        lambda X: X @ X.t(),
        "A forgotten batch dimension: `t()` transposes matrices only. Swap the last two dimensions: "
        "`X.transpose(-2, -1)` or `X.mT`.",
    ),
    Misconception(
        "first two dimensions swapped",
        lambda X: X @ X.transpose(0, 1),
        "A forgotten batch dimension: in [B, T, d], `transpose(0, 1)` swaps sentences and tokens. Count from "
        "the end: `X.transpose(-2, -1)` or `X.mT`.",
    ),
    Misconception(
        "scaled",
        lambda X: X @ X.transpose(-2, -1) / math.sqrt(X.shape[-1]),
        "You divided the scores by √d. That is how chapter 5 does it; here the scores are plain dot "
        "products.",
    ),
    Misconception(
        "cosine similarity",
        lambda X: F.normalize(X, dim=-1) @ F.normalize(X, dim=-1).transpose(-2, -1),
        "You computed cosine similarities: each vector was divided by its length, so every token scores "
        "exactly 1 with itself. A dot product keeps the lengths.",
    ),
    Misconception(
        "own score only",
        lambda X: (X * X).sum(-1),
        "You kept each token's score with itself, T numbers. Every token meets every token: T × T numbers.",
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

ATTEND = [
    Misconception(
        "weights transposed",
        lambda w, X: w.transpose(-2, -1) @ X,
        "The weights are transposed: token i received what the others give to it. Row i of the weights "
        "is what token i takes: `weights @ X`.",
    ),
    Misconception(
        "elementwise",
        lambda w, X: w * X,
        "`weights * X` multiplies entry by entry, and [T, T] does not fit [T, d]. A weighted sum over the "
        "tokens is a matrix product: `weights @ X`.",
    ),
    Misconception(
        "not summed",
        lambda w, X: w.unsqueeze(-1) * X.unsqueeze(-3),
        "You weighted the vectors but did not add them up: sum over the tokens that are looked at, "
        "the second dimension T of [T, T, d].",
    ),
    Misconception(
        "wrong order",
        lambda w, X: X @ w,
        "The factors stand in the wrong order: [T, d] times [T, T] does not fit. The weights come first: "
        "`weights @ X`.",
    ),
    Misconception(
        "Xᵀ times weights",
        lambda w, X: X.transpose(-2, -1) @ w,
        "You multiplied Xᵀ by the weights, which gives one column per token, with rows and columns of the "
        "weights exchanged. No transpose is needed: `weights @ X`.",
    ),
    Misconception(
        "plain mean",
        lambda w, X: X.mean(-2, keepdim=True).expand_as(X),
        "This is the plain mean of the tokens, the same for every token. The weights decide how much of each "
        "token goes in.",
    ),
    Misconception(
        "one mean for the sentence",
        lambda w, X: X.mean(-2),
        "This is the plain mean of the tokens, one vector for the whole sentence. Every token gets a mixture "
        "of its own: T vectors.",
    ),
    Misconception(
        "nothing attended",
        lambda w, X: X,
        "This is X itself: the weights had no say.",
    ),
]


def whole(X: Tensor) -> Tensor:
    """Return the right answer, by the package: [..., T, d] -> [..., T, d]."""
    return attend(attention_weights(attention_scores(X, X)), X)


def _flattened(X: Tensor) -> Tensor:
    return whole(X.reshape(-1, X.shape[-1])).view_as(X)


def _steps() -> Iterator[Misconception]:
    """Yield the whole computation with exactly one step gone wrong.

    Plain PyTorch throughout: where a step raises, it must raise what a learner's code raises.
    """

    def with_scores(wrong: Misconception) -> Misconception:
        return Misconception(
            f"scores: {wrong.name}",
            lambda X: torch.softmax(wrong.solution(X), dim=-1) @ X,
            f"In the scores: {wrong.message}",
        )

    def with_weights(wrong: Misconception) -> Misconception:
        return Misconception(
            f"weights: {wrong.name}",
            lambda X: wrong.solution(X @ X.transpose(-2, -1)) @ X,
            f"In the weights: {wrong.message}",
        )

    def with_attend(wrong: Misconception) -> Misconception:
        return Misconception(
            f"weighted sum: {wrong.name}",
            lambda X: wrong.solution(attention_weights(attention_scores(X, X)), X),
            f"In the weighted sum: {wrong.message}",
        )

    yield from map(with_scores, SCORES)
    yield from map(with_weights, WEIGHTS)
    yield from map(with_attend, ATTEND)


def self_attention_misconceptions() -> list[Misconception]:
    """Return the mistakes of the whole, then those of each step."""
    return [
        Misconception(
            "missing transpose",
            lambda X: X @ X,
            "A missing transpose: somewhere [T, d] meets [T, d], which does not fit. The scores are a matrix "
            "product with the second X transposed, `X @ X.transpose(-2, -1)`; `X * X` is not a dot product "
            "either.",
        ),
        Misconception(
            "dim=1 on a batch",
            lambda X: torch.softmax(X @ X.transpose(-2, -1), dim=1) @ X,
            f"In the weights: {WEIGHTS[0].message}",
        ),
        Misconception(
            "wrong axis",
            # XXᵀ is symmetric, so these two mistakes give the same numbers: the message must name both.
            lambda X: torch.softmax(X @ X.transpose(-2, -1), dim=-2) @ X,
            "The columns of your weights sum to one where the rows should: either the softmax runs over the "
            "wrong axis (it should be `dim=-1`) or the weights are transposed. XXᵀ is symmetric, so both "
            "mistakes give the same numbers.",
        ),
        Misconception(
            "softmax omitted",
            lambda X: X @ X.transpose(-2, -1) @ X,
            "The softmax is missing: you mixed by raw scores, XXᵀX. Shares are positive and sum to one; "
            "scores are neither.",
        ),
        Misconception(
            "scaled",
            lambda X: F.scaled_dot_product_attention(X, X, X),
            "Your scores are divided by √d, which `scaled_dot_product_attention` does unless told "
            "`scale=1.0`. In this chapter they are plain dot products.",
        ),
        Misconception(
            "weights returned",
            lambda X: attention_weights(attention_scores(X, X)),
            "You returned the weights. One step is left: mix the vectors by them, `weights @ X`.",
        ),
        Misconception(
            "scores returned",
            lambda X: attention_scores(X, X),
            "You returned the scores. Two steps are left: softmax, then the weighted sum.",
        ),
        Misconception(
            "sentences mixed",
            _flattened,
            "The sentences of the batch are mixed: all B·T tokens attend to one another, as if the batch "
            "were one long sentence. Keep B in front and work on the last two dimensions.",
        ),
        Misconception(
            "first sentence only",
            lambda X: whole(X[0]),
            "You computed the first sentence of the batch only. Keep B in front and work on the last two "
            "dimensions.",
        ),
        *_steps(),
        Misconception(
            "attention twice",
            lambda X: whole(whole(X)),
            "You attended twice: the output went through self-attention again. That is what stacking does; "
            "here once is enough.",
        ),
    ]
