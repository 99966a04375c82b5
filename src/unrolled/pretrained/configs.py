"""Hugging Face's configurations of GPT-2 and BERT in our terms; every field is read, fixed or left aside.

A field is *read* (its value reaches our configuration or our modules), *fixed* (one value is what our model
does, any other is refused by name) or *left aside* (our answer does not depend on it, and the list says why).
A field that is none of these is refused too: what nobody here has heard of may change the answer, as
``is_causal`` does.
"""

from collections.abc import Mapping
from typing import Any

from unrolled.nn.bert import BertConfig
from unrolled.nn.gpt import GPTConfig
from unrolled.pretrained.errors import WeightsError
from unrolled.pretrained.fields import (
    FIXED,
    LEFT_ASIDE,
    check_fields,
    check_kind,
    read_activation,
    read_count,
    read_flag,
    read_heads,
    read_layers,
    read_positive,
    read_share,
)

__all__ = [
    "BERT_FIXED",
    "BERT_READ",
    "GPT2_FIXED",
    "GPT2_READ",
    "LEFT_ASIDE",
    "attention_dropout",
    "bert_config",
    "embedding_dropout",
    "gpt2_config",
]

GPT2_READ = {
    "model_type",
    "vocab_size",
    "n_positions",
    "n_embd",
    "n_head",
    "n_layer",
    "n_inner",
    "n_ctx",
    "activation_function",
    "layer_norm_epsilon",
    "resid_pdrop",
    "embd_pdrop",
    "attn_pdrop",
    "tie_word_embeddings",
}
BERT_READ = {
    "model_type",
    "vocab_size",
    "max_position_embeddings",
    "hidden_size",
    "num_attention_heads",
    "num_hidden_layers",
    "intermediate_size",
    "type_vocab_size",
    "hidden_act",
    "layer_norm_eps",
    "hidden_dropout_prob",
    "attention_probs_dropout_prob",
    "tie_word_embeddings",
}
GPT2_FIXED: dict[str, Any] = {
    **FIXED,
    "scale_attn_weights": True,
    "scale_attn_by_inverse_layer_idx": False,
    "is_causal": True,
}
BERT_FIXED: dict[str, Any] = {
    **FIXED,
    "is_decoder": False,
    "is_causal": False,
    "position_embedding_type": "absolute",
    "embedding_size": None,
}


def gpt2_config(hf: Mapping[str, Any]) -> GPTConfig:
    """Return our configuration for a GPT-2's; `WeightsError` if it asks for what `GPT` does not do.

    Its `dropout` is that of the residual stream; `load_gpt2` sets the two others on the modules.

    Example:
        >>> from transformers import GPT2Config
        >>> from unrolled.pretrained import gpt2_config
        >>> theirs = GPT2Config().to_dict()
        >>> gpt2_config(theirs).d_model
        768
        >>> gpt2_config(theirs | {"scale_attn_weights": False})
        Traceback (most recent call last):
        unrolled.pretrained.errors.WeightsError: config: expected scale_attn_weights=True, got False
    """
    check_kind(hf, "gpt2")
    check_fields(hf, GPT2_READ, GPT2_FIXED)
    max_len = read_count(hf, "n_positions")
    if hf.get("n_ctx", max_len) != max_len:
        raise WeightsError(f"config: expected n_ctx to be n_positions={max_len}, got {hf['n_ctx']!r}")
    attention_dropout(hf), embedding_dropout(hf)
    return GPTConfig(
        vocab_size=read_count(hf, "vocab_size"),
        max_len=max_len,
        d_model=read_count(hf, "n_embd"),
        n_heads=read_heads(hf, "n_head", "n_embd"),
        n_layers=read_layers(hf, "n_layer"),
        d_ff=None if hf.get("n_inner") is None else read_count(hf, "n_inner"),
        dropout=read_share(hf, "resid_pdrop"),
        activation=read_activation(hf, "activation_function", "gelu_new"),
        norm_eps=read_positive(hf, "layer_norm_epsilon", 1e-5),
        tied=read_flag(hf, "tie_word_embeddings", True),
    )


def bert_config(hf: Mapping[str, Any], *, mlm_head: bool = True) -> BertConfig:
    """Return our configuration for a BERT's; `WeightsError` if it asks for what `BERT` does not do.

    Its `dropout` is that of the hidden vectors; `load_bert` sets that of the attention on the modules.

    Example:
        >>> from transformers import BertConfig
        >>> from unrolled.pretrained import bert_config
        >>> bert_config(BertConfig().to_dict()).norm
        'post'
    """
    check_kind(hf, "bert")
    check_fields(hf, BERT_READ, BERT_FIXED)
    if mlm_head and not read_flag(hf, "tie_word_embeddings", True):
        raise WeightsError(
            "config: expected tie_word_embeddings=True, since our masked-LM head shares the embedding's "
            "weights, got False; mlm_head=False loads the encoder alone"
        )
    attention_dropout(hf)
    return BertConfig(
        vocab_size=read_count(hf, "vocab_size"),
        max_len=read_count(hf, "max_position_embeddings"),
        d_model=read_count(hf, "hidden_size"),
        n_heads=read_heads(hf, "num_attention_heads", "hidden_size"),
        n_layers=read_layers(hf, "num_hidden_layers"),
        d_ff=read_count(hf, "intermediate_size"),
        n_token_types=read_count(hf, "type_vocab_size", 2),
        dropout=read_share(hf, "hidden_dropout_prob"),
        activation=read_activation(hf, "hidden_act", "gelu"),
        norm_eps=read_positive(hf, "layer_norm_eps", 1e-12),
        mlm_head=mlm_head,
    )


def attention_dropout(hf: Mapping[str, Any]) -> float:
    """Return the share of attention weights that is dropped in training, of a GPT-2 or a BERT."""
    return read_share(hf, "attn_pdrop" if hf["model_type"] == "gpt2" else "attention_probs_dropout_prob")


def embedding_dropout(hf: Mapping[str, Any]) -> float:
    """Return the share of the embedded tokens that is dropped in training, of a GPT-2 or a BERT."""
    return read_share(hf, "embd_pdrop" if hf["model_type"] == "gpt2" else "hidden_dropout_prob")
