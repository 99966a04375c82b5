"""A second witness for the parts of today: x-transformers' own layers, on the same weights."""

import warnings
from dataclasses import replace
from functools import partial

import pytest
import torch
from torch import nn
from torch.testing import assert_close
from transformers.models.gpt_oss.modeling_gpt_oss import eager_attention_forward

from tests.drawn import random
from tests.parity.double import Double
from unrolled.nn import (
    NEIGHBOURS,
    EncoderBlock,
    GatedFeedForward,
    HeadParts,
    LinearScaling,
    MultiHeadAttention,
    NTKScaling,
    Parts,
    RMSNorm,
    Rotary,
    SlidingWindow,
    SoftCap,
    attention,
    causal_mask,
)
from unrolled.nn.functional import Taps
from unrolled.tap import Tap

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # it still calls torch.jit.script
    from x_transformers import x_transformers as theirs

B, T, D, H, G, K = 3, 11, 15, 7, 1, 6  # with more groups they pair heads in another order


pytestmark = pytest.mark.usefixtures("in_double")


def pair(window=None, rotary=None, heads=None, **options):
    torch.manual_seed(3)
    other = theirs.Attention(dim=D, dim_head=K, heads=H, kv_heads=G, causal=True, **options).eval()
    ours = MultiHeadAttention(
        D, H, G, bias=False, positions=rotary, mask_rule=window, parts=HeadParts(d_head=K, **(heads or {}))
    )
    for weight in other.parameters():
        nn.init.normal_(weight, std=0.5)
    with torch.no_grad():
        ours.qkv_proj.weight.copy_(torch.cat([other.to_q.weight, other.to_k.weight, other.to_v.weight]))
        ours.out_proj.weight.copy_(other.to_out.weight)
        if ours.sinks is not None:
            ours.sinks.copy_(other.attend.head_attn_sink)
    return ours, other


def put(parameter, weight):
    with torch.no_grad():
        parameter.copy_(weight)


CASES = {
    "grouped heads of their own size": {},
    "a window": {"window": SlidingWindow(4), "max_attend_past": 3},
    "capped scores": {
        "heads": {"scores": partial(SoftCap, 1.5)},
        "softclamp_logits": True,
        "logit_softclamp_value": 1.5,
    },
    "learned sinks": {"heads": {"sinks": torch.zeros}, "head_learned_sink": True},
}


@pytest.mark.parametrize("options", CASES.values(), ids=CASES)
def test_attention_gradients_included(options):
    ours, other = pair(**options)
    x, same = random(B, T, D).requires_grad_(), random(B, T, D).requires_grad_()
    found = ours(x, causal=True)
    with Double():
        expected = other(same)
    assert_close(found, expected, rtol=1e-9, atol=1e-9)
    found.square().sum().backward()
    expected.square().sum().backward()
    assert_close(x.grad, same.grad, rtol=1e-9, atol=1e-9)
    if ours.sinks is not None:
        assert_close(ours.sinks.grad, other.attend.head_attn_sink.grad, rtol=1e-9, atol=1e-9)


ROTARY = {
    "neighbours": ({}, {}),
    "a part of them": ({"width": 4}, {}),
    "interpolated": ({"scaling": LinearScaling(3.0)}, {"interpolation_factor": 3.0}),
    "another base": ({"scaling": NTKScaling(5.0)}, {"base_rescale_factor": 5.0}),
}


@pytest.mark.parametrize(("mine", "others"), ROTARY.values(), ids=ROTARY)
def test_rotary_positions(mine, others):
    rotary = Rotary(K, T, 100.0, pairing=NEIGHBOURS, **mine)
    other = theirs.RotaryEmbedding(mine.get("width", K), base=100.0, **others)
    x = random(B, H, T, K)
    turned = theirs.apply_rotary_pos_emb(x, *other.forward_from_seq_len(T))
    assert_close(rotary(x), turned, rtol=1e-6, atol=1e-6)  # theirs has its frequencies in single precision
    assert not torch.allclose(turned, x)


