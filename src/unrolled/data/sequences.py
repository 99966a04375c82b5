"""Tasks made of random symbols: their right attention map is known, so a model's can be held against it.

==================  =====================================  ===============================================
task                what is asked                          where the right map points
==================  =====================================  ===============================================
`copy`              the same symbols again                 step t looks at symbol t
`reversal`          the symbols from last to first         step t looks at symbol n - 1 - t
`which_came_first`  whether A stands before B              (no single one)
`repeated`          the next symbol, when a stretch is     at a symbol seen before, the one that followed
                    met a second time                      it then: an induction head (Olsson et al., 2022)
`cycled`            the same, when it is met again and     at any of the symbols that followed before
                    again
==================  =====================================  ===============================================

A seed gives the same tensors on every machine with the same PyTorch. Taught in chapters 3, 7 and 12.
"""

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from unrolled.data.special_tokens import SPECIAL
from unrolled.shapes import Lengths, Tokens

__all__ = [
    "FIRST_SYMBOL",
    "Ordered",
    "Repeated",
    "Transduction",
    "copy",
    "cycled",
    "repeated",
    "reversal",
    "which_came_first",
]

FIRST_SYMBOL = len(SPECIAL)  # symbols are numbered from here on
"""Symbols are numbered from here on; below are the special tokens."""


@dataclass(frozen=True)
class Transduction:
    """Sequences in, sequences out.

    Attributes:
        source: symbols ``[B, S]``, filled with `PAD` after each sequence's end.
        target: the right answers ``[B, S]``, filled likewise.
        lengths: how many symbols are real ``[B]``.
        alignment: the right map ``[B, S, S]``: row t is 1 where step t of the answer should look; rows of
            padding are 0.
    """

    source: Tokens
    target: Tokens
    lengths: Lengths
    alignment: Tensor


@dataclass(frozen=True)
class Ordered:
    """Sequences that hold A and B once each, and which of the two came first.

    Attributes:
        tokens: ``[B, T]``; A is `FIRST_SYMBOL`, B the next, and all others are fillers.
        labels: 1 where A stands before B, else 0; ``[B]``, half of each.
    """

    tokens: Tokens
    labels: Tensor


@dataclass(frozen=True)
class Repeated:
    """Random symbols, a stretch of which occurs twice; no other symbol does.

    Attributes:
        tokens: ``[B, T]``.
        looked_up: ``[B, T]``, True where a symbol has its one earlier copy and the next symbol follows from
            it: all of the second stretch but its last symbol.
        alignment: the map of a perfect induction head ``[B, T, T]``: row t is 1 at the symbol behind the
            earlier copy of t's; rows that are not `looked_up` are 0.
    """

    tokens: Tokens
    looked_up: Tensor
    alignment: Tensor


def copy(n: int, *, seed: int, min_len: int = 5, max_len: int = 10, n_symbols: int = 10) -> Transduction:
    """Return `n` sequences to be written down once more.

    Args:
        n: B, how many.
        seed: of the torch generator.
        min_len: the fewest symbols.
        max_len: the most symbols; S is the longest that came up.
        n_symbols: how many different symbols there are.

    Raises:
        ValueError: a number is out of range.
    """
    return _transduction(n, seed, min_len, max_len, n_symbols, backwards=False)


def reversal(n: int, *, seed: int, min_len: int = 5, max_len: int = 10, n_symbols: int = 10) -> Transduction:
    """Return `n` sequences to be written down from last to first; arguments and errors as for `copy`."""
    return _transduction(n, seed, min_len, max_len, n_symbols, backwards=True)


def _transduction(
    n: int, seed: int, min_len: int, max_len: int, n_symbols: int, *, backwards: bool
) -> Transduction:
    _at_least("n", n, 1)
    _at_least("min_len", min_len, 1)
    _at_least("max_len", max_len, min_len)
    _at_least("n_symbols", n_symbols, 1)
    generator = Generator().manual_seed(seed)
    lengths = torch.randint(min_len, max_len + 1, (n,), generator=generator)
    length = int(lengths.max())
    symbols = torch.randint(n_symbols, (n, length), generator=generator) + FIRST_SYMBOL
    steps = torch.arange(length)
    real = steps < lengths[:, None]  # [B, S]
    source = symbols.masked_fill(~real, SPECIAL.pad)
    places = lengths[:, None] - 1 - steps if backwards else steps.expand(n, -1)  # where each step looks
    target = source.gather(1, places.clamp(min=0)).masked_fill(~real, SPECIAL.pad)
    alignment = (places[:, :, None] == steps) & real[:, :, None]  # [B, S, S]
    return Transduction(source, target, lengths, alignment.float())


