"""The checks of chapter 11: right solutions pass, and each wrong one is told what is wrong with it."""

from typing import Any

import pytest
import torch
from torch import Tensor

from tests.exercises.solutions import Fn, told
from unrolled.data.special_tokens import SPECIAL
from unrolled.exercises import masked_lm as check

MASK = SPECIAL.mask


def by_loop(tokens: Tensor, chosen: Tensor, fate: Tensor, words: Tensor) -> Tensor:
    seen = tokens.clone()
    for b in range(len(tokens)):
        for t in range(tokens.shape[1]):
            if chosen[b, t] and fate[b, t] < 0.8:
                seen[b, t] = MASK
            elif chosen[b, t] and fate[b, t] >= 0.9:
                seen[b, t] = words[b, t]
    return seen


def in_place(tokens: Tensor, chosen: Tensor, fate: Tensor, words: Tensor) -> Tensor:
    tokens[chosen & (fate < 0.8)] = MASK
    late = chosen & (fate >= 0.9)
    tokens[late] = words[late]
    return tokens


def test_a_right_solution_passes() -> None:
    result = check.check_fate(by_loop)
    assert result.passed, result
    assert "in place" not in result.message


def test_tokens_that_are_changed_in_place_get_a_remark() -> None:
    result = check.check_fate(in_place)
    assert result.passed
    assert "changes its input in place" in result.message


def fates(tokens: Tensor, mask: Tensor, random: Tensor, words: Tensor) -> Tensor:
    return torch.where(random, words, torch.where(mask, MASK, tokens))


WRONG: list[tuple[Fn, str]] = [
    (lambda x, c, f, w: x.clone(), "The tokens are as they were"),
    (lambda x, c, f, w: torch.where(c, MASK, x), "You hid all chosen words"),
    (lambda x, c, f, w: fates(x, f < 0.8, f >= 0.9, w), "decide about all words"),
    (lambda x, c, f, w: fates(x, c & (f < 0.8), f >= 0.9, w), "were not chosen"),
    (lambda x, c, f, w: fates(x, c & (f < 0.8), c & (f >= 0.8), w), "80/20/0"),
    (lambda x, c, f, w: torch.where(c & (f < 0.8), MASK, x), "80/0/20"),
    (
        lambda x, c, f, w: fates(x, c & (f < 0.8), c & (f >= 0.8) & (f < 0.9), w),
        "the last two are exchanged",
    ),
]


@pytest.mark.parametrize(("fn", "message"), WRONG)
def test_a_wrong_solution_is_told_why(fn: Fn, message: str) -> None:
    result = check.check_fate(fn)
    assert not result.passed
    assert result.attempted
    assert message in told(result)


def test_every_known_mistake_is_tried() -> None:
    assert len(WRONG) == len(check.FATES)


@pytest.mark.parametrize(
    ("pieces", "message"),
    [
        ({"un", "##bear", "##able"}, "Longest match first spells it with your pieces: un ##bear ##able"),
        ({"un", "unb", "bear", "able"}, "only if ## is forgotten"),
        ({"un", "unb", "##bear"}, "No choice of your pieces spells"),
        (["un", ""], "Expected pieces of one letter or more, got ''"),
        (["un", "##"], "Expected pieces of one letter or more, got '##'"),
        (["un", 3], "Expected pieces of one letter or more, got 3"),
        ("un", "Expected a set of pieces, got str 'un'"),
        (7, "Expected a set of pieces, got int 7"),
    ],
)
def test_pieces_that_show_nothing_are_told_why(pieces: object, message: str) -> None:
    result = check.check_greedy(pieces)
    assert not result.passed
    assert result.attempted
    assert message in told(result)


@pytest.mark.parametrize(
    "pieces", [{"un", "unb", "##bear", "##able"}, ["u", "##n", "##be", "##bea", "##arable", "[UNK]"]]
)
def test_pieces_that_greed_misses_pass(pieces: object) -> None:
    result = check.check_greedy(pieces)
    assert result.passed, result
    assert "would do. Longest match first takes" in result.message
    assert not check.check_greedy(...).attempted


def test_no_answer_is_no_attempt_and_nonsense_is_told() -> None:
    checked = check.check_fate
    for empty in (None, ..., lambda *arguments: ...):
        result = checked(empty)
        assert not result.passed
        assert not result.attempted
    assert "Expected a function of" in checked(3).message
    assert "got a function with the arguments (x)" in checked(lambda x: x).message

    def broken(*arguments: Any) -> None:
        raise RuntimeError("no idea")

    assert "stopped with RuntimeError: no idea" in checked(broken).message
