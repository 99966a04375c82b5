"""Scores, weights and weighted sum against torch's own attention, in float64."""

import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import scaled_dot_product_attention

from tests.drawn import random, random_mask
from unrolled.nn import attend, attention_scores, attention_weights
from unrolled.shapes import ShapeError

B, H, T, S, K, D = 2, 3, 5, 7, 11, 13  # every dimension another prime
FRONTS = [(), (B,), (B, H)]
MASKS = [
    (S,),
    (1, S),
    (T, 1),
    (T, S),
    (H, 1, S),
    (H, T, S),
    (1, 1, S),
    (B, 1, 1, S),
    (B, H, T, S),
    (1, H, T, 1),
    (),
]
repeatable = settings(max_examples=60)


def by_hand(query, key, value, mask=None):
    """Return weights and context of the simple way: loop over queries and the keys each may see."""
    scores = query @ key.mT
    mask = torch.ones_like(scores, dtype=torch.bool) if mask is None else mask.expand(scores.shape)
    weights = torch.zeros_like(scores)
    for place in torch.cartesian_prod(*map(torch.arange, scores.shape[:-1])).reshape(-1, scores.dim() - 1):
        row, seen = scores[tuple(place)], mask[tuple(place)]
        powers = (row - row.max()).exp() * seen
        weights[tuple(place)] = powers / powers.sum() if seen.any() else 0.0
    return weights, weights @ value


@pytest.mark.signatures
@pytest.mark.parametrize("scale", [1.0, K**-0.5])
@pytest.mark.parametrize("front", FRONTS)
def test_the_three_steps_are_torchs_attention(front, scale):
    query, key, value = random(*front, T, K), random(*front, S, K, seed=1), random(*front, S, D, seed=2)
    weights = attention_weights(attention_scores(query, key, scale=scale))
    assert weights.shape == (*front, T, S)
    expected = scaled_dot_product_attention(query, key, value, scale=scale)
    torch.testing.assert_close(attend(weights, value), expected, rtol=0, atol=1e-12)


@pytest.mark.signatures
@pytest.mark.parametrize("shape", MASKS, ids=str)
def test_a_mask_of_any_shape_that_broadcasts_is_torchs_mask(shape):
    query, key, value = random(B, H, T, K), random(B, H, S, K, seed=1), random(B, H, S, D, seed=2)
    # Every query of this one sees something; what torch does for one that does not differs by kernel.
    mask = random_mask(*shape) | (torch.arange(S) == 3 if shape and shape[-1] == S else torch.tensor(True))
    weights = attention_weights(attention_scores(query, key), mask)
    expected = scaled_dot_product_attention(query, key, value, mask.expand(B, H, T, S), scale=1.0)
    torch.testing.assert_close(attend(weights, value), expected, rtol=0, atol=1e-12)


