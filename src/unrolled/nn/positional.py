r"""Where each token stands: four ways to tell attention, which by itself sees no order. Taught in chapter 7.

Two are added to the embeddings (`Sinusoidal`, `Learned`); two work inside attention, as a `PositionRule`
(`ALiBi` lowers scores by distance; `Rotary`, which turns queries and keys, has a file of its own).
"""

import math

import torch
from torch import Tensor, nn

from unrolled.nn.stretched import FrequencyRule
from unrolled.shapes import Sequence, ShapeError, check_integers, check_shape, check_sizes
from unrolled.tap import plain

__all__ = ["ALiBi", "Learned", "PositionRule", "Sinusoidal", "angles_of", "check_place", "check_positions"]


def check_place(offset: int, length: int, max_len: int) -> None:
    """Raise unless positions `offset` to `offset` + `length` exist."""
    if offset < 0:
        raise ValueError(f"offset: expected 0 or a positive integer, got {offset}")
    if offset + length > max_len:
        raise ValueError(f"sequence of {offset + length} tokens is longer than max_len={max_len}")


def angles_of(max_len: int, size: int, base: float, scaling: FrequencyRule | None = None) -> Tensor:
    """Return position times frequency, ``[max_len, size / 2]``, in float64: late positions need it."""
    check_sizes(max_len=max_len)
    if not 0 < base < math.inf:
        raise ValueError(f"base: expected a positive number, got {base}")
    if size % 2 != 0:
        raise ValueError(f"expected an even size, a pair of components for every frequency, got {size}")
    pairs = torch.arange(0, size, 2, dtype=torch.float64)
    positions = torch.arange(max_len, dtype=torch.float64)
    frequencies = base ** (-pairs / size)
    return positions[:, None] * (frequencies if scaling is None else scaling(frequencies))


class Sinusoidal(nn.Module):
    r"""Add waves of many lengths to the embeddings: a clock with a hand for every pair of components.

    .. math::  w_{t,2m} = \sin \omega_m t, \qquad w_{t,2m+1} = \cos \omega_m t, \qquad
               \omega_m = 10000^{-2m/d}

    Args:
        d_model: components per token, even.
        max_len: the longest sequence.
        base: 10000 in the paper; the slowest wave's length is about :math:`2\pi` times it.

    Raises:
        ValueError: `d_model` is odd.

    Reference:
        Vaswani et al., Attention Is All You Need, 2017, section 3.5.

    Example:
        >>> import torch
        >>> from unrolled.nn import Sinusoidal
        >>> Sinusoidal(d_model=4)(torch.zeros(1, 2, 4))
        tensor([[[0.0000, 1.0000, 0.0000, 1.0000],
                 [0.8415, 0.5403, 0.0100, 0.9999]]])
    """

    table: Tensor

    def __init__(self, d_model: int, max_len: int = 1024, base: float = 10_000.0) -> None:
        super().__init__()
        check_sizes(d_model=d_model)
        self.d_model, self.max_len = d_model, max_len
        angles = angles_of(max_len, d_model, base)
        waves = torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)  # sin and cos alternate: [T, D]
        self.register_buffer("table", waves.to(torch.get_default_dtype()), persistent=False)

    def forward(self, x: Sequence, offset: int = 0, positions: Tensor | None = None) -> Sequence:
        """Return `x` ``[..., T, D]`` plus the waves of its positions; for the arguments see `Learned`."""
        check_shape("x", x, "... T D", D=self.d_model)
        check_place(offset, x.shape[-2], self.max_len)
        if positions is None:
            return x + self.table[offset : offset + x.shape[-2]]
        check_positions(positions, x, self.max_len)
        return x + self.table[positions]


class Learned(nn.Module):
    r"""Add a vector learned for each position: :math:`x_t + w_t`.

    Args:
        d_model: components per token.
        max_len: the longest sequence: past it there is no vector.

    Reference:
        Gehring et al., Convolutional Sequence to Sequence Learning, 2017; BERT and GPT-2 do the same.

    Example:
        >>> import torch
        >>> from unrolled.nn import Learned
        >>> Learned(d_model=8, max_len=16)(torch.zeros(2, 5, 8)).shape
        torch.Size([2, 5, 8])
    """

    def __init__(self, d_model: int, max_len: int = 1024) -> None:
        super().__init__()
        check_sizes(d_model=d_model, max_len=max_len)
        self.d_model, self.max_len = d_model, max_len
        self.table = nn.Embedding(max_len, d_model)
        nn.init.normal_(self.table.weight, std=0.02)

    def forward(self, x: Sequence, offset: int = 0, positions: Tensor | None = None) -> Sequence:
        """Return `x` ``[..., T, D]`` plus the vectors of its positions.

        Args:
            x: one vector per token.
            offset: how many tokens stand before `x` already, in a cache.
            positions: the positions themselves, ``[B, T]``, instead of counting from the offset; sequences
                that are padded on the left need them.

        Raises:
            ShapeError: `x` has another size, or `positions` another length.
            TypeError: `positions` holds something else than integers.
            ValueError: the sequence is longer than `max_len`, the offset negative, or a position not in 0 to
                `max_len` - 1.
        """
        check_shape("x", x, "... T D", D=self.d_model)
        check_place(offset, x.shape[-2], self.max_len)
        if positions is None:
            return x + self._rows(offset, x.shape[-2])
        check_positions(positions, x, self.max_len)
        table: Tensor = self.table(positions)
        return x + table

    def _rows(self, offset: int, length: int) -> Tensor:
        """Return the vectors of neighbouring positions, ``[length, D]``."""
        if type(self.table) is nn.Embedding and plain(self.table):
            return self.table.weight[offset : offset + length]
        rows: Tensor = self.table(torch.arange(offset, offset + length, device=self.table.weight.device))
        return rows


