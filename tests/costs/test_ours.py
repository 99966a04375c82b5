"""What our own models have, compute and keep is what the formulas say, for sizes of many kinds."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode, sdpa_flop_count

from unrolled.costs import Today, cache_bytes, operations, parameters, traffic
from unrolled.costs.ours import (
    bert_operations,
    bert_parameters,
    gpt_sizes,
    transformer_cache_bytes,
    transformer_operations,
    transformer_parameters,
)
from unrolled.nn import BERT, GPT, BertConfig, GPTConfig, LlamaConfig, Transformer, TransformerConfig

B, T, S = 3, 7, 5

GPTS = [
    GPTConfig(11, 13, 14, 2, 3),
    GPTConfig(11, 13, 12, 6, 5, n_kv_heads=2, d_ff=17),
    GPTConfig(19, 13, 12, 6, 1, n_kv_heads=1, tied=False),
    GPTConfig(11, 17, 14, 7, 2, positions="rotary", bias=False),
    GPTConfig(11, 13, 10, 2, 3, positions="alibi", d_ff=0),
    GPTConfig(11, 13, 10, 5, 2, positions="sinusoidal", bias=False, tied=False, d_ff=0),
]
LLAMA = LlamaConfig(11, 311, 20, 5, 3, d_ff=17, n_kv_heads=1)
LLAMAS = [
    LLAMA,
    replace(LLAMA, d_head=6, n_kv_heads=None, tied=False, d_ff=None),
    replace(LLAMA, bias=True, head_norm="each", norm_order="both", scaled_embedding=True, logit_cap=3.0),
    replace(LLAMA, out_bias=True, ff_bias=True, head_norm="across", norm_order="output", positions="none"),
    replace(LLAMA, n_experts=7, top_k=2, ff_bias=True),
    replace(LLAMA, d_ff=0, norm_order="both", score_cap=3.0),
    replace(LLAMA, window=3),
    replace(LLAMA, window=89, d_head=2, head_norm="across"),
]
BERTS = [
    BertConfig(11, 13, 14, 2, 3, dropout=0.0),
    BertConfig(19, 13, 10, 5, 2, d_ff=17, n_token_types=0, norm="pre", dropout=0.0),
    BertConfig(11, 17, 14, 7, 1, n_token_types=3, mlm_head=False, dropout=0.0),
]
TRANSFORMERS = [
    TransformerConfig(11, 19, 13, 14, 2, 3, dropout=0.0),
    TransformerConfig(11, 11, 13, 10, 5, 2, n_decoder_layers=3, tied="all", norm="pre", dropout=0.0),
    TransformerConfig(17, 11, 13, 10, 2, 1, d_ff=23, tied="target", positions="learned", dropout=0.0),
]


def size(model: nn.Module) -> int:
    return sum(weight.numel() for weight in model.parameters())


class NoHooks:
    """In place of the counter's own hooks on modules: a layer with hooks takes its slow, audible ways."""

    parents = frozenset({"Global"})

    def __enter__(self) -> None: ...

    def __exit__(self, *error: object) -> None: ...


def _pairs(query: Any, key: Any, value: Any, *rest: object, **named: object) -> int:
    """Count scores and contexts; with fewer heads of keys, of all the heads of queries that share them."""
    heads = query[1]
    key, value = (torch.Size((x[0], heads, *x[2:])) for x in (key, value))
    count: int = sdpa_flop_count(query, key, value)  # type: ignore[no-untyped-call]
    return count


def unheard() -> FlopCounterMode:
    """Count what runs when nobody listens; the fused kernel is none that the counter knows by itself."""
    fused = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
    made = FlopCounterMode(display=False, custom_mapping={fused: _pairs})
    made.mod_tracker = NoHooks()  # type: ignore[assignment]
    return made


def tokens(vocab_size: int, length: int = T) -> torch.Tensor:
    return torch.randint(vocab_size, (B, length))


@pytest.mark.parametrize("config", GPTS)
def test_a_gpt(config: GPTConfig) -> None:
    s, model = gpt_sizes(config), GPT(config)
    assert parameters(s).total == size(model)
    with FlopCounterMode(display=False) as forward:
        logits = model(tokens(config.vocab_size))
    assert operations(s, T, B).total == forward.get_total_flops()
    with unheard() as fused, torch.no_grad():
        model(tokens(config.vocab_size))
    assert fused.get_total_flops() == forward.get_total_flops()
    with FlopCounterMode(display=False) as backward:
        logits.sum().backward()
    both = forward.get_total_flops() + backward.get_total_flops()
    assert operations(s, T, B, "training").total == both


@pytest.mark.parametrize("length", [T, 113, 191, 263, 311])
@pytest.mark.parametrize("config", LLAMAS)
def test_a_block_of_today(config: LlamaConfig, length: int) -> None:
    """Also past the window, where attention takes blocks of queries."""
    s, model = gpt_sizes(config), GPT(config)
    assert parameters(s).total == size(model)
    with unheard() as forward:
        logits = model(tokens(config.vocab_size, length))
    counted = forward.get_total_flops()
    assert operations(s, length, B).total == counted
    if config.window is not None and length > 4 * config.window and length > 256:
        assert counted < operations(gpt_sizes(replace(config, window=None)), length, B).total
    if length == T:
        with FlopCounterMode(display=False) as heard:
            logits = model(tokens(config.vocab_size))
        with FlopCounterMode(display=False) as backward:
            logits.sum().backward()
        both = heard.get_total_flops() + backward.get_total_flops()
        assert operations(s, T, B, "training").total == both


