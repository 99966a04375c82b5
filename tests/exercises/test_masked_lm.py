"""The checks of chapter 11: right solutions pass, and each wrong one is told what is wrong with it."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from unrolled.data.special import SPECIAL
from unrolled.exercises import masked_lm as check

Fn = Callable[..., Any]
MASK, PAD = SPECIAL.mask, SPECIAL.pad


def in_place(tokens: Tensor, hidden: Tensor) -> Tensor:
    return tokens.masked_fill_(hidden, MASK)


def by_loop(logits: Tensor, tokens: Tensor, hidden: Tensor) -> Tensor:
    surprises = [
        -logits[b, t].softmax(0)[tokens[b, t]].log()
        for b in range(len(tokens))
        for t in range(tokens.shape[1])
        if hidden[b, t]
    ]
    return torch.stack(surprises).mean()


def by_labels(logits: Tensor, tokens: Tensor, hidden: Tensor) -> Tensor:
    labels = tokens.masked_fill(~hidden, -100)
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten())


RIGHT: list[tuple[Fn, Fn]] = [
    (check.check_hide, lambda tokens, hidden: torch.where(hidden, MASK, tokens)),
    (check.check_masked_loss, by_loop),
    (check.check_masked_loss, by_labels),
    (check.check_nearest, lambda vectors, centroids: torch.cdist(vectors, centroids).argmin(1)),
    (
        check.check_nearest,
        lambda vectors, centroids: torch.stack([(centroids - v).square().sum(1).argmin() for v in vectors]),
    ),
]


@pytest.mark.parametrize(("checked", "fn"), RIGHT)
def test_a_right_solution_passes(checked: Fn, fn: Fn) -> None:
    result = checked(fn)
    assert result.passed, result
    assert "in place" not in result.message


def test_tokens_that_are_changed_in_place_get_a_remark() -> None:
    result = check.check_hide(in_place)
    assert result.passed
    assert "changes its input in place" in result.message


def right_shares(logits: Tensor, tokens: Tensor) -> Tensor:
    """The probability of each word that stands there, [B, T], without `gather`."""
    one_hot = torch.nn.functional.one_hot(tokens, logits.shape[-1])
    return (logits.exp() * one_hot).sum(-1) / logits.exp().sum(-1)


WRONG: list[tuple[Fn, Fn, str]] = [
    (check.check_hide, lambda x, h: torch.where(h, x, MASK), "You hid the words that should stay"),
    (check.check_hide, lambda x, h: torch.where(h, PAD, x), "That is padding"),
    (check.check_hide, lambda x, h: torch.where(h, x, -100), "You made the labels"),
    (check.check_hide, lambda x, h: x.clone(), "nothing is hidden"),
    (check.check_masked_loss, lambda x, y, h: -right_shares(x, y).log().mean(), "mean over all places"),
    (
        check.check_masked_loss,
        lambda x, y, h: -right_shares(x, y).log()[h].sum() / y.numel(),
        "divided by the number of all places",
    ),
    (check.check_masked_loss, lambda x, y, h: -right_shares(x, y).log()[h].sum(), "That is the sum"),
    (check.check_masked_loss, lambda x, y, h: right_shares(x, y).log()[h].mean(), "The sign is wrong"),
    (check.check_masked_loss, lambda x, y, h: right_shares(x, y)[h].mean(), "mean probability"),
    (check.check_nearest, lambda v, c: torch.cdist(v, c).argmax(1), "the farthest centroids"),
    (check.check_nearest, lambda v, c: (c @ v.mT).argmax(0), "largest dot product"),
    (check.check_nearest, lambda v, c: torch.cdist(v, c).argmin(0), "nearest vector of each centroid"),
    (check.check_nearest, lambda v, c: torch.cdist(v, c).amin(1), "distances to the nearest"),
]


@pytest.mark.parametrize(("checked", "fn", "told"), WRONG)
def test_a_wrong_solution_is_told_why(checked: Fn, fn: Fn, told: str) -> None:
    result = checked(fn)
    assert not result.passed
    assert result.attempted
    assert told in result.message


def test_every_known_mistake_is_tried() -> None:
    assert len(WRONG) == len(check.HIDES) + len(check.LOSSES) + len(check.NEAREST)


@pytest.mark.parametrize("checked", [check.check_hide, check.check_masked_loss, check.check_nearest])
def test_no_answer_is_no_attempt_and_nonsense_is_told(checked: Fn) -> None:
    for blank in (None, ..., lambda *arguments: ...):
        result = checked(blank)
        assert not result.passed
        assert not result.attempted
    assert "Expected a function of" in checked(3).message
    assert "got a function with the arguments (x)" in checked(lambda x: x).message

    def broken(*arguments: Any) -> None:
        raise RuntimeError("no idea")

    assert "stopped with RuntimeError: no idea" in checked(broken).message
