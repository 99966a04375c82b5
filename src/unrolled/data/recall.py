"""Pairs that are written down one after another, and then asked for. Taught in chapter 17.

A key and its value stand in one position, or, as `separate` tokens, one after the other; each query is a key
alone. Keys are numbered from 0 to ``N_KEYS - 1`` and values from 1 to ``N_VALUES``; 0 is no value.
"""

from typing import NamedTuple

import torch
from torch import Generator, Tensor

from unrolled.shapes import Tokens, check_sizes

__all__ = ["N_KEYS", "N_VALUES", "Recall", "pairs_to_recall"]

N_KEYS = 32
"""How many keys there are."""
N_VALUES = 32
"""How many values there are."""


class Recall(NamedTuple):
    """Some sequences of pairs and queries, side by side.

    Attributes:
        keys: ``[B, T]``; -1 where a position holds a value alone.
        values: ``[B, T]``; 0 where it holds a key alone.
        answers: what each query should find, ``[B, pairs]``: the queries are the last positions.
    """

    keys: Tokens
    values: Tokens
    answers: Tokens


def pairs_to_recall(
    n: int, pairs: int, generator: Generator, *, writes: int = 1, separate: bool = False
) -> Recall:
    """Draw sequences: pairs in random order, then every key once in another order.

    Args:
        n: B.
        pairs: different keys in a sequence, at most `N_KEYS`.
        generator: where chance comes from.
        writes: how often each key is written, every time with a new value: the last one counts.
        separate: whether key and value of a pair are two positions.

    Raises:
        TypeError: a number is not an integer.
        ValueError: a number is not positive, or more pairs than there are keys.
    """
    check_sizes(n=n, pairs=pairs, writes=writes)
    if pairs > N_KEYS:
        raise ValueError(f"pairs: expected at most {N_KEYS}, got {pairs}")
    chosen = torch.rand(n, N_KEYS, generator=generator).argsort(-1)[:, :pairs]
    rounds = torch.rand(n, writes, pairs, generator=generator).argsort(-1)
    keys = chosen[:, None].expand(n, writes, pairs).gather(2, rounds).flatten(1)  # [B, writes pairs]
    values = torch.randint(1, N_VALUES + 1, keys.shape, generator=generator)
    order = torch.rand(n, pairs, generator=generator).argsort(-1)
    asked = chosen.gather(1, order)  # [B, pairs]
    last = keys[:, None, -pairs:] == asked[:, :, None]  # the last round holds every key once
    answers = (last * values[:, None, -pairs:]).sum(-1)
    if separate:
        keys = torch.stack([keys, torch.full_like(keys, -1)], -1).flatten(1)
        values = torch.stack([torch.zeros_like(values), values], -1).flatten(1)
    nothing: Tensor = torch.zeros_like(asked)
    return Recall(torch.cat([keys, asked], 1), torch.cat([values, nothing], 1), answers)
