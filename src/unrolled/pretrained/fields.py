"""A field of Hugging Face's configurations: read as what it has to be, or refused by its name."""

import math
from collections.abc import Mapping
from typing import Any

from unrolled.nn.feedforward import Activation
from unrolled.pretrained.errors import WeightsError

__all__ = [
    "ACTIVATIONS",
    "FIXED",
    "LEFT_ASIDE",
    "check_fields",
    "check_kind",
    "read_activation",
    "read_count",
    "read_flag",
    "read_heads",
    "read_layers",
    "read_number",
    "read_positive",
    "read_share",
    "read_value",
]

ACTIVATIONS: dict[str, Activation] = {
    "relu": "relu",
    "gelu": "gelu",
    "gelu_new": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "silu": "silu",
    "swish": "silu",
}
# The one value that our model computes; null is the default, which is this one.
FIXED: dict[str, Any] = {
    "add_cross_attention": False,
    "is_encoder_decoder": False,
    "pruned_heads": {},
    "quantization_config": None,
    "auto_map": None,  # code of the checkpoint's own, which may compute anything
    "sliding_window": None,
    "attention_chunk_size": None,
    "layer_types": None,
}
_WHY_ASIDE = {
    "says where the model comes from, not what it computes": (
        "_name_or_path architectures transformers_version transformers.js_config _commit_hash "
        "finetuning_task task_specific_params tokenizer_class adapters model_max_length xla_device"
    ),
    "chooses the type of stored weights; ours are float32, or float64 if theirs are": "dtype torch_dtype "
    "use_bfloat16",
    "chooses a way to the same numbers, with other rounding or memory": (
        "chunk_size_feed_forward reorder_and_upcast_attn use_cache gradient_checkpointing torchscript "
        "pretraining_tp _attn_implementation _attn_implementation_autoset attn_implementation "
        "_attn_implementation_internal _experts_implementation _experts_implementation_internal "
        "cache_implementation"
    ),
    "chooses what is returned beside the logits": (
        "output_attentions output_hidden_states output_scores output_router_logits output_past return_dict "
        "return_dict_in_generate"
    ),
    "weighs a loss beside that of the words; here it is `balance_losses`": "router_aux_loss_coef",
    "first weights, which are written over": "initializer_range initializer_factor",
    "belongs to heads that our models do not have; their weights are refused": (
        "summary_type summary_use_proj summary_activation summary_proj_to_labels summary_first_dropout "
        "summary_last_dropout classifier_dropout problem_type id2label label2id num_labels _num_labels "
        "directionality pooler_fc_size pooler_num_attention_heads pooler_num_fc_layers "
        "pooler_size_per_head pooler_type"
    ),
    "numbers words; the row of padding is as any other in what is computed": (
        "bos_token_id eos_token_id pad_token_id sep_token_id decoder_start_token_id prefix "
        "n_special predict_special_tokens"
    ),
    "belongs to a ViT's other heads: filling in patches, and a pooler that classification does not have": (
        "encoder_stride pooler_output_size pooler_act"
    ),
    "tells `generate` how to draw": (
        "max_length min_length do_sample early_stopping num_beams num_beam_groups diversity_penalty "
        "temperature top_k top_p typical_p repetition_penalty length_penalty no_repeat_ngram_size "
        "encoder_no_repeat_ngram_size bad_words_ids num_return_sequences forced_bos_token_id "
        "forced_eos_token_id remove_invalid_values exponential_decay_length_penalty suppress_tokens "
        "begin_suppress_tokens"
    ),
    "GPT-2 is one in any case; of BERT the value is fixed": "is_decoder",
    "of encoders paired with decoders, or of TensorFlow": (
        "cross_attention_hidden_size tie_encoder_decoder tf_legacy_loss"
    ),
}
# Fields that change nothing we compute, each with the reason.
LEFT_ASIDE = {name: why for why, names in _WHY_ASIDE.items() for name in names.split()}


