"""Llama, Mistral, Mixtral, Qwen, SmolLM, OLMo 2, Gemma 2: logits, gradients and tokens are Hugging Face's."""

import json
from dataclasses import replace
from functools import cache, partial

import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from torch import nn
from torch.testing import assert_close
from transformers import (
    AutoModelForCausalLM,
    Gemma2Config,
    LlamaConfig,
    MistralConfig,
    MixtralConfig,
    Olmo2Config,
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen3Config,
)

from tests.drawn import random_tokens
from tests.parity.double import Double
from unrolled.data.tokenizers import read_tokenizer
from unrolled.generate import generate
from unrolled.nn import ForgettingCache
from unrolled.pretrained import WeightsError, llama_config, llama_state, load_llama
from unrolled.pretrained.fields import LEFT_ASIDE
from unrolled.pretrained.llama_config import LLAMA_FIXED, LLAMA_READ

V, CONTEXT, B, T = 53, 61, 3, 29
SIZES = {
    "vocab_size": V,
    "hidden_size": 30,
    "intermediate_size": 37,
    "num_hidden_layers": 2,
    "num_attention_heads": 5,
    "num_key_value_heads": 1,
    "max_position_embeddings": CONTEXT,
    "bos_token_id": None,
    "eos_token_id": None,
    "pad_token_id": None,
}
KINDS = {
    "llama": LlamaConfig,
    "mistral": MistralConfig,
    "qwen2": Qwen2Config,
    "qwen3": Qwen3Config,
    "olmo2": Olmo2Config,
    "mixtral": MixtralConfig,
    "gemma2": Gemma2Config,
}


def rope(kind, **fields):
    return {"rope_parameters": {"rope_type": kind, "rope_theta": 500.0} | fields}


# The original context is half as long as the prompts, so every rule is tried past it.
LLAMA3 = rope(
    "llama3", factor=7.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=13
)
YARN = rope("yarn", factor=5.0, original_max_position_embeddings=13)
GEMMA = {"hidden_size": 49, "num_attention_heads": 7, "head_dim": 6, "query_pre_attn_scalar": 6}
GEMMA |= {"attn_logit_softcapping": 3.0, "final_logit_softcapping": 5.0}
GRID = {
    "llama 2": ("llama", {"num_key_value_heads": 5}),
    "llama 3": ("llama", LLAMA3),
    "smollm": ("llama", {"tie_word_embeddings": True, "rms_norm_eps": 1e-5}),
    "llama with biases and its own heads": (
        "llama",
        {"attention_bias": True, "mlp_bias": True, "head_dim": 8, "hidden_act": "gelu"},
    ),
    "llama stretched": ("llama", rope("linear", factor=3.0)),
    "mistral": ("mistral", {"sliding_window": 7, "head_dim": 8}),
    "mistral that sees all": ("mistral", {"sliding_window": None}),
    "qwen2": ("qwen2", {"tie_word_embeddings": True}),
    "qwen2 with windows in some layers": (
        "qwen2",
        {"use_sliding_window": True, "sliding_window": 5, "max_window_layers": 1},
    ),
    "qwen2 stretched": ("qwen2", YARN),
    "qwen3": ("qwen3", {"head_dim": 8}),
    "qwen3 with windows": (
        "qwen3",
        {"head_dim": 6, "attention_bias": True, "use_sliding_window": True, "sliding_window": 11}
        | {"max_window_layers": 0},
    ),
    "olmo2": ("olmo2", {"num_key_value_heads": 5}),
    "olmo2 with biases": ("olmo2", {"attention_bias": True} | LLAMA3),
    "mixtral": ("mixtral", {"num_local_experts": 7, "num_experts_per_tok": 3} | rope("default")),
    "mixtral with a window": (
        "mixtral",
        {"num_local_experts": 3, "sliding_window": 5, "head_dim": 8, "tie_word_embeddings": True} | LLAMA3,
    ),
    # The root of what is 49 wide is the same in both precisions: theirs keeps it in single.
    "gemma2 with windows in every other layer": ("gemma2", GEMMA | {"sliding_window": 5}),
    "gemma2 without caps": (
        "gemma2",
        GEMMA
        | {"attn_logit_softcapping": None, "final_logit_softcapping": None, "attention_bias": True}
        | {"layer_types": ["full_attention"] * 2, "tie_word_embeddings": False},
    ),
    "gemma2 with windows in all layers, stretched": (
        "gemma2",
        GEMMA | {"layer_types": ["sliding_attention"] * 2, "sliding_window": 11} | YARN,
    ),
}
GEMMAS = "gemma2 with windows in every other layer"
cases = pytest.mark.parametrize("name", GRID)
tokens = partial(random_tokens, V)


