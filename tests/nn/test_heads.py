"""The block's parts of today: norms, gates, free heads, caps, sinks; each by hand, and in a whole model."""

import math
from dataclasses import replace
from functools import partial

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from tests.drawn import drawn, random, random_mask, random_tokens
from unrolled.generate import generate
from unrolled.nn import (
    GPT,
    AcrossHeads,
    CappedLinear,
    GatedFeedForward,
    GPTConfig,
    HeadParts,
    MultiHeadAttention,
    Parts,
    RMSNorm,
    SoftCap,
    attention,
    causal_mask,
    each_head,
    multi_head_by_loops,
    soft_cap,
)
from unrolled.nn.functional import Taps
from unrolled.nn.lean import lean
from unrolled.nn.parts import output_norm
from unrolled.shapes import ShapeError
from unrolled.tap import Tap, edit, record

B, T, S, D, H, K, V = 3, 7, 11, 20, 5, 6, 19
CONFIG = GPTConfig(V, max_len=23, d_model=D, n_heads=H, n_layers=2, positions="rotary", tied=False)


each = partial(each_head, RMSNorm)


def model(parts=None, config=CONFIG, **heads):
    parts = config.parts() if parts is None else parts
    if heads:
        parts = replace(parts, attention=partial(parts.attention, parts=HeadParts(**heads)))
    return drawn(GPT(config, parts))


@pytest.mark.signatures
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_a_root_mean_square_norm_is_torchs(dtype):
    ours, theirs = RMSNorm(D, eps=0.01).to(dtype), nn.RMSNorm(D, eps=0.01).to(dtype)
    nn.init.normal_(ours.weight)
    theirs.load_state_dict(ours.state_dict())
    x = (3 * random(B, T, D)).to(dtype).requires_grad_()
    close = {"rtol": 0.02, "atol": 0.02} if dtype == torch.bfloat16 else {}
    assert_close(ours(x), theirs(x), **close)
    mine, expected = (
        torch.autograd.grad(norm(x).square().sum(), (x, norm.weight)) for norm in (ours, theirs)
    )
    assert_close(mine, expected, **close)
    assert torch.equal(lean(ours.eval())(x), ours(x))
    assert ours(torch.zeros(1, D, dtype=dtype)).eq(0).all()
    with pytest.raises(ValueError, match=r"^eps: expected a positive number, got 0.0$"):
        RMSNorm(D, eps=0.0)
    with pytest.raises(ShapeError, match=r"x: .* D=20, got \[7, 21\]"):
        ours(torch.zeros(T, 21, dtype=dtype))


@pytest.mark.signatures
@pytest.mark.parametrize(("name", "bend"), [("silu", nn.functional.silu), ("gelu", nn.functional.gelu)])
def test_a_gate_lets_through_what_the_other_half_says(name, bend):
    layer, x = drawn(GatedFeedForward(D, 17, activation=name)), random(B, T, D)
    gate, up, down = layer.gate_proj.weight, layer.up_proj.weight, layer.down_proj.weight
    expected = (bend(x @ gate.T) * (x @ up.T)) @ down.T
    assert_close(layer(x), expected)
    assert_close(lean(layer)(x), expected)
    with record(layer) as heard:
        layer(x)
    assert_close(heard["gate"][0], bend(x @ gate.T))
    assert_close(heard["hidden"][0], bend(x @ gate.T) * (x @ up.T))
    for tap in ("gate", "hidden", "output"):
        with edit(layer, {tap: torch.zeros_like}):
            assert lean(layer)(x).eq(0).all()
    assert [weight.dim() for weight in GatedFeedForward(D, 17, bias=True).parameters()] == [2, 1] * 3