@pytest.mark.signatures
@pytest.mark.parametrize("front", FRONTS)
def test_fully_masked_rows_too_are_the_loop_by_hand(front):
    query, key, value = random(*front, T, K), random(*front, S, K, seed=1), random(*front, S, D, seed=2)
    mask = random_mask(*front, T, S)
    mask[..., 1, :] = False
    weights = attention_weights(attention_scores(query, key), mask)
    expected_weights, expected = by_hand(query, key, value, mask)
    assert not weights[..., 1, :].any()
    torch.testing.assert_close(weights, expected_weights, rtol=0, atol=1e-12)
    torch.testing.assert_close(attend(weights, value), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_a_query_that_sees_nothing_gets_zeros_and_finite_gradients(dtype):
    query, key, value = (random(*size).to(dtype).requires_grad_() for size in ((T, K), (S, K), (S, D)))
    mask = torch.ones(T, S, dtype=torch.bool)
    mask[2] = False
    # On watch for NaN between the steps too, where a later zero would hide it.
    with torch.autograd.set_detect_anomaly(True):
        context = attend(attention_weights(attention_scores(query, key), mask), value)
        context.square().sum().backward()
    assert not context[2].any()
    for tensor in (query, key, value):
        assert tensor.grad.isfinite().all()
        assert tensor.grad.any()
    assert not query.grad[2].any()


@pytest.mark.signatures
def test_one_set_of_keys_serves_many_queries():
    query, key, value = random(B, H, T, K), random(S, K, seed=1), random(S, D, seed=2)
    context = attend(attention_weights(attention_scores(query, key)), value)
    expected = scaled_dot_product_attention(
        query, key.expand(B, H, S, K), value.expand(B, H, S, D), scale=1.0
    )
    torch.testing.assert_close(context, expected, rtol=0, atol=1e-12)


def test_gradients_are_the_derivatives():
    query, key, value = (random(*size).requires_grad_() for size in ((T, K), (S, K), (S, D)))
    mask = random_mask(T, S)
    mask[1] = False
    assert torch.autograd.gradcheck(
        lambda q, k, v: attend(attention_weights(attention_scores(q, k), mask), v), (query, key, value)
    )


@repeatable
@given(
    seed=st.integers(0, 10**6),
    spread=st.floats(0.0, 1e5),
    n_queries=st.integers(1, 5),
    n_keys=st.integers(1, 7),
)
def test_rows_sum_to_one_or_see_nothing(seed, spread, n_queries, n_keys):
    scores = spread * random(B, n_queries, n_keys, seed=seed)
    mask = random_mask(B, n_queries, n_keys, seed=seed)
    weights = attention_weights(scores, mask)
    assert ((weights >= 0) & (weights <= 1)).all()
    assert not weights[~mask].any()
    torch.testing.assert_close(weights.sum(-1), mask.any(-1).double(), rtol=0, atol=1e-12)


@repeatable
@given(seed=st.integers(0, 10**6), shift=st.floats(-1e3, 1e3), token=st.integers(0, S - 1))
def test_a_key_nobody_may_see_changes_nothing(seed, shift, token):
    query, key, value = random(T, K, seed=seed), random(S, K, seed=seed + 1), random(S, D, seed=seed + 2)
    mask = random_mask(T, S, seed=seed)
    mask[:, token] = False
    before = attend(attention_weights(attention_scores(query, key), mask), value)
    key[token] += shift
    value[token] -= shift
    after = attend(attention_weights(attention_scores(query, key), mask), value)
    assert torch.equal(before, after)


@repeatable
@given(seed=st.integers(0, 10**6), shift=st.floats(-1e3, 1e3))
def test_one_number_added_to_a_row_of_scores_changes_no_weight(seed, shift):
    scores, mask = random(T, S, seed=seed), random_mask(T, S, seed=seed)
    shifted = attention_weights(scores + shift, mask)
    torch.testing.assert_close(shifted, attention_weights(scores, mask), rtol=0, atol=1e-10)


def refuses(error, said):
    return pytest.raises(error, match=f"^{re.escape(said)}$")


def test_scores_of_a_vector_are_refused():
    with refuses(ShapeError, "query: expected shape [..., T, K], got [11]"):
        attention_scores(random(K), random(S, K))
    with refuses(ShapeError, "key: expected shape [..., S, K] with K=11, got [11]"):
        attention_scores(random(T, K), random(K))


def test_keys_of_another_width_are_refused():
    with refuses(ShapeError, "key: expected shape [..., S, K] with K=11, got [2, 7, 13]"):
        attention_scores(random(B, T, K), random(B, S, D))


def test_what_is_no_tensor_is_refused():
    with refuses(TypeError, "query: expected a torch tensor, got list"):
        attention_scores([[1.0]], random(S, K))
    with refuses(TypeError, "mask: expected a boolean tensor, True = may attend, got list"):
        attention_weights(random(T, S), [[True]])


def test_a_mask_that_is_not_boolean_is_refused():
    with refuses(TypeError, "mask: expected a boolean tensor, True = may attend, got torch.float64"):
        attention_weights(random(T, S), random(T, S))


@pytest.mark.parametrize(
    "shape", [(T, S + 4), (S, T), (D, T, S), (B, H, T, S), (B, 1, T, S), (1, 1, T, S)], ids=str
)
def test_a_mask_that_does_not_broadcast_is_refused(shape):
    said = f"mask: expected a shape that broadcasts to the scores [2, 5, 7], got {list(shape)}"
    with refuses(ShapeError, said):
        attention_weights(random(B, T, S), torch.ones(shape, dtype=torch.bool))


def test_weights_of_a_vector_of_scores_are_refused():
    with refuses(ShapeError, "scores: expected shape [..., T, S], got [7]"):
        attention_weights(random(S))


def test_as_many_values_as_weights_or_refused():
    with refuses(ShapeError, "value: expected shape [..., S, D] with S=7, got [5, 13]"):
        attend(random(T, S), random(T, D))
    with refuses(ShapeError, "weights: expected shape [..., T, S], got [7]"):
        attend(random(S), random(S, D))