def made(name_or_kind, dtype=torch.float32, **changes):
    kind, fields = GRID.get(name_or_kind, (name_or_kind, {}))
    torch.manual_seed(5)
    config = KINDS[kind](**(SIZES | fields | changes))
    config._experts_implementation = "eager"
    model = AutoModelForCausalLM.from_config(config)
    for weight in model.parameters():
        nn.init.normal_(weight, std=0.5 if weight.dim() > 1 else 0.3)
    return model.eval().to(dtype)


@cache
def doubled(name):
    """Return theirs and ours in double precision."""
    with Double():
        theirs = made(name, torch.float64)
    return theirs, load_llama(theirs)


@cases
def test_logits_and_gradients_in_double_precision(name):
    theirs, ours = doubled(name)
    x = tokens(B, T)
    with Double():
        expected = theirs(x).logits
        expected.square().mean().backward()
    logits = ours(x)
    logits.square().mean().backward()
    with torch.no_grad():
        assert_close(logits, expected, rtol=1e-9, atol=1e-9 * float(expected.abs().max()))
    grads = {name: weight.grad for name, weight in theirs.named_parameters()}
    grads = llama_state(grads, ours.config)  # gradients of weights are named as these
    for part, weight in ours.named_parameters():
        largest = float(grads[part].abs().max())
        assert largest > 0, part
        assert_close(weight.grad, grads[part], rtol=1e-9, atol=1e-9 * largest)


@cases
def test_logits_in_single_precision(name):
    theirs = made(name)
    ours, x = load_llama(theirs), tokens(B, T)
    with torch.no_grad():
        expected = theirs(x).logits
        assert_close(ours(x), expected, rtol=1e-5, atol=1e-5 * float(expected.abs().max()))


@cases
def test_cached_and_ragged_tokens(name):
    """They pad on the left, we pad on the right; past the window, and past the original context."""
    theirs, ours = doubled(name)
    x, lengths, n_new = tokens(B, 23), torch.tensor([17, 23, 5]), 31
    left = torch.stack([row.roll(23 - length) for row, length in zip(x, lengths.tolist(), strict=True)])
    with Double():
        expected = theirs.generate(
            left,
            attention_mask=(torch.arange(23) >= 23 - lengths[:, None]).long(),
            max_new_tokens=n_new,
            do_sample=False,
            pad_token_id=0,
        )
    written = generate(ours, x, n_new, lengths=lengths)
    assert torch.equal(written, generate(ours, x, n_new, lengths=lengths, cache=False))
    for row, length in enumerate(lengths.tolist()):
        assert written[row, length : length + n_new].tolist() == expected[row, 23:].tolist()
    assert len(set(written[:, 23:].flatten().tolist())) > 3  # the model says more than one word
    slides = [isinstance(layer, ForgettingCache) for layer in ours.new_cache().layers]
    assert slides == [layer.attention.mask_rule is not None for layer in ours.layers]
    assert any(slides) == ("window" in name or name == "mistral")
    assert all(slides) == (
        name in ("mistral", "mixtral with a window") or "all layers" in name or "qwen3 w" in name
    )