def by_hand(layer, x, allowed):
    """The layer's own arithmetic, head by head, with all that its heads may have."""
    heads = []
    for h in range(layer.n_heads):
        mine = slice(h * layer.d_head, (h + 1) * layer.d_head)
        g = h // (layer.n_heads // layer.n_kv_heads)
        shared = slice(g * layer.d_head, (g + 1) * layer.d_head)
        query, key = layer.q_proj(x), layer.k_proj(x)
        if isinstance(layer.query_norm, AcrossHeads):
            query, key = layer.query_norm.norm(query), layer.key_norm.norm(key)
        query, key, value = query[..., mine], key[..., shared], layer.v_proj(x)[..., shared]
        if isinstance(layer.query_norm, RMSNorm):
            query, key = layer.query_norm(query), layer.key_norm(key)
        scores = query @ key.mT / math.sqrt(layer.d_head)
        if isinstance(layer.scores, SoftCap):
            scores = layer.scores.cap * torch.tanh(scores / layer.scores.cap)
        powers = scores.exp() * allowed
        rest = 0 if layer.sinks is None else layer.sinks[h].exp()
        heads.append(powers / (powers.sum(-1, keepdim=True) + rest) @ value)
    return layer.out_proj(torch.cat(heads, -1))


HEADS = {
    "size": {"d_head": K},
    "bias": {"out_bias": False},
    "norm of each": {"norm": each},
    "norm across": {"norm": partial(AcrossHeads, RMSNorm)},
    "cap": {"scores": partial(SoftCap, 1.5)},
    "sinks": {"sinks": torch.zeros},
    "all": {"d_head": K, "norm": each, "scores": partial(SoftCap, 1.5), "sinks": torch.zeros},
}


@pytest.mark.signatures
@pytest.mark.parametrize("heads", HEADS.values(), ids=HEADS)
@pytest.mark.parametrize("n_kv_heads", [1, 5])
def test_heads_are_what_they_are_made_of(heads, n_kv_heads):
    layer = drawn(MultiHeadAttention(D, H, n_kv_heads, parts=HeadParts(**heads)))
    x, mask = random(B, T, D), random_mask(B, T, T)
    mask = mask | torch.eye(T, dtype=torch.bool)
    assert_close(layer(x, mask=mask), by_hand(layer, x, mask))
    assert_close(layer(x, causal=True), by_hand(layer, x, causal_mask(T)))
    with record(layer, "*") as heard:
        assert_close(layer(x, causal=True), by_hand(layer, x, causal_mask(T)))
    assert heard["queries"][0].shape == (B, H, T, layer.d_head)
    rest = 1 - heard["weights"][0].sum(-1)
    assert rest.gt(0).all() if layer.sinks is not None else rest.abs().lt(1e-12).all()
    assert not heads.get("scores") or heard["scores"][0].abs().le(1.5).all()
    if heads in (HEADS["size"], HEADS["bias"]):
        assert_close(multi_head_by_loops(layer, x), layer(x))
    else:
        with pytest.raises(ValueError, match="norms of queries and keys, cap and sinks"):
            multi_head_by_loops(layer, x)


@pytest.mark.parametrize("heads", HEADS.values(), ids=HEADS)
def test_a_model_of_such_heads_keeps_writes_and_is_edited(heads):
    config = replace(CONFIG, n_kv_heads=1, d_ff=17)
    parts = replace(config.parts(), norm=RMSNorm, feedforward=GatedFeedForward)
    if "d_head" in heads:
        attend = partial(MultiHeadAttention, n_kv_heads=1)
        parts = replace(parts, attention=attend)
    gpt, x = model(parts, config, **heads), random_tokens(V, B, T)
    cache, pieces = gpt.new_cache(), []
    with torch.no_grad():
        for a, b in ((0, 4), (4, 5), (5, T)):
            pieces.append(gpt(x[:, a:b], cache=cache))
    assert_close(torch.cat(pieces, 1), gpt(x))
    written = generate(gpt, x, 9)
    assert torch.equal(written, generate(gpt, x, 9, cache=False))
    with edit(gpt, {"*.weights": lambda w: w.flip(-2)}):
        assert not torch.allclose(gpt(x), torch.cat(pieces, 1))
    with edit(gpt, {"*.scores": torch.zeros_like}):
        assert torch.equal(generate(gpt, x, 9), generate(gpt, x, 9, cache=False))
    assert gpt.layers[0].attention.qkv_proj.weight.shape[0] == 7 * gpt.layers[0].attention.d_head


