r"""Recurrent networks: one cell, applied to one word after another. Taught in chapter 1.

::

    x_1     x_2     x_3
     |       |       |
    cell -> cell -> cell ->  state after the last word
     |       |       |
    h_1     h_2     h_3

The cells are written out, equation by equation, in `unrolled.nn.cells`. A layer unrolls its cell step by step
while somebody records it, and hands the whole sequence to PyTorch's fused kernel while nobody does; tests
prove that the two, and `torch.nn.RNN`, `torch.nn.GRU` and `torch.nn.LSTM`, agree.
"""

import math
from collections.abc import Iterable
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from unrolled.nn.cells import Cell, GRUCell, LSTMCell, RNNCell
from unrolled.shapes import (
    Lengths,
    Sequence,
    ShapeError,
    check_integers,
    check_shape,
    check_share,
    check_sizes,
)
from unrolled.tap import listening, plain

__all__ = ["GRU", "LSTM", "RNN"]


class _Recurrent(nn.Module):
    """Layers of cells, in one direction or both: what RNN, GRU and LSTM share."""

    cell: type[RNNCell] | type[GRUCell] | type[LSTMCell]

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
        check_sizes(d_in=d_in, d_hidden=d_hidden, n_layers=n_layers)
        check_share(dropout=dropout)
        self.d_in, self.d_hidden, self.n_layers = d_in, d_hidden, n_layers
        self.n_directions = 2 if bidirectional else 1
        self.dropout = dropout
        widths = [d_in] + [self.n_directions * d_hidden] * (n_layers - 1)
        # One cell for each layer and direction: layer 0 forward, layer 0 backward, layer 1 forward, ...
        self.cells = nn.ModuleList(
            self.cell(width, d_hidden) for width in widths for _ in range(self.n_directions)
        )
        # Uniform in ±1/sqrt(d_hidden), as in torch.nn.
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
            TypeError: the lengths are not integers.
            ValueError: a length is out of range, or `state` holds another number of tensors.
        """
        check_shape("x", x, "B T D", D=self.d_in)
        if x.shape[1] == 0:
            raise ShapeError(f"x: expected at least one step, got {list(x.shape)}")
        state = self._start(x, state)
        if lengths is not None:
            check_shape("lengths", lengths, "B", B=x.shape[0])
            check_integers("lengths", lengths)
            if bool((lengths < 1).any()) or bool((lengths > x.shape[1]).any()):
                raise ValueError(f"lengths: expected 1 to {x.shape[1]}, got {lengths.tolist()}")
        if all(self._fusible(cell) for cell in self.cells) and x.shape[0] > 0:
            return self._fused(x, state, lengths)
        return self._unrolled(x, state, lengths)

    def _fusible(self, cell: nn.Module) -> bool:
        """Whether the kernel does what `cell` does: nobody listens, waits at a hook or has changed a part."""
        return (
            type(cell) is self.cell
            and plain(cell)
            and not any(
                listening(part) if name in cell.taps else type(part) is not nn.Linear or not plain(part)
                for name, part in cell.named_children()
            )
        )

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
        weights = [w for cell in self.cells for w in cast(Cell, cell).kernel_weights()]
        kernel, alone = self.cell.kernel, self.cell.n_states == 1
        start: Any = state[0] if alone else state
        shape = (weights, True, self.n_layers, self.dropout, self.training, self.n_directions == 2)
        if lengths is None:
            output, *end = kernel(x, start, *shape, True)
            return output, tuple(end)
        packed = pack_padded_sequence(x, lengths.cpu(), batch_first=True, enforce_sorted=False)
        # A packed sequence is sorted by length; the states must stand in the same order.
        order, back = packed.sorted_indices, packed.unsorted_indices
        assert order is not None
        start = tuple(part.index_select(1, order) for part in state)
        data, *end = kernel(packed.data, packed.batch_sizes, start[0] if alone else start, *shape)
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
        d_in: components per input vector.
        d_hidden: components per hidden state.
        n_layers: layers, each reading the hidden states of the one below.
        bidirectional: read also from the last word to the first; outputs are joined side by side.
        dropout: fraction of components set to zero between layers while training.

    Example:
        >>> import torch
        >>> from unrolled.nn import RNN
        >>> outputs, state = RNN(d_in=3, d_hidden=5)(torch.zeros(2, 7, 3))
        >>> outputs.shape
        torch.Size([2, 7, 5])
    """

    cell = RNNCell


class GRU(_Recurrent):
    """Layers of `GRUCell`, equal to `torch.nn.GRU`. Taught in chapter 1.

    Args:
        d_in: components per input vector.
        d_hidden: components per hidden state.
        n_layers: layers, each reading the hidden states of the one below.
        bidirectional: read also from the last word to the first; outputs are joined side by side.
        dropout: fraction of components set to zero between layers while training.

    Example:
        >>> import torch
        >>> from unrolled.nn import GRU
        >>> outputs, state = GRU(d_in=3, d_hidden=5, n_layers=2)(torch.zeros(2, 7, 3))
        >>> outputs.shape
        torch.Size([2, 7, 5])
    """

    cell = GRUCell


class LSTM(_Recurrent):
    """A long short-term memory network: layers of `LSTMCell`, equal to `torch.nn.LSTM`. Taught in chapter 1.

    Args:
        d_in: components per input vector.
        d_hidden: components per hidden state and per cell state.
        n_layers: layers, each reading the hidden states of the one below.
        bidirectional: read also from the last word to the first; outputs are joined side by side.
        dropout: fraction of components set to zero between layers while training.

    Example:
        >>> import torch
        >>> from unrolled.nn import LSTM
        >>> outputs, state = LSTM(d_in=3, d_hidden=5, bidirectional=True)(torch.zeros(2, 7, 3))
        >>> outputs.shape  # both directions, side by side
        torch.Size([2, 7, 10])
    """

    cell = LSTMCell
