"""Hugging Face's configurations of ViT in our terms, field by field as in `configs`."""

from collections.abc import Mapping
from typing import Any

from unrolled.nn.vit import ViTConfig
from unrolled.pretrained.errors import WeightsError
from unrolled.pretrained.fields import (
    FIXED,
    check_fields,
    check_kind,
    read_activation,
    read_count,
    read_heads,
    read_layers,
    read_positive,
    read_share,
)

__all__ = ["VIT_FIXED", "VIT_READ", "vit_config"]

VIT_READ = {
    "model_type",
    "image_size",
    "patch_size",
    "num_channels",
    "hidden_size",
    "num_attention_heads",
    "num_hidden_layers",
    "intermediate_size",
    "hidden_act",
    "layer_norm_eps",
    "hidden_dropout_prob",
    "attention_probs_dropout_prob",
    "tie_word_embeddings",  # a picture has no words to tie
}
# The one value that our model computes; null is the default, which is this one.
VIT_FIXED: dict[str, Any] = {
    **FIXED,
    "is_decoder": False,
    "is_causal": False,
    "qkv_bias": True,
    "head_dim": None,
}


def vit_config(hf: Mapping[str, Any], *, n_labels: int) -> ViTConfig:
    """Return our configuration for a ViT's; `WeightsError` if it asks for what `ViT` does not do.

    How many labels there are, the weights say. Its `dropout` is that of the hidden vectors; `load_vit` sets
    that of the attention on the modules.

    Example:
        >>> from transformers import ViTConfig
        >>> from unrolled.pretrained import vit_config
        >>> vit_config(ViTConfig(image_size=32, patch_size=8).to_dict(), n_labels=10).n_patches
        16
    """
    check_kind(hf, "vit")
    check_fields(hf, VIT_READ, VIT_FIXED)
    image, patch = read_count(hf, "image_size", 224), read_count(hf, "patch_size", 16)
    if image % patch:
        raise WeightsError(f"config: expected image_size to be a multiple of patch_size={patch}, got {image}")
    return ViTConfig(
        image_size=image,
        patch_size=patch,
        n_channels=read_count(hf, "num_channels", 3),
        n_labels=n_labels,
        d_model=read_count(hf, "hidden_size"),
        n_heads=read_heads(hf, "num_attention_heads", "hidden_size"),
        n_layers=read_layers(hf, "num_hidden_layers"),
        d_ff=read_count(hf, "intermediate_size"),
        dropout=read_share(hf, "hidden_dropout_prob", 0.0),
        activation=read_activation(hf, "hidden_act", "gelu"),
        norm_eps=read_positive(hf, "layer_norm_eps", 1e-12),
    )
