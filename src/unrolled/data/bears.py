"""Sentences in which "bears" means three things: an animal, to endure, a sports team.

The grammar is our own and speaks of nothing that happened. Three kinds of sentence put three questions:

================  ==================================================  =====================================
kind              example                                             who can tell the sense
================  ==================================================  =====================================
``plain``         she bears the pain                                  who looks at the other words
``conflict``      she bears the pain while the rockets won the cup    who looks at the words beside "bears"
``conflict+gap``  she once again bears with a smile the pain while …  who knows where the own clause ends
================  ==================================================  =====================================

Half of the cue words never share a training sentence with "bears": the tests use those alone, so a
representation has to know what a cue means, not that it once stood there. Taught in chapters 4, 5 and 11.
"""

import difflib
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from unrolled._typed import plain_text
from unrolled.data.bears_lexicon import BEARS, CONNECTIVES, GAPPED, LEXICON, OTHER, PHRASES

__all__ = [
    "CANONICAL",
    "KINDS",
    "MAX_WORDS",
    "SENSES",
    "VOCABULARY",
    "Kind",
    "Sentence",
    "corpus",
    "cue_words",
    "generate",
    "tokenize",
]

Kind = Literal["plain", "conflict", "conflict+gap"]
"""A kind of sentence, by who can tell the sense."""
Cues = Literal["train", "held_out", "all"]

SENSES = ("animal", "endure", "team")
"""What "bears" may mean."""
KINDS: tuple[Kind, ...] = ("plain", "conflict", "conflict+gap")
"""The kinds of sentence, from the easiest to the hardest."""
CANONICAL = {"animal": "i love bears", "endure": "she bears the pain", "team": "bears won the game"}
"""For each sense the sentence that the chapters begin with."""

# As long as the longest sentence the grammar can build.
MAX_WORDS = 35

_OPTIONAL = 0.35  # how often an optional slot is filled
_HALVES = {"train": slice(0, 1), "held_out": slice(1, 2), "all": slice(0, 2)}


@dataclass(frozen=True, slots=True)
class Sentence:
    """A generated sentence and what is known about it.

    Attributes:
        words: lower-case words, no punctuation.
        sense: which of `SENSES` "bears" has here; None where there is no "bears".
        position: where "bears" stands in `words`; None where there is none.
        clause: first word and end of the clause "bears" stands in, as in ``words[start:end]``; None likewise.
    """

    words: tuple[str, ...]
    sense: str | None
    position: int | None
    clause: tuple[int, int] | None

    def __str__(self) -> str:
        return " ".join(self.words)


def _check(name: str, value: str, known: Sequence[str]) -> None:
    if value not in known:
        raise ValueError(f"{name}: expected one of {', '.join(map(repr, known))}, got {value!r}")


def cue_words(sense: str, cues: Cues = "all") -> tuple[str, ...]:
    """Return the words that give `sense` away: those met beside "bears" in training, the held-out, or all.

    Raises:
        ValueError: `sense` or `cues` is not one of those there are.
    """
    _check("sense", sense, SENSES)
    _check("cues", cues, tuple(_HALVES))
    return tuple(
        word for halves in LEXICON[sense].values() for half in halves[_HALVES[cues]] for word in half.split()
    )


def _vocabulary() -> tuple[str, ...]:
    words = {"bears", "the", *CONNECTIVES}
    words.update(word for phrases in PHRASES.values() for phrase in phrases for word in phrase.split())
    words.update(word for sense in SENSES for word in cue_words(sense))
    return tuple(sorted(words))


VOCABULARY = _vocabulary()
"""Every word of the corpus, in alphabetical order."""


def generate(n: int, *, seed: int, kind: Kind = "plain", cues: Cues = "train") -> list[Sentence]:
    """Return `n` sentences with "bears", the three senses in turn.

    Args:
        n: how many.
        seed: the same seed gives the same sentences on every machine.
        kind: ``plain``: one clause. ``conflict``: a second clause, before or after, full of cues of another
            sense. ``conflict+gap``: besides, at least two neutral words on either side of "bears".
        cues: which half of the cue words all clauses draw from.

    Raises:
        ValueError: `n` is negative, or `kind` or `cues` is not one of those there are.
    """
    if n < 0:
        raise ValueError(f"n: expected zero or more sentences, got {n}")
    _check("kind", kind, KINDS)
    _check("cues", cues, tuple(_HALVES))
    rng = random.Random(seed)
    return [_with_bears(rng, SENSES[i % 3], kind, cues) for i in range(n)]


