"""Hugging Face's configurations of Llama and its kin in our terms, field by field as in `configs`."""

from collections.abc import Callable, Mapping
from typing import Any

from unrolled.nn.feedforward import Activation
from unrolled.nn.llama import LlamaConfig
from unrolled.nn.stretched import FrequencyRule, LinearScaling, Llama3Scaling, YarnScaling
from unrolled.pretrained.errors import WeightsError
from unrolled.pretrained.fields import (
    FIXED,
    check_fields,
    read_activation,
    read_count,
    read_flag,
    read_heads,
    read_layers,
    read_positive,
    read_share,
)

__all__ = ["LLAMA_FIXED", "LLAMA_READ", "llama_config", "windowed_layers"]

_ALL = {
    "model_type",
    "vocab_size",
    "max_position_embeddings",
    "hidden_size",
    "intermediate_size",
    "num_attention_heads",
    "num_key_value_heads",
    "num_hidden_layers",
    "head_dim",
    "hidden_act",
    "rms_norm_eps",
    "attention_dropout",
    "tie_word_embeddings",
    "rope_parameters",
    "rope_scaling",
    "rope_theta",
}
_WINDOWED = {"use_sliding_window", "sliding_window", "max_window_layers", "layer_types"}
# What is read of each kind of model.
LLAMA_READ = {
    "llama": _ALL | {"attention_bias", "mlp_bias"},
    "mistral": _ALL | {"sliding_window"},
    "qwen2": _ALL | _WINDOWED,
    "qwen3": _ALL | _WINDOWED | {"attention_bias"},
    "olmo2": _ALL | {"attention_bias"},
    "mixtral": _ALL | {"sliding_window", "num_local_experts", "num_experts_per_tok"},
    "gemma2": _ALL
    | {
        "attention_bias",
        "hidden_activation",
        "query_pre_attn_scalar",
        "attn_logit_softcapping",
        "final_logit_softcapping",
        "sliding_window",
        "layer_types",
    },
}
# The one value that our model computes; null is the default, which is this one.
LLAMA_FIXED: dict[str, Any] = {
    **FIXED,
    "is_causal": True,
    "rope_interleaved": False,
    "is_llama_config": True,
    "partial_rotary_factor": 1.0,
    "clip_qkv": None,
    "router_jitter_noise": 0.0,
    "use_bidirectional_attention": False,
}
# Where the kinds' defaults differ: what is meant by a field that is not there.
_EPS = {"olmo2": 1e-5, "mixtral": 1e-5}
_BASE = {"mixtral": 1e6}
_WINDOW = {"mixtral": None}
_WINDOWS = ("mistral", "mixtral")  # in all layers, or in none
_OWN_HEADS = ("qwen3", "gemma2")  # whose default size is none of the others'
_ROPE = {
    "default": set[str](),
    "linear": {"factor"},
    "llama3": {"factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings"},
    "yarn": {
        "factor",
        "original_max_position_embeddings",
        "attention_factor",
        "beta_fast",
        "beta_slow",
        "truncate",
    },
}


