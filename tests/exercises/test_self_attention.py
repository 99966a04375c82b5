"""Every right solution passes; every deliberately wrong one is told what is wrong with it."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from unrolled.exercises import self_attention as check
from unrolled.nn import SimpleSelfAttention

Fn = Callable[..., Any]


def softmax(s: Tensor) -> Tensor:
    return torch.softmax(s, dim=-1)


def scores_by_loop(X: Tensor) -> Tensor:
    if X.dim() > 2:
        return torch.stack([scores_by_loop(x) for x in X])
    scores = torch.zeros(len(X), len(X))  # float32 beside a float64 X
    for i in range(len(X)):
        for j in range(len(X)):
            scores[i, j] = X[i] @ X[j]
    return scores


def weights_by_loop(scores: Tensor) -> Tensor:
    if scores.dim() > 1:
        return torch.stack([weights_by_loop(row) for row in scores])
    powers = [math.exp(s) for s in scores.tolist()]
    return torch.tensor([p / sum(powers) for p in powers])


def attend_by_loop(weights: Tensor, X: Tensor) -> Tensor:
    if X.dim() > 2:
        return torch.stack([attend_by_loop(w, x) for w, x in zip(weights, X, strict=True)])
    context = torch.zeros(len(weights), X.shape[1])
    for i in range(len(weights)):
        for j in range(len(X)):
            context[i] += weights[i, j] * X[j]
    return context


def float32_within(X: Tensor) -> Tensor:
    weights = torch.zeros(*X.shape[:-1], X.shape[-2])
    weights += softmax(X @ X.mT)
    return weights @ X  # raises in float64, since weights are float32


def in_place(X: Tensor) -> Tensor:
    out = softmax(X @ X.mT) @ X
    X.zero_()
    return out


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


FUNCTION_CHECKS = [
    check.check_scores,
    check.check_weights,
    check.check_attend,
    check.check_self_attention,
    check.check_swap,
]


def todo(*args: Tensor) -> Tensor:
    raise NotImplementedError


@pytest.mark.parametrize("checked", [*FUNCTION_CHECKS, check.check_symmetric_pair, check.check_only_itself])
@pytest.mark.parametrize("placeholder", [None, ..., NotImplemented])
def test_a_placeholder_is_not_attempted(checked: Fn, placeholder: object) -> None:
    assert str(checked(placeholder)).startswith("○ Not attempted yet: Replace the placeholder")


@pytest.mark.parametrize("checked", FUNCTION_CHECKS)
@pytest.mark.parametrize(
    ("fn", "says"),
    [
        (lambda *args: None, "is `return"),
        (lambda *args: ..., "still returns its placeholder"),
        (lambda *args: NotImplemented, "still returns its placeholder"),
        (todo, "still raises NotImplementedError"),
    ],
)
def test_an_unwritten_function_is_not_attempted(checked: Fn, fn: Fn, says: str) -> None:
    result = checked(fn)
    assert not result.attempted
    assert says in result.message


def divides(X: Tensor) -> Tensor:
    raise ZeroDivisionError("division by zero")


@pytest.mark.parametrize(
    ("fn", "says"),
    [
        (
            divides,
            "Your function stopped with ZeroDivisionError: division by zero (for X of shape [3, 5]).",
        ),
        (lambda X: X[:, 99], "Your function stopped with IndexError: index 99 is out of bounds"),
        (
            lambda X: (X @ X.mT).numpy(),
            "expected scores as a torch tensor of shape [3, 3], got numpy.ndarray",
        ),
        (lambda X: (X @ X.mT).tolist(), "got a list of 3"),
        (lambda X: (X @ X.mT, X), "got a tuple of 2"),
        (lambda X: (X @ X.mT).long(), "expected scores in floating-point numbers, got torch.int64"),
        (lambda X: X, "expected scores of shape [3, 3], got shape [3, 5]"),
        (lambda X: X @ X.mT * float("nan"), "got nan"),
        (lambda X: X @ X.mT + 1, "expected scores[0, 0] = "),
        (lambda X, Y: X @ Y.mT, "Expected a function of X, got a function with the arguments (X, Y)"),
        (torch.zeros(3, 3), "Expected a function of X, got a tensor of shape [3, 3]"),
        (7, "got int 7"),
        (np.zeros(2), "got numpy.ndarray"),
        (lambda X: X @ X.mT if X.dim() == 2 else None, "right for one sentence, but not for a batch"),
    ],
)
def test_anything_else_says_what_was_expected_and_what_came(fn: object, says: str) -> None:
    result = check.check_scores(fn)
    assert result.attempted
    assert not result.passed
    assert says in result.message


def test_a_function_that_writes_into_its_input_is_judged_by_its_output() -> None:
    def wrong(X: Tensor) -> Tensor:
        X.mul_(0)
        return X @ X.mT

    assert not check.check_scores(wrong).passed
    assert "changes its input in place" in check.check_self_attention(in_place).message
    assert "in place" not in check.check_self_attention(SimpleSelfAttention()).message


@pytest.mark.parametrize(
    "fn",
    [
        softmax,
        lambda s: F.softmax(s, dim=-1),
        lambda s: s.softmax(-1),
        torch.nn.Softmax(dim=-1),
        lambda s: torch.nn.functional.softmax(s - s.amax(-1, keepdim=True), -1),
    ],
)
def test_a_ready_made_softmax_is_right_with_a_remark(fn: Fn) -> None:
    result = check.check_weights(fn)
    assert result.passed
    assert "You used torch.softmax; the exercise asks for exp and sums" in result.message


@pytest.mark.parametrize(
    ("checked", "fn"),
    [
        (check.check_weights, lambda s: s.exp() / s.exp().sum(-1, keepdim=True)),
        (check.check_weights, weights_by_loop),
        (check.check_self_attention, lambda X: softmax(X @ X.mT) @ X),  # that exercise allows it
    ],
)
def test_no_remark_where_none_is_due(checked: Fn, fn: Fn) -> None:
    result = checked(fn)
    assert result.passed
    assert "torch.softmax" not in result.message


def test_a_check_gives_the_same_answer_twice_and_leaves_the_random_state_alone() -> None:
    torch.manual_seed(5)
    state = torch.get_rng_state()
    first, second = (check.check_scores(lambda X: X @ X.mT + 1) for _ in range(2))
    assert first == second
    assert torch.equal(state, torch.get_rng_state())
