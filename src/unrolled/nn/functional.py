r"""Attention as three pure functions: scores, weights, weighted sum; and the three in one.

.. math::

    s_{ij} = q_i \cdot k_j, \qquad a_{ij} = \mathrm{softmax}_j(s_{ij}), \qquad \hat x_i = \sum_j a_{ij} v_j

Everything is returned as a value, so every intermediate number can be printed. Taught in chapter 4
(query = key = value = X) and chapter 5 (three different matrices). `attention` is what the layers
call: the same computation, by a fused kernel that never forms the weights while nobody asks for them.
"""

from contextlib import nullcontext

import torch
from torch import Tensor
from torch.nn.functional import dropout as drop
from torch.nn.functional import scaled_dot_product_attention

from unrolled.nn.masks import causal_mask
from unrolled.shapes import Mask, Scores, ShapeError, Weights, check_shape
from unrolled.tap import Tap

__all__ = ["attend", "attention", "attention_scores", "attention_weights", "check_mask"]


def attention_scores(query: Tensor, key: Tensor, *, scale: float = 1.0) -> Scores:
    r"""Return how well every query matches every key: a dot product, :math:`s_{ij} = q_i \cdot k_j`.

    Args:
        query: what each position looks for, ``[..., T, K]``.
        key: what each position offers, ``[..., S, K]``; leading dimensions broadcast against the query's.
        scale: factor on every score; chapter 5 explains why :math:`1/\sqrt K` is the usual one.

    Returns:
        Scores ``[..., T, S]``.

    Raises:
        ShapeError: query and key differ in their last dimension, or have fewer than two.
    """
    check_shape("query", query, "... T K")
    check_shape("key", key, "... S K", K=query.shape[-1])
    return query @ key.transpose(-2, -1) * scale  # [..., T, S]


def check_mask(mask: Tensor, scores_shape: torch.Size) -> None:
    """Raise unless `mask` is boolean and broadcasts to the scores ``[..., T, S]``.

    Raises:
        TypeError: the mask is not boolean.
        ShapeError: it does not broadcast.
    """
    if not isinstance(mask, Tensor) or mask.dtype != torch.bool:
        came = mask.dtype if isinstance(mask, Tensor) else type(mask).__name__
        raise TypeError(f"mask: expected a boolean tensor, True = may attend, got {came}")
    _check_broadcasts("mask", mask, scores_shape)


def _check_broadcasts(name: str, tensor: Tensor, scores_shape: torch.Size) -> None:
    sizes = zip(reversed(tensor.shape), reversed(scores_shape), strict=False)
    if tensor.dim() > len(scores_shape) or any(given not in (1, size) for given, size in sizes):
        raise ShapeError(
            f"{name}: expected a shape that broadcasts to the scores {list(scores_shape)}, "
            f"got {list(tensor.shape)}"
        )


def attention_weights(scores: Scores, mask: Mask | None = None) -> Weights:
    r"""Turn each row of scores into shares that are positive and sum to one.

    .. math::

        a_{ij} = \frac{e^{s_{ij}}}{\sum_{j'} e^{s_{ij'}}},
        \qquad \text{over the } j \text{ that } i \text{ may attend to}

    Args:
        scores: ``[..., T, S]``.
        mask: boolean, broadcastable to the scores, True = may attend.

    Returns:
        Weights ``[..., T, S]``. A row that may attend to nothing is all zeros: it hears silence, not NaN.

    Raises:
        TypeError: the mask is not boolean.
        ShapeError: the mask does not broadcast to the scores.
    """
    check_shape("scores", scores, "... T S")
    if mask is None:
        return torch.softmax(scores, dim=-1)
    check_mask(mask, scores.shape)
    # The lowest finite number, not -inf: a row of nothing but -inf would turn into NaN, and NaN spreads.
    lowest = torch.finfo(scores.dtype).min
    weights = torch.softmax(scores.masked_fill(~mask, lowest), dim=-1)
    return weights.masked_fill(~mask, 0.0)


