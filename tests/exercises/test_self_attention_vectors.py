"""The checks that ask for vectors: what passes, what does not, and with which numbers."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch

from tests.exercises.solutions import told
from unrolled.exercises import Result
from unrolled.exercises.self_attention import check_only_itself, check_symmetric_pair, check_temperature
from unrolled.nn import attention_scores, attention_weights


def test_a_symmetric_score_with_two_different_weights_passes_with_its_numbers() -> None:
    X = torch.tensor([[1.0, 0.0], [2.0, 1.0]])
    weights = attention_weights(attention_scores(X, X))
    result = check_symmetric_pair(X)
    assert result.passed
    assert "scores[0, 1] = scores[1, 0] = 2.00" in result.message
    assert f"weights[0, 1] = {weights[0, 1]:.3g} and weights[1, 0] = {weights[1, 0]:.3g}" in result.message


def test_whole_numbers_are_taken_too() -> None:
    assert check_symmetric_pair(torch.tensor([[1, 0], [2, 1]])).passed


def test_the_vectors_the_chapter_has_printed_are_no_answer() -> None:
    i_love_bears = torch.tensor([[0.0, 0, 0, 1], [1, 0, 0, 1], [1, 1, 1, 0]])
    assert "Expected two tokens, got 3" in check_symmetric_pair(i_love_bears).message


@pytest.mark.parametrize("length", [0.5, 1.0, 2.0])
def test_only_a_longer_second_vector_listens_less(length: float) -> None:
    """So what the hints say works when it is tried, and in no other way."""
    first, second = torch.randn(2, 5, generator=torch.Generator().manual_seed(3)).double()
    first, second = length * first / first.norm(), second / second.norm()
    for times in (0.3, 0.9):
        assert not check_symmetric_pair(torch.stack([first, times * length * second])).passed
    assert check_symmetric_pair(torch.stack([first, (2 + length) * second])).passed


@pytest.mark.parametrize(
    ("X", "says"),
    [
        (torch.eye(2), "Your vectors are equally long, which keeps the rows alike. Make the second longer."),
        (torch.tensor([[2.0], [1.0]]), "It is the other way round: exchange the two rows."),
        (torch.tensor([[1.0, 0.0], [0.0, 1.2]]), "Make the second longer still"),
        (torch.tensor([[1.2, 0.0], [0.0, 1.0]]), "Make the second the longer of the two"),
        (torch.tensor([[300.0, 0.0], [0.0, 3.0]]), "It is the other way round"),
        (torch.tensor([[1e6, 0.0], [0.0, 1e7]]), "Make both vectors much shorter"),
        (torch.zeros(2, 3), "Your vectors are equally long"),
    ],
)
def test_nearly_equal_weights_do_not_pass(X: torch.Tensor, says: str) -> None:
    result = check_symmetric_pair(X)
    assert not result.passed
    assert "at least 3 times" in result.message
    assert says in told(result)


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
    assert says in told(result)


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
    assert says in told(result)


# x = e^(1/τ) solves x³ = 1 + x
PLASTIC = 1.3247179572447458


def test_the_temperature_at_which_half_is_left_passes() -> None:
    for right in (3.56, 1 / math.log(PLASTIC), torch.tensor(3.556)):
        result = check_temperature(right)
        assert result.passed, result
        assert result.message.endswith("are 0.22, 0.28, 0.50.")


@pytest.mark.parametrize(
    ("temperature", "says"),
    [
        (math.log(PLASTIC), "You gave the factor c"),
        (1.0, "gives itself 0.844, not 0.5. That is still too sharp"),
        (50.0, "too even already"),
        (6.56, "half of the 0.844"),
        (-2.0, "the lowest score gets the most"),
        (0, "other than 0"),
        (math.inf, "finite temperature"),
        ("warm", "Expected a number, got str 'warm'"),
    ],
)
def test_another_temperature_is_told_why(temperature: object, says: str) -> None:
    result = check_temperature(temperature)
    assert result.attempted
    assert not result.passed
    assert says in told(result)
