"""The checks of chapter 7: right solutions pass, and each wrong one is told what is wrong with it."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers.models.t5.modeling_t5 import T5Attention

from tests.exercises.solutions import Fn, told
from unrolled.exercises import positions as check
from unrolled.nn import Rotary


def groups_by_loop(distance: Tensor) -> Tensor:
    out = torch.zeros_like(distance)
    for at in torch.cartesian_prod(*(torch.arange(n) for n in distance.shape)).view(-1, distance.dim()):
        n = int(distance[tuple(at)])
        out[tuple(at)] = n if n < 16 else min(31, 16 + math.floor(16 / 3 * math.log2(n / 16)))
    return out


def columns_by_index(W: Tensor) -> Tensor:
    K = W.shape[-1]
    return W[..., [*range(0, K, 2), *range(1, K, 2)]]


def columns_as_hugging_face(W: Tensor) -> Tensor:
    """As its conversion of Llama's weights does it."""
    return W.view(*W.shape[:-1], -1, 2).transpose(-1, -2).flatten(-2)


RIGHT: list[tuple[Fn, Fn]] = [
    (check.check_groups, groups_by_loop),
    (check.check_columns, columns_by_index),
    (check.check_columns, columns_as_hugging_face),
]


@pytest.mark.parametrize(("checked", "fn"), RIGHT)
def test_a_right_solution_passes(checked: Fn, fn: Fn) -> None:
    result = checked(fn)
    assert result.passed, result


def test_the_groups_are_those_of_hugging_face() -> None:
    n = torch.arange(1009)
    bucket: Fn = T5Attention._relative_position_bucket
    theirs = bucket(-n, bidirectional=False, num_buckets=32, max_distance=128)
    assert torch.equal(check.groups(n), theirs)
    assert int((check.groups(n) == 31).nonzero()[0]) == 113


def by_neighbours(x: Tensor, angles: Tensor) -> Tensor:
    """The paper's turn."""
    pairs = torch.view_as_complex(x.view(*x.shape[:-1], -1, 2))
    return torch.view_as_real(pairs * torch.polar(torch.ones_like(angles), angles)).flatten(-2)


def test_with_the_columns_reordered_the_scores_are_the_papers_and_without_they_are_not() -> None:
    d, K, T = 11, 14, 13
    x, W_q, W_k = torch.randn(T, d), torch.randn(d, K), torch.randn(d, K)
    angles = torch.arange(T)[:, None] * 10_000.0 ** (-torch.arange(0, K, 2) / K)
    paper = by_neighbours(x @ W_q, angles) @ by_neighbours(x @ W_k, angles).T
    halves = Rotary(K, T)
    mended = halves(x @ check.columns(W_q)) @ halves(x @ check.columns(W_k)).T
    torch.testing.assert_close(mended, paper, rtol=1e-4, atol=1e-3)
    assert (halves(x @ W_q) @ halves(x @ W_k).T - paper).abs().max() > 1


def steps(n: Tensor) -> Tensor:
    return torch.log(n / 16) / math.log(2) * 16 / 3


def near(n: Tensor, far: Tensor) -> Tensor:
    return torch.where(n > 15, far.clamp(max=31), n).to(torch.int64)


WRONG: list[tuple[Fn, Fn, str]] = [
    (check.check_groups, lambda n: near(n, 16 + steps(n).round()), "to the nearest"),
    (check.check_groups, lambda n: near(n, 16 + steps(n).ceil()), "rounded up"),
    (
        check.check_groups,
        lambda n: torch.where(n > 15, 16 + steps(n).floor(), n).long(),
        "go on beyond 31",
    ),
    (
        check.check_groups,
        lambda n: near(n, 16 + (steps(n) * math.log(2)).floor()),
        "natural logarithm",
    ),
    (check.check_groups, lambda n: near(n, 16 + steps(16 * n).floor()), "logarithm of the distance itself"),
    (check.check_groups, lambda n: near(n, steps(n).floor()), "begin at 0 again"),
    (check.check_groups, lambda n: torch.minimum(n, torch.tensor(31)), "its own group"),
    (
        check.check_groups,
        lambda n: (16 + steps(n.clamp(min=1)).floor()).clamp(min=0, max=31).long(),
        "for the near ones too",
    ),
    (check.check_groups, lambda n: near(n, 16 + steps(n).floor()).double(), "floating-point numbers"),
    (check.check_columns, lambda W: 1 * W, "left the columns"),
    (
        check.check_columns,
        lambda W: W.unflatten(-1, (2, -1)).transpose(-1, -2).flatten(-2),
        "the way back",
    ),
    (
        check.check_columns,
        lambda W: W[..., [*range(1, W.shape[-1], 2), *range(0, W.shape[-1], 2)]],
        "before becomes after",
    ),
    (
        check.check_columns,
        lambda W: W[..., [*range(0, W.shape[-2], 2), *range(1, W.shape[-2], 2)], :],
        "reordered the rows",
    ),
    (check.check_columns, lambda W: torch.cat(W.chunk(2, -1)[::-1], -1), "exchanged the two halves"),
    (check.check_columns, lambda W: W[..., list(range(W.shape[-1]))[::-1]], "reversed the columns"),
]


@pytest.mark.parametrize(("checked", "fn", "message"), WRONG)
def test_a_wrong_solution_is_told_why(checked: Fn, fn: Fn, message: str) -> None:
    result = checked(fn)
    assert result.attempted
    assert not result.passed
    assert message in told(result), result.message


def test_no_wrong_solution_of_the_list_passes() -> None:
    for checked, known in ((check.check_groups, check.GROUPS), (check.check_columns, check.COLUMNS)):
        for wrong in known:
            result = checked(wrong.solution)
            assert not result.passed, wrong.name
            assert wrong.message in result.message, wrong.name


@pytest.mark.parametrize("key", [[-0.42, 0.91], (-0.416, 0.909), (torch.tensor(2.0).cos(), 0.9093)])
def test_a_key_two_back_passes(key: Any) -> None:
    result = check.check_key_two_back(torch.tensor(key) if isinstance(key, tuple) else key)
    assert result.passed, result
    assert "−2" in result.message


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ([1.0, 0.0], "best heard where it stands itself"),
        ([-0.42, -0.91], "turned the key the other way"),
        ([0.54, 0.84], "Where must it have pointed before?"),
        ([0.0, 1.0], "Expected 1 at −2, got 0.91"),  # the key of the chapter's example by hand
        ([-5.0, 11.0], "got length 12.08"),
        ([-0.39, 0.86], "got length 0.94"),
        ([0.0, 0.0], "Your key is zero"),
        ([1.0, 2.0, 3.0], "got shape [3]"),
        ([float("nan"), 0.0], "finite numbers"),
        ("key", "Expected two numbers"),
        ([0.99939, 0.0349], "2 radians are 115 degrees"),
    ],
)
def test_another_key_is_told_where_it_is_heard(key: Any, message: str) -> None:
    result = check.check_key_two_back(key)
    assert result.attempted
    assert not result.passed
    assert message in told(result), result.message


@pytest.mark.parametrize("checked", [check.check_groups, check.check_columns])
def test_nothing_is_an_answer_yet_and_nonsense_does_not_raise(checked: Fn) -> None:
    assert not checked(...).attempted
    assert not checked(lambda *given: None).attempted
    for nonsense in (3, "groups", lambda *given: given[0] / 0, lambda *given: [given]):
        assert not checked(nonsense).passed


def test_no_key_is_an_answer_yet() -> None:
    assert not check.check_key_two_back(...).attempted
    assert not check.check_key_two_back(None).attempted