@torch.no_grad()
@pytest.mark.parametrize("length", [T, 113, 263])
@pytest.mark.parametrize("config", LLAMAS)
def test_a_block_of_today_that_writes_with_its_cache(config: LlamaConfig, length: int) -> None:
    s, model = gpt_sizes(config), GPT(config).eval()
    cache = model.new_cache(length + 1)
    model(tokens(config.vocab_size, length), cache=cache)
    with unheard() as counted:
        model(tokens(config.vocab_size, 1), cache=cache)
    assert operations(s, length + 1, B, "decode").total == counted.get_total_flops()
    kept = [buffer for layer in cache.layers for buffer in (layer._keys, layer._values)]
    allocated = sum(buffer.nbytes for buffer in kept if buffer is not None)
    assert cache_bytes(s, length + 1, B, bits=32) == allocated
    held = sum(part.numel() * 4 for layer in cache.layers for part in layer.held())
    if config.n_experts is None:
        assert traffic(s, length + 1, B, "decode", 32) == held + traffic(s, 1, 1, "decode", 32) - (
            cache_bytes(s, 1, 1, 32)
        )
    else:
        with pytest.raises(ValueError, match=r"^s: which of its experts are read depends on the tokens"):
            traffic(s, length + 1, B, "decode")


@pytest.mark.parametrize("config", LLAMAS)
def test_the_parts_of_a_block_of_today_are_those_of_its_modules(config: LlamaConfig) -> None:
    p, model = parameters(gpt_sizes(config)), GPT(config)
    norms = sum(size(module) for module in model.modules() if type(module).__name__ == "RMSNorm")
    networks = [module for name, module in model.named_modules() if name.endswith(".feedforward")]
    assert (p.norms, p.feedforward) == (norms, sum(size(module) for module in networks))


def test_what_is_not_counted_is_refused_by_name() -> None:
    class Mine(LlamaConfig):
        pass

    with pytest.raises(TypeError, match=r"^c: expected a GPTConfig or a LlamaConfig, got Mine"):
        gpt_sizes(Mine())
    cases: list[tuple[dict[str, Any], str]] = [
        ({"top_k": 5, "n_experts": 3}, "^top_k: expected at most n_experts=3, got 5"),
        ({"window": 0, "block": 64}, "^window: expected a whole number from 1, got 0"),
        ({"window": 5}, "^block: expected one with a window only, got None"),
        ({"d_head": -1}, "^d_head: expected a whole number from 1, got -1"),
    ]
    for wrong, said in cases:
        with pytest.raises(ValueError, match=said):
            Today(**wrong)
    with pytest.raises(TypeError, match=r"^n_experts: expected a whole number from 1, got 2.0"):
        Today(n_experts=2.0)  # type: ignore[arg-type]


@torch.no_grad()
@pytest.mark.parametrize("config", GPTS)
def test_a_gpt_that_writes_with_its_cache(config: GPTConfig) -> None:
    s, model = gpt_sizes(config), GPT(config).eval()
    cache = model.new_cache(T + 1)
    model(tokens(config.vocab_size), cache=cache)
    with FlopCounterMode(display=False) as counted:
        model(tokens(config.vocab_size, 1), cache=cache)
    assert operations(s, T + 1, B, "decode").total == counted.get_total_flops()
    kept = [buffer for layer in cache.layers for buffer in (layer._keys, layer._values)]
    assert cache_bytes(s, T + 1, B, bits=32) == sum(buffer.nbytes for buffer in kept if buffer is not None)


@pytest.mark.parametrize("config", GPTS)
def test_the_parts_of_a_gpt_are_those_of_its_modules(config: GPTConfig) -> None:
    p, model = parameters(gpt_sizes(config)), GPT(config)
    named: dict[str, list[nn.Module]] = {
        "attention": [m for m in model.modules() if type(m).__name__ == "MultiHeadAttention"],
        "feedforward": [m for m in model.modules() if type(m).__name__ == "FeedForward"],
        "norms": [m for m in model.modules() if isinstance(m, nn.LayerNorm)],
    }
    for part, modules in named.items():
        assert getattr(p, part) == sum(size(module) for module in modules), part


@pytest.mark.parametrize("config", BERTS)
def test_a_bert(config: BertConfig) -> None:
    model = BERT(config)
    assert bert_parameters(config) == size(model)
    run = model if config.mlm_head else model.encode
    with FlopCounterMode(display=False) as counted:
        run(tokens(config.vocab_size))
    assert bert_operations(config, T, B) == counted.get_total_flops()


@torch.no_grad()
@pytest.mark.parametrize("config", TRANSFORMERS)
def test_a_transformer(config: TransformerConfig) -> None:
    model = Transformer(config).eval()
    assert transformer_parameters(config) == size(model)
    source, target = tokens(config.source_vocab_size, S), tokens(config.target_vocab_size)
    with unheard() as counted:
        model(source, target)
    assert transformer_operations(config, S, T, B).total == counted.get_total_flops()
    cache = model.new_cache(S, T)
    model.decode(target, model.encode(source), cache=cache)
    kept = [b for layer in (*cache.layers, *cache.cross) for b in (layer._keys, layer._values)]
    assert transformer_cache_bytes(config, S, T, B) == sum(b.nbytes for b in kept if b is not None)