def test_gradients_reach_sinks_and_norms():
    heads = HeadParts(norm=each, sinks=torch.zeros)
    layer = drawn(MultiHeadAttention(D, H, parts=heads))
    layer(random(B, T, D), causal=True).square().sum().backward()
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in layer.parameters())


def test_a_sink_takes_what_it_takes_from_every_row_also_without_heads_of_its_own():
    query, key, value = random(B, H, T, K), random(B, H, S, K, seed=1), random(B, H, S, K, seed=2)
    sinks = random(H, seed=3)
    found = attention(query, key, value, taps=Taps(Tap(), Tap(), sinks))
    powers = (query @ key.mT / K**0.5).exp()
    assert_close(found, powers @ value / (powers.sum(-1, keepdim=True) + sinks.exp()[:, None, None]))
    none = attention(query, key, value, torch.zeros(T, S, dtype=torch.bool), taps=Taps(Tap(), Tap(), sinks))
    assert none.eq(0).all()


def test_across_two_sequences_queries_and_keys_are_normed_too():
    layer = drawn(MultiHeadAttention(D, H, parts=HeadParts(norm=each)))
    x, source = random(B, T, D), random(B, S, D, seed=1)
    query, key = layer._split(layer.q_proj(x)), layer._split(layer.k_proj(source))
    query, key = layer.query_norm(query), layer.key_norm(key)
    context = attention(query, key, layer._split(layer.v_proj(source)))
    assert_close(layer(x, source), layer.out_proj(context.transpose(1, 2).flatten(2)))


def test_logits_are_capped_and_what_is_added_alone_is_normed():
    capped = model(replace(CONFIG.parts(), head=partial(CappedLinear, cap=0.7)))
    plain, x = model(), random_tokens(V, B, T)
    assert_close(capped(x), 0.7 * torch.tanh(plain(x) / 0.7))
    assert torch.equal(generate(capped, x, 5), generate(capped, x, 5, cache=False))
    tied = GPT(replace(CONFIG, tied=True), replace(CONFIG.parts(), head=partial(CappedLinear, cap=0.7)))
    assert tied.lm_head.weight is tied.token_embedding.weight
    gpt = model(replace(CONFIG.parts(), residual=output_norm))
    block, x = gpt.layers[0], random(B, T, D)
    middle = x + block.attention_norm(block.attention(x))
    assert_close(block(x), middle + block.feedforward_norm(block.feedforward(middle)))
    words = random_tokens(V, B, T)
    assert torch.equal(generate(gpt, words, 9), generate(gpt, words, 9, cache=False))


def test_a_cap_that_is_none_is_refused():
    assert_close(soft_cap(torch.tensor([-1e9, 0.0, 1e9]), 3.0), torch.tensor([-3.0, 0.0, 3.0]))
    for make in (lambda cap: SoftCap(cap), lambda cap: CappedLinear(D, V, cap=cap)):
        with pytest.raises(ValueError, match=r"^cap: expected a positive number, got -1.5$"):
            make(-1.5)


def test_nothing_is_drawn_otherwise_and_nothing_has_another_name():
    torch.manual_seed(5)
    plain = GPT(CONFIG)
    torch.manual_seed(5)
    same = GPT(CONFIG, replace(CONFIG.parts(), head=Parts().head, residual="pre"))
    for (name, weight), (other, expected) in zip(
        same.named_parameters(), plain.named_parameters(), strict=True
    ):
        assert name == other
        assert torch.equal(weight, expected)
