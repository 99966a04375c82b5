"""How much of a written text are words, and how much of it was copied. Taught in chapter 10.

A model that has learned its training text by heart writes no wrong word. So the two belong together, and so
does a third: how many sentences another text from the same source shares with the first by chance.
"""

import re

__all__ = ["sentences", "valid_words", "verbatim", "words"]

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
    written, allowed = words(text), set(words(known))
    if not written:
        raise ValueError("text: expected one word or more, got none")
    return sum(word in allowed for word in written) / len(written)


def verbatim(text: str, known: str) -> float:
    """Return the share of the sentences of `text` that stand in `known` letter by letter.

    Raises:
        ValueError: `text` has no sentence.
    """
    written, read = sentences(text), set(sentences(known))
    if not written:
        raise ValueError("text: expected one sentence or more, got none")
    return sum(sentence in read for sentence in written) / len(written)
