r"""Recurrent networks: one cell, applied to one word after another. Taught in chapter 1.

::

    x_1     x_2     x_3
     |       |       |
    cell -> cell -> cell ->  state after the last word
     |       |       |
    h_1     h_2     h_3

The cells are written out, equation by equation. A layer unrolls its cell step by step while somebody
records it, and hands the whole sequence to PyTorch's fused kernel while nobody does; tests prove that the
two, and `torch.nn.RNN` and `torch.nn.LSTM`, agree.
"""

import math
from collections.abc import Iterable
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from unrolled.shapes import Lengths, Sequence, ShapeError, check_shape
from unrolled.tap import Tap

__all__ = ["LSTM", "RNN", "LSTMCell", "RNNCell"]


class _Cell(nn.Module):
    """Two projections, of the input and of the last hidden state: what every cell starts from."""

    n_gates: int

    def __init__(self, d_in: int, d_hidden: int) -> None:
        super().__init__()
        self.input_proj = nn.Linear(d_in, self.n_gates * d_hidden)
        self.hidden_proj = nn.Linear(d_hidden, self.n_gates * d_hidden)

    def kernel_weights(self) -> list[Tensor]:
        """Return the parameters in the order in which PyTorch's kernels take them."""
        return [self.input_proj.weight, self.hidden_proj.weight, self.input_proj.bias, self.hidden_proj.bias]


class RNNCell(_Cell):
    r"""One step of a vanilla recurrent network (Elman, 1990).

    .. math::  h_t = \tanh(W_x x_t + b_x + W_h h_{t-1} + b_h)

    The tap `hidden` hears the hidden state ``[B, d_hidden]``.

    Args:
        d_in: numbers per input vector.
        d_hidden: numbers per hidden state.
    """

    n_gates = 1
    n_states = 1

    def __init__(self, d_in: int, d_hidden: int) -> None:
        super().__init__(d_in, d_hidden)
        self.hidden = Tap()

    def forward(self, x: Tensor, state: tuple[Tensor]) -> tuple[Tensor]:
        """Return the next state ``(h,)``, ``[B, d_hidden]``, from ``[B, d_in]`` and the last state."""
        (h,) = state
        return (self.hidden(torch.tanh(self.input_proj(x) + self.hidden_proj(h))),)


class LSTMCell(_Cell):
    r"""One step of a long short-term memory (Hochreiter & Schmidhuber, 1997; forget gate: Gers et al., 2000).

    .. math::
        i, f, o &= \sigma(\ldots) \qquad g = \tanh(\ldots) \\
        c_t &= f \odot c_{t-1} + i \odot g \\
        h_t &= o \odot \tanh(c_t)

    where each dots stands for its own :math:`W_x x_t + b_x + W_h h_{t-1} + b_h`. The four are computed in
    one product, in the order i, f, g, o of `torch.nn.LSTM`. The tap `gates` hears them as
    ``[B, 4, d_hidden]``, the tap `memory` hears the cell state ``[B, d_hidden]``.

    Args:
        d_in: numbers per input vector.
        d_hidden: numbers per hidden state and per cell state.
    """

    n_gates = 4
    n_states = 2

    def __init__(self, d_in: int, d_hidden: int) -> None:
        super().__init__(d_in, d_hidden)
        self.gates = Tap()
        self.memory = Tap()

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """Return the next state ``(h, c)``, two ``[B, d_hidden]``, from ``[B, d_in]`` and the last state."""
        h, c = state
        i, f, g, o = (self.input_proj(x) + self.hidden_proj(h)).chunk(4, dim=-1)  # 4 x [B, d_hidden]
        gates = torch.stack([i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()], dim=-2)
        i, f, g, o = self.gates(gates).unbind(dim=-2)
        c = self.memory(f * c + i * g)
        return o * torch.tanh(c), c


