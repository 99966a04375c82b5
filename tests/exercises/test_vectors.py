"""The checks that ask for vectors: what passes, what does not, and with which numbers."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch

from unrolled.exercises import Result
from unrolled.exercises.self_attention import check_only_itself, check_symmetric_pair
from unrolled.nn import attention_scores, attention_weights


def test_a_symmetric_score_with_two_different_weights_passes_with_its_numbers() -> None:
    X = torch.tensor([[1.0, 0.0], [2.0, 1.0]])
    weights = attention_weights(attention_scores(X, X))
    result = check_symmetric_pair(X)
    assert result.passed
    assert "scores[0, 1] = scores[1, 0] = 2.00" in result.message
    assert f"weights[0, 1] = {weights[0, 1]:.2f} and weights[1, 0] = {weights[1, 0]:.2f}" in result.message


def test_whole_numbers_are_taken_too() -> None:
    assert check_symmetric_pair(torch.tensor([[1, 0], [2, 1]])).passed


@pytest.mark.parametrize(
    ("X", "says"),
    [
        (torch.eye(2), "Your vectors are equally long, which keeps the rows alike. Make one of them longer."),
        (torch.eye(3), "got 0.000 at most: scores[0, 1] = scores[1, 0] = 0.00; weights[0, 1] = 0.21"),
        (2 * torch.eye(3), "All your vectors are equally long"),
        (torch.diag(torch.tensor([1.0, 1.0, 1.05])), "Give one of the two a rival"),
        (torch.tensor([[1.0, 0.0], [0.0, 1.2]]), "Make the longer of the two longer still"),
        (torch.tensor([[1.0, 0.0], [1.05, 0.0]]), "Make the longer of the two longer still"),
        (torch.tensor([[300.0, 0.0], [0.0, 3.0]]), "Make the shorter of the two shorter still"),
        (torch.tensor([[0.0, 3.0], [300.0, 0.0]]), "Make the shorter of the two shorter still"),
        (9 * torch.eye(2), "Make one of them shorter"),
        (torch.tensor([[1.0, 0.0], [-1.05, 0.0]]), "Make the shorter of the two shorter still"),
        (torch.tensor([[1e6, 0.0], [0.0, 1e7]]), "two vectors that point apart"),
    ],
)
def test_nearly_equal_weights_do_not_pass(X: torch.Tensor, says: str) -> None:
    result = check_symmetric_pair(X)
    assert not result.passed
    assert "at least 0.1" in result.message
    assert says in result.message


def ring(length: float) -> torch.Tensor:
    """Three vectors in the plane, a third of a turn apart."""
    angles = torch.arange(3) * (2 * math.pi / 3)
    return length * torch.stack([angles.cos(), angles.sin()], dim=1)


@pytest.mark.parametrize("X", [3 * torch.eye(3), ring(2.0), 3 * torch.eye(5)])
def test_short_vectors_that_point_apart_hear_only_themselves(X: torch.Tensor) -> None:
    result = check_only_itself(X)
    assert result.passed, result
    assert "at least 0.99" in result.message


@pytest.mark.parametrize(
    ("X", "says"),
    [
        (100 * torch.eye(3), "Expected vectors of length 3 at most, got 100.00 for token 0"),
        (torch.eye(3), "Expected every token to attend to itself with 0.99 or more, got 0.576 for token 0"),
        (ring(1.5), "score -1.12, against 2.25 with itself"),
        (torch.tensor([[3.0, 0.0], [3.0, 0.0], [-3.0, 0.0]]), "Two equal vectors always share"),
        (torch.zeros(3, 2), "All your vectors are zero: all scores with a zero vector are 0"),
        (torch.tensor([[3.0, 0.0], [0.0, 0.0], [0.0, 3.0]]), "X[1] is zero"),
        (torch.eye(2), "T of at least 3, got shape [2, 2]"),
    ],
)
def test_tokens_that_hear_others_do_not_pass(X: torch.Tensor, says: str) -> None:
    result = check_only_itself(X)
    assert not result.passed
    assert says in result.message


@pytest.mark.parametrize("check", [check_only_itself, check_symmetric_pair])
@pytest.mark.parametrize(
    ("X", "says"),
    [
        ([[1.0, 2.0]], "Expected a torch tensor X of shape [T, d] with T of at least"),
        ([[1.0, 2.0]], "got a list of 1. `torch.tensor(...)`"),
        (np.eye(3), "got numpy.ndarray"),
        (torch.zeros(3), "got shape [3]"),
        (torch.zeros(1, 3, 2), "got shape [1, 3, 2]"),
        (torch.zeros(3, 0), "got shape [3, 0]"),
        (torch.zeros(3, 2, dtype=torch.bool), "got torch.bool"),
        (torch.tensor([[1.0, 2.0], [3.0, float("nan")], [0.0, 0.0]]), "got X[1, 1] = nan"),
        (torch.tensor([[1.0, 2.0], [3.0, -math.inf], [0.0, 0.0]]), "got X[1, 1] = -inf"),
    ],
)
def test_what_is_no_sentence_of_vectors_is_refused(
    check: Callable[[object], Result], X: object, says: str
) -> None:
    result = check(X)
    assert result.attempted
    assert not result.passed
    assert says in result.message
