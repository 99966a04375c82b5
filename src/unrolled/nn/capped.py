"""An output layer whose logits are capped. Taught in chapter 15."""

from torch import Tensor, nn

from unrolled.nn.heads import soft_cap

__all__ = ["CappedLinear"]


class CappedLinear(nn.Linear):
    r"""A linear layer whose outcome is kept within bounds: :math:`c \tanh(xW^\top / c)`.

    As `head` of the `Parts` it makes a model whose logits stay below the cap.

    Args:
        d_in: components per vector that comes.
        d_out: components per vector that goes.
        cap: the largest number there can be.

    Raises:
        ValueError: the cap is not positive.

    Reference:
        Gemma Team, Gemma 2, 2024, section 2.

    Example:
        >>> import torch
        >>> from unrolled.nn import CappedLinear
        >>> CappedLinear(3, 2, cap=30.0)(1e6 * torch.ones(1, 3)).abs().max() <= 30
        tensor(True)
    """

    def __init__(self, d_in: int, d_out: int, *, cap: float) -> None:
        super().__init__(d_in, d_out, bias=False)
        if not cap > 0:
            raise ValueError(f"cap: expected a positive number, got {cap!r}")
        self.cap = cap

    def forward(self, x: Tensor) -> Tensor:
        """Return ``[..., d_out]``, every number between -cap and cap."""
        return soft_cap(super().forward(x), self.cap)
