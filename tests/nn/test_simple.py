"""softmax(XXᵀ)X, its symmetries and its tap."""

import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import scaled_dot_product_attention

from tests.drawn import random, seeds
from unrolled.nn import SimpleSelfAttention, causal_mask
from unrolled.shapes import ShapeError
from unrolled.tap import record

B, H, T, D = 2, 3, 5, 7
repeatable = settings(max_examples=60)


@pytest.mark.signatures
@pytest.mark.parametrize("scale", [1.0, 0.25, 11.0])
@pytest.mark.parametrize("front", [(), (B,), (B, H)])
def test_it_is_torchs_attention_of_x_to_itself(front, scale):
    x = random(*front, T, D)
    expected = scaled_dot_product_attention(x, x, x, scale=scale)
    torch.testing.assert_close(SimpleSelfAttention(scale)(x), expected, rtol=0, atol=1e-12)


@pytest.mark.signatures
def test_it_takes_a_mask():
    x = random(B, T, D)
    expected = scaled_dot_product_attention(x, x, x, is_causal=True, scale=1.0)
    torch.testing.assert_close(SimpleSelfAttention()(x, causal_mask(T)), expected, rtol=0, atol=1e-12)


@pytest.mark.signatures
def test_its_weights_are_heard():
    model, x = SimpleSelfAttention(scale=0.5), random(B, T, D)
    with record(model, "*.weights") as rec:
        context = model(x)
    (weights,) = rec["weights"]
    torch.testing.assert_close(weights, torch.softmax(0.5 * x @ x.mT, -1), rtol=0, atol=1e-12)
    torch.testing.assert_close(weights @ x, context, rtol=0, atol=1e-12)


def test_there_is_nothing_to_learn():
    assert not list(SimpleSelfAttention().parameters())
    assert not SimpleSelfAttention().state_dict()


@repeatable
@given(seed=seeds, order=st.permutations(range(T)))
def test_word_order_is_invisible(seed, order):
    """Permuting the tokens permutes the context vectors and changes none."""
    x, model = random(B, T, D, seed=seed), SimpleSelfAttention()
    torch.testing.assert_close(model(x[:, order]), model(x)[:, order], rtol=0, atol=1e-12)


@repeatable
@given(seed=seeds, shift=st.floats(-100, 100), token=st.integers(0, T - 1))
def test_a_masked_token_changes_nothing_for_the_others(seed, shift, token):
    x, model = random(B, T, D, seed=seed), SimpleSelfAttention()
    others = torch.arange(T) != token
    before = model(x, others)
    x[:, token] += shift
    assert torch.equal(before[:, others], model(x, others)[:, others])


@repeatable
@given(seed=seeds)
def test_a_context_vector_stays_among_the_word_vectors(seed):
    x = random(B, T, D, seed=seed)
    context = SimpleSelfAttention()(x)
    assert (context <= x.amax(-2, keepdim=True) + 1e-12).all()
    assert (context >= x.amin(-2, keepdim=True) - 1e-12).all()


def test_sharpened_without_end_long_vectors_attend_to_themselves():
    """With vectors of equal length a token's own score is the largest: in the limit nothing changes."""
    x = random(B, T, D)
    x = x / x.norm(dim=-1, keepdim=True)
    torch.testing.assert_close(SimpleSelfAttention(scale=1e4)(x), x, rtol=0, atol=1e-12)


def test_a_single_vector_is_refused():
    with pytest.raises(ShapeError, match=re.escape("expected shape [..., T, K], got [7]")):
        SimpleSelfAttention()(random(D))


def test_a_mask_of_another_shape_is_refused():
    said = "mask: expected a shape that broadcasts to the scores [2, 5, 5], got [5, 7]"
    with pytest.raises(ShapeError, match=re.escape(said)):
        SimpleSelfAttention()(random(B, T, D), torch.ones(T, D, dtype=torch.bool))
