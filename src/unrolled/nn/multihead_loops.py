r"""Several heads, one after the other: the form to read before `MultiHeadAttention`. Taught in chapter 6."""

import torch

from unrolled.nn.functional import attend, attention_scores, attention_weights
from unrolled.nn.masks import causal_mask, per_head
from unrolled.nn.multihead import MultiHeadAttention
from unrolled.shapes import Mask, Sequence, check_shape
from unrolled.tap import Tap

__all__ = ["multi_head_by_loops"]


def multi_head_by_loops(
    layer: MultiHeadAttention, x: Sequence, mask: Mask | None = None, *, causal: bool = False
) -> Sequence:
    """Return what `layer` computes for `x`, head after head and sequence after sequence, in plain loops.

    The form to read first; `MultiHeadAttention` does all of it in one matrix product. Self-attention
    without dropout, positions, mask rule, norms, cap and sinks; a mask is broadcastable to ``[B, H, T, S]``.

    Raises:
        ShapeError: `x` has another shape.
        ValueError: the layer has positions or a mask rule, or more to its heads.

    Example:
        >>> import torch
        >>> from unrolled.nn import MultiHeadAttention, multi_head_by_loops
        >>> layer, x = MultiHeadAttention(d_model=8, n_heads=2), torch.rand(2, 5, 8)
        >>> torch.allclose(multi_head_by_loops(layer, x), layer(x), atol=1e-6)
        True
    """
    check_shape("x", x, "B T D", D=layer.d_model)
    if layer.query_norm is not None or layer.sinks is not None or type(layer.scores) is not Tap:
        raise ValueError("layer: expected one without norms of queries and keys, cap and sinks")
    if layer.positions is not None or layer.mask_rule is not None:
        raise ValueError("layer: expected one without positions and mask rule; the loops have neither")
    n_sequences, length, _ = x.shape
    scores_shape = (n_sequences, layer.n_heads, length, length)
    allowed = torch.ones(scores_shape, dtype=torch.bool, device=x.device)
    if mask is not None:
        allowed = allowed & per_head(mask)
    if causal:
        allowed = allowed & causal_mask(length, device=x.device)
    group = layer.n_heads // layer.n_kv_heads
    sequences = []
    for b in range(n_sequences):
        query, key, value = layer.q_proj(x[b]), layer.k_proj(x[b]), layer.v_proj(x[b])  # [T, D]
        heads = []
        for h in range(layer.n_heads):
            mine = slice(h * layer.d_head, (h + 1) * layer.d_head)
            shared = slice(h // group * layer.d_head, (h // group + 1) * layer.d_head)
            scores = attention_scores(query[:, mine], key[:, shared], scale=layer.d_head**-0.5)  # [T, T]
            weights = attention_weights(scores, allowed[b, h])
            heads.append(attend(weights, value[:, shared]))  # [T, K]
        sequences.append(layer.out_proj(torch.cat(heads, dim=-1)))  # [T, D]
    return torch.stack(sequences) if sequences else torch.empty_like(x)