def llama_config(hf: Mapping[str, Any]) -> LlamaConfig:
    """Return our configuration for a Llama's, Mistral's, Mixtral's, Qwen's, OLMo 2's or Gemma 2's.

    Its `window` is that of the layers that have one: see `windowed_layers`. The dropout of the attention is
    set on the modules by `load_llama`.

    Raises:
        WeightsError: it asks for what `GPT` does not do.

    Example:
        >>> from transformers import LlamaConfig
        >>> from unrolled.pretrained import llama_config
        >>> llama_config(LlamaConfig(num_key_value_heads=8).to_dict()).n_kv_heads
        8
    """
    kind = hf.get("model_type")
    if not isinstance(kind, str) or kind not in LLAMA_READ:
        raise WeightsError(f"config: expected model_type to be one of {', '.join(LLAMA_READ)}, got {kind!r}")
    read = LLAMA_READ[kind]
    check_fields(hf, read, {name: only for name, only in LLAMA_FIXED.items() if name not in read})
    n_heads, grouped = read_count(hf, "num_attention_heads"), hf.get("num_key_value_heads")
    if grouped is None and ("num_key_value_heads" in hf or kind in ("llama", "olmo2")):
        n_kv_heads = n_heads
    else:
        n_kv_heads = read_count(hf, "num_key_value_heads")
    if n_heads % n_kv_heads:
        raise WeightsError(
            "config: expected num_attention_heads to be a multiple of num_key_value_heads, "
            f"got {n_heads} and {n_kv_heads}"
        )
    own_size = hf.get("head_dim") is not None or kind in _OWN_HEADS
    d_head = read_count(hf, "head_dim") if own_size else None
    base, scaling = _rope(hf)
    read_share(hf, "attention_dropout", 0.0)
    attention_bias = kind == "qwen2" or read_flag(hf, "attention_bias", False)
    windows = windowed_layers(hf)
    return LlamaConfig(
        vocab_size=read_count(hf, "vocab_size"),
        max_len=read_count(hf, "max_position_embeddings", most=2**24),
        d_model=read_count(hf, "hidden_size"),
        n_heads=n_heads if own_size else read_heads(hf, "num_attention_heads", "hidden_size"),
        n_layers=read_layers(hf, "num_hidden_layers"),
        d_ff=read_count(hf, "intermediate_size"),
        n_kv_heads=n_kv_heads,
        d_head=d_head,
        rotary_base=base,
        scaling=scaling,
        activation=_activation(hf),
        norm_eps=read_positive(hf, "rms_norm_eps", _EPS.get(kind, 1e-6)),
        bias=attention_bias,
        out_bias=attention_bias and kind != "qwen2",
        ff_bias=read_flag(hf, "mlp_bias", False),
        head_norm={"qwen3": "each", "olmo2": "across"}.get(kind),  # type: ignore[arg-type]
        norm_order={"olmo2": "output", "gemma2": "both"}.get(kind, "pre"),  # type: ignore[arg-type]
        scaled_embedding=kind == "gemma2",
        window=read_count(hf, "sliding_window", 4096) if any(windows) else None,
        tied=read_flag(hf, "tie_word_embeddings", kind == "gemma2"),
        **(_MORE[kind](hf) if kind in _MORE else {}),
    )


def _activation(hf: Mapping[str, Any]) -> Activation:
    if hf["model_type"] != "gemma2":
        return read_activation(hf, "hidden_act", "silu")
    default = "gelu_pytorch_tanh"
    if hf.get("hidden_act") not in (None, hf.get("hidden_activation", default)):
        raise WeightsError(
            f"config: expected hidden_act to be hidden_activation, if it is there, got {hf['hidden_act']!r}"
        )
    return read_activation(hf, "hidden_activation", default)


