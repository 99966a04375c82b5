"""The layer with scores and weights in full: what the fused form is measured against."""

from torch import Tensor

from unrolled.nn import MultiHeadAttention
from unrolled.nn.functional import attend, attention_scores, attention_weights

__all__ = ["explicit"]


def explicit(layer: MultiHeadAttention, x: Tensor, mask: Tensor | None) -> Tensor:
    """Do what `layer` does, with scores and weights in full: the three functions of chapter 5."""
    query, key, value = layer._project(x, None)
    weights = attention_weights(attention_scores(query, key, scale=layer.d_head**-0.5), mask)
    return layer.out_proj(attend(weights, value).transpose(1, 2).flatten(2))
