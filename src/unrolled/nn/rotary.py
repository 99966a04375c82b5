r"""Positions that turn queries and keys, whole or in part. Taught in chapters 7 and 15."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from unrolled.nn.cache import KVCache
from unrolled.nn.lean import Step, has_lean
from unrolled.nn.positional import PositionRule, angles_of, check_place, check_positions
from unrolled.nn.stretched import FrequencyRule
from unrolled.shapes import ShapeError, check_shape, check_sizes

__all__ = ["HALVES", "NEIGHBOURS", "ROTARY_BASE", "Pairing", "Rotary", "halves_of_neighbours"]

ROTARY_BASE = 10_000.0
"""What the angles come from, unless somebody says otherwise."""


class Pairing(NamedTuple):
    """Which components of a vector are turned together: how it is taken apart, and put together again."""

    split: Callable[[Tensor], tuple[Tensor, Tensor]]
    join: Callable[[Tensor, Tensor], Tensor]


def _halves(x: Tensor) -> tuple[Tensor, Tensor]:
    first, second = x.chunk(2, dim=-1)
    return first, second


def _join_halves(first: Tensor, second: Tensor) -> Tensor:
    return torch.cat([first, second], dim=-1)


def _neighbours(x: Tensor) -> tuple[Tensor, Tensor]:
    return x[..., 0::2], x[..., 1::2]


def _join_neighbours(first: Tensor, second: Tensor) -> Tensor:
    return torch.stack([first, second], dim=-1).flatten(-2)


# Component m of the first half and of the second, as in GPT-NeoX and in Hugging Face's Llama.
HALVES = Pairing(_halves, _join_halves)
# Components 2m and 2m + 1, as in the paper, in GPT-J and in Meta's own files of Llama.
NEIGHBOURS = Pairing(_neighbours, _join_neighbours)


def halves_of_neighbours(rows: Tensor, d_head: int) -> Tensor:
    """Return what projects to queries, or keys, that pair halves, made of one that pairs neighbours.

    Args:
        rows: a matrix ``[H K, D]`` or a bias ``[H K]``, all of its components turned.
        d_head: K.

    Raises:
        ShapeError: the rows are not those of heads of K.
    """
    if d_head % 2 or rows.shape[0] % d_head:
        raise ShapeError(f"rows: expected a multiple of an even d_head={d_head}, got {list(rows.shape)}")
    return rows.view(-1, d_head // 2, 2, *rows.shape[1:]).transpose(1, 2).reshape(rows.shape)


@has_lean
class Rotary(PositionRule):
    r"""Turn queries and keys by an angle that grows with their position.

    .. math::  x'_m = x_m \cos \omega_m t - x_{m+K/2} \sin \omega_m t, \qquad
               x'_{m+K/2} = x_m \sin \omega_m t + x_{m+K/2} \cos \omega_m t, \qquad \omega_m = 10000^{-2m/K}

    The dot product of a turned query and a turned key depends on their distance alone. The pairs are
    component m of the first half and component m of the second, as in GPT-NeoX and Llama; the paper pairs
    neighbours, which is the same up to the order of the components.

    Args:
        d_head: components per query and key.
        max_len: the longest sequence.
        base: 10000 in the paper; larger for longer contexts.
        width: how many of the components are turned, even, the first ones; all of them unless given.
        scaling: a rule from frequencies to others, such as `YarnScaling`; its `magnitude`, if it has one,
            multiplies what is turned.
        pairing: `HALVES` or `NEIGHBOURS`.

    Raises:
        ValueError: an odd number of components is turned, or more than there are; the base is not positive.

    Reference:
        Su et al., RoFormer, 2021, section 3.2.2. A part of the components: GPT-J, 2021.

    Example:
        >>> import torch
        >>> from unrolled.nn import Rotary
        >>> turned = Rotary(d_head=4).turn(torch.ones(1, 1, 3, 4), 0)
        >>> turned.norm(dim=-1)  # a turn keeps every length
        tensor([[[2.0000, 2.0000, 2.0000]]])
    """

    cos: Tensor
    sin: Tensor

    def __init__(
        self,
        d_head: int,
        max_len: int = 1024,
        base: float = ROTARY_BASE,
        *,
        width: int | None = None,
        scaling: FrequencyRule | None = None,
        pairing: Pairing = HALVES,
    ) -> None:
        super().__init__()
        check_sizes(d_head=d_head, width=width)
        self.d_head, self.max_len, self.pairing = d_head, max_len, pairing
        self.width = d_head if width is None else width
        if self.width > d_head:
            raise ValueError(f"width: expected at most d_head={d_head} components to turn, got {width}")
        angles = angles_of(max_len, self.width, base, scaling)  # [T, width / 2]
        magnitude = getattr(scaling, "magnitude", 1.0)
        dtype = torch.get_default_dtype()
        self.register_buffer("cos", (angles.cos() * magnitude).to(dtype), persistent=False)
        self.register_buffer("sin", (angles.sin() * magnitude).to(dtype), persistent=False)

    def forward(self, x: Tensor, offset: int = 0, positions: Tensor | None = None) -> Tensor:
        """Return `x` ``[..., T, K]``, its first token at position `offset`, turned.

        Args:
            x: queries or keys.
            offset: how many tokens stand before `x` already, in a cache.
            positions: the positions themselves, ``[T]`` or ``[B, T]``, instead of counting from the offset.

        Raises:
            ShapeError: `x` has another size, or `positions` another length.
            TypeError: `positions` holds something else than integers.
            ValueError: the sequence is longer than `max_len`, the offset negative, or a position not in 0 to
                `max_len` - 1.
        """
        check_shape("x", x, "... T K", K=self.d_head)
        check_place(offset, x.shape[-2], self.max_len)
        if positions is None:
            cos, sin = self.cos[offset : offset + x.shape[-2]], self.sin[offset : offset + x.shape[-2]]
        else:
            one_head = x if x.dim() < 4 else x[:, 0]
            check_positions(positions, one_head, self.max_len)
            cos, sin = self.cos[positions], self.sin[positions]  # [B, T, width / 2]
            if positions.dim() > 1 and x.dim() > 3:
                cos, sin = cos[:, None], sin[:, None]  # [B, 1, T, width / 2]
        return self._turned(x, cos, sin)

    def _turned(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        first, second = self.pairing.split(x[..., : self.width] if self.width < self.d_head else x)
        turned = self.pairing.join(first * cos - second * sin, first * sin + second * cos).to(x.dtype)
        return turned if self.width == self.d_head else torch.cat([turned, x[..., self.width :]], dim=-1)

    def lean(self, cache: KVCache) -> Step:
        """Return what `forward` does to heads of the newest token ``[B, H, 1, K]``, behind what is held."""
        cos, sin, max_len, turned = self.cos, self.sin, self.max_len, self._turned

        def step(x: Tensor) -> Tensor:
            t = cache.length
            check_place(t, 1, max_len)
            return turned(x, cos[t], sin[t])

        return step

    def check_heads(self, n_heads: int, d_head: int) -> None:
        """Raise a ValueError unless queries and keys are as long as the rule is made for."""
        if d_head != self.d_head:
            raise ValueError(f"positions: expected a rotary of d_head={d_head}, got d_head={self.d_head}")

    def turn(self, x: Tensor, offset: int = 0) -> Tensor:
        """Return queries or keys ``[B, H, T, K]`` turned: `forward`."""
        turned: Tensor = self(x, offset)
        return turned
