"""People at a table, each with a friend and a boss: a task that needs two things from two places.

Every person holds a number and knows the names of a friend and of a boss, who both sit at the same table and
are never the same person. Asked is, of every person: the friend's number and the boss's, in this order.
Where to look is known, so a model's maps can be held against it.

A seed gives the same tensors on every machine with the same PyTorch. Taught in chapter 6.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor

__all__ = ["NAMES", "NUMBERS", "RELATIONS", "Tables", "two_relations", "write_table"]

NAMES = ("Ann", "Ben", "Cleo", "Dan", "Eva", "Finn", "Gina", "Hugo", "Ida", "Jon", "Kim", "Leo")
"""Who may sit at the table."""
NUMBERS = 10  # 0 to 9
"""How many numbers there are: 0 to 9."""
RELATIONS = ("friend", "boss")
"""Whom each person has."""


@dataclass(frozen=True)
class Tables:
    """Tables of people. The order in which they are listed tells nothing.

    Attributes:
        tokens: ``[B, T, 4]``: of each person the own name, the friend's, the boss's (as places in `NAMES`),
            and the own number.
        answers: ``[B, T, 2]``: the friend's number, the boss's number.
        alignment: the right maps ``[B, 2, T, T]``: 1 where a person should look for the friend's number, and
            for the boss's.
    """

    tokens: Int[Tensor, "B T 4"]
    answers: Int[Tensor, "B T 2"]
    alignment: Float[Tensor, "B 2 T T"]


def two_relations(n: int, *, seed: int | Generator, people: int = 6) -> Tables:
    """Return `n` tables of `people`.

    Args:
        n: B, how many.
        seed: of the torch generator, or the generator.
        people: T, at each table; 3 to 12, since everybody needs two others, and there are twelve names.

    Raises:
        ValueError: a number is out of range.
    """
    if n < 1:
        raise ValueError(f"n: expected 1 or more, got {n}")
    if not 3 <= people <= len(NAMES):
        raise ValueError(f"people: expected 3 to {len(NAMES)}, got {people}")
    g = seed if isinstance(seed, Generator) else Generator().manual_seed(seed)
    names = torch.rand(n, len(NAMES), generator=g).argsort(1)[:, :people]  # [B, T]
    numbers = torch.randint(NUMBERS, (n, people), generator=g)
    # Of each person the others in a random order; oneself comes last, and is never taken.
    order = torch.rand(n, people, people, generator=g) + 2 * torch.eye(people)
    places = order.argsort(2)[:, :, :2]  # [B, T, 2]
    rows = torch.arange(n)[:, None, None]
    tokens = torch.cat([names[..., None], names[rows, places], numbers[..., None]], 2)
    alignment = torch.nn.functional.one_hot(places, people).transpose(1, 2).float()
    return Tables(tokens, numbers[rows, places], alignment)


def write_table(tokens: Int[Tensor, "T 4"]) -> list[str]:
    """Return one line a person, such as ``Ann holds 7; friend Ben, boss Cleo``."""
    return [
        f"{NAMES[name]} holds {number}; friend {NAMES[friend]}, boss {NAMES[boss]}"
        for name, friend, boss, number in tokens.tolist()
    ]
