"""Every right solution passes; every deliberately wrong one is told what is wrong with it."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from tests.exercises.solutions import (
    Fn,
    attend_by_loop,
    float32_within,
    in_place,
    scores_by_loop,
    softmax,
    weights_by_loop,
)
from unrolled.exercises import self_attention as check
from unrolled.nn import SimpleSelfAttention

RIGHT: list[tuple[Fn, Fn]] = [
    (check.check_scores, lambda X: X @ X.transpose(-2, -1)),
    (check.check_scores, lambda X: X @ X.mT),
    (check.check_scores, lambda X: torch.matmul(X, X.transpose(-1, -2))),
    (check.check_scores, lambda X: torch.einsum("...id,...jd->...ij", X, X)),
    (check.check_scores, lambda X: (X.unsqueeze(-2) * X.unsqueeze(-3)).sum(-1)),
    (check.check_scores, scores_by_loop),
    (check.check_weights, softmax),
    (check.check_weights, lambda s: s.exp() / s.exp().sum(-1, keepdim=True)),
    (check.check_weights, lambda s: F.softmax(s - s.amax(-1, keepdim=True), dim=-1)),
    (check.check_weights, weights_by_loop),
    (check.check_attend, lambda w, X: w @ X),
    (check.check_attend, lambda w, X: torch.einsum("...ij,...jd->...id", w, X)),
    (check.check_attend, lambda w, X: (w.unsqueeze(-1) * X.unsqueeze(-3)).sum(-2)),
    (check.check_attend, lambda a, b: torch.matmul(a, b)),
    (check.check_attend, attend_by_loop),
    (check.check_self_attention, lambda X: softmax(X @ X.mT) @ X),
    (check.check_self_attention, SimpleSelfAttention()),
    (check.check_self_attention, lambda X: F.scaled_dot_product_attention(X, X, X, scale=1.0)),
    (check.check_self_attention, lambda X: attend_by_loop(weights_by_loop(scores_by_loop(X)), X.float())),
    (check.check_self_attention, float32_within),
    (check.check_self_attention, in_place),
    (check.check_swap, lambda X_hat, order: X_hat[order]),
    (check.check_swap, lambda X_hat, order: torch.stack([X_hat[i] for i in order])),
    (check.check_swap, lambda X_hat, order: X_hat.index_select(0, order)),
]


@pytest.mark.parametrize(("checked", "fn"), RIGHT)
def test_a_right_solution_passes(checked: Fn, fn: Fn) -> None:
    result = checked(fn)
    assert result.passed, result
    assert result.attempted
    assert "random inputs" in result.message


def flat_softmax(s: Tensor) -> Tensor:
    return softmax(s.flatten()).view_as(s)


WRONG: list[tuple[Fn, Fn, str]] = [
    (check.check_scores, lambda X: X @ X, "A missing transpose"),
    (check.check_scores, lambda X: X * X, "squares every number"),
    (check.check_scores, lambda X: X.transpose(-2, -1) @ X, "compares the d dimensions"),
    (check.check_scores, lambda X: X @ X.T, "`X.T` reverses all dimensions"),
    (check.check_scores, lambda X: X @ X.t(), "`t()` transposes matrices only"),
    (check.check_scores, lambda X: X @ X.transpose(0, 1), "swaps sentences and tokens"),
    (check.check_scores, lambda X: torch.mm(X, X.mT), "right for one sentence, but not for a batch"),
    (check.check_scores, lambda X: X @ X.mT / X.shape[-1] ** 0.5, "divided the scores by √d"),
    (check.check_scores, lambda X: F.cosine_similarity(X.unsqueeze(-2), X.unsqueeze(-3), -1), "cosine"),
    (check.check_scores, lambda X: (X * X).sum(-1), "score with itself"),
    (check.check_weights, lambda s: F.softmax(s, dim=-2), "columns sum to one"),
    (check.check_weights, lambda s: s.softmax(0), "columns sum to one"),
    (check.check_weights, lambda s: F.softmax(s, dim=1), "dim 1 counts the tokens that look"),
    (check.check_weights, lambda s: F.softmax(s), "the sentences of the batch compete"),
    (check.check_weights, flat_softmax, "all entries together sum to one"),
    (check.check_weights, lambda s: s.exp() / s.exp().sum(), "all entries together sum to one"),
    (check.check_weights, torch.exp, "did not divide by the sum"),
    (check.check_weights, lambda s: s.exp() / s.exp().sum(-1), "as if they were column sums"),
    (
        check.check_weights,
        lambda s: 2**s / (2**s).sum(-1, keepdim=True),
        "The wrong base: you took powers of 2",
    ),
    (check.check_weights, lambda s: torch.exp2(s), "And divide by the sum of the row"),
    (check.check_weights, torch.sigmoid, "A sigmoid judges each score alone"),
    (check.check_weights, lambda s: s / s.sum(-1, keepdim=True), "without taking the exponential"),
    (check.check_weights, lambda s: softmax(softmax(s)), "The softmax ran twice"),
    (check.check_weights, lambda s: F.log_softmax(s, dim=-1), "logarithms of the weights"),
    (check.check_attend, lambda w, X: w.mT @ X, "The weights are transposed"),
    (check.check_attend, lambda w, X: w * X, "multiplies entry by entry"),
    (check.check_attend, lambda w, X: w.unsqueeze(-1) * X.unsqueeze(-3), "did not add them up"),
    (check.check_attend, lambda w, X: X @ w, "The factors stand in the wrong order"),
    (check.check_attend, lambda w, X: X.mT @ w, "rows and columns of the weights exchanged"),
    (
        check.check_attend,
        lambda w, X: X.mean(-2, keepdim=True).expand_as(X),
        "the plain mean of the tokens, the same",
    ),
    (check.check_attend, lambda w, X: X.mean(-2), "one vector for the whole sentence"),
    (check.check_attend, lambda w, X: X, "the weights had no say"),
    (check.check_self_attention, lambda X: softmax(X @ X) @ X, "A missing transpose"),
    (check.check_self_attention, lambda X: softmax(X * X) @ X, "`X * X` is not a dot product either"),
    (check.check_self_attention, lambda X: softmax(X.mT @ X) @ X, "compares the d dimensions"),
    (check.check_self_attention, lambda X: softmax(X @ X.T) @ X, "`X.T` reverses all dimensions"),
    (check.check_self_attention, lambda X: F.softmax(X @ X.mT, dim=-2) @ X, "symmetric, so both mistakes"),
    (check.check_self_attention, lambda X: softmax(X @ X.mT).mT @ X, "symmetric, so both mistakes"),
    (
        check.check_self_attention,
        lambda X: F.softmax(X @ X.mT, dim=1) @ X,
        "dim 1 counts the tokens that look",
    ),
    (check.check_self_attention, lambda X: F.softmax(X @ X.mT) @ X, "the sentences of the batch compete"),
    (
        check.check_self_attention,
        lambda X: flat_softmax(X @ X.mT) @ X,
        "In the weights: The softmax runs over the whole",
    ),
    (
        check.check_self_attention,
        lambda X: torch.exp(X @ X.mT) @ X,
        "In the weights: You took the exponential",
    ),
    (check.check_self_attention, lambda X: X @ X.mT @ X, "The softmax is missing"),
    (check.check_self_attention, lambda X: F.scaled_dot_product_attention(X, X, X), "divided by √d"),
    (check.check_self_attention, lambda X: softmax(X @ X.mT), "You returned the weights"),
    (check.check_self_attention, lambda X: X @ X.mT, "You returned the scores"),
    (check.check_self_attention, lambda X: softmax(X @ X.mT) * X, "In the weighted sum: `weights * X`"),
    (check.check_self_attention, lambda X: X @ softmax(X @ X.mT), "In the weighted sum: The factors"),
    (check.check_self_attention, lambda X: X, "the weights had no say"),
    (
        check.check_self_attention,
        lambda X: SimpleSelfAttention()(X.reshape(-1, X.shape[-1])).view_as(X),
        "The sentences of the batch are mixed",
    ),
    (
        check.check_self_attention,
        lambda X: SimpleSelfAttention()(X if X.dim() == 2 else X[0]),
        "the first sentence of the batch only",
    ),
    (check.check_self_attention, lambda X: SimpleSelfAttention()(SimpleSelfAttention()(X)), "attended twice"),
    (check.check_swap, lambda X_hat, order: X_hat, "one row per token"),
    (check.check_swap, lambda X_hat, order: X_hat.flip(0), "You reversed the order of the rows"),
    (check.check_swap, lambda X_hat, order: X_hat[order.argsort()], "the order backwards"),
    (check.check_swap, lambda X_hat, order: SimpleSelfAttention()(X_hat[order]), "attention once more"),
    (check.check_swap, lambda X_hat, order: X_hat[:, order], "reordered the d dimensions"),
]


@pytest.mark.parametrize(("checked", "fn", "says"), WRONG)
def test_a_wrong_solution_is_told_what_is_wrong(checked: Fn, fn: Fn, says: str) -> None:
    result = checked(fn)
    assert result.attempted
    assert not result.passed
    assert says in result.message
    last = result.message.splitlines()[-1]
    if last.startswith("Your function stopped with "):
        assert "(for " in last
    else:
        assert last.startswith("For ")
        assert "expected" in last
        assert "got" in last
