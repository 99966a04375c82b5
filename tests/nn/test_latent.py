"""Latent attention: its two forms are one, DeepSeek's layer is the witness, and the cache is small."""

from dataclasses import replace
from functools import partial

import pytest
import torch
from torch.testing import assert_close
from transformers import DeepseekV3Config
from transformers.models.deepseek_v3.modeling_deepseek_v3 import DeepseekV3Attention

from tests.drawn import drawn, random, random_mask, random_tokens
from tests.parity.double import Double
from unrolled.generate import generate
from unrolled.nn import (
    GPT,
    LatentAttention,
    LlamaConfig,
    Rotary,
    causal_mask,
)
from unrolled.nn.cache import KVCache
from unrolled.shapes import ShapeError
from unrolled.tap import edit, record

B, T, D, H, K, L, R, V = 3, 7, 15, 5, 3, 11, 4, 19
CONFIG = LlamaConfig(V, max_len=29, d_model=D, n_heads=H, n_layers=2, d_ff=17, n_kv_heads=None, tied=False)
CONFIG = replace(CONFIG, positions="none")


pytestmark = pytest.mark.usefixtures("in_double")


def layer(**options):
    return drawn(LatentAttention(D, H, d_latent=L, positions=Rotary(R, 29), **options))


def model():
    attend = partial(LatentAttention, d_latent=L, positions=Rotary(R, 29))
    return drawn(GPT(CONFIG, replace(CONFIG.parts(), attention=attend)))


@pytest.mark.signatures
@pytest.mark.parametrize("d_head", [None, 2])
def test_it_is_its_equation(d_head):
    attend, x = layer(d_head=d_head), random(B, T, D)
    size = d_head or K
    latent, turned = attend.latent_proj(x).split([L, R], -1)
    latent, turned = attend.latent_norm(latent), attend.positions(turned)
    query = attend.q_proj(x).view(B, T, H, size + R)
    both = attend.kv_proj(latent).view(B, T, H, 2 * size)
    heads = []
    for h in range(H):
        q = torch.cat([query[:, :, h, :size], attend.positions(query[:, :, h, size:])], -1)
        k = torch.cat([both[:, :, h, :size], turned], -1)
        scores = (q @ k.mT) / (size + R) ** 0.5
        weights = scores.masked_fill(~causal_mask(T), -torch.inf).softmax(-1)
        heads.append(weights @ both[:, :, h, size:])
    assert_close(attend(x, causal=True), attend.out_proj(torch.cat(heads, -1)))


def test_it_is_deepseeks():
    config = DeepseekV3Config(
        hidden_size=D,
        num_attention_heads=H,
        num_key_value_heads=H,
        q_lora_rank=None,
        kv_lora_rank=L,
        qk_nope_head_dim=K,
        qk_rope_head_dim=R,
        v_head_dim=K,
        rope_interleave=False,
        attention_bias=False,
    )
    config._attn_implementation = "sdpa"
    theirs, ours, x = drawn(DeepseekV3Attention(config, 0)), layer(), random(B, T, D)
    names = {
        "q_proj": "q_proj",
        "latent_proj": "kv_a_proj_with_mqa",
        "latent_norm": "kv_a_layernorm",
        "kv_proj": "kv_b_proj",
        "out_proj": "o_proj",
    }
    with torch.no_grad():
        for mine, other in names.items():
            getattr(ours, mine).weight.copy_(getattr(theirs, other).weight)
    cos, sin = (torch.cat([table[:T]] * 2, -1)[None] for table in (ours.positions.cos, ours.positions.sin))
    with Double():
        expected, _ = theirs(x, (cos, sin), causal_mask(T)[None, None])
    assert_close(ours(x, causal=True), expected, rtol=1e-9, atol=1e-9)


def test_the_two_forms_are_one_with_any_mask_and_whoever_listens():
    attend, x = layer(), random(B, T, D)
    mask = random_mask(B, T, T) | torch.eye(T, dtype=torch.bool)
    names = ("queries", "latents", "keys", "scores", "weights", "context", "output")
    for given in ({"causal": True}, {"mask": mask}, {"mask": mask, "causal": True}):
        with torch.no_grad():
            expected = attend(x, **given)
            assert_close(attend(x, **given, cache=KVCache(T)), expected)
            with record(attend, *names) as formed:
                assert_close(attend(x, **given), expected)
            with record(attend, *names) as absorbed:
                assert_close(attend(x, **given, cache=KVCache(T)), expected)
        for name in names:
            assert_close(formed[name], absorbed[name])
    with torch.no_grad(), edit(attend, {"latents": lambda c: c.flip(-1), "scores": lambda s: s.roll(1, 1)}):
        changed = attend(x, causal=True)
        assert_close(attend(x, causal=True, cache=KVCache(T)), changed)
    assert not torch.allclose(changed, expected)


def test_what_was_done_to_its_layer_is_done_with_a_cache_too():
    attend, x = layer(), random(B, T, D)
    with torch.no_grad():
        before = attend(x, causal=True)
        attend.kv_proj.register_forward_hook(lambda module, given, made: made.roll(1, -1))
        hooked = attend(x, causal=True)
        assert not torch.allclose(hooked, before)
        assert_close(attend(x, causal=True, cache=KVCache(T)), hooked)


def test_a_model_writes_with_its_small_cache():
    gpt, x = model(), random_tokens(V, B, T)
    assert torch.equal(generate(gpt, x, 17), generate(gpt, x, 17, cache=False))
    cache, expected = gpt.new_cache(T), gpt(x)
    with torch.no_grad():
        pieces = [gpt(x[:, a:b], cache=cache) for a, b in ((0, 3), (3, 4), (4, T))]
    assert_close(torch.cat(pieces, 1), expected)
    held = [sum(part.untyped_storage().nbytes() for part in each.held()) for each in cache.layers]
    assert held == [B * T * (L + R) * 8] * 2
    grouped = GPT(replace(CONFIG, n_kv_heads=H)).new_cache(T)
    with torch.no_grad():
        GPT(replace(CONFIG, n_kv_heads=H))(x, cache=grouped)
    whole = sum(part.untyped_storage().nbytes() for part in grouped.layers[0].held())
    assert whole == B * T * 2 * H * K * 8


def test_gradients_reach_everything():
    attend = layer().train()
    attend(random(B, T, D), causal=True).square().sum().backward()
    assert all(weight.grad.abs().sum() > 0 for weight in attend.parameters())


def test_what_makes_no_latent_attention_is_refused():
    make = partial(LatentAttention, positions=Rotary(R, 29))
    for wrong in ({"d_latent": 0}, {"d_latent": L, "d_head": 0}):
        with pytest.raises(ValueError, match="expected a positive integer, got 0"):
            make(D, H, **wrong)
    with pytest.raises(ValueError, match="expected d_model to be a multiple of n_heads, got 15 and 2"):
        make(D, 2, d_latent=L)
    with pytest.raises(ShapeError, match=r"x: .* D=15, got \[3, 7, 5\]"):
        layer()(torch.zeros(B, T, 5))