def attend(weights: Weights, value: Tensor) -> Tensor:
    r"""Mix the values by the weights: :math:`\hat x_i = \sum_j a_{ij} v_j`.

    Args:
        weights: ``[..., T, S]``.
        value: what each position hands over, ``[..., S, D]``.

    Returns:
        One mixed vector per query, ``[..., T, D]``.

    Raises:
        ShapeError: the number of keys S differs.
    """
    check_shape("weights", weights, "... T S")
    check_shape("value", value, "... S D", S=weights.shape[-1])
    return weights @ value  # [..., T, D]


def attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Mask | None = None,
    *,
    causal: bool = False,
    bias: Tensor | None = None,
    scale: float | None = None,
    dropout: float = 0.0,
    tap: Tap | None = None,
) -> Tensor:
    r"""Look up values by how well queries match keys: scaled dot-product attention.

    .. math::  \mathrm{softmax}\!\left(\frac{QK^\top}{\sqrt K}\right) V

    While `tap` is listened to, scores and weights are formed one after the other and the weights pass the
    tap before dropout. Otherwise a fused kernel runs, whose memory grows with T and not with T times S.

    Args:
        query: ``[..., T, K]``, in layers ``[B, H, T, K]``.
        key: ``[..., S, K]``. With fewer heads than the query (dimension -3), each is shared by a group of
            neighbouring query heads.
        value: ``[..., S, K']``, with as many heads as the key.
        mask: boolean, broadcastable to ``[..., T, S]``, True = may attend. A query that may attend to
            nothing gets zeros.
        causal: let each query see its own position and what stands before it. With more keys than queries
            the queries are the last T positions.
        bias: added to the scores before the softmax, broadcastable to ``[..., T, S]``.
        scale: factor on the scores; :math:`1/\sqrt K` unless given.
        dropout: share of the weights set to zero.
        tap: where the weights pass by for whoever records them.

    Returns:
        One mixed vector per query, ``[..., T, K']``.

    Raises:
        ShapeError: the shapes do not go together.
        TypeError: the mask is not boolean.
        ValueError: `causal` with fewer keys than queries.

    Reference:
        Vaswani et al., Attention Is All You Need, 2017, section 3.2.1. Grouped queries: Ainslie et al., GQA,
        2023. Taught in chapter 5; the fused path in chapter 13.
    """
    _check_together(query, key, value)
    n_queries, n_keys = query.shape[-2], key.shape[-2]
    if mask is not None:
        check_mask(mask, torch.Size((*query.shape[:-1], n_keys)))
    if bias is not None:
        _check_broadcasts("bias", bias, torch.Size((*query.shape[:-1], n_keys)))
    if causal and n_keys < n_queries:
        raise ValueError(f"attention: causal needs as many keys as queries ({n_queries}), got {n_keys}")
    listened = tap is not None and tap.listening
    # The kernel's own causal rule aligns the first query with the first key, so it fits only T = S; a
    # single query is the last position and sees everything.
    kernel_causal = causal and mask is None and bias is None and n_queries == n_keys and not listened
    only_causal = mask is None  # then every query sees at least itself
    if causal and not kernel_causal and n_queries > 1:
        before = causal_mask(n_queries, n_keys, device=query.device)
        mask = before if mask is None else mask & before
    scale = query.shape[-1] ** -0.5 if scale is None else scale
    if tap is None or not listened:
        return _fused(query, key, value, mask, kernel_causal, bias, scale, dropout)
    key, value = _repeat_heads(key, query), _repeat_heads(value, query)
    # The scale goes to the queries, and the scores, which are nobody else's, are changed in place: every copy
    # of T times S numbers costs as much as the product itself.
    scores = (query * scale) @ key.transpose(-2, -1)  # [..., T, S]
    if bias is not None:
        scores = scores.add_(bias)
    blind = None
    if mask is not None:
        if not only_causal:
            mask, blind = _open_blind(mask)
        scores = scores.masked_fill_(~mask, float("-inf"))
    # Without gradients the weights take the place of the scores: fresh memory is what a softmax waits for.
    weights = torch.softmax(scores, -1, out=None if scores.requires_grad else scores)
    weights = weights if blind is None else weights.masked_fill(blind, 0.0)
    weights = tap(weights)
    return attend(drop(weights, dropout) if dropout > 0 else weights, value)


