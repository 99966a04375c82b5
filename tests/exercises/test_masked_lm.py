"""The checks of chapter 11 accept right answers and say what went wrong with others."""

from typing import Any

import pytest
import torch

from unrolled.data.special import SPECIAL
from unrolled.exercises import masked_lm
from unrolled.exercises.masked_lm import check_hide, check_masked_loss, check_nearest


def in_place(tokens: torch.Tensor, hidden: torch.Tensor) -> torch.Tensor:
    return tokens.masked_fill_(hidden, SPECIAL.mask)


def by_loop(logits: torch.Tensor, tokens: torch.Tensor, hidden: torch.Tensor) -> torch.Tensor:
    surprises = [
        -logits[b, t].softmax(0)[tokens[b, t]].log()
        for b in range(len(tokens))
        for t in range(tokens.shape[1])
        if hidden[b, t]
    ]
    return torch.stack(surprises).mean()


def test_right_answers_pass() -> None:
    assert check_hide(lambda tokens, hidden: torch.where(hidden, SPECIAL.mask, tokens)).passed
    assert check_masked_loss(by_loop).passed
    assert check_nearest(lambda vectors, centroids: torch.cdist(vectors, centroids).argmin(1)).passed


@pytest.mark.parametrize(
    ("check", "wrong"),
    [(getattr(masked_lm, f"check_{check}"), wrong) for check, wrongs in
     (("hide", masked_lm.HIDES), ("masked_loss", masked_lm.LOSSES), ("nearest", masked_lm.NEAREST))
     for wrong in wrongs],
    ids=lambda value: getattr(value, "name", None),
)  # fmt: skip
def test_every_mistake_is_named(check: Any, wrong: Any) -> None:
    result = check(wrong.solution)
    assert not result.passed
    assert wrong.message in result.message


@pytest.mark.parametrize("check", [check_hide, check_masked_loss, check_nearest])
def test_an_empty_answer_is_no_mistake_and_no_success(check: Any) -> None:
    result = check(lambda *arguments: ...)
    assert not result.passed
