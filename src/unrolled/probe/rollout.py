"""Attention rollout: the weights of all layers multiplied, back to the words. Taught in chapter 12."""

from collections.abc import Sequence

import torch
from torch import Tensor

from unrolled.shapes import Weights, check_shape, check_share

__all__ = ["rollout"]


def rollout(weights: Sequence[Weights], residual: float = 0.5) -> Tensor:
    r"""Return how much of each word is in each vector after every layer ``[L, B, T, T]``.

    .. math::  R^{(l)} = \big(r I + (1 - r)\, \bar A^{(l)}\big)\, R^{(l-1)}, \qquad R^{(0)} = I

    with :math:`\bar A` the mean over heads. Rows sum to one. Values, output matrices, norms and feed-forward
    networks do not come into it: it is a picture of the weights, not of the model.

    Args:
        weights: of each layer, ``[B, H, T, T]``, first layer first.
        residual: r, the share that goes past the attention: one half as in the paper; 0 for attention alone.

    Raises:
        ShapeError: the weights are not square, or differ in shape.
        TypeError, ValueError: `residual` is not a share from 0 to 1, or there are no weights.

    Reference:
        Abnar and Zuidema, Quantifying Attention Flow in Transformers, 2020.

    Example:
        >>> import torch
        >>> from unrolled.probe import rollout
        >>> weights = torch.tensor([[[[1.0, 0.0], [0.5, 0.5]]]])  # one head
        >>> rollout([weights, weights])[-1]  # after both layers
        tensor([[[1.0000, 0.0000],
                 [0.4375, 0.5625]]])
    """
    check_share(residual=residual)
    if not len(weights):
        raise ValueError("weights: expected those of one layer or more, got none")
    b, t = weights[0].shape[0], weights[0].shape[-1]
    rolled, layers = torch.eye(t, dtype=weights[0].dtype, device=weights[0].device).expand(b, t, t), []
    for layer in weights:
        check_shape("weights", layer, "B H T S", B=b, T=t, S=t)
        mixed = (1 - residual) * layer.mean(1)  # [B, H, T, T] -> [B, T, T]
        rolled = mixed @ rolled + residual * rolled
        layers.append(rolled)
    return torch.stack(layers)  # [L, B, T, T]
