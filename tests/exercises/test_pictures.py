"""The checks of chapter 16: right solutions pass, and each wrong one is told what is wrong with it."""

import pytest
import torch
from torch import Tensor

from tests.exercises.solutions import Fn, told
from unrolled.exercises import pictures as check


def by_fold(patches: Tensor) -> Tensor:
    n = round(patches.shape[-2] ** 0.5)
    flat = patches.reshape(-1, n * n, 4).mT
    whole = torch.nn.functional.fold(flat, (2 * n, 2 * n), 2, stride=2)
    return whole.reshape(*patches.shape[:-2], 2 * n, 2 * n)


def by_loops(patches: Tensor) -> Tensor:
    n = round(patches.shape[-2] ** 0.5)
    whole = torch.zeros(*patches.shape[:-2], 2 * n, 2 * n, dtype=patches.dtype)
    for i in range(n * n):
        row, column = 2 * (i // n), 2 * (i % n)
        for k in range(4):
            whole[..., row + k // 2, column + k % 2] = patches[..., i, k]
    return whole


@pytest.mark.parametrize(
    ("checked", "fn"),
    [
        (check.check_together, by_fold),
        (check.check_together, by_loops),
        (check.check_scores, lambda side, patch: (side**2 / patch**2 + 1) ** 2),
    ],
)
def test_a_right_solution_passes(checked: Fn, fn: Fn) -> None:
    result = checked(fn)
    assert result.passed, result


def strips(patches: Tensor) -> Tensor:
    side = round((patches.shape[-2] * 4) ** 0.5)
    return patches.reshape(*patches.shape[:-2], side, side)


def columns(patches: Tensor) -> Tensor:
    n = round(patches.shape[-2] ** 0.5)
    return by_loops(patches.unflatten(-2, (n, n)).transpose(-3, -2).flatten(-3, -2))


@pytest.mark.parametrize(
    ("checked", "fn", "message"),
    [
        (check.check_together, strips, "in strips"),
        (check.check_together, lambda patches: by_loops(patches).mT, "rows and columns are exchanged"),
        (check.check_together, columns, "column after column"),
        (
            check.check_together,
            lambda patches: by_loops(patches.unflatten(-1, (2, 2)).mT.flatten(-2)),
            "mirrored inside",
        ),
        (check.check_scores, lambda side, patch: (side // patch) ** 4, "looked at too: N + 1 tokens"),
        (check.check_scores, lambda side, patch: (side // patch) ** 2, "number of patches. Each"),
        (check.check_scores, lambda side, patch: (side // patch) ** 2 + 1, "number of tokens. Each"),
        (check.check_scores, lambda side, patch: (side // patch + 1) ** 2, "in *each* direction"),
        (check.check_scores, lambda side, patch: (side * side + 1) ** 2, "for each pixel"),
        (check.check_scores, lambda side, patch: 3, "expected 289, got 3"),
        (check.check_scores, lambda side, patch: "many", "expected a number, got"),
    ],
)
def test_a_wrong_one_is_told_what_is_wrong(checked: Fn, fn: Fn, message: str) -> None:
    result = checked(fn)
    assert not result.passed
    assert message in told(result)


def test_an_attempt_that_is_not_made_is_none() -> None:
    for checked in (check.check_together, check.check_scores):
        assert not checked(lambda *given: None).passed
