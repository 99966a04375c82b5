"""Chapter 5's checks: every right solution passes; every wrong one is told what is wrong with it."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.exercises.solutions import Fn, told
from unrolled.data.associative_recall import CODE, THINGS, WIDTH
from unrolled.exercises import queries_keys_values as check
from unrolled.nn import causal_mask

OWN, SOUGHT, CARRIED = torch.split(torch.eye(WIDTH), [CODE, CODE, len(THINGS)], dim=1)


def by_loop(n_tokens: int, width: int) -> Tensor:
    mask = torch.zeros(n_tokens, n_tokens, dtype=torch.bool)
    for i in range(n_tokens):
        mask[i, max(0, i - width + 1) : i + 1] = True
    return mask


def by_triangles(n_tokens: int, width: int) -> Tensor:
    return torch.ones(n_tokens, n_tokens).tril().triu(1 - width).bool()


def shift(n: int, up: int = 1, size: float | None = None) -> tuple[Tensor, Tensor]:
    size = math.sqrt(n) * math.log(100 * n) if size is None else size
    return size * torch.eye(n), torch.eye(n).roll(up, dims=1)


RIGHT: list[tuple[Fn, Any]] = [
    (check.check_window, by_loop),
    (check.check_window, by_triangles),
    (check.check_window, lambda T, w: causal_mask(T) & ~causal_mask(T).tril(-w)),
    (check.check_lookup, lambda: (100 * SOUGHT, OWN, CARRIED)),
    (check.check_lookup, lambda: [9 * SOUGHT.double(), 9 * OWN, 3 * CARRIED]),
    (check.check_previous, shift),
    (check.check_previous, lambda n: (torch.eye(n).roll(-1, dims=1) * n, 9 * torch.eye(n))),
]


@pytest.mark.parametrize(("checked", "fn"), RIGHT)
def test_a_right_solution_passes(checked: Fn, fn: Any) -> None:
    result = checked(fn)
    assert result.passed, result


WRONG: list[tuple[Fn, Any, str]] = [
    (check.check_window, lambda T, w: by_loop(T, w + 1), "one too wide"),
    (check.check_window, lambda T, w: by_loop(T, w) | by_loop(T, w).mT, "what comes after them as well"),
    (check.check_window, lambda T, w: by_loop(T, w).mT, "opens forward"),
    (check.check_window, lambda T, w: torch.ones(T, T).triu(1 - w).bool(), "what comes after is not"),
    (check.check_window, lambda T, w: causal_mask(T), "That is the causal mask"),
    (check.check_window, lambda T, w: ~by_loop(T, w), "turned round"),
    (check.check_window, lambda T, w: by_loop(T, w).tril(-1), "hides the diagonal"),
    (check.check_window, lambda T, w: by_loop(T, w + 1).tril(-1), "ends before the token"),
    (
        check.check_window,
        lambda T, w: torch.zeros(T, T).masked_fill(~by_loop(T, w), -math.inf),
        "0 and minus",
    ),
    (check.check_window, lambda T, w: by_loop(T, w).long(), "holds numbers (torch.int64)"),
    (check.check_window, lambda T, w: by_loop(T, w).float(), "holds numbers (torch.float32)"),
    (check.check_window, lambda T, w: by_loop(T, w)[1:], "expected mask of shape [7, 7], got shape [6, 7]"),
    (check.check_window, lambda T, w: [T, w], "got a list of 2"),
    (check.check_window, lambda T, w: torch.ones(T, T) @ w, "stopped with TypeError"),
    (check.check_lookup, lambda: (100 * OWN, OWN, CARRIED), "hears mostly itself"),
    (check.check_lookup, lambda: (100 * OWN, SOUGHT, CARRIED), "have changed places"),
    (check.check_lookup, lambda: (8 * SOUGHT, OWN, CARRIED), "Make the scores larger"),
    (check.check_lookup, lambda: (0 * SOUGHT, OWN, CARRIED), "Nobody hears anybody"),
    (check.check_lookup, lambda: (100 * SOUGHT, OWN, OWN[:, :8]), "What is handed over"),
    (check.check_lookup, lambda: (SOUGHT, OWN), "got a tuple of 2. `return W_q, W_k, W_v`"),
    (check.check_lookup, lambda: (SOUGHT, OWN, OWN), "got shape [40, 16] for W_v"),
    (check.check_lookup, lambda: (SOUGHT[1:], OWN, CARRIED), "got shape [39, 16] for W_q"),
    (check.check_lookup, lambda: (SOUGHT, OWN[:, :3], CARRIED), "one width"),
    (check.check_lookup, lambda: (SOUGHT / 0, OWN, CARRIED), "finite real numbers in W_q"),
    (check.check_lookup, lambda: 1 / 0, "ZeroDivisionError"),
    (check.check_lookup, lambda T: T, "Expected a function without arguments"),
    (check.check_previous, lambda n: shift(n, -1), "the one after it"),
    (check.check_previous, lambda n: shift(n, 0), "attends to itself"),
    (check.check_previous, lambda n: shift(n, 1, 3.0), "make the scores larger"),
    (check.check_previous, lambda n: shift(n, 1, 30.0), "Let the size grow with T"),
    (check.check_previous, lambda n: shift(n, 2), "It attends most to token"),
    (check.check_previous, lambda n: torch.eye(n), "got a tensor of shape [5, 5]. `return W_q, W_k`"),
    (check.check_previous, lambda n: (torch.eye(n), 3), "got int 3 for W_k"),
    (check.check_previous, lambda n: (torch.eye(n), torch.eye(n + 1)), "got shape [6, 6] for W_k"),
    (check.check_previous, lambda n: (torch.eye(n), torch.eye(n)[:, :3]), "one width"),
    (check.check_previous, lambda n: (torch.eye(n) / 0, torch.eye(n)), "finite real numbers in W_q"),
    (check.check_previous, lambda n: shift(5), "got shape [5, 5] for W_q"),
    (check.check_previous, lambda n: 1 / 0, "ZeroDivisionError"),
    (check.check_previous, 3, "Expected a function of T"),
]


@pytest.mark.parametrize(("checked", "fn", "words"), WRONG)
def test_a_wrong_solution_is_told_what_is_wrong(checked: Fn, fn: Any, words: str) -> None:
    result = checked(fn)
    assert not result.passed
    assert result.attempted
    assert words in told(result), result.message


@pytest.mark.parametrize("checked", [check.check_lookup, check.check_previous, check.check_window])
@pytest.mark.parametrize("fn", [None, ..., lambda *_: None, lambda *_: ...])
def test_a_placeholder_is_no_attempt(checked: Fn, fn: Any) -> None:
    assert not checked(fn).attempted
