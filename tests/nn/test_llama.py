"""The block of today is a GPT of other parts, and its configuration says which."""

from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from tests.drawn import random_tokens
from unrolled.generate import generate
from unrolled.nn import (
    GPT,
    AcrossHeads,
    GatedFeedForward,
    LinearScaling,
    LlamaConfig,
    RMSNorm,
    Rotary,
    ScaledEmbedding,
    SlidingWindow,
    YarnScaling,
)

B, T, V = 3, 11, 19
SUBLAYERS = ("attention", "feedforward")
CONFIG = LlamaConfig(V, max_len=29, d_model=30, n_heads=5, n_layers=2, d_ff=17, n_kv_heads=1, tied=False)


def test_the_defaults_are_smollms():
    with torch.device("meta"):
        assert sum(weight.numel() for weight in GPT(LlamaConfig()).parameters()) == 134_515_008


def test_the_parts_are_those_of_the_configuration():
    c = replace(CONFIG, d_head=8, head_norm="across", norm_order="output", window=7, scaling=LinearScaling(3))
    model = GPT(c)
    attention, block = model.layers[1].attention, model.layers[1]
    assert isinstance(attention.query_norm, AcrossHeads)
    assert attention.mask_rule == SlidingWindow(7)
    assert_close(attention.positions.cos, Rotary(8, 29, scaling=LinearScaling(3)).cos)
    assert isinstance(block.feedforward, GatedFeedForward)
    assert isinstance(model.final_norm, RMSNorm)
    assert not [name for name, _ in model.named_parameters() if name.endswith("bias")]
    biased = GPT(replace(c, bias=True, out_bias=True, ff_bias=True))
    assert len([name for name, _ in biased.named_parameters() if name.endswith("bias")]) == 2 * 5
    both = GPT(replace(CONFIG, norm_order="both", scaled_embedding=True, logit_cap=7.0, score_cap=3.0))
    assert [isinstance(both.layers[1].get_submodule(f"{part}_after"), RMSNorm) for part in SUBLAYERS] == [
        True
    ] * 2
    assert isinstance(both.token_embedding, ScaledEmbedding)
    assert (both.lm_head.cap, both.layers[1].attention.scores.cap) == (7.0, 3.0)
    experts = GPT(replace(CONFIG, n_experts=3, ff_bias=True, activation="gelu")).layers[1].feedforward
    assert (len(experts.experts), experts.top_k) == (3, 2)
    assert isinstance(experts.experts[2].activation, torch.nn.GELU)
    assert experts.experts[2].down_proj.bias is not None
    assert GPT(replace(CONFIG, positions="none")).layers[0].attention.positions is None
    assert GPT(replace(CONFIG, d_ff=0))(random_tokens(V, B, T)).shape == (B, T, V)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"window": 5},
        {"head_norm": "each", "d_head": 8},
        {"norm_order": "output", "head_norm": "across"},
        {"scaling": YarnScaling(3.0, 7)},
        {"tied": True, "bias": True},
        {"norm_order": "both", "window": 5, "scaled_embedding": True, "logit_cap": 3.0, "score_cap": 2.0},
        {"n_experts": 5, "top_k": 3},
    ],
    ids=str,
)
def test_it_writes_with_its_cache_what_it_writes_without(changes):
    torch.manual_seed(3)
    model, x = GPT(replace(CONFIG, **changes)), random_tokens(V, B, T)
    for weight in model.parameters():
        if weight.dim() > 1:
            torch.nn.init.normal_(weight, std=0.5)
    model.double()
    assert torch.equal(generate(model, x, 23), generate(model, x, 23, cache=False))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"positions": "learned"}, r"positions: expected one of \('rotary', 'none'\), got 'learned'"),
        ({"head_norm": "some"}, "head_norm: expected one of .* got 'some'"),
        ({"norm_order": "post"}, r"norm_order: expected one of .* got 'post'"),
        ({"window": 0}, "window: expected a positive integer, got 0"),
        ({"d_head": -1}, "d_head: expected a positive integer, got -1"),
        ({"n_experts": 3, "top_k": 5}, "top_k: expected at most n_experts=3, got 5"),
        ({"n_experts": 3, "d_ff": 0}, "n_experts: expected None for blocks of attention alone"),
        ({"score_cap": 0.0}, "score_cap: expected a positive number or None, got 0.0"),
        ({"logit_cap": -1.0}, "logit_cap: expected a positive number or None, got -1.0"),
    ],
)
def test_choices_there_are_none_of(change, said):
    with pytest.raises(ValueError, match=said):
        replace(CONFIG, **change)
