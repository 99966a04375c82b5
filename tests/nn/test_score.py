"""Every score against a loop over every pair, and what does not go together."""

import re
from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from tests.drawn import random, seeds
from unrolled.nn import AdditiveScore, DotScore, GeneralScore, ScaledDotScore, make_score
from unrolled.nn.score import SCORES
from unrolled.shapes import ShapeError

B, T, S, QUERY, KEY, HIDDEN = 2, 3, 5, 7, 11, 13
repeatable = settings(max_examples=20)


def dot(score, q, k):
    return sum(float(a) * float(b) for a, b in zip(q, k, strict=True))


def scaled_dot(score, q, k):
    return dot(score, q, k) / len(q) ** 0.5


def general(score, q, k):
    return (q @ score.key_proj.weight @ k).item()


def additive(score, q, k):
    hidden = torch.tanh(score.query_proj.weight @ q + score.key_proj.weight @ k)
    return (score.score_proj.weight[0] @ hidden).item()


@pytest.mark.parametrize(
    ("score", "by_hand"),
    [
        (DotScore(KEY, KEY), dot),
        (ScaledDotScore(KEY, KEY), scaled_dot),
        (GeneralScore(QUERY, KEY), general),
        (AdditiveScore(QUERY, KEY), additive),
        (AdditiveScore(QUERY, KEY, HIDDEN), additive),
    ],
    ids=["dot", "scaled_dot", "general", "additive", "additive-narrow"],
)
@given(n=st.integers(1, 3), t=st.integers(1, 4), s=st.integers(1, 4), seed=seeds)
@repeatable
def test_every_pair_is_scored_as_the_equation_says(score, by_hand, n, t, s, seed):
    score = score.double()
    query = random(n, t, KEY if isinstance(score, DotScore) else QUERY, seed=seed)
    key = random(n, s, KEY, seed=seed + 1)
    expected = torch.empty(n, t, s, dtype=torch.float64)
    for b, i, j in product(range(n), range(t), range(s)):
        expected[b, i, j] = by_hand(score, query[b, i], key[b, j])
    assert_close(score(query, key), expected, rtol=0, atol=1e-9)


def test_what_there_is_to_learn():
    sizes = {name: sum(w.numel() for w in make_score(name, KEY, KEY).parameters()) for name in SCORES}
    assert sizes == {"dot": 0, "scaled_dot": 0, "general": KEY * KEY, "additive": 2 * KEY * KEY + KEY}
    narrow = AdditiveScore(QUERY, KEY, HIDDEN)
    assert sum(w.numel() for w in narrow.parameters()) == HIDDEN * (QUERY + KEY + 1)


def test_a_name_makes_the_score_of_that_name():
    made = {name: type(make_score(name, KEY, KEY)) for name in ("dot", "scaled_dot", "general", "additive")}
    assert made == {
        "dot": DotScore,
        "scaled_dot": ScaledDotScore,
        "general": GeneralScore,
        "additive": AdditiveScore,
    }


def test_an_unknown_score_is_told_which_there_are():
    said = "score: expected one of dot, scaled_dot, general, additive, got 'cosine'"
    with pytest.raises(ValueError, match=f"^{re.escape(said)}$"):
        make_score("cosine", KEY, KEY)


@pytest.mark.parametrize("name", ["dot", "scaled_dot"])
def test_a_dot_product_needs_one_width(name):
    said = "a dot product needs vectors of one width, got queries 7, keys 11"
    with pytest.raises(ShapeError, match=f"^{re.escape(said)}$"):
        make_score(name, QUERY, KEY)


@pytest.mark.parametrize("name", SCORES)
@pytest.mark.parametrize(
    ("query", "key", "said"),
    [
        ((B, T, KEY + 1), (B, S, KEY), "expected shape"),
        ((B, T, KEY), (B, S, KEY + 1), "expected shape"),
        ((B, T, KEY), (B + 1, S, KEY), "expected shape [B, S, K] with B=2, K=11, got [3, 5, 11]"),
        ((T, KEY), (B, S, KEY), "query: expected shape [B, T, Q] with Q=11, got [3, 11]"),
        ((B, T, KEY), (S, KEY), "key: expected shape [B, S, K] with B=2, K=11, got [5, 11]"),
    ],
)
def test_what_does_not_fit_is_refused_by_every_score(name, query, key, said):
    with pytest.raises(ShapeError, match=re.escape(said)):
        make_score(name, KEY, KEY).double()(random(*query), random(*key))


@pytest.mark.parametrize("name", SCORES)
@pytest.mark.signatures
def test_the_signatures_hold(name):
    assert make_score(name, KEY, KEY).double()(random(B, T, KEY), random(B, S, KEY)).shape == (B, T, S)
