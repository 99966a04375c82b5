"""Choosing one word: what top-k and top-p keep, what is drawn, and what is refused."""

import math
import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from tests.drawn import seeded
from unrolled.generate import keep_top_k, keep_top_p, sample_next
from unrolled.shapes import ShapeError

B, V = 3, 17
repeatable = settings(max_examples=25)
logit_rows = st.lists(st.lists(st.floats(-8, 8), min_size=5, max_size=5), min_size=1, max_size=3)


@given(rows=logit_rows, k=st.integers(1, 7))
@repeatable
def test_top_k_keeps_the_k_likeliest_and_what_ties_with_them(rows, k):
    logits = torch.tensor(rows, dtype=torch.float64)
    kept = keep_top_k(logits, k)
    for row, after in zip(rows, kept.tolist(), strict=True):
        last = sorted(row, reverse=True)[min(k, len(row)) - 1]
        assert after == [value if value >= last else -math.inf for value in row]


@given(rows=logit_rows, p=st.floats(0.01, 0.99))
@repeatable
def test_top_p_keeps_the_smallest_set_that_has_p(rows, p):
    logits = torch.tensor(rows, dtype=torch.float64)
    kept, shares = keep_top_p(logits, p), logits.softmax(-1)
    for row, after, share in zip(logits, kept, shares, strict=True):
        stays = after > -math.inf
        assert_close(after[stays], row[stays], rtol=0, atol=0)
        assert share[stays].sum() >= p - 1e-12
        # Without its least likely word the set would not have p; and nothing likelier is left out.
        assert share[stays].sum() - share[stays].min() < p + 1e-12
        assert stays.all() or share[stays].min() >= share[~stays].max()


def test_top_p_by_hand():
    shares = torch.tensor([[0.1, 0.4, 0.3, 0.2]])
    kept = {
        p: keep_top_p(shares.log(), p).isfinite()[0].tolist() for p in (0.01, 0.39, 0.41, 0.69, 0.71, 1.0)
    }
    assert kept[0.01] == kept[0.39] == [False, True, False, False]
    assert kept[0.41] == kept[0.69] == [False, True, True, False]
    assert kept[0.71] == [False, True, True, True]
    assert kept[1.0] == [True] * 4


def test_at_one_top_p_keeps_even_what_rounding_would_lose():
    logits = torch.tensor([[100.0, 0.0, -100.0]])
    assert keep_top_p(logits, 1.0).isfinite().all()


def test_the_filters_leave_what_they_are_given():
    logits = torch.randn(B, V)
    before = logits.clone()
    keep_top_k(logits, 2), keep_top_p(logits, 0.3), sample_next(logits, 0.7, 3, 0.5)
    assert_close(logits, before, rtol=0, atol=0)


@given(rows=logit_rows)
@repeatable
def test_greedy_is_the_largest_and_so_is_a_choice_of_one(rows):
    logits = torch.tensor(rows, dtype=torch.float64)
    largest = logits.max(-1).values
    for words in (
        sample_next(logits, temperature=0.0),
        sample_next(logits, top_p=1e-9),
        sample_next(logits, temperature=1e-300),
        sample_next(logits.float() * 1e30, temperature=1e-30),
        sample_next(logits.float(), temperature=1e-300),
    ):
        assert_close(logits.gather(1, words[:, None])[:, 0], largest)


def test_words_are_drawn_by_their_shares():
    shares = torch.tensor([0.1, 0.2, 0.0, 0.3, 0.4])
    drawn = sample_next(shares.log().expand(40_000, -1), generator=seeded())
    assert_close(drawn.bincount(minlength=5) / 40_000, shares, rtol=0, atol=0.01)
    sharp = sample_next(shares.log().expand(40_000, -1), 0.5, generator=seeded())
    assert_close(sharp.bincount(minlength=5) / 40_000, shares**2 / (shares**2).sum(), rtol=0, atol=0.01)
    few = sample_next(shares.log().expand(40_000, -1), top_k=3, top_p=0.7, generator=seeded())
    # Of the three that are left, 4/9 + 3/9 reach 0.7.
    assert_close(few.bincount(minlength=5) / 40_000, torch.tensor([0, 0, 0, 3, 4]) / 7, rtol=0, atol=0.01)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_drawn_from_in_full(dtype):
    words = sample_next(torch.randn(B, V, generator=seeded()).to(dtype), 0.8, 5, 0.9, seeded())
    assert words.shape == (B,)
    assert words.dtype == torch.int64


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"temperature": -0.1}, "temperature: expected 0 (greedy) or a positive number, got -0.1"),
        ({"temperature": math.nan}, "temperature: expected 0 (greedy) or a positive number, got nan"),
        ({"temperature": math.inf}, "temperature: expected 0 (greedy) or a positive number, got inf"),
        ({"top_k": 0}, "top_k: expected a positive integer, got 0"),
        ({"top_p": 0.0}, "top_p: expected more than 0 and at most 1, got 0.0"),
        ({"top_p": 1.01}, "top_p: expected more than 0 and at most 1, got 1.01"),
    ],
)
def test_options_out_of_range_are_refused(options, said):
    with pytest.raises(ValueError, match=f"^{re.escape(said)}$"):
        sample_next(torch.zeros(B, V), **options)


def test_the_filters_refuse_the_same():
    with pytest.raises(ValueError, match=r"^top_k: expected a positive integer, got -1$"):
        keep_top_k(torch.zeros(V), -1)
    with pytest.raises(ValueError, match=r"^top_p: expected more than 0 and at most 1, got 2.0$"):
        keep_top_p(torch.zeros(V), 2.0)
    with pytest.raises(ShapeError, match=re.escape("logits: expected shape [..., V], got []")):
        keep_top_k(torch.tensor(0.0), 1)


@pytest.mark.parametrize("temperature", [0.0, 1.0])
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_logits_that_are_no_numbers_are_refused(temperature, bad):
    logits = torch.zeros(2, 3)
    logits[1, 2] = bad
    with pytest.raises(
        ValueError, match=re.escape("expected the largest of each row to be finite, got [0.0, ")
    ):
        sample_next(logits, temperature)
    with pytest.raises(ValueError, match=r"finite, got \[-inf, 0.0\]$"):
        sample_next(torch.tensor([[-math.inf] * 2, [0.0, -math.inf]]), temperature)


@pytest.mark.parametrize(
    ("size", "error"), [((V,), "got [17]"), ((2, 3, V), "got [2, 3, 17]"), ((2, 0), "got [2, 0]")]
)
def test_logits_of_another_shape_are_refused(size, error):
    with pytest.raises(ShapeError, match=re.escape(error)):
        sample_next(torch.zeros(size))
