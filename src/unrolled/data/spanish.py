"""English sentences and the one Spanish translation of each, of 1 to 75 words, from a grammar of our own.

What the English says decides the Spanish word by word, so an exact match is a fair measure. Getting there
takes what attention is for:

==============================================  ===================================================
the red house                                   la casa roja: the order turns round
the cars that the girl buys are white           los coches que la niña compra son blancos: agreement
the dog sees my cat                             el perro ve a mi gato: living objects take "a"
they don't go to the garden                     no van al jardín: "they" is in the verb, a + el = al
don't eat the delicious looking and smelling …  no comas la pizza de aspecto y olor deliciosos
==============================================  ===================================================

Clauses are joined by and, but, because, when and while until a sentence is as long as asked for. One in
ten sentences of six words or more is held out: no seed brings it into a training set. Taught in chapters
2, 3 and 9.
"""

import random
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from unrolled.data.spanish_grammar import Grammar, Side
from unrolled.data.spanish_lexicon import ADJECTIVES, ARTICLES, CONNECTIVES, NOUNS, PRONOUNS, VERBS
from unrolled.inputs import not_text

__all__ = [
    "BUCKETS",
    "MAX_WORDS",
    "SOURCE_VOCABULARY",
    "SPECIMENS",
    "TARGET_VOCABULARY",
    "Pair",
    "held_out",
    "is_held_out",
    "pairs",
    "training",
]

MAX_WORDS = 75
"""The longest English sentence, in words."""
BUCKETS = ((6, 10), (16, 20), (26, 30), (41, 50), (51, 74))
"""Lengths of English sentences that are measured together, from and to."""
SPECIMENS = {
    "let's go": "vamos",
    "don't eat the delicious looking and smelling pizza": "no comas la pizza de aspecto y olor deliciosos",
}
"""Sentences that the chapters show, with their translations."""
_HELD_OUT = zlib.crc32(b"don't eat the delicious looking and smelling pizza") % 10

Split = Literal["train", "held_out", "all"]


@dataclass(frozen=True, slots=True)
class Pair:
    """A sentence, its translation, and which words of the two belong together.

    Attributes:
        source: English words, lower case, no punctuation.
        target: Spanish words.
        alignment: (source position, target position) of every noun, verb and adjective, in the order of the
            target; each position at most once.
    """

    source: tuple[str, ...]
    target: tuple[str, ...]
    alignment: tuple[tuple[int, int], ...]

    def __str__(self) -> str:
        return f"{' '.join(self.source)} → {' '.join(self.target)}"


def is_held_out(source: Sequence[str]) -> bool:
    """Tell whether a sentence is kept from every training set. Sentences under six words never are."""
    not_text("source", source, "words")
    return len(source) >= 6 and zlib.crc32(" ".join(source).encode()) % 10 == _HELD_OUT


def pairs(
    n: int, seed: int, min_words: int = 1, max_words: int = MAX_WORDS, split: Split = "all"
) -> list[Pair]:
    """Return `n` pairs with from `min_words` to `max_words` English words, all lengths about as often.

    Args:
        n: how many.
        seed: the same seed gives the same pairs on every machine.
        min_words: at least so many words.
        max_words: at most so many.
        split: ``train`` leaves out what is held out, ``held_out`` everything else.

    Raises:
        ValueError: `n` is negative, the lengths are not 1 <= min_words <= max_words <= 75, `split` is
            unknown, or pairs so short are never held out.
    """
    if n < 0:
        raise ValueError(f"n: expected zero or more pairs, got {n}")
    if not 1 <= min_words <= max_words <= MAX_WORDS:
        raise ValueError(
            f"expected 1 <= min_words <= max_words <= {MAX_WORDS}, got {min_words} and {max_words}"
        )
    if split not in ("train", "held_out", "all"):
        raise ValueError(f"split: expected 'train', 'held_out' or 'all', got {split!r}")
    if split == "held_out" and min_words < 6:
        raise ValueError(f"min_words: nothing under 6 words is held out, got {min_words}")
    rng = random.Random(seed)
    grammar = Grammar(rng)
    return [
        _pair(grammar, min_words + int(rng.random() * (max_words - min_words + 1)), split) for _ in range(n)
    ]


def training(n: int = 20_000, seed: int = 0, max_words: int = 45) -> list[Pair]:
    """Return `n` pairs to learn from, of 1 to `max_words` words, none of them held out."""
    return pairs(n, seed, 1, max_words, "train")


def held_out(n: int = 200, seed: int = 1) -> dict[tuple[int, int], list[Pair]]:
    """Return `n` pairs to test with for each of `BUCKETS`, none of which any training set has."""
    return {bucket: pairs(n, seed, *bucket, "held_out") for bucket in BUCKETS}


def _pair(grammar: Grammar, n_words: int, split: Split) -> Pair:
    while True:
        source, target = grammar.sentence(n_words)
        words = tuple(word for word, _ in source)
        if split == "all" or (split == "held_out") == is_held_out(words):
            return Pair(words, tuple(word for word, _ in target), _alignment(source, target))


def _alignment(source: Side, target: Side) -> tuple[tuple[int, int], ...]:
    places = {link: s for s, (_, link) in enumerate(source)}
    return tuple((places[link], t) for t, (_, link) in enumerate(target) if link is not None)


_OTHER_SOURCE = "don't doesn't let's is are who that looking smelling here to in near"
_OTHER_TARGET = "no es son que aspecto olor aquí a al de del en cerca"


def _vocabularies() -> tuple[tuple[str, ...], tuple[str, ...]]:
    source = {*CONNECTIVES, *ADJECTIVES, *ARTICLES, *PRONOUNS}
    source.update(_OTHER_SOURCE.split())
    target = {*CONNECTIVES.values(), *(spanish for spanish, _ in PRONOUNS.values())}
    target.update(_OTHER_TARGET.split())
    for forms in (*ADJECTIVES.values(), *ARTICLES.values()):
        target.update(forms)
    for noun in NOUNS:
        source.update(noun.source)
        target.update(noun.target)
    for verb in VERBS:
        source.update(verb.source)
        target.update(verb.target, verb.commands)
    return tuple(sorted(source)), tuple(sorted(target - {""}))


SOURCE_VOCABULARY, TARGET_VOCABULARY = _vocabularies()
"""Every word of the one language or of the other, in alphabetical order."""
