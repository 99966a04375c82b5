"""Blocks whose sublayers work side by side: Phi's whole model, and GPT-NeoX's layer with its two norms."""

from dataclasses import replace
from functools import partial

import pytest
import torch
from torch import nn
from torch.testing import assert_close
from transformers import GPTNeoXConfig, PhiConfig, PhiForCausalLM
from transformers.models.gpt_neox.modeling_gpt_neox import GPTNeoXLayer

from tests.drawn import drawn, random, random_tokens
from tests.parity.double import Double
from unrolled.generate import generate
from unrolled.nn import GPT, GPTConfig, MultiHeadAttention, ParallelBlock, Parts, Rotary, causal_mask

B, T, H, G, K, F, V, CONTEXT = 3, 11, 5, 1, 8, 37, 19, 31
D = H * K


pytestmark = pytest.mark.usefixtures("in_double")


def phi():
    config = PhiConfig(
        vocab_size=V,
        hidden_size=D,
        intermediate_size=F,
        num_hidden_layers=2,
        num_attention_heads=H,
        num_key_value_heads=G,
        max_position_embeddings=CONTEXT,
        rope_parameters={"rope_type": "default", "rope_theta": 500.0, "partial_rotary_factor": 0.5},
        bos_token_id=None,
        eos_token_id=None,
    )
    with Double():
        theirs = drawn(PhiForCausalLM(config), std=0.4)
    sizes = {"d_model": D, "n_heads": H, "n_layers": 2, "d_ff": F, "n_kv_heads": G}
    ours = GPTConfig(V, CONTEXT, **sizes, positions="none", tied=False)
    rotary = Rotary(K, CONTEXT, 500.0, width=K // 2)
    model = GPT(
        ours,
        replace(
            ours.parts(),
            attention=partial(MultiHeadAttention, n_kv_heads=G, positions=rotary),
            block=ParallelBlock,
            head=nn.Linear,  # Phi's has a bias
        ),
    )
    state = {}
    for name, weight in theirs.state_dict().items():
        name = name.removeprefix("model.").replace("embed_tokens", "token_embedding")
        name = name.replace("final_layernorm", "final_norm").replace("input_layernorm", "shared_norm")
        name = name.replace("self_attn.dense", "attention.out_proj").replace("self_attn", "attention")
        state[name.replace("mlp.fc1", "feedforward.up_proj").replace("mlp.fc2", "feedforward.down_proj")] = (
            weight
        )
    for name in [name for name in state if ".q_proj." in name]:
        packed = [state.pop(name.replace("q_proj", f"{part}_proj")) for part in "qkv"]
        state[name.replace("q_proj", "qkv_proj")] = torch.cat(packed)
    model.load_state_dict(state)
    return theirs, model.double().eval()


def test_phis_logits_and_gradients():
    theirs, ours = phi()
    x = random_tokens(V, B, T)
    with Double():
        expected = theirs(x).logits
        expected.square().mean().backward()
    logits = ours(x)
    logits.square().mean().backward()
    assert_close(logits, expected, rtol=1e-9, atol=1e-9)
    mine, others = dict(ours.named_parameters()), dict(theirs.named_parameters())
    for name, other in {
        "token_embedding.weight": "model.embed_tokens.weight",
        "layers.0.shared_norm.weight": "model.layers.0.input_layernorm.weight",
        "layers.0.attention.out_proj.weight": "model.layers.0.self_attn.dense.weight",
        "layers.1.feedforward.up_proj.bias": "model.layers.1.mlp.fc1.bias",
    }.items():
        assert_close(mine[name].grad, others[other].grad, rtol=1e-9, atol=1e-9)


def test_phis_tokens_with_a_cache_and_without():
    theirs, ours = phi()
    x = random_tokens(V, B, T)
    with Double():
        expected = theirs.generate(x, max_new_tokens=17, do_sample=False, pad_token_id=0)
    assert torch.equal(generate(ours, x, 17), expected)
    assert torch.equal(generate(ours, x, 17, cache=False), expected)
    assert len(set(expected[:, T:].flatten().tolist())) > 3


def test_the_second_norm_of_gpt_neox_goes_into_the_layers_that_read_it():
    """Two norms of one vector differ in gain and bias, which the next layer takes up."""
    config = GPTNeoXConfig(
        hidden_size=D,
        intermediate_size=F,
        num_attention_heads=H,
        max_position_embeddings=CONTEXT,
        hidden_dropout=0.0,
        attention_dropout=0.0,
    )
    config._attn_implementation = "sdpa"
    theirs = drawn(GPTNeoXLayer(config, 0), std=0.4)
    width = theirs.attention.rotary_ndims
    rotary = Rotary(K, CONTEXT, width=width)
    norm = partial(nn.LayerNorm, eps=config.layer_norm_eps, elementwise_affine=False)
    ours = ParallelBlock(
        D, H, F, parts=Parts(norm=norm, attention=partial(MultiHeadAttention, positions=rotary))
    )

    def folded(layer, norm):
        return layer.weight * norm.weight, layer.weight @ norm.bias + layer.bias

    packed = folded(theirs.attention.query_key_value, theirs.input_layernorm)
    read = folded(theirs.mlp.dense_h_to_4h, theirs.post_attention_layernorm)
    with torch.no_grad():
        for mine, other in zip(ours.attention.qkv_proj.parameters(), packed, strict=True):
            # Theirs are the queries, keys and values of the first head, then those of the second.
            mine.copy_(other.unflatten(0, (H, 3, K)).transpose(0, 1).flatten(0, 2))
        for mine, other in zip(ours.feedforward.up_proj.parameters(), read, strict=True):
            mine.copy_(other)
        ours.attention.out_proj.load_state_dict(theirs.attention.dense.state_dict())
        ours.feedforward.down_proj.load_state_dict(theirs.mlp.dense_4h_to_h.state_dict())
    x, other = random(B, T, D).requires_grad_(), random(B, T, D).requires_grad_()
    cos, sin = (torch.cat([table[:T]] * 2, -1)[None] for table in (rotary.cos, rotary.sin))
    with Double():
        expected = theirs(other, causal_mask(T)[None, None], position_embeddings=(cos, sin))
    found = ours(x, causal=True)
    assert_close(found, expected, rtol=1e-9, atol=1e-9)
    found.square().sum().backward()
    expected.square().sum().backward()
    assert_close(x.grad, other.grad, rtol=1e-9, atol=1e-9)