def _check_together(query: Tensor, key: Tensor, value: Tensor) -> None:
    """Raise unless the three go together: sizes, heads and dtypes."""
    q, k, v = query.shape, key.shape, value.shape
    if not len(q) == len(k) == len(v) >= 2 or q[-1] != k[-1] or k[-2] != v[-2]:
        check_shape("query", query, "... T K")
        check_shape("key", key, "... S K", K=q[-1])
        check_shape("value", value, "... S K", S=k[-2])
    shared = len(q) == len(k) > 2 and q[:-3] == k[:-3] and k[-3] > 0 and q[-3] % k[-3] == 0
    if (q[:-2] != k[:-2] and not shared) or k[:-2] != v[:-2]:
        raise ShapeError(
            "attention: expected the leading dimensions of query, key and value to be equal, or the query's "
            f"heads to be a multiple of the key's, got {list(q)}, {list(k)} and {list(v)}"
        )
    if not query.dtype == key.dtype == value.dtype:
        raise TypeError(
            f"attention: expected one dtype, got query {query.dtype}, key {key.dtype}, value {value.dtype}"
        )


def _repeat_heads(x: Tensor, query: Tensor) -> Tensor:
    """Give every query head its own copy of the key or value head it shares."""
    if x.shape[:-2] == query.shape[:-2]:
        return x
    return x.repeat_interleave(query.shape[-3] // x.shape[-3], dim=-3)


def _open_blind(mask: Mask) -> tuple[Mask, Mask]:
    """Return `mask` with the rows that see nothing opened, and which they are, ``[..., T, 1]``.

    A blind query looks at everything, and its row is thrown away: no softmax meets a row of nothing but -inf,
    where it answers NaN, and no gradient passes.
    """
    mask = torch.atleast_2d(mask)  # type: ignore[no-untyped-call]
    blind = ~mask.any(-1, keepdim=True)
    return mask | blind, blind


def _fused(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Mask | None,
    causal: bool,
    bias: Tensor | None,
    scale: float,
    dropout: float,
) -> Tensor:
    """Run torch's fused kernel, with zeros for the queries that see nothing, whatever the backend does."""
    blind = None
    if mask is not None:
        mask, blind = _open_blind(mask)
    if bias is not None:
        bias = torch.atleast_2d(bias.to(query.dtype))  # type: ignore[no-untyped-call]
        mask = bias if mask is None else bias.masked_fill(~mask, float("-inf"))
    grouped = key.shape[:-2] != query.shape[:-2]
    # The memory-saving kernels want [B, H, T, K] exactly; masks align from the right.
    lifted = max(4 - query.dim(), 0)
    for _ in range(lifted):
        query, key, value = query[None], key[None], value[None]
    dtype = query.dtype
    # On a CPU the kernel's way back is four times slower in bf16 than in float32; autocast undoes the cast.
    widened = dtype == torch.bfloat16 and query.device.type == "cpu" and query.requires_grad
    if widened:
        query, key, value = query.float(), key.float(), value.float()
        mask = mask.float() if mask is not None and mask.is_floating_point() else mask
    with torch.autocast("cpu", enabled=False) if widened else nullcontext():
        context = scaled_dot_product_attention(
            query, key, value, mask, dropout_p=dropout, is_causal=causal, scale=scale, enable_gqa=grouped
        ).to(dtype)
    for _ in range(lifted):
        context = context[0]
    return context if blind is None else context.masked_fill(blind, 0.0)
