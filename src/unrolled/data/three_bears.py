"""English sentences with "bears" in them, animals, a verb or a team, and the one Spanish translation of each.

"Bears" is one English word and three Spanish ones, and which one is right often depends on words far away:

=====================================================  ====================================================
i love bears                                           me encantan los osos
she bears the pain                                     ella soporta el dolor
the bears won the game                                 los Bears ganaron el partido
the bears that my sister saw lost the fish             los osos que mi hermana vio perdieron el pez
the bears that my sister saw lost the title            los Bears que mi hermana vio perdieron el título
we love the bears because they left the old cave       nos encantan los osos porque dejaron la cueva vieja
the girl that saw bears bears the cold                 la niña que vio osos soporta el frío
=====================================================  ====================================================

Neither the neighbours of a "bears" decide ("the bears lost ..."), nor which words are in the sentence: two
clauses may hold bears of two kinds. About a quarter of all combinations of a subject, a verb and an object,
such as ("won", "game"), and the three sentences at the top are held out: no training sentence has them,
although each of their words is in many. A grammar of its own, beside `unrolled.data.spanish`. Taught in
chapter 9.
"""

import random
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from unrolled.data.three_bears_grammar import SENSES, Grammar, Sense
from unrolled.data.three_bears_lexicon import PAST, PEOPLE, SOURCE_VOCABULARY, TARGET_VOCABULARY

__all__ = [
    "CANONICAL",
    "SENSES",
    "SOURCE_VOCABULARY",
    "TARGET_VOCABULARY",
    "BearsPair",
    "Sense",
    "clue",
    "held_out",
    "is_held_out",
    "training",
]

CANONICAL = {
    "i love bears": "me encantan los osos",
    "she bears the pain": "ella soporta el dolor",
    "the bears won the game": "los Bears ganaron el partido",
}
"""The sentences that the chapters begin with, with their translations."""


@dataclass(frozen=True, slots=True)
class BearsPair:
    """A sentence and its translation, and what every "bears" in it means.

    Attributes:
        source: English words, lower case, no punctuation.
        target: Spanish words; only the team has a capital.
        senses: what each "bears" means, in the order of the source.
        combinations: the pairs of words, one for each "bears", that are held out or not.
    """

    source: tuple[str, ...]
    target: tuple[str, ...]
    senses: tuple[Sense, ...]
    combinations: tuple[tuple[str, str], ...]

    @property
    def alignment(self) -> tuple[tuple[int, int], ...]:
        """For each "bears" its place in the source, and that of its translation in the target."""
        sources = (i for i, word in enumerate(self.source) if word == "bears")
        targets = (i for i, word in enumerate(self.target) if word in SENSES.values())
        return tuple(zip(sources, targets, strict=True))

    def __str__(self) -> str:
        return f"{' '.join(self.source)} → {' '.join(self.target)}"


def is_held_out(pair: BearsPair) -> bool:
    """Tell whether a pair is kept from every training set: one of its combinations is."""
    return any(map(_is_held_out, pair.combinations))


def training(n: int = 12_000, seed: int = 0) -> list[BearsPair]:
    """Return `n` pairs to learn from, none of which has a combination that is held out.

    Raises:
        ValueError: `n` is negative.
    """
    pairs = _drawn(seed)
    return [next(pair for pair in pairs if not is_held_out(pair)) for _ in range(_count(n))]


def held_out(n: int = 200, seed: int = 1) -> dict[str, list[BearsPair]]:
    """Return `n` different pairs of each kind, all of them held out.

    ``one`` has one "bears", ``gap`` one whose `clue` stands five words or more behind it, ``two`` has two or
    more, not all of one kind.

    Raises:
        ValueError: `n` is negative.
    """
    _count(n)
    found: dict[str, dict[str, BearsPair]] = {"one": {}, "gap": {}, "two": {}}
    pairs = _drawn(seed)
    while any(len(some) < n for some in found.values()):
        pair = next(pairs)
        kind = _kind(pair)
        if is_held_out(pair) and kind is not None and len(found[kind]) < n:
            found[kind].setdefault(str(pair), pair)
    return {kind: list(some.values()) for kind, some in found.items()}


def clue(pair: BearsPair) -> int:
    """Return the place of what the first "bears" does something to: *title* in "the bears lost the title".

    Raises:
        ValueError: there is no such thing.
    """
    return pair.source.index(pair.combinations[0][1], pair.source.index("bears"))


def _kind(pair: BearsPair) -> str | None:
    if len(pair.senses) != 1:
        return "two" if len(set(pair.senses)) > 1 else None
    if pair.combinations[0][0] not in PAST or pair.combinations[0][1] in PEOPLE:
        return "one"
    return "gap" if clue(pair) - pair.source.index("bears") >= 5 else "one"


def _count(n: int) -> int:
    if n < 0:
        raise ValueError(f"n: expected zero or more pairs, got {n}")
    return n


def _drawn(seed: int) -> Iterator[BearsPair]:
    grammar = Grammar(random.Random(seed))
    while True:
        source, target, senses, combinations = grammar.sentence()
        yield BearsPair(tuple(source), tuple(target), tuple(senses), tuple(combinations))


def _is_held_out(combination: tuple[str, str]) -> bool:
    if combination in {("love", "i"), ("she", "pain"), ("won", "game")}:
        return True
    return zlib.crc32(" ".join(combination).encode()) % 8 == 0
