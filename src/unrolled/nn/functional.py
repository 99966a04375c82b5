r"""Attention as three pure functions: scores, weights, weighted sum; and the three in one.

.. math::

    s_{ij} = q_i \cdot k_j, \qquad a_{ij} = \mathrm{softmax}_j(s_{ij}), \qquad \hat x_i = \sum_j a_{ij} v_j

Everything is returned as a value, so every intermediate number can be printed. Taught in chapter 4
(query = key = value = X) and chapter 5 (three different matrices). `attention` is what the layers
call: the same computation, by a fused kernel that never forms the weights while nobody asks for them.
"""

from contextlib import nullcontext
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import dropout as drop
from torch.nn.functional import scaled_dot_product_attention

from unrolled.nn.masks import Sight, causal_mask, check_broadcasts, check_mask, sight
from unrolled.shapes import Mask, Scores, ShapeError, Weights, check_shape
from unrolled.tap import Tap, listening

__all__ = ["Taps", "attend", "attention", "attention_scores", "attention_weights"]


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

    Example:
        >>> import torch
        >>> from unrolled.nn import attention_scores
        >>> query, key = torch.tensor([[1.0, 0.0]]), torch.tensor([[2.0, 0.0], [0.0, 3.0]])
        >>> attention_scores(query, key)
        tensor([[2., 0.]])
    """
    check_shape("query", query, "... T K")
    check_shape("key", key, "... S K", K=query.shape[-1])
    return query @ key.transpose(-2, -1) * scale  # [..., T, S]


def attention_weights(scores: Scores, mask: Mask | None = None) -> Weights:
    r"""Turn each row of scores into weights that are positive and sum to one.

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

    Example:
        >>> import torch
        >>> from unrolled.nn import attention_weights
        >>> attention_weights(torch.tensor([[0.0, 0.0, 9.0]]), mask=torch.tensor([True, True, False]))
        tensor([[0.5000, 0.5000, 0.0000]])
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

    Example:
        >>> import torch
        >>> from unrolled.nn import attend
        >>> attend(torch.tensor([[0.25, 0.75]]), torch.tensor([[4.0, 0.0], [0.0, 4.0]]))
        tensor([[1., 3.]])
    """
    check_shape("weights", weights, "... T S")
    check_shape("value", value, "... S D", S=weights.shape[-1])
    return weights @ value  # [..., T, D]


class Taps(NamedTuple):
    """The modules that scores and weights pass in `attention`: taps, or modules in their place.

    Where there are `sinks` ``[H]``, each head's softmax has one logit more, to which no value belongs.
    """

    scores: nn.Module
    weights: nn.Module
    sinks: Tensor | None = None

    @property
    def watched(self) -> bool:
        """Whether somebody wants scores or weights as they stand in the equation, all T times S."""
        return not all(isinstance(tap, Tap) and not tap.listening for tap in (self.scores, self.weights))

    @property
    def heard(self) -> bool:
        """Whether scores and weights must be formed one after the other."""
        return self.sinks is not None or listening(self.scores) or listening(self.weights)


def attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Mask | Sight | None = None,
    *,
    causal: bool = False,
    bias: Tensor | None = None,
    dropout: float = 0.0,
    taps: Taps | None = None,
) -> Tensor:
    r"""Look up values by how well queries match keys: scaled dot-product attention.

    .. math::  \mathrm{softmax}\!\left(\frac{QK^\top}{\sqrt K}\right) V

    While one of the `taps` is recorded or edited, scores and weights are formed one after the other: the
    scores pass theirs before the mask, the weights before dropout. Otherwise a fused kernel runs, whose
    memory grows with T and not with T times S.

    Args:
        query: ``[..., T, K]``, in layers ``[B, H, T, K]``.
        key: ``[..., S, K]``. With fewer heads than the query (dimension -3), each is shared by a group of
            neighbouring query heads.
        value: ``[..., S, K']``, with as many heads as the key.
        mask: boolean, broadcastable to ``[..., T, S]``, True = may attend, or the `Sight` made of one. A
            query that may attend to nothing gets zeros.
        causal: let each query see its own position and what stands before it. With more keys than queries
            the queries are the last T positions.
        bias: added to the scores before the softmax, broadcastable to ``[..., T, S]``.
        dropout: fraction of the weights set to zero.
        taps: where scores and weights pass by for whoever records or edits them.

    Returns:
        One mixed vector per query, ``[..., T, K']``.

    Raises:
        ShapeError: the shapes do not go together.
        TypeError: the mask is not boolean.
        ValueError: `causal` with fewer keys than queries.

    Reference:
        Vaswani et al., Attention Is All You Need, 2017, section 3.2.1. Grouped queries: Ainslie et al., GQA,
        2023. Taught in chapter 5; the fused path in chapter 13.

    Example:
        >>> import torch
        >>> from unrolled.nn import attention
        >>> X = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
        >>> attention(X, X, X, causal=True)
        tensor([[1.0000, 0.0000],
                [0.3302, 0.6698]])
    """
    _check_together(query, key, value)
    n_queries, n_keys = query.shape[-2], key.shape[-2]
    scores_shape = torch.Size((*query.shape[:-1], n_keys))
    given = mask.mask if isinstance(mask, Sight) else mask
    if given is not None:
        check_mask(given, scores_shape)
    seen = sight(mask, n_queries, n_keys, causal=causal, device=query.device)
    if bias is not None:
        check_broadcasts("bias", bias, scores_shape)
    heard = taps is not None and taps.heard
    if seen.causal and seen.mask is None and n_queries > 1 and (heard or bias is not None):
        seen = Sight(causal_mask(n_queries, n_keys, device=query.device), causal=True)
    if taps is None or not heard:
        return _fused(query, key, value, seen, bias, dropout)
    return _explicit(query, key, value, seen, bias, dropout, taps)


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


def _explicit(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    seen: Sight,
    bias: Tensor | None,
    dropout: float,
    taps: Taps,
) -> Tensor:
    """Form the scores, then the weights, then the context; scores and weights pass their taps."""
    key, value = _repeat_heads(key, query), _repeat_heads(value, query)
    # The scale goes to the queries, and the scores, which are nobody else's, are changed in place: every copy
    # of T times S numbers costs as much as the product itself.
    # The product copies heads, which are strided views: keys copied before they are turned are read in order.
    scores = (query * query.shape[-1] ** -0.5) @ key.contiguous().transpose(-2, -1)  # [..., T, S]
    if bias is not None:
        scores = scores.add_(bias)
    if listening(taps.scores):
        scores = taps.scores(scores).clone()  # whoever heard them keeps them as they were
    if seen.mask is not None:
        # Added as in the fused kernel: filling by a mask that broadcasts takes as long as the product.
        scores = scores.add_(torch.where(seen.mask, 0.0, float("-inf")))
    if taps.sinks is None:
        # Without gradients the weights take the scores' place: fresh memory is what a softmax waits for.
        weights = torch.softmax(scores, -1, out=None if scores.requires_grad else scores)
    else:
        sinks = taps.sinks[:, None, None].to(scores.dtype).expand(*scores.shape[:-1], 1)  # [..., T, 1]
        weights = torch.softmax(torch.cat([scores, sinks], -1), -1)[..., :-1]
    weights = weights if seen.blind is None else weights.masked_fill(seen.blind, 0.0)
    weights = taps.weights(weights)
    return attend(drop(weights, dropout) if dropout > 0 else weights, value)


def _fused(
    query: Tensor, key: Tensor, value: Tensor, seen: Sight, bias: Tensor | None, dropout: float
) -> Tensor:
    """Run torch's fused kernel, with zeros for the queries that see nothing, whatever the backend does."""
    mask = seen.mask
    # The kernel's own rule aligns the first query with the first key; a single query sees everything.
    causal = seen.causal and mask is None and query.shape[-2] > 1
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
            query,
            key,
            value,
            mask,
            dropout_p=dropout,
            is_causal=causal,
            scale=query.shape[-1] ** -0.5,
            enable_gqa=grouped,
        ).to(dtype)
    for _ in range(lifted):
        context = context[0]
    return context if seen.blind is None else context.masked_fill(seen.blind, 0.0)