def check_kind(hf: Mapping[str, Any], kind: str) -> None:
    """Raise unless the configuration is one of `kind`."""
    if hf.get("model_type") != kind:
        raise WeightsError(f"config: expected model_type {kind!r}, got {hf.get('model_type')!r}")


def check_fields(hf: Mapping[str, Any], read: set[str], fixed: Mapping[str, Any]) -> None:
    """Raise for a field that is not read, fixed with its one value, or left aside."""
    for name in fixed.keys() & hf.keys():
        if hf[name] is not None and hf[name] != fixed[name]:
            raise WeightsError(f"config: expected {name}={fixed[name]!r}, got {hf[name]!r}")
    known = read | fixed.keys() | LEFT_ASIDE.keys()
    if unknown := sorted(name for name in hf if name not in known and hf[name] is not None):
        raise WeightsError(
            f"config: fields that are not known here may change what the model computes: "
            f"{', '.join(f'{name}={hf[name]!r:.60}' for name in unknown)}; "
            "if they do not, delete them from config.json"
        )


def read_count(hf: Mapping[str, Any], name: str, default: int | None = None, most: int = 2**28) -> int:
    """Return a size, a whole number from 1; one above `most`, which no model comes near, is a damaged one."""
    value = read_value(hf, name, "a whole number from 1", default)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise WeightsError(f"config: expected {name} to be a whole number from 1, got {value!r:.60}")
    if value > most:
        raise WeightsError(f"config: expected {name} to be {most} at most, got {value!s:.20}")
    return value


def read_layers(hf: Mapping[str, Any], name: str) -> int:
    """Return how many layers there are; each of them is made before it is missed among the weights."""
    return read_count(hf, name, most=10_000)


def read_heads(hf: Mapping[str, Any], heads: str, width: str) -> int:
    """Return the number of heads that share out the width."""
    if read_count(hf, width) % read_count(hf, heads):
        raise WeightsError(
            f"config: expected {width} to be a multiple of {heads}, got {hf[width]} and {hf[heads]}"
        )
    return read_count(hf, heads)


def read_share(hf: Mapping[str, Any], name: str, default: float = 0.1) -> float:
    """Return a share from 0 to 1."""
    value = read_number(hf, name, default)
    if not 0 <= value <= 1:
        raise WeightsError(f"config: expected {name} to be a number from 0 to 1, got {value!r}")
    return value


def read_positive(hf: Mapping[str, Any], name: str, default: float) -> float:
    """Return a number above 0."""
    value = read_number(hf, name, default)
    if not 0 < value < math.inf:
        raise WeightsError(f"config: expected {name} to be a number above 0, got {value!r}")
    return value


def read_number(hf: Mapping[str, Any], name: str, default: float) -> float:
    """Return a number."""
    value = read_value(hf, name, "a number", default)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise WeightsError(f"config: expected {name} to be a number, got {value!r}")
    try:
        return float(value)
    except OverflowError as error:  # whole numbers have no end in JSON
        raise WeightsError(f"config: expected {name} to be a number, got one that is too large") from error


def read_flag(hf: Mapping[str, Any], name: str, default: bool) -> bool:
    """Return true or false."""
    value = read_value(hf, name, "true or false", default)
    if not isinstance(value, bool):
        raise WeightsError(f"config: expected {name} to be true or false, got {value!r}")
    return value


def read_activation(hf: Mapping[str, Any], name: str, default: str) -> Activation:
    """Return our name of an activation."""
    value = read_value(hf, name, "the name of an activation", default)
    if not isinstance(value, str) or value not in ACTIVATIONS:
        raise WeightsError(f"config: expected {name} to be one of {', '.join(ACTIVATIONS)}, got {value!r}")
    return ACTIVATIONS[value]


def read_value(hf: Mapping[str, Any], name: str, expected: str, default: Any) -> Any:
    """Return a field's value, its default where it is not given; a size has none."""
    value = hf.get(name, default)
    if value is None and name not in hf:
        raise WeightsError(f"config: expected {name}, {expected}; there is no such field")
    return value
