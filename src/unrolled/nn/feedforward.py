r"""The position-wise feed-forward network: after communication, computation. Taught in chapter 8."""

from collections.abc import Callable
from functools import partial
from typing import Literal

from torch import nn

from unrolled.nn.lean import Step, has_lean, lean
from unrolled.shapes import Sequence, check_shape, check_sizes
from unrolled.tap import Tap, listening

__all__ = ["Activation", "FeedForward", "make_activation"]

# A name, or what makes the module: ``nn.SiLU``.
Activation = Literal["relu", "gelu", "gelu_tanh", "silu"] | Callable[[], nn.Module]
_ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "gelu": nn.GELU,
    "gelu_tanh": partial(nn.GELU, "tanh"),
    "silu": nn.SiLU,
}


def make_activation(name: Activation) -> nn.Module:
    """Return the function that bends: see `FeedForward`.

    Raises:
        ValueError: there is none of that name.
    """
    if callable(name):
        return name()
    if name not in _ACTIVATIONS:
        raise ValueError(f"expected an activation of {tuple(_ACTIVATIONS)}, got {name!r}")
    return _ACTIVATIONS[name]()


@has_lean
class FeedForward(nn.Module):
    r"""Widen every token's vector, bend it, narrow it again; each token by itself.

    .. math::  \mathrm{FFN}(x) = \phi(xW_1 + b_1)\,W_2 + b_2

    Args:
        d_model: components per token.
        d_ff: numbers in between, usually four times as many.
        activation: :math:`\phi`: ``"relu"`` as in 2017, ``"gelu"`` as in BERT, ``"gelu_tanh"``, its
            approximation, as in GPT-2; ``"silu"`` as in Llama; or what makes a module, such as ``nn.SiLU``.
        bias: whether the two layers add a bias.

    The taps `hidden` ``[..., T, d_ff]`` and `output` ``[..., T, D]`` hear what comes out of the two layers.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is not positive, or there is no such activation.

    Reference:
        Vaswani et al., Attention Is All You Need, 2017, section 3.3; Hendrycks and Gimpel, GELUs, 2016.

    Example:
        >>> import torch
        >>> from unrolled.nn import FeedForward
        >>> FeedForward(d_model=8, d_ff=32)(torch.zeros(2, 5, 8)).shape
        torch.Size([2, 5, 8])
    """

    def __init__(
        self, d_model: int, d_ff: int, *, activation: Activation = "gelu", bias: bool = True
    ) -> None:
        super().__init__()
        check_sizes(d_model=d_model, d_ff=d_ff)
        self.d_model = d_model
        self.up_proj = nn.Linear(d_model, d_ff, bias=bias)
        self.activation = make_activation(activation)
        self.down_proj = nn.Linear(d_ff, d_model, bias=bias)
        self.hidden, self.output = Tap(), Tap()

    def forward(self, x: Sequence) -> Sequence:
        """Return a new vector ``[..., T, D]`` for every token of `x`.

        Raises:
            ShapeError: `x` has another size.
        """
        check_shape("x", x, "... T D", D=self.d_model)
        hidden = self.hidden(self.activation(self.up_proj(x)))  # [..., T, d_ff]
        x = self.output(self.down_proj(hidden))  # [..., T, D]
        return x

    def lean(self) -> Step | None:
        """Return what `forward` does to the newest token in evaluation mode: see `unrolled.nn.lean`."""
        if listening(self.hidden) or listening(self.output):
            return None
        up, activation, down = lean(self.up_proj), lean(self.activation), lean(self.down_proj)
        return lambda x: down(activation(up(x)))