def _mixture(hf: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a Mixtral has besides."""
    n_experts, top_k = (
        read_count(hf, "num_local_experts", 8, 10_000),
        read_count(hf, "num_experts_per_tok", 2),
    )
    if top_k > n_experts:
        raise WeightsError(
            f"config: expected num_experts_per_tok to be at most num_local_experts={n_experts}, got {top_k}"
        )
    return {"n_experts": n_experts, "top_k": top_k}


def _caps(hf: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a Gemma 2 has besides."""
    d_head = read_count(hf, "head_dim")
    if read_count(hf, "query_pre_attn_scalar", 256) != d_head:
        raise WeightsError(
            f"config: expected query_pre_attn_scalar to be head_dim={d_head}, since scores are divided by "
            f"the root of the size of heads, got {hf.get('query_pre_attn_scalar', 256)!r}"
        )
    caps = {"score_cap": "attn_logit_softcapping", "logit_cap": "final_logit_softcapping"}
    defaults = {"score_cap": 50.0, "logit_cap": 30.0}
    return {
        ours: None if hf.get(name, defaults[ours]) is None else read_positive(hf, name, defaults[ours])
        for ours, name in caps.items()
    }


_MORE: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {"mixtral": _mixture, "gemma2": _caps}


def windowed_layers(hf: Mapping[str, Any]) -> list[bool]:
    """Return, for each layer, whether a window slides over it."""
    kind, n_layers = hf["model_type"], read_layers(hf, "num_hidden_layers")
    if kind in _WINDOWS:
        return [hf.get("sliding_window", _WINDOW.get(kind, 4096)) is not None] * n_layers
    if kind not in ("qwen2", "qwen3", "gemma2"):
        return [False] * n_layers
    types = hf.get("layer_types")
    if types is None and kind == "gemma2":
        types = ["full_attention" if i % 2 else "sliding_attention" for i in range(n_layers)]
    if types is None:
        slides = read_flag(hf, "use_sliding_window", False) and hf.get("sliding_window", 4096) is not None
        first = hf.get("max_window_layers", 28)
        if isinstance(first, bool) or not isinstance(first, int):
            raise WeightsError(f"config: expected max_window_layers to be a whole number, got {first!r}")
        return [slides and i >= first for i in range(n_layers)]
    known = {"full_attention": False, "sliding_attention": True}
    if not isinstance(types, list) or len(types) != n_layers or not all(each in known for each in types):
        raise WeightsError(
            f"config: expected layer_types to be a list of {n_layers}, each one of {', '.join(known)}, "
            f"got {types!r:.60}"
        )
    windows = [known[each] for each in types]
    if any(windows) and hf.get("sliding_window", 4096 if kind == "gemma2" else None) is None:
        raise WeightsError("config: expected sliding_window for the layers that layer_types says slide")
    return windows


def _rope(hf: Mapping[str, Any]) -> tuple[float, FrequencyRule | None]:
    """Return the base of rotary positions and the rule that stretches them."""
    given = hf.get("rope_parameters")
    name = "rope_scaling" if given is None else "rope_parameters"
    given = hf.get("rope_scaling") if given is None else given
    if given is not None and not isinstance(given, Mapping):
        raise WeightsError(f"config: expected {name} to be an object, got {given!r:.60}")
    rope = {"rope_theta": hf.get("rope_theta")} | dict(given or {})
    rope = {field: each for field, each in rope.items() if each is not None}
    kind = rope.pop("rope_type", rope.pop("type", "default"))
    rope.pop("type", None)  # the older name, beside the new one
    if not isinstance(kind, str) or kind not in _ROPE:
        raise WeightsError(
            f"config: expected the rope_type of {name} to be one of {', '.join(_ROPE)}, got {kind!r}"
        )
    if rope.get("partial_rotary_factor", 1.0) == 1.0:
        rope.pop("partial_rotary_factor", None)
    if unknown := sorted(rope.keys() - _ROPE[kind] - {"rope_theta", "original_max_position_embeddings"}):
        raise WeightsError(
            f"config: expected {name} of {kind!r} without {', '.join(unknown)}, got {given!r:.90}"
        )
    base = read_positive(rope, "rope_theta", _BASE.get(hf["model_type"], 10_000.0))
    if kind == "default":
        return base, None
    for field in sorted(_ROPE[kind] - {"attention_factor", "beta_fast", "beta_slow", "truncate"}):
        if field not in rope:
            raise WeightsError(f"config: expected {field} in {name}, for {kind!r}; there is no such field")
    try:
        return base, _scaling(kind, rope)
    except (ValueError, TypeError) as error:
        raise WeightsError(f"config: {name} of {kind!r}: {error}") from error


def _scaling(kind: str, rope: Mapping[str, Any]) -> FrequencyRule:
    factor = read_positive(rope, "factor", 1.0)
    if kind == "linear":
        return LinearScaling(factor)
    original = read_count(rope, "original_max_position_embeddings")
    if kind == "llama3":
        low, high = (read_positive(rope, f"{end}_freq_factor", 1.0) for end in ("low", "high"))
        return Llama3Scaling(factor, original, low, high)
    return YarnScaling(
        factor,
        original,
        read_positive(rope, "beta_fast", 32.0),
        read_positive(rope, "beta_slow", 1.0),
        read_positive(rope, "attention_factor", 1.0) if "attention_factor" in rope else None,
        read_flag(rope, "truncate", True),
    )