class _Recurrent(nn.Module):
    """Layers of cells, in one direction or both: what RNN and LSTM share."""

    cell: type[RNNCell] | type[LSTMCell]

    def __init__(
        self,
        d_in: int,
        d_hidden: int,
        n_layers: int = 1,
        *,
        bidirectional: bool = False,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        for name, size in (("d_in", d_in), ("d_hidden", d_hidden), ("n_layers", n_layers)):
            if size < 1:
                raise ValueError(f"{name}: expected at least 1, got {size}")
        if not 0.0 <= dropout <= 1.0:
            raise ValueError(f"dropout: expected a share from 0 to 1, got {dropout}")
        self.d_in, self.d_hidden, self.n_layers = d_in, d_hidden, n_layers
        self.n_directions = 2 if bidirectional else 1
        self.dropout = dropout
        widths = [d_in] + [self.n_directions * d_hidden] * (n_layers - 1)
        # One cell for each layer and direction: layer 0 forward, layer 0 backward, layer 1 forward, ...
        self.cells = nn.ModuleList(
            self.cell(width, d_hidden) for width in widths for _ in range(self.n_directions)
        )
        # Uniform in ±1/sqrt(d_hidden), as in torch.nn.RNN and torch.nn.LSTM.
        bound = 1 / math.sqrt(d_hidden)
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -bound, bound)

    def forward(
        self,
        x: Sequence,
        state: tuple[Tensor, ...] | None = None,
        lengths: Lengths | None = None,
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Read sequences from the first word to the last (and back, where bidirectional).

        Args:
            x: inputs ``[B, T, d_in]``.
            state: where to start, one ``[n_layers * n_directions, B, d_hidden]`` for each kind of state
                (h; with an LSTM also c); zeros unless given.
            lengths: how many steps of each sequence are real, ``[B]``, each from 1 to T. Past them the
                outputs are zero and the state stands still.

        Returns:
            The hidden states of the last layer, ``[B, T, n_directions * d_hidden]``, and the states after
            the last real step, shaped like `state`.

        Raises:
            ShapeError: an argument has another shape.
            TypeError: the lengths are no integers.
            ValueError: a length is out of range, or `state` holds another number of tensors.
        """
        check_shape("x", x, "B T D", D=self.d_in)
        if x.shape[1] == 0:
            raise ShapeError(f"x: expected at least one step, got {list(x.shape)}")
        state = self._start(x, state)
        if lengths is not None:
            check_shape("lengths", lengths, "B", B=x.shape[0])
            if lengths.dtype not in (torch.int64, torch.int32):
                raise TypeError(f"lengths: expected integers, got {lengths.dtype}")
            if bool((lengths < 1).any()) or bool((lengths > x.shape[1]).any()):
                raise ValueError(f"lengths: expected 1 to {x.shape[1]}, got {lengths.tolist()}")
        if any(tap.listening for tap in self.modules() if isinstance(tap, Tap)):
            return self._unrolled(x, state, lengths)
        return self._fused(x, state, lengths)

    def _start(self, x: Tensor, state: tuple[Tensor, ...] | None) -> tuple[Tensor, ...]:
        """Return the given state, checked, or one of zeros."""
        n_states, n_rows = self.cell.n_states, self.n_layers * self.n_directions
        if state is None:
            return tuple(x.new_zeros(n_rows, x.shape[0], self.d_hidden) for _ in range(n_states))
        if not isinstance(state, tuple) or len(state) != n_states:
            came = f"a tuple of {len(state)}" if isinstance(state, tuple) else type(state).__name__
            raise ValueError(f"state: expected a tuple of {n_states} tensors, got {came}")
        for part in state:
            check_shape("state", part, "L B D", L=n_rows, B=x.shape[0], D=self.d_hidden)
        return state

    def _fused(
        self, x: Tensor, state: tuple[Tensor, ...], lengths: Tensor | None
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """All steps in one call of PyTorch's kernel."""
        weights = [w for cell in self.cells for w in cast(_Cell, cell).kernel_weights()]
        kernel: Any = torch.lstm if self.cell is LSTMCell else torch.rnn_tanh
        start: Any = state if self.cell is LSTMCell else state[0]
        shape = (weights, True, self.n_layers, self.dropout, self.training, self.n_directions == 2)
        if lengths is None:
            output, *end = kernel(x, start, *shape, True)
            return output, tuple(end)
        packed = pack_padded_sequence(x, lengths.cpu(), batch_first=True, enforce_sorted=False)
        # A packed sequence is sorted by length; the states must stand in the same order.
        order, back = packed.sorted_indices, packed.unsorted_indices
        assert order is not None
        start = tuple(part.index_select(1, order) for part in state)
        data, *end = kernel(
            packed.data, packed.batch_sizes, start if self.cell is LSTMCell else start[0], *shape
        )
        padded = PackedSequence(data, packed.batch_sizes, order, back)
        output, _ = pad_packed_sequence(padded, batch_first=True, total_length=x.shape[1])
        return output, tuple(part.index_select(1, back) for part in end)

    def _unrolled(
        self, x: Tensor, state: tuple[Tensor, ...], lengths: Tensor | None
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """The same, step by step, so that the taps in the cells hear every step."""
        ends: list[tuple[Tensor, ...]] = []
        for layer in range(self.n_layers):
            if layer and self.training and self.dropout:
                x = nn.functional.dropout(x, self.dropout)
            directions = []
            for direction in range(self.n_directions):
                row = layer * self.n_directions + direction
                steps = range(x.shape[1]) if direction == 0 else reversed(range(x.shape[1]))
                start = tuple(part[row] for part in state)
                output, end = self._run(self.cells[row], x, start, steps, lengths)
                directions.append(output)
                ends.append(end)
            x = torch.cat(directions, dim=-1)  # [B, T, n_directions * d_hidden]
        return x, tuple(torch.stack(rows) for rows in zip(*ends, strict=True))

    @staticmethod
    def _run(
        cell: nn.Module,
        x: Tensor,
        state: tuple[Tensor, ...],
        steps: Iterable[int],
        lengths: Tensor | None,
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """One cell over one sequence, in the order of `steps`."""
        outputs = [x.new_empty(0)] * x.shape[1]
        for t in steps:
            moved = cell(x[:, t], state)
            if lengths is None:
                state, outputs[t] = moved, moved[0]
            else:
                real = (t < lengths)[:, None]  # [B, 1]
                state = tuple(torch.where(real, new, old) for new, old in zip(moved, state, strict=True))
                outputs[t] = moved[0].masked_fill(~real, 0.0)
        return torch.stack(outputs, dim=1), state


class RNN(_Recurrent):
    """A vanilla recurrent network: layers of `RNNCell`, equal to `torch.nn.RNN`. Taught in chapter 1.

    Args:
        d_in: numbers per input vector.
        d_hidden: numbers per hidden state.
        n_layers: layers, each reading the hidden states of the one below.
        bidirectional: read also from the last word to the first; outputs are joined side by side.
        dropout: share of numbers set to zero between layers while training.
    """

    cell = RNNCell


class LSTM(_Recurrent):
    """A long short-term memory network: layers of `LSTMCell`, equal to `torch.nn.LSTM`. Taught in chapter 1.

    Args:
        d_in: numbers per input vector.
        d_hidden: numbers per hidden state and per cell state.
        n_layers: layers, each reading the hidden states of the one below.
        bidirectional: read also from the last word to the first; outputs are joined side by side.
        dropout: share of numbers set to zero between layers while training.
    """

    cell = LSTMCell
