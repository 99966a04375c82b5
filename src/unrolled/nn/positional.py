r"""Where each token stands: four ways to tell attention, which by itself sees no order. Taught in chapter 7.

Two are added to the embeddings (`Sinusoidal`, `Learned`); two work inside attention (`Rotary` turns queries
and keys, `ALiBi` lowers scores by distance).
"""

import math

import torch
from torch import Tensor, nn

from unrolled.shapes import Sequence, ShapeError, check_shape

__all__ = ["ALiBi", "Learned", "Rotary", "Sinusoidal"]


def _check_length(length: int, max_len: int) -> None:
    if length > max_len:
        raise ValueError(f"sequence of {length} tokens is longer than max_len={max_len}")


def _angles(max_len: int, size: int, base: float) -> Tensor:
    """Return position times frequency, ``[max_len, size / 2]``, in float64: late positions need it."""
    if size < 2 or size % 2 != 0:
        raise ValueError(f"expected an even size, a pair of numbers for every frequency, got {size}")
    pairs = torch.arange(0, size, 2, dtype=torch.float64)
    positions = torch.arange(max_len, dtype=torch.float64)
    return positions[:, None] * base ** (-pairs / size)


class Sinusoidal(nn.Module):
    r"""Add waves of many lengths to the embeddings: a clock with a hand for every pair of numbers.

    .. math::  w_{t,2m} = \sin \omega_m t, \qquad w_{t,2m+1} = \cos \omega_m t, \qquad
               \omega_m = 10000^{-2m/d}

    Args:
        d_model: numbers per token, even.
        max_len: the longest sequence.
        base: 10000 in the paper; the slowest wave's length is about :math:`2\pi` times it.

    Raises:
        ValueError: `d_model` is odd.

    Reference:
        Vaswani et al., Attention Is All You Need, 2017, section 3.5.
    """

    table: Tensor

    def __init__(self, d_model: int, max_len: int = 1024, base: float = 10_000.0) -> None:
        super().__init__()
        self.d_model, self.max_len = d_model, max_len
        angles = _angles(max_len, d_model, base)
        waves = torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)  # sin and cos alternate: [T, D]
        self.register_buffer("table", waves.to(torch.get_default_dtype()), persistent=False)

    def forward(self, x: Sequence, offset: int = 0, positions: Tensor | None = None) -> Sequence:
        """Return `x` ``[..., T, D]`` plus the waves of its positions; for the arguments see `Learned`."""
        check_shape("x", x, "... T D", D=self.d_model)
        _check_length(offset + x.shape[-2], self.max_len)
        if positions is None:
            return x + self.table[offset : offset + x.shape[-2]]
        _check_positions(positions, x)
        return x + self.table[positions]


class Learned(nn.Module):
    r"""Add a vector learned for each position: :math:`x_t + w_t`.

    Args:
        d_model: numbers per token.
        max_len: the longest sequence: past it there is no vector.

    Reference:
        Gehring et al., Convolutional Sequence to Sequence Learning, 2017; BERT and GPT-2 do the same.
    """

    def __init__(self, d_model: int, max_len: int = 1024) -> None:
        super().__init__()
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
            TypeError: `positions` holds no integers.
            ValueError: the sequence is longer than `max_len`.
        """
        check_shape("x", x, "... T D", D=self.d_model)
        _check_length(offset + x.shape[-2], self.max_len)
        if positions is None:
            return x + self.table.weight[offset : offset + x.shape[-2]]
        _check_positions(positions, x)
        table: Tensor = self.table(positions)
        return x + table


def _check_positions(positions: Tensor, x: Tensor) -> None:
    check_shape("positions", positions, "... T", T=x.shape[-2])
    if positions.dtype not in (torch.int64, torch.int32):
        raise TypeError(f"positions: expected integers, got {positions.dtype}")
    if positions.dim() > 1 and positions.shape != x.shape[:-1]:
        raise ShapeError(f"positions: expected {list(x.shape[:-1])}, got {list(positions.shape)}")


class Rotary(nn.Module):
    r"""Turn queries and keys by an angle that grows with their position.

    .. math::  x'_m = x_m \cos \omega_m t - x_{m+K/2} \sin \omega_m t, \qquad
               x'_{m+K/2} = x_m \sin \omega_m t + x_{m+K/2} \cos \omega_m t, \qquad \omega_m = 10000^{-2m/K}

    The dot product of a turned query and a turned key depends on their distance alone. The pairs are number
    m of the first half and number m of the second, as in GPT-NeoX and Llama; the paper pairs neighbours,
    which is the same up to the order of the numbers.

    Args:
        d_head: numbers per query and key, even.
        max_len: the longest sequence.
        base: 10000 in the paper.

    Raises:
        ValueError: `d_head` is odd.

    Reference:
        Su et al., RoFormer, 2021, section 3.2.2.
    """

    cos: Tensor
    sin: Tensor

    def __init__(self, d_head: int, max_len: int = 1024, base: float = 10_000.0) -> None:
        super().__init__()
        self.d_head, self.max_len = d_head, max_len
        angles = _angles(max_len, d_head, base)  # [T, K / 2]
        dtype = torch.get_default_dtype()
        self.register_buffer("cos", angles.cos().to(dtype), persistent=False)
        self.register_buffer("sin", angles.sin().to(dtype), persistent=False)

    def forward(self, x: Tensor, offset: int = 0) -> Tensor:
        """Return `x` ``[..., T, K]``, its first token at position `offset`, turned.

        Raises:
            ShapeError: `x` has another size.
            ValueError: the sequence is longer than `max_len`.
        """
        check_shape("x", x, "... T K", K=self.d_head)
        length = offset + x.shape[-2]
        _check_length(length, self.max_len)
        cos, sin = self.cos[offset:length], self.sin[offset:length]
        first, second = x.chunk(2, dim=-1)
        turned = torch.cat([first * cos - second * sin, first * sin + second * cos], dim=-1)
        return turned.to(x.dtype)


class ALiBi(nn.Module):
    r"""Lower the score of every pair by its distance, each head at its own rate.

    .. math::  s_{ij} - \lambda_h\,|i - j|, \qquad \lambda_h = 2^{-8h/H}, \quad h = 1 \dots H

    Symmetric when used without a causal mask: distance, no direction.

    Args:
        n_heads: H. When it is no power of two, the rates of the next lower power are followed by every
            second one of the next higher, as in the authors' code.

    Reference:
        Press, Smith and Lewis, Train Short, Test Long, 2022, section 3.
    """

    slopes: Tensor

    def __init__(self, n_heads: int) -> None:
        super().__init__()
        if n_heads < 1:
            raise ValueError(f"expected at least one head, got n_heads={n_heads}")
        self.n_heads = n_heads
        lower = 2 ** math.floor(math.log2(n_heads))
        slopes = [2.0 ** (-8 * h / lower) for h in range(1, lower + 1)]
        slopes += [2.0 ** (-4 * h / lower) for h in range(1, 2 * (n_heads - lower) + 1, 2)]
        self.register_buffer("slopes", torch.tensor(slopes), persistent=False)

    def forward(self, n_queries: int, n_keys: int) -> Tensor:
        """Return what to add to the scores, ``[H, T, S]``; the queries are the last T of the S positions."""
        keys = torch.arange(n_keys, device=self.slopes.device)
        queries = torch.arange(n_keys - n_queries, n_keys, device=self.slopes.device)
        distance = (queries[:, None] - keys).abs()  # [T, S]
        return -self.slopes[:, None, None] * distance
