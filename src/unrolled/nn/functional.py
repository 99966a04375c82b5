r"""Attention as three pure functions: scores, weights, weighted sum.

.. math::

    s_{ij} = q_i \cdot k_j, \qquad a_{ij} = \mathrm{softmax}_j(s_{ij}), \qquad \hat x_i = \sum_j a_{ij} v_j

Everything is returned as a value, so every intermediate number can be printed. Taught in chapter 4
(query = key = value = X) and chapter 5 (three different matrices).
"""

import torch
from torch import Tensor

from unrolled.shapes import Mask, Scores, ShapeError, Weights, check_shape

__all__ = ["attend", "attention_scores", "attention_weights", "check_mask"]


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
    if mask.dtype != torch.bool:
        raise TypeError(f"mask: expected a boolean tensor, True = may attend, got {mask.dtype}")
    sizes = zip(reversed(mask.shape), reversed(scores_shape), strict=False)
    if mask.dim() > len(scores_shape) or any(m not in (1, s) for m, s in sizes):
        raise ShapeError(
            f"mask: expected a shape that broadcasts to the scores {list(scores_shape)}, "
            f"got {list(mask.shape)}"
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
