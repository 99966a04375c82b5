r"""A norm that rescales and does not centre. Taught in chapter 15."""

import torch
from torch import Tensor, nn
from torch.nn.functional import rms_norm

from unrolled.nn.lean import Step, has_lean
from unrolled.shapes import Sequence, check_shape, check_sizes

__all__ = ["RMSNorm"]


@has_lean
class RMSNorm(nn.Module):
    r"""Divide every vector by its root mean square, and give each component a gain of its own.

    .. math::  \mathrm{RMSNorm}(x)_i = \frac{x_i}{\sqrt{\frac1D \sum_j x_j^2 + \epsilon}}\, g_i

    A `LayerNorm` without its mean and without its bias. Narrow types are widened to float32 for the mean.

    Args:
        d_model: components per vector.
        eps: :math:`\epsilon`, which keeps a vector of zeros from a division by zero.

    Raises:
        TypeError: `d_model` is not an integer.
        ValueError: `d_model` or `eps` is not positive.

    Reference:
        Zhang and Sennrich, Root Mean Square Layer Normalization, 2019.

    Example:
        >>> import torch
        >>> from unrolled.nn import RMSNorm
        >>> RMSNorm(2)(torch.tensor([[3.0, 4.0]])).detach()
        tensor([[0.8485, 1.1314]])
    """

    def __init__(self, d_model: int, eps: float = 1e-6) -> None:
        super().__init__()
        check_sizes(d_model=d_model)
        if not eps > 0:
            raise ValueError(f"eps: expected a positive number, got {eps!r}")
        self.d_model, self.eps = d_model, eps
        self.weight = nn.Parameter(torch.ones(d_model))

    def forward(self, x: Sequence) -> Sequence:
        """Return `x` ``[..., T, D]`` with every vector rescaled.

        Raises:
            ShapeError: `x` has another size.
        """
        check_shape("x", x, "... T D", D=self.d_model)
        x = self._rescaled(x)
        return x

    def _rescaled(self, x: Tensor) -> Tensor:
        wide = x.float() if x.dtype in (torch.bfloat16, torch.float16) else x
        wide = wide * (wide.square().mean(-1, keepdim=True) + self.eps).rsqrt()
        return wide.to(x.dtype) * self.weight

    def lean(self) -> Step:
        """Return what `forward` does to the newest token: see `unrolled.nn.lean`."""
        shape, weight, eps, rescaled = (self.d_model,), self.weight, self.eps, self._rescaled
        if weight.dtype in (torch.bfloat16, torch.float16):
            return rescaled  # torch's rounds once less
        return lambda x: rms_norm(x, shape, weight, eps) if x.dtype == weight.dtype else rescaled(x)

    def extra_repr(self) -> str:
        """Return the size and eps, for whoever prints the module."""
        return f"{self.d_model}, eps={self.eps}"
