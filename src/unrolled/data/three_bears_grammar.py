"""The grammar behind `unrolled.data.three_bears`: every rule writes both languages at once."""

import random
from collections.abc import Sequence
from typing import Literal, NamedTuple, TypeVar

from unrolled.data.three_bears_lexicon import (
    ADJECTIVES,
    CONNECTIVES,
    FOOD,
    LOVERS,
    MINE,
    PAST,
    PEOPLE,
    PLACES,
    PLURALS,
    PRESENT,
    SEEN,
    THINGS,
)

__all__ = ["SENSES", "Clause", "Grammar", "Sense"]

Sense = Literal["animal", "verb", "team"]
"""What "bears" may mean."""
_T = TypeVar("_T")

SENSES: dict[Sense, str] = {"animal": "osos", "verb": "soporta", "team": "Bears"}
"""What "bears" is in Spanish, by its meaning."""


class Clause(NamedTuple):
    """English and Spanish words, what every "bears" in them means, and the combination each is known by."""

    source: list[str]
    target: list[str]
    senses: list[Sense]
    combinations: list[tuple[str, str]]


class Grammar:
    """Sentences about bears, animals, a verb or a team, drawn at random."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng

    def sentence(self) -> Clause:
        """Return one sentence, of one clause or two."""
        first, closed = self._clause()
        if closed or self._chance(0.35):
            return first
        second, _ = self._clause()
        joint = self._pick(list(CONNECTIVES))
        return Clause(
            [*first.source, joint, *second.source],
            [*first.target, CONNECTIVES[joint], *second.target],
            first.senses + second.senses,
            first.combinations + second.combinations,
        )

    def _clause(self) -> tuple[Clause, bool]:
        """Return a clause, and whether no other may follow it."""
        draw = self._rng.random()
        if draw < 0.2:
            return self._bearing(), False
        if draw < 0.5:
            return self._bears_did(), False
        if draw < 0.62:
            return self._loving(), False
        if draw < 0.82:
            return self._they(), True
        return self._somebody_did(), False

    def _bearing(self) -> Clause:
        """She bears the pain."""
        who, (source, target, senses, combinations) = self._somebody()
        name, more_source, more_target = self._thing("burden")
        return Clause(
            [*source, "bears", *more_source],
            [*target, "soporta", *more_target],
            [*senses, "verb"],
            [*combinations, (who, name)],
        )

    def _bears_did(self) -> Clause:
        """The bears in the park lost the title."""
        verb, name, source, target, sense = self._done()
        gap_source, gap_target = self._gap()
        return Clause(
            ["the", "bears", *gap_source, *source],
            ["los", SENSES[sense], *gap_target, *target],
            [sense],
            [(verb, name)],
        )

    def _loving(self) -> Clause:
        """I love bears, dogs, the old game."""
        who, (source, target, senses, combinations) = self._lover()
        draw = self._rng.random()
        if draw < 0.4:
            return Clause(
                [*source, "bears"],
                [*target, "encantan", "los", "osos"],
                [*senses, "animal"],
                [*combinations, ("love", who)],
            )
        if draw < 0.7:
            name = self._pick(list(PLURALS))
            spanish, gender = PLURALS[name]
            article = "los" if gender == "m" else "las"
            return Clause([*source, name], [*target, "encantan", article, spanish], senses, combinations)
        _, more_source, more_target = self._thing(self._pick(["sport", "wild"]))
        return Clause([*source, *more_source], [*target, "encanta", *more_target], senses, combinations)

    def _they(self) -> Clause:
        """The girl saw the bears when they left the cave: what they are is said last."""
        verb, name, more_source, more_target, sense = self._done()
        joint = "because"
        if self._chance(0.5):
            _, (source, target, senses, combinations) = self._lover()
            source, target = [*source, "the", "bears"], [*target, "encantan", "los", SENSES[sense]]
        else:
            _, (source, target, senses, combinations) = self._somebody()
            seen = self._pick(["saw", "found"])
            source, target = (
                [*source, seen, "the", "bears"],
                [*target, PAST[seen][0], "a", "los", SENSES[sense]],
            )
        return Clause(
            [*source, joint, "they", *more_source],
            [*target, CONNECTIVES[joint], *more_target],
            [*senses, sense],
            [*combinations, (verb, name)],
        )

    def _somebody_did(self) -> Clause:
        """My sister won the old cup; the boy hates the noise; she saw dogs."""
        _, (source, target, senses, combinations) = self._somebody()
        draw = self._rng.random()
        if draw < 0.35:
            verb = self._pick(list(PRESENT))
            _, more_source, more_target = self._thing("burden")
            more_source, more_target = [verb, *more_source], [PRESENT[verb], *more_target]
        elif draw < 0.55:
            verb, name = self._pick(["saw", "found"]), self._pick(list(PLURALS))
            more_source, more_target = [verb, name], [PAST[verb][0], PLURALS[name][0]]
        else:
            _, _, more_source, more_target, _ = self._done(plural=False)
        return Clause([*source, *more_source], [*target, *more_target], senses, combinations)

    def _done(self, *, plural: bool = True) -> tuple[str, str, list[str], list[str], Sense]:
        """Return a verb, what it is done to, both with article and adjective, and who would do that."""
        verb = self._pick(list(PAST))
        one, many, kinds = PAST[verb]
        kind = self._pick(kinds)
        name, source, target = self._thing(kind)
        sense: Sense = "team" if kind == "sport" else "animal"
        return verb, name, [verb, *source], [many if plural else one, *target], sense

    def _somebody(self, *, pronouns: bool = True) -> tuple[str, Clause]:
        """Return one person, perhaps one that saw bears."""
        if pronouns and self._chance(0.25):
            name = self._pick(["she", "he"])
            return name, Clause([name], ["ella" if name == "she" else "él"], [], [])
        name, source, target = self._person()
        draw = self._rng.random()
        if draw < 0.2:
            more_source, more_target = self._place()
            return name, Clause([*source, *more_source], [*target, *more_target], [], [])
        if draw < 0.35:
            seen = self._pick(["saw", "found"])
            source, target = [*source, "that", seen, "bears"], [*target, "que", PAST[seen][0], "osos"]
            return name, Clause(source, target, ["animal"], [(seen, name)])
        return name, Clause(source, target, [], [])

    def _lover(self) -> tuple[str, Clause]:
        """Return who loves, with the verb in English and what stands before it in Spanish."""
        if self._chance(0.6):
            name = self._pick(list(LOVERS))
            verb = "loves" if name in ("she", "he") else "love"
            return name, Clause([name, verb], LOVERS[name].split(), [], [])
        name, (source, target, senses, combinations) = self._somebody(pronouns=False)
        target = ["al", *target[1:]] if target[0] == "el" else ["a", *target]
        return name, Clause([*source, "loves"], [*target, "le"], senses, combinations)

    def _person(self) -> tuple[str, list[str], list[str]]:
        name = self._pick(list(PEOPLE))
        spanish, gender = PEOPLE[name]
        if name in MINE:
            return name, ["my", name], ["mi", spanish]
        return name, ["the", name], [_the(gender), spanish]

    def _gap(self) -> tuple[list[str], list[str]]:
        """Return what may stand between bears and what they did, and says nothing about them."""
        draw = self._rng.random()
        if draw < 0.4:
            return [], []
        if draw < 0.65:
            return self._place()
        _, source, target = self._person()
        seen = self._pick(SEEN)
        return ["that", *source, seen], ["que", *target, PAST[seen][0]]

    def _place(self) -> tuple[list[str], list[str]]:
        name = self._pick(list(PLACES))
        spanish, gender = PLACES[name]
        if self._chance(0.5):
            return ["in", "the", name], ["en", _the(gender), spanish]
        return ["near", "the", name], ["cerca", *(["del"] if gender == "m" else ["de", "la"]), spanish]

    def _thing(self, kind: str) -> tuple[str, list[str], list[str]]:
        things = FOOD if kind == "food" else THINGS[kind]
        name = self._pick(list(things))
        spanish, gender = things[name]
        if self._chance(0.3):
            quality = self._pick(list(ADJECTIVES))
            return name, ["the", quality, name], [_the(gender), spanish, ADJECTIVES[quality][gender]]
        return name, ["the", name], [_the(gender), spanish]

    def _chance(self, share: float) -> bool:
        return self._rng.random() < share

    def _pick(self, some: Sequence[_T]) -> _T:
        return some[int(self._rng.random() * len(some))]


def _the(gender: str) -> str:
    return "el" if gender == "m" else "la"