def check_positions(positions: Tensor, x: Tensor, max_len: int) -> None:
    """Raise unless `positions` ``[..., T]`` are integers from 0 to `max_len` - 1, one for each of `x`."""
    check_shape("positions", positions, "... T", T=x.shape[-2])
    check_integers("positions", positions)
    if positions.dim() > 1 and positions.shape != x.shape[:-1]:
        raise ShapeError(f"positions: expected {list(x.shape[:-1])}, got {list(positions.shape)}")
    if torch.compiler.is_compiling() or positions.numel() == 0:
        return  # a compiled model cannot look at the numbers and go on
    lowest, highest = (int(end) for end in positions.aminmax())
    if lowest < 0 or highest >= max_len:
        raise ValueError(f"positions: expected 0 to {max_len - 1}, got {lowest} to {highest}")


class PositionRule(nn.Module):
    """Positions that work inside attention: they turn queries and keys, or add to the scores, or both.

    A rule of one's own overrides what it needs; `MultiHeadAttention` takes it as `positions`.

    Example:
        >>> import torch
        >>> from unrolled.nn import PositionRule
        >>> PositionRule().turn(torch.ones(1, 2, 3, 4), 0).shape  # nothing is turned unless a rule does
        torch.Size([1, 2, 3, 4])
    """

    def check_heads(self, n_heads: int, d_head: int) -> None:
        """Raise a ValueError unless the rule is one for H heads of K components."""

    def turn(self, x: Tensor, offset: int = 0) -> Tensor:
        """Return queries or keys ``[B, H, T, K]``, the first at position `offset`, with their positions."""
        return x

    def bias(self, n_queries: int, n_keys: int) -> Tensor | None:
        """Return what is added to the scores ``[H, T, S]``; the queries are the last T of the S positions."""
        return None


class ALiBi(PositionRule):
    r"""Lower the score of every pair by its distance, each head at its own rate.

    .. math::  s_{ij} - \lambda_h\,|i - j|, \qquad \lambda_h = 2^{-8h/H}, \quad h = 1 \dots H

    Symmetric when used without a causal mask: distance, no direction.

    Args:
        n_heads: H. When it is no power of two, the rates of the next lower power are followed by every
            second one of the next higher, as in the authors' code.

    Reference:
        Press, Smith and Lewis, Train Short, Test Long, 2022, section 3.

    Example:
        >>> from unrolled.nn import ALiBi
        >>> ALiBi(n_heads=2).bias(3, 3)[0]
        tensor([[-0.0000, -0.0625, -0.1250],
                [-0.0625, -0.0000, -0.0625],
                [-0.1250, -0.0625, -0.0000]])
    """

    slopes: Tensor

    def __init__(self, n_heads: int) -> None:
        super().__init__()
        check_sizes(n_heads=n_heads)
        self.n_heads = n_heads
        lower = 2 ** math.floor(math.log2(n_heads))
        slopes = [2.0 ** (-8 * h / lower) for h in range(1, lower + 1)]
        slopes += [2.0 ** (-4 * h / lower) for h in range(1, 2 * (n_heads - lower) + 1, 2)]
        self.register_buffer("slopes", torch.tensor(slopes), persistent=False)

    def forward(self, n_queries: int, n_keys: int) -> Tensor:
        """Return what to add to the scores, ``[H, T, S]``; the queries are the last T of the S positions.

        Raises:
            ValueError: more queries than keys.
        """
        if n_queries > n_keys:
            raise ValueError(f"ALiBi: expected at least as many keys as queries ({n_queries}), got {n_keys}")
        keys = torch.arange(n_keys, device=self.slopes.device)
        queries = torch.arange(n_keys - n_queries, n_keys, device=self.slopes.device)
        distance = (queries[:, None] - keys).abs()  # [T, S]
        return -self.slopes[:, None, None] * distance

    def check_heads(self, n_heads: int, d_head: int) -> None:
        """Raise a ValueError unless there is a rate for every head."""
        if n_heads != self.n_heads:
            raise ValueError(f"positions: expected an alibi of n_heads={n_heads}, got n_heads={self.n_heads}")

    def bias(self, n_queries: int, n_keys: int) -> Tensor:
        """Return what to add to the scores ``[H, T, S]``: `forward`."""
        added: Tensor = self(n_queries, n_keys)
        return added
