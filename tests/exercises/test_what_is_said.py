"""A failed check shows what was expected and what came, told apart, and the learner's own line."""

import linecache
import re
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.exercises.small import check_scores
from unrolled.exercises import (
    attention,
    block,
    encoder_decoder,
    queries_keys_values,
    recurrent,
    self_attention,
)
from unrolled.exercises._said import apart


@pytest.mark.parametrize(
    ("want", "came", "least", "said"),
    [
        (0.25, 0.5, 4, ("0.2500", "0.5000")),
        (2e-5, 4e-5, 4, ("0.00002", "0.00004")),
        (0.99, 0.98999, 2, ("0.99000", "0.98999")),
        (0.5, 0.4996, 3, ("0.5000", "0.4996")),
        (1.0, float("nan"), 4, ("1.0000", "nan")),
        (0.5, 0.5, 3, ("0.5", "0.5")),
        (1e-30, 2e-30, 4, ("1e-30", "2e-30")),
    ],
)
def test_two_numbers_are_told_apart(want: float, came: float, least: int, said: tuple[str, str]) -> None:
    assert apart(want, came, least) == said


def test_a_small_difference_is_seen() -> None:
    message = check_scores(lambda X: X @ X.mT * (1 + 3e-4)).message
    want, came = re.findall(r"(?:=|got) (-?[\d.]+)[.,]", message)[-2:]
    assert float(want) != float(came)


BARELY = [
    (lambda: self_attention.check_only_itself(barely(2.9999)), r"with 0\.99 or more, got 0\.\d+ for token"),
    (lambda: recurrent.check_full_stop((-20, 4.967781)), r"after 100 words 0\.499\d+ of the cell state"),
    (lambda: encoder_decoder.check_forget_gate(1.842164), r"c₁ ends at 0\.2026, which is less than 0\.2027"),
]


def barely(length: float) -> Tensor:
    """Return vectors that attend to themselves a little too little."""
    least = torch.eye(3, dtype=torch.float64)
    low, high = 0.0, length
    for _ in range(60):  # halve, to just below the share that is asked for
        middle = (low + high) / 2
        scores = torch.softmax((least * middle) @ (least * middle).mT, -1)
        low, high = (middle, high) if scores[0, 0] < 0.98999 else (low, middle)
    return least * low


@pytest.mark.parametrize(("call", "said"), BARELY)
def test_what_is_barely_too_little_is_not_rounded_up(call: Any, said: str) -> None:
    result = call()
    assert not result.passed
    assert re.search(said, result.message), result.message
    share = re.search(r"got (0\.\d+) for token", result.message)
    assert share is None or float(share[1]) < 0.99


def raises(*_: Any) -> Tensor:
    numbers = [1.0]
    return torch.tensor(numbers[3])


def deeper(*arguments: Any) -> Tensor:
    return torch.stack([raises(*arguments)])


CHECKS = [
    (check_scores, 1),
    (attention.check_local, 2),
    (recurrent.check_truncated, 5),
    (block.check_parameters, 1),
    (block.check_parallel_block, 4),
    (queries_keys_values.check_previous, 1),
    (encoder_decoder.check_scheduled, 3),
]


@pytest.mark.parametrize("fn", [raises, deeper])
@pytest.mark.parametrize(("checked", "count"), CHECKS)
def test_an_error_is_shown_with_the_learners_own_line(checked: Any, count: int, fn: Any) -> None:
    message = checked(fn).message
    line = raises.__code__.co_firstlineno + 2
    assert "Your function stopped with IndexError: list index out of range" in message
    assert message.endswith(f", in line {line}: `return torch.tensor(numbers[3])`.")
    assert count == 1 or "(for " in message


def test_a_cell_of_a_notebook_has_lines_too() -> None:
    """Jupyter gives each cell a file name of its own, and keeps its text where tracebacks look for it."""
    cell = "def scores(X):\n    Y = X.mT\n    return X @ X\n"
    linecache.cache["<cell 7>"] = (len(cell), None, cell.splitlines(keepends=True), "<cell 7>")
    space: dict[str, Any] = {}
    exec(compile(cell, "<cell 7>", "exec"), space)
    assert check_scores(space["scores"]).message.endswith(", in line 3: `return X @ X`.")


def test_a_function_without_lines_is_told_all_the_same() -> None:
    assert check_scores(torch.linalg.inv).message.startswith("Your function stopped with ")
    assert "in line" not in check_scores(torch.linalg.inv).message
