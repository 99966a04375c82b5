"""Published models: our count against the published one, and against Hugging Face's modules, weightless."""

from typing import Any

import pytest
import torch
from transformers import (
    BertConfig,
    BertModel,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
)

from unrolled.costs import KNOWN, Sizes, cache_bytes, operations, parameters


def theirs(name: str, s: Sizes) -> torch.nn.Module:
    """Return the published model's module, on no device at all: shapes without numbers."""
    with torch.device("meta"):
        if name.startswith("GPT"):
            return GPT2LMHeadModel(
                GPT2Config(
                    vocab_size=s.vocab_size,
                    n_positions=s.max_len,
                    n_embd=s.d_model,
                    n_layer=s.n_layers,
                    n_head=s.n_heads,
                )
            )
        if s.encoder:
            return BertModel(
                BertConfig(
                    vocab_size=s.vocab_size,
                    hidden_size=s.d_model,
                    num_hidden_layers=s.n_layers,
                    num_attention_heads=s.n_heads,
                    intermediate_size=s.ff,
                    max_position_embeddings=s.max_len,
                )
            )
        kind: Any = MistralForCausalLM if "Mistral" in name else LlamaForCausalLM
        config: Any = MistralConfig if "Mistral" in name else LlamaConfig
        built: torch.nn.Module = kind(
            config(
                vocab_size=s.vocab_size,
                hidden_size=s.d_model,
                intermediate_size=s.ff,
                num_hidden_layers=s.n_layers,
                num_attention_heads=s.n_heads,
                num_key_value_heads=s.kv_heads,
                max_position_embeddings=s.max_len,
                tie_word_embeddings=False,
            )
        )
        return built


def test_there_are_twelve_and_more() -> None:
    assert len(KNOWN) >= 12


@pytest.mark.parametrize("name", KNOWN)
def test_the_published_count(name: str) -> None:
    # Of all but GPT-3 the weights are published, and the count is exact; of GPT-3 four digits are.
    known = KNOWN[name]
    counted = parameters(known.sizes).total
    if name == "GPT-3":
        assert abs(counted - known.published) < 0.01 * known.published
    else:
        assert counted == known.published


@pytest.mark.parametrize("name", [name for name in KNOWN if name != "GPT-3"])
def test_the_modules_of_hugging_face(name: str) -> None:
    s = KNOWN[name].sizes
    assert sum(weight.numel() for weight in theirs(name, s).parameters()) == parameters(s).total


def test_contexts_and_caches_that_are_known() -> None:
    assert KNOWN["GPT-3"].sizes.max_len == 2048
    llama = KNOWN["Llama 2 13B"].sizes
    assert (llama.d_model, llama.max_len) == (5120, 4096)
    # Keys and values of 5120 in 40 layers, 2 bytes each: 800 KiB a token.
    assert cache_bytes(llama, 1) == 800 * 1024
    # Two operations for each parameter that multiplies, and attention's pairs.
    gpt3 = KNOWN["GPT-3"].sizes
    decoded = operations(gpt3, 1, phase="decode").total
    assert decoded == pytest.approx(2 * 174.6e9, rel=0.01)
