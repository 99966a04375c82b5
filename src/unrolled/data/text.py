"""Short stories from a grammar of our own: something to read for a GPT when there is no network.

A story keeps its people, its thing and its place from the first sentence to the last, so a model with a
longer view has more to go by; everything else is drawn anew for each sentence, and hardly one comes twice.
Taught in chapter 10, beside tiny Shakespeare.
"""

import random
from collections.abc import Sequence
from typing import TypeVar

from unrolled.data.text_lexicon import CAST, PLACES, STAGES, THINGS, WORDS

__all__ = ["corpus", "stories"]

_ASIDE = 0.3  # how often an aside stands between two stages
_T = TypeVar("_T")


def stories(n: int, seed: int) -> list[str]:
    """Return `n` stories of seven to thirteen sentences, each on one line.

    Raises:
        ValueError: `n` is negative.

    Example:
        >>> from unrolled.data.text import stories
        >>> len(stories(3, seed=0))
        3
    """
    if n < 0:
        raise ValueError(f"n: expected zero or more stories, got {n}")
    rng = random.Random(seed)
    return [_story(rng) for _ in range(n)]


def corpus(n_characters: int = 400_000, seed: int = 0) -> str:
    """Return whole stories, an empty line between two, of `n_characters` characters or a few hundred more.

    Raises:
        ValueError: `n_characters` is negative.
    """
    if n_characters < 0:
        raise ValueError(f"n_characters: expected zero or more, got {n_characters}")
    rng = random.Random(seed)
    parts: list[str] = []
    length = 0
    while length < n_characters:
        parts.append(_story(rng) + "\n")
        length += len(parts[-1]) + 1
    return "\n".join(parts)


def _pick(rng: random.Random, options: Sequence[_T]) -> _T:
    # random() is the one method whose sequence Python promises to keep, so nothing else is used.
    return options[int(rng.random() * len(options))]


def _story(rng: random.Random) -> str:
    hero = _pick(rng, CAST)
    friend = _pick(rng, [person for person in CAST if person != hero])
    fixed = dict(zip(("hero", "he", "his", "him"), hero, strict=True))
    fixed |= dict(zip(("friend", "fhe", "fhis", "fhim"), friend, strict=True))
    fixed |= {"thing": _pick(rng, THINGS), "place": _pick(rng, PLACES)}
    sentences = []
    for stage, patterns in STAGES.items():
        if stage == "aside":
            continue
        sentences.append(_fill(rng, _pick(rng, patterns), fixed))
        if stage != "ending" and rng.random() < _ASIDE:
            sentences.append(_fill(rng, _pick(rng, STAGES["aside"]), fixed))
    return " ".join(map(_capital, sentences))


def _fill(rng: random.Random, pattern: str, fixed: dict[str, str]) -> str:
    """Replace every slot, from left to right, and the slots within what replaces it."""
    while "{" in pattern:
        before, _, rest = pattern.partition("{")
        name, _, after = rest.partition("}")
        word = fixed[name] if name in fixed else _pick(rng, WORDS[name])
        article = " a " if before.endswith(" a ") else "A " if before == "A " else ""
        if article and word[0] in "aeiou":
            before = before[:-1] + "n "
        pattern = before + word + after
    return pattern


def _capital(sentence: str) -> str:
    """Begin with a capital letter, and speech likewise."""
    start = 1 if sentence.startswith('"') else 0
    return sentence[:start] + sentence[start].upper() + sentence[start + 1 :]
