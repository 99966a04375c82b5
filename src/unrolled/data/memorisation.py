"""How much of a written text are words, and how much of it was copied. Taught in chapter 10.

A model that has learned its training text by heart writes no wrong word. So the two belong together, and so
does a third: how many sentences another text from the same source shares with the first by chance.
"""

import re
from collections.abc import Iterable, Sequence

from unrolled.inputs import not_text

__all__ = ["copied", "longest_copied", "sentences", "valid_words", "verbatim", "words"]

_WORD = re.compile(r"[A-Za-z]+(?:'[A-Za-z]+)*")
_SENTENCE = re.compile(r'[^.!?\s][^.!?\n]*[.!?]"?')


def words(text: str) -> list[str]:
    """Return the words of a text; what stands at its very end may be half a word, and is left out."""
    return [match[0] for match in _WORD.finditer(text) if match.end() < len(text)]


def sentences(text: str) -> list[str]:
    """Return the sentences of a text that have an end, without the white space around them."""
    return [match[0] for match in _SENTENCE.finditer(text)]


def valid_words(text: str, known: str) -> float:
    """Return the share of the words of `text` that are words of `known`, too; capitals count.

    Raises:
        ValueError: `text` has no word.
    """
    return _share("word", words(text), words(known))


def verbatim(text: str, known: str) -> float:
    """Return the share of the sentences of `text` that stand in `known` letter by letter.

    Raises:
        ValueError: `text` has no sentence.
    """
    return _share("sentence", sentences(text), sentences(known))


def copied(texts: Iterable[str], known: str, n: int = 8) -> float:
    """Return the share of the runs of `n` words in `texts` that stand in `known`, word by word.

    Raises:
        TypeError: the texts are a single one.
        ValueError: `n` is below 1, or no text has `n` words.
    """
    if n < 1:
        raise ValueError(f"n: expected 1 or more, got {n}")
    runs = [run for text in not_text("texts", texts) for run in _runs(words(text), n)]
    if not runs:
        raise ValueError(f"texts: expected one of {n} words or more, got none")
    there = set(_runs(words(known), n))
    return sum(run in there for run in runs) / len(runs)


def longest_copied(texts: Iterable[Sequence[int]], known: Sequence[int]) -> int:
    """Return how many tokens the longest run of a text has that stands in `known`, token by token.

    Args:
        texts: token ids of each.
        known: those of all that was read.

    Raises:
        ValueError: an id is negative.
    """
    read, longest = _letters(known), 0
    for text in map(_letters, texts):
        for start in range(len(text)):
            while start + longest < len(text) and text[start : start + longest + 1] in read:
                longest += 1
    return longest


def _letters(ids: Sequence[int]) -> str:
    """Return a text with a character for each id: strings are searched faster than lists."""
    if ids and min(ids) < 0:
        raise ValueError(f"ids: expected 0 or more, got {min(ids)}")
    # Not the characters that only stand in pairs.
    return "".join(chr(i if i < 0xD800 else i + 0x800) for i in ids)


def _runs(of: list[str], n: int) -> list[tuple[str, ...]]:
    return [tuple(of[i : i + n]) for i in range(len(of) - n + 1)]


def _share(what: str, written: list[str], known: list[str]) -> float:
    if not written:
        raise ValueError(f"text: expected one {what} or more, got none")
    there = set(known)
    return sum(one in there for one in written) / len(written)
