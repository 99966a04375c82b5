"""The residual path, the place of the norm, dropout, and what a block refuses."""

import pytest
import torch
from torch.testing import assert_close

from tests.drawn import random
from unrolled.nn import AttentionBlock, DecoderBlock, EncoderBlock, FeedForward, KVCache, padding_mask
from unrolled.nn.parts import make_parts
from unrolled.shapes import ShapeError
from unrolled.tap import record

B, T, S, H, D, F = 2, 5, 7, 3, 33, 61


def block(kind=EncoderBlock, **kwargs):
    torch.manual_seed(3)
    return kind(D, H, F, **kwargs).double()


def test_the_feed_forward_network_is_its_equation():
    network, x = FeedForward(D, F, activation="relu").double(), random(B, T, D)
    first, second = network.up_proj, network.down_proj
    expected = (x @ first.weight.T + first.bias).clamp(min=0) @ second.weight.T + second.bias
    assert_close(network(x), expected)
    assert_close(network(x[:, 2]), network(x)[:, 2])


@pytest.mark.parametrize(("name", "theirs"), [("gelu", "none"), ("gelu_tanh", "tanh")])
def test_the_two_gelus(name, theirs):
    network, x = FeedForward(D, F, activation=name, bias=False).double(), random(B, T, D)
    expected = torch.nn.functional.gelu(network.up_proj(x), approximate=theirs)
    assert_close(network(x), network.down_proj(expected))
    assert network.up_proj.bias is None


@pytest.mark.parametrize("norm", ["pre", "post"])
def test_an_encoder_block_by_hand(norm):
    layer, x = block(norm=norm), random(B, T, D)
    if norm == "pre":
        x1 = x + layer.attention(layer.attention_norm(x))
        expected = x1 + layer.feedforward(layer.feedforward_norm(x1))
    else:
        x1 = layer.attention_norm(x + layer.attention(x))
        expected = layer.feedforward_norm(x1 + layer.feedforward(x1))
    with record(layer, "stream") as rec:
        assert_close(layer(x), expected)
    assert_close(rec["stream"][0], expected)


@pytest.mark.parametrize("norm", ["pre", "post"])
def test_an_attention_block_by_hand(norm):
    torch.manual_seed(3)
    layer, x = AttentionBlock(D, H, norm=norm).double(), random(B, T, D)
    if norm == "pre":
        expected = x + layer.attention(layer.attention_norm(x), causal=True)
    else:
        expected = layer.attention_norm(x + layer.attention(x, causal=True))
    with record(layer, "*") as rec:
        assert_close(layer(x, causal=True), expected)
    assert_close(rec["stream"], [expected])
    assert rec["attention.weights"][0].shape == (B, H, T, T)
    assert_close(layer(x, torch.eye(T, dtype=torch.bool))[:, 2:3], layer(x[:, 2:3]))


@pytest.mark.parametrize("norm", ["pre", "post"])
def test_a_decoder_block_by_hand(norm):
    layer, x, memory = block(DecoderBlock, norm=norm), random(B, T, D), random(B, S, D)
    mask = padding_mask(torch.tensor([3, 7]), S)
    if norm == "pre":
        x1 = x + layer.attention(layer.attention_norm(x), causal=True)
        x2 = x1 + layer.cross_attention(layer.cross_norm(x1), memory, mask)
        expected = x2 + layer.feedforward(layer.feedforward_norm(x2))
    else:
        x1 = layer.attention_norm(x + layer.attention(x, causal=True))
        x2 = layer.cross_norm(x1 + layer.cross_attention(x1, memory, mask))
        expected = layer.feedforward_norm(x2 + layer.feedforward(x2))
    assert_close(layer(x, memory, memory_mask=mask), expected)
    with record(layer, "*.weights") as rec:
        assert_close(layer(x, memory, memory_mask=mask), expected)
    assert rec["attention.weights"][0].shape == (B, H, T, T)
    assert rec["cross_attention.weights"][0][0, :, :, 3:].eq(0).all()


def test_a_decoder_block_continues_from_its_caches():
    layer, x, memory = block(DecoderBlock), random(B, T, D), random(B, S, D)
    cache, cross = KVCache(T), KVCache(S)
    with torch.no_grad():
        steps = [layer(x[:, t : t + 1], memory, cache=cache, cross_cache=cross) for t in range(T)]
        assert_close(torch.cat(steps, 1), layer(x, memory))


def test_without_a_causal_rule_a_decoder_block_sees_the_future():
    layer, x, memory = block(DecoderBlock), random(B, T, D), random(B, S, D)
    changed = x.clone()
    changed[:, -1] = random(B, D, seed=5)
    assert_close(layer(changed, memory)[:, :-1], layer(x, memory)[:, :-1])
    assert not torch.allclose(
        layer(changed, memory, causal=False)[:, 0], layer(x, memory, causal=False)[:, 0]
    )


@pytest.mark.parametrize("norm", ["pre", "post"])
def test_dropout_works_on_both_sublayers_while_training_only(norm):
    layer, x = block(norm=norm, dropout=0.5), random(B, T, D)
    assert not torch.equal(layer(x), layer(x))
    quiet = layer.eval()(x)
    assert torch.equal(layer(x), quiet)
    # All dropped: the residual path alone is left.
    all_dropped = block(norm=norm, dropout=1.0)
    expected = x if norm == "pre" else all_dropped.feedforward_norm(all_dropped.attention_norm(x))
    assert_close(all_dropped(x), expected)


def test_no_biases_anywhere():
    names = [name for name, _ in block(parts=make_parts(bias=False)).named_parameters()]
    assert names
    assert not [name for name in names if name.endswith("bias")]


def test_what_is_refused():
    with pytest.raises(ValueError, match="norm: expected 'pre', 'post' or a function, got 'between'"):
        EncoderBlock(D, H, F, norm="between")
    with pytest.raises(ValueError, match=r"activation of .*relu.*got 'tanh'"):
        FeedForward(D, F, activation="tanh")
    with pytest.raises(ValueError, match="d_model to be a multiple of n_heads, got 33 and 5"):
        DecoderBlock(D, 5, F)
    with pytest.raises(ShapeError, match="D=33"):
        FeedForward(D, F)(torch.zeros(B, T, 3))
    with pytest.raises(ShapeError, match=r"x: expected shape \[B, T, D\]"):
        EncoderBlock(D, H, F)(torch.zeros(T, D))
    with pytest.raises(ShapeError, match=r"source: expected shape \[B, S, D\] with B=2"):
        DecoderBlock(D, H, F)(torch.zeros(B, T, D), torch.zeros(3, S, D))
