"""Associative recall: bears at a picnic look one another up by name. Taught in chapter 5.

Each has a name, looks for a friend by name, and carries something.
What a token is, what it looks for and what it can hand over stand in three different places of its vector:

=================  =======  ==================================================
numbers            count    what they say
=================  =======  ==================================================
0 to 15            CODE     the bear's own name, as a random code of length 1
16 to 31           CODE     the name of the friend it looks for, as its code
32 to 39           THINGS   what it carries, a 1 in its place
=================  =======  ==================================================

The question put to every bear at once: what does your friend carry? That is looking up the value that belongs
to a key. The codes are the same at every picnic; who comes, who looks for whom and who
carries what is drawn anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor
from torch.nn.functional import normalize, one_hot

from unrolled.data.seeds import seeded
from unrolled.shapes import Tokens

__all__ = ["CODE", "NAMES", "THINGS", "WIDTH", "Picnic", "commonest_other", "picnics"]

NAMES = 32
"""How many names there are: a bear's name is a number below."""
CODE = 16
"""How many components the code of a name has."""
THINGS = ("honey", "berries", "salmon", "apples", "nuts", "roots", "mushrooms", "clover")
"""What a bear may carry."""
WIDTH = 2 * CODE + len(THINGS)
"""How many components the vector of a bear has."""


@dataclass(frozen=True)
class Picnic:
    """Some picnics, side by side.

    Attributes:
        x: a vector for every bear ``[B, T, WIDTH]``.
        friend: where the friend of each bear stands, ``[B, T]``; never the bear itself.
        thing: what each bear carries, as its place in `THINGS`, ``[B, T]``.
    """

    x: Float[Tensor, "B T D"]
    friend: Tokens
    thing: Tokens

    @property
    def friends_thing(self) -> Tokens:
        """What the friend of each bear carries, ``[B, T]``."""
        return self.thing.gather(1, self.friend)

    @property
    def neighbours_thing(self) -> Tokens:
        """What the bear before each bear carries, ``[B, T]``; before the first stands the last."""
        return self.thing.roll(1, dims=1)


def picnics(
    n_picnics: int, n_bears: int, generator: Generator, names: Sequence[int] = range(NAMES)
) -> Picnic:
    """Draw picnics: who comes, who looks for whom, who carries what.

    Args:
        n_picnics: B.
        n_bears: T, from 2 to the number of `names`; no name comes twice.
        generator: where chance comes from.
        names: which bears may come, each from 0 to ``NAMES - 1``; all of them unless given.

    Raises:
        ValueError: a bear that there is not, fewer than 2 bears at a picnic, who would have no friend, or
            more than there are names.
    """
    if unknown := [name for name in names if not 0 <= name < NAMES]:
        raise ValueError(f"names: expected 0 to {NAMES - 1}, got {unknown[0]}")
    if not 2 <= n_bears <= len(names):
        raise ValueError(f"n_bears: expected 2 to {len(names)}, got {n_bears}")
    guests = torch.rand(n_picnics, len(names), generator=generator).argsort(-1)[:, :n_bears]
    guests = torch.tensor(list(names))[guests]
    # One of the others: the numbers from one's own place on are moved up by one.
    friend = torch.randint(n_bears - 1, (n_picnics, n_bears), generator=generator)
    friend = friend + (friend >= torch.arange(n_bears)).long()
    thing = torch.randint(len(THINGS), (n_picnics, n_bears), generator=generator)
    codes = _codes()
    sought = codes[guests.gather(1, friend)]
    x = torch.cat([codes[guests], sought, one_hot(thing, len(THINGS)).float()], dim=-1)
    return Picnic(x, friend, thing)


def commonest_other(thing: Tokens) -> Tokens:
    """Return the commonest thing among all other bears: the best guess of who cannot tell them apart.

    Args:
        thing: what each bear carries, ``[B, T]``.

    Returns:
        One guess for each bear ``[B, T]``; among equals the first of `THINGS`.
    """
    own = one_hot(thing, len(THINGS))
    return (own.sum(1, keepdim=True) - own).argmax(-1)


def _codes() -> Float[Tensor, "names code"]:
    return normalize(torch.randn(NAMES, CODE, generator=seeded("friends", "codes")), dim=-1)
