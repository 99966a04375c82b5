"""Norms on both sides of a sublayer, sublayers side by side, and token vectors that are scaled."""

from dataclasses import replace
from functools import partial

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy, gelu, layer_norm
from torch.testing import assert_close

from tests.drawn import drawn, random, random_tokens
from unrolled.generate import generate
from unrolled.nn import (
    GPT,
    AttentionBlock,
    DecoderBlock,
    EncoderBlock,
    GPTConfig,
    ParallelBlock,
    Parts,
    RMSNorm,
    ScaledEmbedding,
    Transformer,
    TransformerConfig,
)
from unrolled.nn.parts import output_norm, post_norm, pre_norm
from unrolled.shapes import ShapeError
from unrolled.tap import edit, record

B, T, S, H, D, F, V = 2, 7, 5, 3, 33, 61, 19
CONFIG = GPTConfig(V, max_len=29, d_model=D, n_heads=H, n_layers=2, d_ff=F, tied=False)
BOTH = Parts(after=nn.RMSNorm)


# A norm on both sides.


def test_a_block_with_norms_on_both_sides_by_hand():
    block, x = drawn(EncoderBlock(D, H, F, parts=BOTH)), random(B, T, D)
    middle = x + block.attention_after(block.attention(block.attention_norm(x), causal=True))
    expected = middle + block.feedforward_after(block.feedforward(block.feedforward_norm(middle)))
    assert isinstance(block.attention_after, nn.RMSNorm)
    assert_close(block(x, causal=True), expected)
    alone = drawn(AttentionBlock(D, H, parts=BOTH))
    assert_close(alone(x), x + alone.attention_after(alone.attention(alone.attention_norm(x))))
    memory, decoder = random(B, S, D), drawn(DecoderBlock(D, H, F, parts=BOTH))
    first = x + decoder.attention_after(decoder.attention(decoder.attention_norm(x), causal=True))
    second = first + decoder.cross_after(decoder.cross_attention(decoder.cross_norm(first), memory))
    expected = second + decoder.feedforward_after(decoder.feedforward(decoder.feedforward_norm(second)))
    assert_close(decoder(x, memory), expected)


@pytest.mark.parametrize("path", [pre_norm, post_norm, output_norm])
def test_what_an_output_passes_goes_with_every_residual_path(path):
    x, block = random(B, T, D), drawn(EncoderBlock(D, H, F, norm=path, parts=BOTH))
    middle = path(x, block.attention_norm, lambda h: block.attention_after(block.attention(h)))
    after = path(middle, block.feedforward_norm, lambda h: block.feedforward_after(block.feedforward(h)))
    assert_close(block(x), after)


class Gain(nn.Module):
    """A LayerScale: a learned gain of what is added, as somebody outside would write it."""

    def __init__(self, size):
        super().__init__()
        self.gain = nn.Parameter(torch.full((size,), 0.1))

    def forward(self, x):
        return self.gain * x


def test_a_part_of_ones_own_stands_in_every_model():
    torch.manual_seed(5)
    config = TransformerConfig(V, 23, max_len=13, d_model=30, n_heads=H, n_layers=2, dropout=0.0)
    model = Transformer(config, replace(config.parts(), after=Gain)).double()
    assert sum(isinstance(part, Gain) for part in model.modules()) == 2 * 2 + 2 * 3
    source, target = random_tokens(V, B, S), random_tokens(V, B, T)
    before = model(source, target)
    with torch.no_grad():
        model.decoder.layers[1].cross_after.gain.mul_(2)
    assert not torch.allclose(model(source, target), before)


# Side by side.


@pytest.mark.signatures
@pytest.mark.parametrize("path", [pre_norm, post_norm, output_norm])
def test_a_parallel_block_by_hand(path):
    block, x = drawn(ParallelBlock(D, H, F, norm=path)), random(B, T, D)
    expected = path(x, block.shared_norm, lambda h: block.attention(h, causal=True) + block.feedforward(h))
    with record(block, "*") as heard:
        assert_close(block(x, causal=True), expected)
    assert_close(heard["stream"], [expected])
    assert heard["attention.output"][0].shape == (B, T, D)
    assert heard["feedforward.hidden"][0].shape == (B, T, F)
    mask = torch.rand(B, T, T, generator=torch.Generator().manual_seed(1)) < 0.6
    assert_close(block(x, mask)[1:], block(x[1:], mask[1:]))