def which_came_first(n: int, *, seed: int, length: int = 16, n_symbols: int = 8) -> Ordered:
    """Return `n` sequences in which A and B stand at random places among fillers.

    A model that sees a sequence as a bag of symbols cannot beat chance: swapping A and B changes the answer
    and not the bag.

    Args:
        n: B, how many; even, for half of each answer.
        seed: of the torch generator.
        length: T.
        n_symbols: how many different symbols there are, A and B among them.

    Raises:
        ValueError: a number is out of range, or `n` is odd.
    """
    _at_least("n", n, 2)
    if n % 2:
        raise ValueError(f"n: expected an even number, for half of each answer, got {n}")
    _at_least("length", length, 2)
    _at_least("n_symbols", n_symbols, 3)
    generator = Generator().manual_seed(seed)
    tokens = torch.randint(2, n_symbols, (n, length), generator=generator) + FIRST_SYMBOL
    places = torch.rand(n, length, generator=generator).topk(2).indices.sort(1).values  # [B, 2], rising
    labels = (torch.randperm(n, generator=generator) < n // 2).long()
    first = torch.stack([1 - labels, labels], 1) + FIRST_SYMBOL  # A, B where the label is 1; B, A elsewhere
    return Ordered(tokens.scatter(1, places, first), labels)


def repeated(
    n: int,
    *,
    seed: int,
    length: int = 32,
    n_symbols: int = 32,
    min_copy: int = 4,
    max_copy: int | None = None,
) -> Repeated:
    """Return `n` sequences with a stretch that occurs twice, at places and of a length drawn for each.

    All symbols of a sequence differ but for the second stretch, so what follows it can be looked up in
    exactly one place, and because the distance varies, positions alone do not tell where.

    Args:
        n: B, how many.
        seed: of the torch generator.
        length: T.
        n_symbols: how many different symbols there are: enough for `length` less the shortest copy.
        min_copy: the shortest stretch, two or more.
        max_copy: the longest; half of `length` unless given.

    Raises:
        ValueError: a number is out of range.
    """
    _at_least("n", n, 1)
    _at_least("min_copy", min_copy, 2)
    max_copy = length // 2 if max_copy is None else max_copy
    _at_least("max_copy", max_copy, min_copy)
    _at_least("length", length, 2 * max_copy)
    _at_least("n_symbols", n_symbols, length - min_copy)
    generator = Generator().manual_seed(seed)
    copied = torch.randint(min_copy, max_copy + 1, (n, 1), generator=generator)  # [B, 1]
    # What the two stretches leave is shared out before, between and behind them.
    cuts = (torch.rand(n, 2, generator=generator) * (length - 2 * copied + 1)).long().sort(1).values
    first, second = cuts[:, :1], cuts[:, 1:] + copied
    steps = torch.arange(length).expand(n, -1)
    inside = (steps >= second) & (steps < second + copied)
    distance = second - first
    # The how-manieth new symbol of its sequence stands where.
    which = torch.where(inside, steps - distance, steps - copied * (steps >= second + copied))
    symbols = torch.rand(n, n_symbols, generator=generator).argsort(1) + FIRST_SYMBOL
    looked_up = inside & (steps < second + copied - 1)
    alignment = (steps[:, :, None] - distance[:, :, None] + 1 == torch.arange(length)) & looked_up[:, :, None]
    return Repeated(symbols.gather(1, which), looked_up, alignment.float())


def cycled(
    n: int,
    *,
    seed: int,
    length: int = 32,
    n_symbols: int = 64,
    min_period: int = 6,
    max_period: int | None = None,
) -> Tokens:
    """Return `n` sequences ``[B, T]``, each of a few random symbols, all different, over and over.

    The period is drawn for each sequence, so positions do not tell where the symbol stood before. Most of a
    sequence follows from what went before it: more to learn from than one `repeated` stretch.

    Args:
        n: B, how many.
        seed: of the torch generator.
        length: T.
        n_symbols: how many different symbols there are.
        min_period: the fewest symbols before all begins again.
        max_period: the most; half of `length` unless given.

    Raises:
        ValueError: a number is out of range.
    """
    _at_least("n", n, 1)
    _at_least("min_period", min_period, 1)
    max_period = length // 2 if max_period is None else max_period
    _at_least("max_period", max_period, min_period)
    _at_least("length", length, max_period)
    _at_least("n_symbols", n_symbols, max_period)
    generator = Generator().manual_seed(seed)
    period = torch.randint(min_period, max_period + 1, (n, 1), generator=generator)  # [B, 1]
    symbols = torch.rand(n, n_symbols, generator=generator).argsort(1) + FIRST_SYMBOL
    return symbols.gather(1, torch.arange(length) % period)


def _at_least(name: str, value: int, least: int) -> None:
    if value < least:
        raise ValueError(f"{name}: expected {least} or more, got {value}")
