"""One step of a recurrent network, equation by equation. Taught in chapter 1."""

from typing import Any

import torch
from torch import Tensor, nn

from unrolled.shapes import check_sizes
from unrolled.tap import Tap

__all__ = ["Cell", "GRUCell", "LSTMCell", "RNNCell"]


class Cell(nn.Module):
    """Two projections, of the input and of the last hidden state: what every cell starts from."""

    n_gates: int
    n_states: int
    taps: tuple[str, ...]
    kernel: Any
    """PyTorch's function for whole sequences of this cell."""

    def __init__(self, d_in: int, d_hidden: int) -> None:
        super().__init__()
        check_sizes(d_in=d_in, d_hidden=d_hidden)
        self.input_proj = nn.Linear(d_in, self.n_gates * d_hidden)
        self.hidden_proj = nn.Linear(d_hidden, self.n_gates * d_hidden)

    def kernel_weights(self) -> list[Tensor]:
        """Return the parameters in the order in which PyTorch's kernels take them."""
        return [self.input_proj.weight, self.hidden_proj.weight, self.input_proj.bias, self.hidden_proj.bias]


class RNNCell(Cell):
    r"""One step of a vanilla recurrent network (Elman, 1990).

    .. math::  h_t = \tanh(W_x x_t + b_x + W_h h_{t-1} + b_h)

    The tap `hidden` hears the hidden state ``[B, d_hidden]``.

    Args:
        d_in: components per input vector.
        d_hidden: components per hidden state.

    Example:
        >>> import torch
        >>> from unrolled.nn import RNNCell
        >>> cell = RNNCell(d_in=3, d_hidden=5)
        >>> (h,) = cell(torch.zeros(2, 3), (torch.zeros(2, 5),))
        >>> h.shape
        torch.Size([2, 5])
    """

    n_gates = 1
    taps = ("hidden",)
    n_states = 1
    kernel: Any = staticmethod(torch.rnn_tanh)

    def __init__(self, d_in: int, d_hidden: int) -> None:
        super().__init__(d_in, d_hidden)
        self.hidden = Tap()

    def forward(self, x: Tensor, state: tuple[Tensor]) -> tuple[Tensor]:
        """Return the next state ``(h,)``, ``[B, d_hidden]``, from ``[B, d_in]`` and the last state."""
        (h,) = state
        return (self.hidden(torch.tanh(self.input_proj(x) + self.hidden_proj(h))),)


class LSTMCell(Cell):
    r"""One step of a long short-term memory (Hochreiter & Schmidhuber, 1997; forget gate: Gers et al., 2000).

    .. math::
        i, f, o &= \sigma(\ldots) \qquad g = \tanh(\ldots) \\
        c_t &= f \odot c_{t-1} + i \odot g \\
        h_t &= o \odot \tanh(c_t)

    where each dots stands for its own :math:`W_x x_t + b_x + W_h h_{t-1} + b_h`. The four are computed in
    one product, in the order i, f, g, o of `torch.nn.LSTM`. The tap `gates` hears them as
    ``[B, 4, d_hidden]``; the taps `memory` and `hidden` hear the cell state and the hidden state, both
    ``[B, d_hidden]``.

    Args:
        d_in: components per input vector.
        d_hidden: components per hidden state and per cell state.

    Example:
        >>> import torch
        >>> from unrolled.nn import LSTMCell
        >>> cell = LSTMCell(d_in=3, d_hidden=5)
        >>> h, c = cell(torch.zeros(2, 3), (torch.zeros(2, 5), torch.zeros(2, 5)))
        >>> h.shape, c.shape
        (torch.Size([2, 5]), torch.Size([2, 5]))
    """

    n_gates = 4
    taps = ("gates", "memory", "hidden")
    n_states = 2
    kernel: Any = staticmethod(torch.lstm)

    def __init__(self, d_in: int, d_hidden: int) -> None:
        super().__init__(d_in, d_hidden)
        self.gates = Tap()
        self.memory = Tap()
        self.hidden = Tap()

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """Return the next state ``(h, c)``, two ``[B, d_hidden]``, from ``[B, d_in]`` and the last state."""
        h, c = state
        i, f, g, o = (self.input_proj(x) + self.hidden_proj(h)).chunk(4, dim=-1)  # 4 x [B, d_hidden]
        gates = torch.stack([i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()], dim=-2)
        i, f, g, o = self.gates(gates).unbind(dim=-2)
        c = self.memory(f * c + i * g)
        return self.hidden(o * torch.tanh(c)), c


class GRUCell(Cell):
    r"""One step of a gated recurrent unit (Cho et al., 2014): two gates, and no state but the hidden one.

    .. math::
        r, z &= \sigma(\ldots) \qquad n = \tanh(W_x x_t + b_x + r \odot (W_h h_{t-1} + b_h)) \\
        h_t &= (1 - z) \odot n + z \odot h_{t-1}

    where each dots stands for its own :math:`W_x x_t + b_x + W_h h_{t-1} + b_h`. As in `torch.nn.GRU`, the
    reset gate r acts on the product with the last state; in the paper it acts on the state before the
    product. The tap `gates` hears r, z and n as ``[B, 3, d_hidden]``, the tap `hidden` the hidden state
    ``[B, d_hidden]``.

    Args:
        d_in: components per input vector.
        d_hidden: components per hidden state.

    Example:
        >>> import torch
        >>> from unrolled.nn import GRUCell
        >>> cell = GRUCell(d_in=3, d_hidden=5)
        >>> (h,) = cell(torch.zeros(2, 3), (torch.zeros(2, 5),))
        >>> h.shape
        torch.Size([2, 5])
    """

    n_gates = 3
    taps = ("gates", "hidden")
    n_states = 1
    kernel: Any = staticmethod(torch.gru)

    def __init__(self, d_in: int, d_hidden: int) -> None:
        super().__init__(d_in, d_hidden)
        self.gates = Tap()
        self.hidden = Tap()

    def forward(self, x: Tensor, state: tuple[Tensor]) -> tuple[Tensor]:
        """Return the next state ``(h,)``, ``[B, d_hidden]``, from ``[B, d_in]`` and the last state."""
        (h,) = state
        from_x = self.input_proj(x).chunk(3, dim=-1)  # 3 x [B, d_hidden]
        from_h = self.hidden_proj(h).chunk(3, dim=-1)
        r, z = ((a + b).sigmoid() for a, b in zip(from_x[:2], from_h[:2], strict=True))
        new = torch.tanh(from_x[2] + r * from_h[2])
        r, z, new = self.gates(torch.stack([r, z, new], dim=-2)).unbind(dim=-2)
        return (self.hidden((1 - z) * new + z * h),)