def test_a_parallel_block_in_a_few_lines_of_torch():
    block, x = drawn(ParallelBlock(D, H, F)), random(B, T, D)
    theirs = nn.MultiheadAttention(D, H, batch_first=True).double()
    with torch.no_grad():
        theirs.in_proj_weight.copy_(block.attention.qkv_proj.weight)
        theirs.in_proj_bias.copy_(block.attention.qkv_proj.bias)
        theirs.out_proj.load_state_dict(block.attention.out_proj.state_dict())
    norm, up, down = block.shared_norm, block.feedforward.up_proj, block.feedforward.down_proj

    def by_torch(x):
        h = layer_norm(x, (D,), norm.weight, norm.bias, norm.eps)
        future = torch.ones(T, T, dtype=torch.bool).triu(1)
        return x + theirs(h, h, h, attn_mask=future, need_weights=False)[0] + down(gelu(up(h)))

    mine, other = x.clone().requires_grad_(), x.clone().requires_grad_()
    assert_close(block(mine, causal=True), by_torch(other))
    block(mine, causal=True).square().sum().backward()
    by_torch(other).square().sum().backward()
    assert_close(mine.grad, other.grad)


def test_dropout_falls_on_the_sum_while_training_only():
    block, x = drawn(ParallelBlock(D, H, F, dropout=0.5)).train(), random(B, T, D)
    assert not torch.equal(block(x), block(x))
    assert torch.equal(block.eval()(x), block(x))
    assert_close(drawn(ParallelBlock(D, H, F, dropout=1.0)).train()(x), x)


@pytest.mark.parametrize("after", [None, RMSNorm])
@pytest.mark.parametrize("positions", ["learned", "rotary", "alibi"])
def test_a_gpt_of_parallel_blocks_writes_with_its_cache_what_it_writes_without(positions, after):
    config = replace(CONFIG, positions=positions, d_model=30, n_heads=5, n_kv_heads=1)
    parts = replace(config.parts(), block=ParallelBlock, after=after)
    model, x = drawn(GPT(config, parts)).eval(), random_tokens(V, B, T)
    assert {type(layer) for layer in model.layers} == {ParallelBlock}
    lengths = torch.tensor([7, 3])
    assert torch.equal(
        generate(model, x, 17, lengths=lengths), generate(model, x, 17, lengths=lengths, cache=False)
    )
    cache, expected = model.new_cache(T), model(x)
    with torch.no_grad():
        pieces = [model(x[:, a:b], cache=cache) for a, b in ((0, 3), (3, 4), (4, T))]
    assert_close(torch.cat(pieces, 1), expected)


def test_edits_of_one_sublayer_leave_the_other_as_it_was():
    block, x = drawn(ParallelBlock(D, H, F)), random(B, T, D)
    h = block.shared_norm(x)
    with edit(block, {"attention.output": torch.zeros_like}):
        assert_close(block(x), x + block.feedforward(h))
    with edit(block, {"feedforward.output": torch.zeros_like}):
        assert_close(block(x), x + block.attention(h))


def test_a_block_of_ones_own_is_handed_in():
    class Twice(ParallelBlock):
        def forward(self, x, mask=None, **options):
            return super().forward(super().forward(x, mask, **options), mask, **options)

    model = drawn(GPT(CONFIG, replace(CONFIG.parts(), block=Twice)))
    plain = drawn(GPT(CONFIG, replace(CONFIG.parts(), block=ParallelBlock)))
    x = random_tokens(V, B, T)
    with torch.no_grad():
        h = plain.token_embedding(x) + plain.positions.table.weight[:T]
        for layer in plain.layers:
            h = layer(layer(h, causal=True), causal=True)
        assert_close(model(x), plain.lm_head(plain.final_norm(h)))


# Token vectors.


def test_token_vectors_are_scaled_on_their_way_in_only():
    torch.manual_seed(3)
    config = replace(CONFIG, tied=True, positions="none")
    model = GPT(config, replace(config.parts(), embedding=ScaledEmbedding)).double()
    plain, x = GPT(config).double(), random_tokens(V, B, T)
    plain.load_state_dict(model.state_dict())
    with record(model, "embedded") as heard:
        model(x)
    assert_close(heard["embedded"][0], D**0.5 * model.token_embedding.weight[x])
    with edit(plain, {"embedded": lambda h: D**0.5 * h}):
        assert_close(plain(x), model(x))
    loss = partial(cross_entropy, target=x.flatten())
    loss(model(x).flatten(0, 1)).backward()
    with edit(plain, {"embedded": lambda h: D**0.5 * h}):
        loss(plain(x).flatten(0, 1)).backward()
    assert_close(model.lm_head.weight.grad, plain.lm_head.weight.grad)


def test_what_makes_no_block_is_refused():
    with pytest.raises(ValueError, match="norm: expected 'pre', 'post' or a function, got 'between'"):
        ParallelBlock(D, H, F, norm="between")
    with pytest.raises(ValueError, match="expected a positive integer, got 0"):
        GPT(replace(CONFIG, d_ff=0), replace(CONFIG.parts(), block=ParallelBlock))
    with pytest.raises(ShapeError, match=r"x: expected shape \[B, T, D\]"):
        ParallelBlock(D, H, F)(torch.zeros(T, D))
    with pytest.raises(ValueError, match="d_model: expected a positive integer, got 0"):
        ScaledEmbedding(V, 0)