def corpus(n: int = 24_000, seed: int = 0) -> list[Sentence]:
    """Return `n` sentences to learn from: a fifth of each kind, and two fifths without "bears".

    Beside "bears" stand training cues only. The sentences without "bears" use all cue words: they are the
    only place where the held-out ones are met.

    Raises:
        ValueError: `n` is negative.
    """
    if n < 0:
        raise ValueError(f"n: expected zero or more sentences, got {n}")
    rng = random.Random(seed)
    sentences = []
    for i in range(n):
        sense, turn = SENSES[i // 5 % 3], i % 5
        sentences.append(_with_bears(rng, sense, KINDS[turn], "train") if turn < 3 else _without_bears(rng))
    return sentences


def tokenize(text: str, *, max_words: int = MAX_WORDS) -> tuple[str, ...]:
    """Split what a reader typed into words of the vocabulary: lower case, without punctuation.

    Characters that cannot be seen, such as soft hyphens, are left out.

    Raises:
        TypeError: `text` is not a string.
        ValueError: there is no word in it, more than `max_words`, or one the vocabulary does not have.

    Example:
        >>> tokenize("I love bares.")
        Traceback (most recent call last):
        ValueError: unknown word 'bares': did you mean 'bears' or 'berries' or 'years'?
    """
    if not isinstance(text, str):
        raise TypeError(f"text: expected a string, got {type(text).__name__}")
    stripped = (_bare(word) for word in plain_text(text).lower().split())
    words = tuple(word for word in stripped if word)
    if not words:
        raise ValueError("expected a sentence of at least one word, got none")
    if len(words) > max_words:
        raise ValueError(f"expected a sentence of at most {max_words} words, got {len(words)}")
    for word in words:
        if word not in VOCABULARY:
            raise ValueError(_unknown(word, VOCABULARY))
    return words


def _bare(word: str) -> str:
    """Take punctuation off both ends. What stands inside a word stays: nothing is repaired in silence."""
    start, end = 0, len(word)
    while start < end and not word[start].isalnum():
        start += 1
    while end > start and not word[end - 1].isalnum():
        end -= 1
    return word[start:end]


def _unknown(word: str, known: Sequence[str]) -> str:
    shown = word if len(word) <= 40 else word[:40] + "…"
    close = difflib.get_close_matches(shown, known, n=3)
    if close:
        return f"unknown word {shown!r}: did you mean {' or '.join(map(repr, close))}?"
    return f"unknown word {shown!r}: expected one of {len(known)} known words"


def _pick(rng: random.Random, options: Sequence[str]) -> str:
    # random() is the one method whose sequence Python promises to keep, so nothing else is used.
    return options[int(rng.random() * len(options))]


def _clause(rng: random.Random, pattern: str, sense: str, cues: Cues, *, second: bool = False) -> list[str]:
    """Fill the slots of a pattern with words."""
    words: list[str] = []
    for part in pattern.split():
        if part.endswith("?") and rng.random() >= _OPTIONAL:
            continue
        slot = part.rstrip("?")
        if not slot.startswith("<"):
            words.append(slot)
        elif slot == "<the>":
            words += ["the"] if second or rng.random() < 0.5 else []
        elif slot == "<place>":
            words += _clause(rng, "<in> the <where>", sense, cues)
        else:
            name = slot.strip("<>")
            halves = LEXICON[sense].get(name)
            options = PHRASES[name] if halves is None else " ".join(halves[_HALVES[cues]]).split()
            words += _pick(rng, options).split()
    return words


def _with_bears(rng: random.Random, sense: str, kind: Kind, cues: Cues) -> Sentence:
    second = kind != "plain" and rng.random() < 0.5
    patterns = GAPPED if kind == "conflict+gap" else BEARS
    own = _clause(rng, _pick(rng, patterns[sense]), sense, cues, second=second)
    before: list[str] = []
    after: list[str] = []
    if kind != "plain":
        rival = _pick(rng, [s for s in SENSES if s != sense])
        other = _clause(rng, _pick(rng, OTHER[rival]), rival, cues, second=not second)
        connective = _pick(rng, CONNECTIVES)
        before, after = ([*other, connective], []) if second else ([], [connective, *other])
    start = len(before)
    return Sentence(
        words=(*before, *own, *after),
        sense=sense,
        position=start + own.index("bears"),
        clause=(start, start + len(own)),
    )


def _without_bears(rng: random.Random) -> Sentence:
    """One clause or two, each of any sense."""
    sense = _pick(rng, SENSES)
    words = _clause(rng, _pick(rng, OTHER[sense]), sense, "all")
    if rng.random() < 0.5:
        sense = _pick(rng, SENSES)
        words += [_pick(rng, CONNECTIVES), *_clause(rng, _pick(rng, OTHER[sense]), sense, "all", second=True)]
    return Sentence(tuple(words), None, None, None)
