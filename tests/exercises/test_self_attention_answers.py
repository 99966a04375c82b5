"""What a check says to anything but a solution, and what it leaves alone."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from tests.exercises.small import check_scores, check_self_attention
from tests.exercises.solutions import Fn, in_place, softmax, stable, told, weights_by_loop
from unrolled.exercises import self_attention as check
from unrolled.nn import SimpleSelfAttention

FUNCTION_CHECKS = [
    check_scores,
    check.check_weights,
    check_self_attention,
    check.check_order,
]


def todo(*args: Tensor) -> Tensor:
    raise NotImplementedError


@pytest.mark.parametrize(
    "checked",
    [*FUNCTION_CHECKS, check.check_symmetric_pair, check.check_only_itself, check.check_temperature],
)
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
    assert says in told(result)


def divides(X: Tensor) -> Tensor:
    raise ZeroDivisionError("division by zero")


@pytest.mark.parametrize(
    ("fn", "says"),
    [
        (
            divides,
            "Your function stopped with ZeroDivisionError: division by zero (for X of shape [3, 5]), in line "
            f'{divides.__code__.co_firstlineno + 1}: `raise ZeroDivisionError("division by zero")`.',
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
    result = check_scores(fn)
    assert result.attempted
    assert not result.passed
    assert says in result.message


def test_a_function_that_writes_into_its_input_is_judged_by_its_output() -> None:
    def wrong(X: Tensor) -> Tensor:
        X.mul_(0)
        return X @ X.mT

    assert not check_scores(wrong).passed
    assert "changes its input in place" in check_self_attention(in_place).message
    assert "in place" not in check_self_attention(SimpleSelfAttention()).message


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
        (check.check_weights, stable),
        (check.check_weights, weights_by_loop),
        (check_self_attention, lambda X: softmax(X @ X.mT) @ X),  # that exercise allows it
    ],
)
def test_no_remark_where_none_is_due(checked: Fn, fn: Fn) -> None:
    result = checked(fn)
    assert result.passed
    assert "torch.softmax" not in result.message


def test_a_check_gives_the_same_answer_twice_and_leaves_the_random_state_alone() -> None:
    torch.manual_seed(5)
    state = torch.get_rng_state()
    first, second = (check_scores(lambda X: X @ X.mT + 1) for _ in range(2))
    assert first == second
    assert torch.equal(state, torch.get_rng_state())
