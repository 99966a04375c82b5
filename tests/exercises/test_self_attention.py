"""Every right solution passes; every deliberately wrong one is told what is wrong with it."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from tests.exercises.small import check_scores, check_self_attention
from tests.exercises.solutions import (
    Fn,
    attend_by_loop,
    float32_within,
    in_place,
    scores_by_loop,
    softmax,
    stable,
    told,
    weights_by_loop,
)
from unrolled.exercises import self_attention as check
from unrolled.nn import SimpleSelfAttention

RIGHT: list[tuple[Fn, Fn]] = [
    (check_scores, lambda X: X @ X.transpose(-2, -1)),
    (check_scores, lambda X: X @ X.mT),
    (check_scores, lambda X: torch.matmul(X, X.transpose(-1, -2))),
    (check_scores, lambda X: torch.einsum("...id,...jd->...ij", X, X)),
    (check_scores, lambda X: (X.unsqueeze(-2) * X.unsqueeze(-3)).sum(-1)),
    (check_scores, scores_by_loop),
    (check.check_weights, softmax),
    (check.check_weights, stable),
    (check.check_weights, lambda s: F.softmax(s - s.amax(-1, keepdim=True), dim=-1)),
    (check.check_weights, weights_by_loop),
    (check_self_attention, lambda X: softmax(X @ X.mT) @ X),
    (check_self_attention, SimpleSelfAttention()),
    (check_self_attention, lambda X: F.scaled_dot_product_attention(X, X, X, scale=1.0)),
    (check_self_attention, lambda X: attend_by_loop(weights_by_loop(scores_by_loop(X)), X.float())),
    (check_self_attention, float32_within),
    (check_self_attention, in_place),
]


@pytest.mark.parametrize(("checked", "fn"), RIGHT)
def test_a_right_solution_passes(checked: Fn, fn: Fn) -> None:
    result = checked(fn)
    assert result.passed, result
    assert result.attempted
    assert "random inputs" in result.message


@pytest.mark.parametrize(
    "fn",
    [
        lambda X: X + torch.arange(len(X))[:, None],
        lambda X: X * torch.arange(1, len(X) + 1)[:, None],
        lambda X: X.cumsum(0),
    ],
)
def test_what_depends_on_the_place_lets_the_order_be_seen(fn: Fn) -> None:
    result = check.check_order(fn)
    assert result.passed, result


@pytest.mark.parametrize(
    ("fn", "says"),
    [
        (lambda X: X, "the same at every place"),
        (lambda X: 2 * X + 1, "the same at every place"),
        (lambda X: X.sort(0).values, "by sorting"),
        (lambda X: X[X[:, 0].argsort()], "by sorting"),
        (lambda X: X + torch.randn(X.shape), "another answer each time"),
        (lambda X: X[:2], "Expected a tensor of shape [5, 3], got a tensor of shape [2, 3]"),
        (lambda X: X / 0, "Expected finite numbers"),
        (lambda X: X @ X, "stopped with RuntimeError"),
    ],
)
def test_what_does_not_is_told_why(fn: Fn, says: str) -> None:
    result = check.check_order(fn)
    assert result.attempted
    assert not result.passed
    assert says in told(result)


def flat_softmax(s: Tensor) -> Tensor:
    return softmax(s.flatten()).view_as(s)


WRONG: list[tuple[Fn, Fn, str]] = [
    (check_scores, lambda X: X @ X, "A missing transpose"),
    (check_scores, lambda X: X.transpose(-2, -1) @ X, "compares the d dimensions"),
    (check_scores, lambda X: X @ X.T, "All reversed"),
    (check_scores, lambda X: X @ X.t(), "Matrices only"),
    (check_scores, lambda X: torch.mm(X, X.mT), "right for one sentence, but not for a batch"),
    (check_scores, lambda X: X @ X.mT / X.shape[-1] ** 0.5, "Divided by √d"),
    (check_self_attention, lambda X: F.softmax(X @ X.mT, dim=-2) @ X, "Columns or transposed"),
    (check_self_attention, lambda X: softmax(X @ X.mT).mT @ X, "Columns or transposed"),
    (
        check_self_attention,
        lambda X: SimpleSelfAttention()(X if X.dim() == 2 else X[0]),
        "The first sentence of the batch only",
    ),
    (check.check_weights, lambda s: s.exp() / s.exp().sum(-1, keepdim=True), "too large for a computer"),
    (
        check.check_weights,
        lambda s: (s - s.amax()).exp() / (s - s.amax()).exp().sum(-1, keepdim=True),
        "its own largest score",
    ),
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
]


@pytest.mark.parametrize(("checked", "fn", "says"), WRONG)
def test_a_wrong_solution_is_told_what_is_wrong(checked: Fn, fn: Fn, says: str) -> None:
    result = checked(fn)
    assert result.attempted
    assert not result.passed
    last = result.message.splitlines()[-1]
    # The last line may quote the learner's own, which holds `says` here.
    assert says in result.message.removesuffix(last)
    if last.startswith("Your function stopped with "):
        assert "(for " in last
    else:
        assert last.startswith("For ")
        assert "expected" in last
        assert "got" in last
