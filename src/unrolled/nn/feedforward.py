r"""The position-wise feed-forward network: after communication, computation. Taught in chapter 8."""

from typing import Literal, get_args

from torch import nn

from unrolled.shapes import Sequence, check_shape

__all__ = ["Activation", "FeedForward", "make_activation"]

Activation = Literal["relu", "gelu", "gelu_tanh"]


def make_activation(name: Activation) -> nn.Module:
    """Return the function that bends: see `FeedForward`.

    Raises:
        ValueError: there is none of that name.
    """
    if name not in get_args(Activation):
        raise ValueError(f"expected an activation of {get_args(Activation)}, got {name!r}")
    return nn.ReLU() if name == "relu" else nn.GELU("tanh" if name == "gelu_tanh" else "none")


class FeedForward(nn.Module):
    r"""Widen every token's vector, bend it, narrow it again; each token by itself.

    .. math::  \mathrm{FFN}(x) = \phi(xW_1 + b_1)\,W_2 + b_2

    Args:
        d_model: numbers per token.
        d_ff: numbers in between, usually four times as many.
        activation: :math:`\phi`: ``"relu"`` as in 2017, ``"gelu"`` as in BERT, ``"gelu_tanh"``, its
            approximation, as in GPT-2.
        bias: whether the two layers add a bias.

    Raises:
        ValueError: the activation is none of the three.

    Reference:
        Vaswani et al., Attention Is All You Need, 2017, section 3.3; Hendrycks and Gimpel, GELUs, 2016.
    """

    def __init__(
        self, d_model: int, d_ff: int, *, activation: Activation = "gelu", bias: bool = True
    ) -> None:
        super().__init__()
        self.d_model = d_model
        self.up_proj = nn.Linear(d_model, d_ff, bias=bias)
        self.activation = make_activation(activation)
        self.down_proj = nn.Linear(d_ff, d_model, bias=bias)

    def forward(self, x: Sequence) -> Sequence:
        """Return a new vector ``[..., T, D]`` for every token of `x`.

        Raises:
            ShapeError: `x` has another size.
        """
        check_shape("x", x, "... T D", D=self.d_model)
        hidden = self.activation(self.up_proj(x))  # [..., T, d_ff]
        x = self.down_proj(hidden)  # [..., T, D]
        return x
