r"""Simple self-attention, with no weights to learn: :math:`\hat X = \mathrm{softmax}(XX^\top)X`.

Taught in chapter 4.
"""

from torch import nn

from unrolled.nn.functional import attend, attention_scores, attention_weights
from unrolled.shapes import Mask, Sequence
from unrolled.tap import Tap

__all__ = ["SimpleSelfAttention"]


class SimpleSelfAttention(nn.Module):
    r"""Let every token listen to every token, by plain dot products.

    .. math::  \hat X = \mathrm{softmax}(XX^\top)\,X

    The tokens are queries, keys and values all at once, so there is nothing to learn: the module has no
    parameters. Chapter 4 shows what that costs.

    Args:
        scale: factor on the scores before the softmax. Above one it sharpens the competition, below one
            it softens it.

    The taps `scores` (before the mask) and `weights` hear ``[..., T, T]``, `context` what goes out.

    Example:
        >>> import torch
        >>> from unrolled.nn import SimpleSelfAttention
        >>> X = torch.tensor([[[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]])
        >>> SimpleSelfAttention()(X)
        tensor([[[0.8446, 0.1554],
                 [0.8446, 0.1554],
                 [0.4239, 0.5761]]])
    """

    def __init__(self, scale: float = 1.0) -> None:
        super().__init__()
        self.scale = scale
        self.scores, self.weights, self.context = Tap(), Tap(), Tap()

    def forward(self, x: Sequence, mask: Mask | None = None) -> Sequence:
        """Return the context vectors ``[..., T, D]`` of the tokens `x` ``[..., T, D]``.

        Args:
            x: one vector per token.
            mask: boolean, broadcastable to ``[..., T, T]``, True = may attend.

        Raises:
            ShapeError: `x` has fewer than two dimensions, or the mask does not broadcast.
            TypeError: the mask is not boolean.
        """
        scores = self.scores(attention_scores(x, x, scale=self.scale))  # [..., T, T]
        weights = self.weights(attention_weights(scores, mask))
        x = self.context(attend(weights, x))  # [..., T, D]
        return x