def test_a_gate_and_a_norm():
    torch.manual_seed(3)
    other = theirs.FeedForward(D, mult=1, glu=True, swish=True, no_bias=True)
    ours = GatedFeedForward(D, D)
    glu, out = other.ff[0], other.ff[-1]
    with torch.no_grad():
        glu.proj.bias.zero_()
        up, gate = glu.proj.weight.chunk(2)
        ours.up_proj.weight.copy_(up)
        ours.gate_proj.weight.copy_(gate)
        ours.down_proj.weight.copy_(out.weight)
    x = random(B, T, D)
    assert_close(ours(x), other(x))
    assert_close(RMSNorm(D, eps=1e-12)(x), theirs.RMSNorm(D)(x))


class Scale(nn.Module):
    """A LayerScale, as somebody outside would write it."""

    def __init__(self, width):
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(width))

    def forward(self, x):
        return self.gamma * x


BEHIND = {"a second norm": (RMSNorm, {"sandwich_norm": True}), "a gain": (Scale, {"use_layerscale": True})}


@pytest.mark.parametrize(("after", "options"), BEHIND.values(), ids=BEHIND)
def test_what_stands_behind_a_sublayer(after, options):
    other = theirs.Decoder(
        dim=D,
        depth=2,
        heads=H,
        attn_dim_head=K,
        attn_kv_heads=G,
        ff_mult=1,
        ff_glu=True,
        ff_swish=True,
        ff_no_bias=True,
        use_rmsnorm=True,
        **options,
    ).eval()
    torch.manual_seed(3)
    for weight in other.parameters():
        nn.init.normal_(weight, std=0.5)
    attend = partial(MultiHeadAttention, n_kv_heads=G, bias=False, parts=HeadParts(d_head=K))
    parts = Parts(norm=partial(RMSNorm, eps=1e-12), attention=attend, feedforward=GatedFeedForward)
    parts = replace(parts, after=partial(after, eps=1e-12) if after is RMSNorm else after)
    blocks = nn.ModuleList(EncoderBlock(D, H, D, parts=parts) for _ in range(2))
    final = RMSNorm(D, eps=1e-12)
    put(final.weight, 1 + other.final_norm.g)  # theirs keep what differs from one
    for i, (norms, layer, _) in enumerate(other.layers):
        block, which = blocks[i // 2], ("attention", "feedforward")[i % 2]
        inner, behind = (layer.fn, layer) if after is Scale else (layer, norms[1])
        put(block.get_submodule(f"{which}_norm").weight, 1 + norms[0].g)
        gain = 1 + (behind.gamma if after is Scale else behind.g)
        put(*block.get_submodule(f"{which}_after").parameters(), gain)
        if which == "attention":
            put(
                block.attention.qkv_proj.weight,
                torch.cat([inner.to_q.weight, inner.to_k.weight, inner.to_v.weight]),
            )
            put(block.attention.out_proj.weight, inner.to_out.weight)
            continue
        up, gate = inner.ff[0].proj.weight.chunk(2)
        with torch.no_grad():
            inner.ff[0].proj.bias.zero_()
        put(block.feedforward.up_proj.weight, up)
        put(block.feedforward.gate_proj.weight, gate)
        put(block.feedforward.down_proj.weight, inner.ff[-1].weight)
    x, same = random(B, T, D).requires_grad_(), random(B, T, D).requires_grad_()
    found = final(blocks[1](blocks[0](x, causal=True), causal=True))
    with Double():
        expected = other(same)
    assert_close(found, expected, rtol=1e-9, atol=1e-9)
    found.square().sum().backward()
    expected.square().sum().backward()
    assert_close(x.grad, same.grad, rtol=1e-9, atol=1e-9)


def test_learned_sinks_are_those_of_gpt_oss():
    query, key, value = random(B, H, T, K), random(B, G, T, K, seed=1), random(B, G, T, K, seed=2)
    sinks = random(H, seed=3)

    class Module(nn.Module):
        num_key_value_groups = H // G

    module = Module().eval()
    module.sinks = sinks
    hidden = torch.zeros(T, T).masked_fill(~causal_mask(T), -torch.inf)
    expected, _ = eager_attention_forward(module, query, key, value, hidden, scaling=K**-0.5)
    found = attention(query, key, value, causal=True, taps=Taps(Tap(), Tap(), sinks))
    assert_close(found.transpose(1, 2), expected)
