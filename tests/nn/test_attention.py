"""Fused, explicit and recorded attention are one computation; so is one head of queries, keys and values."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from tests.drawn import random, random_mask, seeds
from unrolled.nn import (
    SingleHeadAttention,
    attend,
    attention,
    attention_scores,
    attention_weights,
    causal_mask,
)
from unrolled.nn.functional import Taps
from unrolled.shapes import ShapeError
from unrolled.tap import Tap, record

B, H, T, S, K, D = 2, 3, 5, 7, 11, 13
repeatable = settings(max_examples=40)


def recorded(*args, **kwargs):
    taps = Taps(Tap(), Tap())
    with record(taps.weights) as rec:
        context = attention(*args, taps=taps, **kwargs)
    (weights,) = rec[""]
    return context, weights


def by_steps(query, key, value, mask=None, bias=0.0):
    weights = attention_weights(attention_scores(query, key, scale=K**-0.5) + bias, mask)
    return attend(weights, value)


@repeatable
@given(seed=seeds, causal=st.booleans(), masked=st.booleans(), biased=st.booleans(), grouped=st.booleans())
def test_fused_is_explicit_is_recorded(seed, causal, masked, biased, grouped):
    n_keys = S if not causal else T + seed % 3
    query = random(B, 6, T, K, seed=seed).requires_grad_()
    heads = 2 if grouped else 6
    key = random(B, heads, n_keys, K, seed=seed + 1).requires_grad_()
    value = random(B, heads, n_keys, D, seed=seed + 2).requires_grad_()
    mask = random_mask(B, 1, T, n_keys, seed=seed, share=0.4) if masked else None
    bias = random(6, T, n_keys, seed=seed + 3) if biased else None
    fused = attention(query, key, value, mask, causal=causal, bias=bias)
    heard, weights = recorded(query, key, value, mask, causal=causal, bias=bias)
    assert_close(fused, heard)
    wide = [x.repeat_interleave(6 // heads, 1) for x in (key, value)]
    allowed = torch.ones(T, n_keys, dtype=torch.bool) if mask is None else mask
    allowed = allowed & causal_mask(T, n_keys) if causal else allowed
    assert_close(fused, by_steps(query, *wide, allowed, 0.0 if bias is None else bias))
    sees = allowed.any(-1).expand(B, 6, T)
    assert_close(weights.sum(-1), sees.double())
    assert weights.masked_select(~allowed.expand_as(weights)).eq(0).all()
    pull = random(*fused.shape, seed=9)
    ours = torch.autograd.grad((fused * pull).sum(), (query, key, value))
    theirs = torch.autograd.grad((heard * pull).sum(), (query, key, value))
    assert_close(ours, theirs)


@pytest.mark.parametrize("front", [(), (B,), (B, H), (B, H, 2)])
@pytest.mark.parametrize("shape", [(), (S,), (T, 1), (T, S)])
def test_any_number_of_leading_dimensions(front, shape):
    query, key, value = random(*front, T, K), random(*front, S, K, seed=1), random(*front, S, D, seed=2)
    mask = random_mask(*shape)
    context = attention(query, key, value, mask)
    assert context.shape == (*front, T, D)
    assert_close(context, by_steps(query, key, value, mask))
    assert_close(context, recorded(query, key, value, mask)[0])


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
@pytest.mark.parametrize("heard", [False, True])
def test_a_query_that_sees_nothing_gets_zeros_and_finite_gradients(dtype, heard):
    query, key, value = (random(B, H, n, K, seed=n, dtype=dtype).requires_grad_() for n in (T, S, S))
    mask = random_mask(B, 1, T, S)
    mask[0, 0, 3] = False
    mask[1] = False
    context = recorded(query, key, value, mask)[0] if heard else attention(query, key, value, mask)
    assert context[0, :, 3].eq(0).all()
    assert context[1].eq(0).all()
    assert context[0, :, 0].ne(0).all()
    for gradient in torch.autograd.grad(context.sum(), (query, key, value)):
        assert gradient.isfinite().all()
        assert gradient[1].eq(0).all()


def test_no_keys_at_all_give_zeros():
    query, key, value = random(B, H, T, K), random(B, H, 0, K), random(B, H, 0, D)
    assert_close(attention(query, key, value), torch.zeros(B, H, T, D, dtype=torch.float64))
    assert_close(recorded(query, key, value)[0], torch.zeros(B, H, T, D, dtype=torch.float64))


def test_the_weights_are_heard_before_dropout():
    query = random(B, H, T, K)
    torch.manual_seed(0)
    context, weights = recorded(query, query, query, dropout=0.5)
    assert_close(weights.sum(-1), torch.ones(B, H, T, dtype=torch.float64))
    assert not torch.allclose(context, attention(query, query, query))


@pytest.mark.parametrize("heard", [False, True])
def test_dropout_keeps_the_mean(heard):
    query, key = random(1, 1, K), random(S, K, seed=3)[None]
    torch.manual_seed(3)
    run = recorded if heard else attention
    many = [run(query, key, key, dropout=0.3) for _ in range(4000)]
    mean = torch.stack([m[0] if heard else m for m in many]).mean(0)
    assert_close(mean, attention(query, key, key), rtol=0.0, atol=0.1)
    assert len({float(m[0].sum()) if heard else float(m.sum()) for m in many}) > 10


def test_a_causal_forward_forms_no_square():
    length = 2048
    query = torch.randn(1, 1, length, 8)
    with torch.profiler.profile(profile_memory=True, record_shapes=False) as profile:
        attention(query, query, query, causal=True)
    largest = max(event.cpu_memory_usage for event in profile.events())
    assert largest < length * length  # Not even one byte for every pair.


@pytest.mark.parametrize(
    ("shapes", "said"),
    [
        ([(K,), (S, K), (S, K)], r"query: expected shape \[..., T, K\], got \[11\]"),
        ([(T, K), (S, D), (S, K)], r"key: expected shape \[..., S, K\] with K=11, got \[7, 13\]"),
        ([(T, K), (S, K), (T, K)], r"value: expected shape \[..., S, K\] with S=7, got \[5, 11\]"),
        ([(B, T, K), (H, S, K), (H, S, K)], r"got \[2, 5, 11\], \[3, 7, 11\] and \[3, 7, 11\]"),
        ([(B, 5, T, K), (B, H, S, K), (B, H, S, K)], "multiple of the key's"),
        ([(B, H, T, K), (B, H, S, K), (B, 1, S, K)], "leading dimensions"),
    ],
)
def test_shapes_that_do_not_go_together_are_refused(shapes, said):
    with pytest.raises(ShapeError, match=said):
        attention(*(random(*shape) for shape in shapes))


def test_other_arguments_that_are_refused():
    x, longer = random(B, T, K), random(B, S, K)
    with pytest.raises(TypeError, match="boolean"):
        attention(x, x, x, torch.ones(T, T))
    with pytest.raises(ShapeError, match=r"broadcasts to the scores \[2, 5, 5\], got \[5, 7\]"):
        attention(x, x, x, random_mask(T, S))
    with pytest.raises(ShapeError, match=r"bias: expected a shape that broadcasts to the scores \[2, 5, 5\]"):
        attention(x, x, x, bias=random(T, S))
    with pytest.raises(ValueError, match=r"as many keys as queries \(7\), got 5"):
        attention(longer, x, x, causal=True)
    with pytest.raises(TypeError, match=r"one dtype, got query torch\.float64, key torch\.float32"):
        attention(x, x.float(), x)


# One head.


def head(**kwargs):
    torch.manual_seed(7)
    return SingleHeadAttention(D, K, **kwargs).double()


def test_one_head_is_the_three_steps_and_its_weights_are_heard():
    layer, x, mask = head(bias=True), random(B, T, D), random_mask(B, T, T)
    query, key, value = layer.q_proj(x), layer.k_proj(x), layer.v_proj(x)
    assert_close(layer(x, mask=mask), by_steps(query, key, value, mask))
    with record(layer, "*.weights") as rec:
        heard = layer(x, mask=mask)
    assert_close(heard, layer(x, mask=mask))
    assert_close(rec["weights"][0], attention_weights(attention_scores(query, key, scale=K**-0.5), mask))


def test_cross_attention_is_the_same_code_with_another_source():
    layer, x, source = head(d_source=17), random(B, T, D), random(B, S, 17)
    expected = by_steps(layer.q_proj(x), layer.k_proj(source), layer.v_proj(source))
    assert_close(layer(x, source), expected)
    same = head()
    assert_close(same(x), same(x, x))


@repeatable
@given(seed=seeds, order=st.permutations(range(T)))
def test_without_positions_order_is_invisible(seed, order):
    layer, x = head(), random(B, T, D, seed=seed)
    assert_close(layer(x[:, order]), layer(x)[:, order])


@repeatable
@given(seed=seeds, future=st.integers(1, T - 1))
def test_the_future_changes_nothing(seed, future):
    layer, x = head(), random(B, T, D, seed=seed)
    changed = x.clone()
    changed[:, future:] += random(B, T - future, D, seed=seed + 1)
    assert_close(layer(changed, causal=True)[:, :future], layer(x, causal=True)[:, :future])
    assert not torch.allclose(layer(changed)[:, :future], layer(x)[:, :future])


def test_dropout_only_while_training():
    layer, x = head(dropout=0.5), random(B, T, D)
    torch.manual_seed(0)
    assert not torch.equal(layer(x), layer(x))
    layer.eval()
    assert torch.equal(layer(x), layer(x))


def test_inputs_of_another_size_are_refused():
    with pytest.raises(ShapeError, match=r"x: expected shape \[..., T, D\] with D=13, got \[2, 5, 11\]"):
        head()(random(B, T, K))
    with pytest.raises(ShapeError, match=r"source: expected shape \[..., S, D\] with D=13, got \[2, 7, 11\]"):
        head()(random(B, T, D), random(B, S, K))
