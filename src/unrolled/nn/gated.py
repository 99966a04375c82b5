r"""A feed-forward network with a gate: SwiGLU, GeGLU and their kin. Taught in chapter 15."""

from torch import nn

from unrolled.nn.feedforward import Activation, make_activation
from unrolled.nn.lean import Step, has_lean, lean
from unrolled.shapes import Sequence, check_shape, check_sizes
from unrolled.tap import Tap, listening

__all__ = ["GatedFeedForward"]


@has_lean
class GatedFeedForward(nn.Module):
    r"""Widen every token's vector twice; one of the two, bent, is the gate the other goes through.

    .. math::  \mathrm{FFN}(x) = (\phi(xW_g) \odot xW_1)\,W_2

    With :math:`\phi` SiLU it is SwiGLU, with GELU GeGLU. It has three matrices where `FeedForward` has two,
    so at two thirds of its `d_ff` it is as large.

    Args:
        d_model: components per token.
        d_ff: numbers in between.
        activation: :math:`\phi`: see `FeedForward`.
        bias: whether the three layers add a bias.

    The taps `hidden` ``[..., T, d_ff]`` (past the gate) and `output` ``[..., T, D]`` are those of
    `FeedForward`; `gate` ``[..., T, d_ff]`` hears the bent half.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is not positive, or there is no such activation.

    Reference:
        Shazeer, GLU Variants Improve Transformer, 2020.

    Example:
        >>> import torch
        >>> from unrolled.nn import GatedFeedForward
        >>> GatedFeedForward(d_model=8, d_ff=16)(torch.zeros(2, 5, 8)).shape
        torch.Size([2, 5, 8])
    """

    def __init__(
        self, d_model: int, d_ff: int, *, activation: Activation = "silu", bias: bool = False
    ) -> None:
        super().__init__()
        check_sizes(d_model=d_model, d_ff=d_ff)
        self.d_model = d_model
        self.gate_proj = nn.Linear(d_model, d_ff, bias=bias)
        self.up_proj = nn.Linear(d_model, d_ff, bias=bias)
        self.activation = make_activation(activation)
        self.down_proj = nn.Linear(d_ff, d_model, bias=bias)
        self.gate, self.hidden, self.output = Tap(), Tap(), Tap()

    def forward(self, x: Sequence) -> Sequence:
        """Return a new vector ``[..., T, D]`` for every token of `x`.

        Raises:
            ShapeError: `x` has another size.
        """
        check_shape("x", x, "... T D", D=self.d_model)
        gate = self.gate(self.activation(self.gate_proj(x)))  # [..., T, d_ff]
        hidden = self.hidden(gate * self.up_proj(x))  # [..., T, d_ff]
        x = self.output(self.down_proj(hidden))  # [..., T, D]
        return x

    def lean(self) -> Step | None:
        """Return what `forward` does to the newest token in evaluation mode: see `unrolled.nn.lean`."""
        if listening(self.gate) or listening(self.hidden) or listening(self.output):
            return None
        gate, up, down = lean(self.gate_proj), lean(self.up_proj), lean(self.down_proj)
        activation = lean(self.activation)
        return lambda x: down(activation(gate(x)) * up(x))