def as_files(theirs, folder, n_files, **changes):
    """Write what a published folder holds, in the fields of before `rope_parameters`."""
    config = theirs.config.to_dict()
    angles = config.pop("rope_parameters")
    base = angles.pop("rope_theta")
    config |= {"rope_theta": base, "rope_scaling": angles if len(angles) > 1 else None} | changes
    (folder / "config.json").write_text(json.dumps(config))
    state = {name: weight.contiguous().clone() for name, weight in theirs.state_dict().items()}
    if theirs.config.tie_word_embeddings:
        del state["lm_head.weight"]
    names = [f"model-{i + 1:05}-of-{n_files:05}.safetensors" for i in range(n_files)]
    names = ["model.safetensors"] if n_files == 1 else names
    where = {name: names[i % n_files] for i, name in enumerate(state)}
    for file in names:
        save_file({name: weight for name, weight in state.items() if where[name] == file}, folder / file)
    if n_files > 1:
        (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": where}))
    return folder


@pytest.mark.parametrize("n_files", [1, 3])
@pytest.mark.parametrize("name", ["llama 3", "smollm", "qwen2 stretched", "olmo2", "mixtral", GEMMAS])
def test_a_published_folder_in_one_file_or_several(name, n_files, tmp_path):
    theirs, x = made(name), tokens(B, T)
    ours = load_llama(as_files(theirs, tmp_path, n_files, torch_dtype="bfloat16", _name_or_path="x"))
    with torch.no_grad():
        expected = theirs(x).logits
    assert_close(ours(x).detach(), expected, rtol=1e-5, atol=1e-5 * float(expected.abs().max()))


def test_a_mixtral_as_its_files_name_it(tmp_path):
    """Each expert in three tensors of its own, under the names that Mistral gave them."""
    theirs, x = made("mixtral"), tokens(B, T)
    as_files(theirs, tmp_path, 1)
    file, state = tmp_path / "model.safetensors", {}
    for name, weight in load_file(file).items():
        front, _, part = name.rpartition(".mlp.experts.")
        if part == "gate_up_proj":
            gate, up = weight.chunk(2, 1)
            named = {"w1": gate, "w3": up}
        else:
            named = {"w2": weight} if part == "down_proj" else {}
        for which, stacked in named.items():
            for e, one in enumerate(stacked):
                state[f"{front}.block_sparse_moe.experts.{e}.{which}.weight"] = one.contiguous()
        if not named:
            state[name.replace(".mlp.gate.", ".block_sparse_moe.gate.")] = weight
    save_file(state, file)
    with torch.no_grad():
        expected = theirs(x).logits
    assert_close(
        load_llama(tmp_path)(x).detach(), expected, rtol=1e-5, atol=1e-5 * float(expected.abs().max())
    )


def test_its_tokenizer_lies_beside_it(tmp_path):
    """Byte pairs cut by Llama 3's rule for words."""
    bpe = Tokenizer(models.BPE())
    rule = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+|\s+"
    bpe.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(rule), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    bpe.decoder = decoders.ByteLevel()
    texts = ["The bears won 12345 games, didn't they?", "Los osos ganaron. Ñandú!"] * 7
    trainer = trainers.BpeTrainer(
        vocab_size=311,
        special_tokens=["<|begin_of_text|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator(texts, trainer)
    theirs = made("llama 3", vocab_size=bpe.get_vocab_size())
    as_files(theirs, tmp_path, 1)
    bpe.save(str(tmp_path / "tokenizer.json"))
    ours, reference = (
        read_tokenizer(tmp_path),
        PreTrainedTokenizerFast(tokenizer_file=str(tmp_path / "tokenizer.json")),
    )
    for text in texts[:2]:
        assert ours.encode(text) == reference.encode(text, add_special_tokens=False)
        assert ours.decode(ours.encode(text)) == text
    prompt = torch.tensor([ours.encode("The bears")])
    assert ours.decode(generate(load_llama(tmp_path), prompt, 5)[0].tolist()).startswith("The bears")


# Every field.

CHANGES = {
    "attention_bias": True,
    "attention_dropout": 0.7,
    "head_dim": 12,
    "hidden_act": "relu",
    "hidden_activation": "relu",
    "attn_logit_softcapping": 2.0,
    "final_logit_softcapping": 3.0,
    "query_pre_attn_scalar": 12,
    "num_local_experts": 3,
    "num_experts_per_tok": 1,
    "hidden_size": 40,
    "intermediate_size": 41,
    "max_position_embeddings": 67,
    "mlp_bias": True,
    "num_attention_heads": 3,
    "num_hidden_layers": 3,
    "num_key_value_heads": 5,
    "rms_norm_eps": 0.3,
    "rope_parameters": {"rope_type": "default", "rope_theta": 17.0},
    "tie_word_embeddings": True,
    "vocab_size": 59,
}
FIELDS = [
    (kind, name) for kind in KINDS for name in CHANGES if name in set(KINDS[kind]().to_dict()) | {"head_dim"}
]


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_of_theirs_is_read_fixed_or_left_aside(kind):
    fields = set(KINDS[kind]().to_dict())
    assert fields <= LLAMA_READ[kind] | set(LLAMA_FIXED) | set(LEFT_ASIDE)
    assert not LLAMA_READ[kind] & set(LEFT_ASIDE)
    # What is read and has no change here stands in the grid.
    grid = {"use_sliding_window", "sliding_window", "max_window_layers", "layer_types", "model_type"}
    assert fields & LLAMA_READ[kind] <= set(CHANGES) | grid


@pytest.mark.parametrize(("kind", "name"), FIELDS)
def test_a_changed_field_gives_their_logits(kind, name):
    one = {"num_key_value_heads": 1} if name == "num_attention_heads" else {}
    if kind == "gemma2" and name in ("head_dim", "query_pre_attn_scalar"):
        one = {"head_dim": 12, "query_pre_attn_scalar": 12}
    theirs, x = made(kind, **(one | {name: CHANGES[name]})), tokens(2, 19)
    ours = load_llama(theirs)
    with torch.no_grad():
        expected = theirs(x).logits
        assert_close(ours(x), expected, rtol=1e-4, atol=1e-5 * float(expected.abs().max()))
    assert {layer.attention.dropout for layer in ours.layers} == {0.7 if "dropout" in name else 0.0}


@pytest.mark.parametrize("kind", KINDS)
def test_a_field_that_is_not_there_means_what_it_means_to_them(kind):
    """Or it is asked for, if it is a size: sizes have no defaults here."""
    sizes = SIZES | {"hidden_size": 36, "num_attention_heads": 6, "num_key_value_heads": 2}
    own_heads = {"gemma2": 256, "qwen3": 128}
    sizes |= {"head_dim": own_heads[kind]} if kind in own_heads else {}
    asked = {name for name in sizes if "token_id" not in name}
    asked -= {"num_key_value_heads"} if kind in ("llama", "olmo2") else set()
    for name in sorted(LLAMA_READ[kind] - {"model_type"}):
        given = {field: each for field, each in sizes.items() if field != name}
        if name in asked:
            with pytest.raises(WeightsError, match=f"expected {name}, a whole number"):
                llama_config(given | {"model_type": kind})
        else:
            pair = given | {"model_type": kind}, KINDS[kind](**given).to_dict()
            ours, theirs = (replace(c, d_head=c.d_head or 6) for c in map(llama_config, pair))
            assert ours == theirs, name


@pytest.mark.parametrize(
    ("kind", "change", "said"),
    [
        (
            "llama",
            {"model_type": "gemma3"},
            "model_type to be one of llama, mistral, qwen2, qwen3, olmo2, mixtral, gemma2, got 'gemma3'",
        ),
        ("llama", {"sliding_window": 7}, "expected sliding_window=None, got 7"),
        ("llama", {"is_causal": False}, "expected is_causal=True, got False"),
        ("llama", {"quantization_config": {"bits": 4}}, "quantization_config"),
        ("mistral", {"attention_bias": True}, "not known here .* attention_bias=True"),
        ("qwen2", {"mlp_bias": True}, "not known here .* mlp_bias=True"),
        ("llama", {"num_key_value_heads": 3}, "a multiple of num_key_value_heads, got 5 and 3"),
        (
            "llama",
            {"num_attention_heads": 7, "num_key_value_heads": 7, "head_dim": None},
            "hidden_size to be a multiple of",
        ),
        ("mistral", {"sliding_window": 0}, "sliding_window to be a whole number from 1, got 0"),
        ("llama", {"rms_norm_eps": 0}, "rms_norm_eps to be a number above 0, got 0"),
        ("llama", {"rope_theta": -1.0}, "rope_theta to be a number above 0, got -1.0"),
        (
            "llama",
            {"rope_scaling": {"rope_type": "dynamic", "factor": 2.0}},
            "rope_type of rope_scaling to be one of .*'dynamic'",
        ),
        (
            "llama",
            {"rope_scaling": {"type": "longrope"}},
            "one of default, linear, llama3, yarn, got 'longrope'",
        ),
        ("llama", {"rope_scaling": {"rope_type": "linear"}}, "expected factor in rope_scaling, for 'linear'"),
        (
            "llama",
            {"rope_scaling": {"type": "linear", "factor": 0.5}},
            "factor: expected a number from 1, got 0.5",
        ),
        ("llama", {"rope_scaling": {"type": "linear", "factor": 2, "mscale": 1}}, "without mscale"),
        (
            "llama",
            {"rope_scaling": {"rope_type": "yarn", "factor": 2.0}},
            "original_max_position_embeddings in",
        ),
        ("llama", {"rope_scaling": [1]}, "rope_scaling to be an object"),
        ("llama", {"rope_scaling": {"partial_rotary_factor": 0.5}}, "without partial_rotary_factor"),
        ("qwen2", {"layer_types": ["chunked_attention"] * 2}, "layer_types to be a list of 2"),
        ("qwen2", {"layer_types": ["sliding_attention"] * 2}, "expected sliding_window for the layers"),
        ("qwen3", {"head_dim": None}, "head_dim to be a whole number"),
        ("mixtral", {"num_experts_per_tok": 11}, "at most num_local_experts=7, got 11"),
        ("mixtral", {"num_local_experts": 0}, "num_local_experts to be a whole number from 1, got 0"),
        ("mixtral", {"router_jitter_noise": 0.1}, "expected router_jitter_noise=0.0, got 0.1"),
        ("mixtral", {"attention_bias": True}, "not known here .* attention_bias=True"),
        ("mixtral", {"num_local_experts": 5}, r"missing: layers\.0\.feedforward\.experts\.0\.gate_proj"),
        ("gemma2", {"query_pre_attn_scalar": 144}, "query_pre_attn_scalar to be head_dim=256, .* got 144"),
        ("gemma2", {"attn_logit_softcapping": 0.0}, "attn_logit_softcapping to be a number above 0, got 0"),
        ("gemma2", {"hidden_act": "gelu"}, "hidden_act to be hidden_activation, .* got 'gelu'"),
        ("gemma2", {"use_bidirectional_attention": True}, "use_bidirectional_attention=False, got True"),
        ("gemma2", {"sliding_window": None}, "expected sliding_window for the layers"),
        (
            "llama",
            {"vocab_size": 59},
            r"mis-shaped: token_embedding\.weight, expected \[59, 30\], got \[53, 30\]",
        ),
        (
            "llama",
            {"num_attention_heads": 3, "num_key_value_heads": 1},
            r"missing: layers\.0\.attention\.qkv_proj",
        ),
    ],
)
def test_what_we_do_not_have_is_refused_by_name(kind, change, said, tmp_path):
    as_files(made(kind), tmp_path, 1, **change)
    with pytest.raises(WeightsError, match=said):
        load_llama(tmp_path)
