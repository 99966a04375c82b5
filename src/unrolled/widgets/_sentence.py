"""From what a reader types to words a widget knows; js/sentence.mjs does the same."""

import difflib
import unicodedata
from collections.abc import Callable, Sequence

from unrolled._typed import APOSTROPHES, plain_text

__all__ = ["MAX_WORDS", "shown_word", "spoken_words", "word_ids"]

MAX_WORDS = 12
# As many words as a message may list.
LISTED = 24


def _strip(word: str) -> str:
    """Return `word` without the punctuation around it."""
    inside = [i for i, letter in enumerate(word) if unicodedata.category(letter)[0] in "LMN"]
    return word[inside[0] : inside[-1] + 1] if inside else ""


def _folded(word: str) -> str:
    """Return `word` without the differences that a keyboard makes: capitals, and the other apostrophes."""
    return word.lower().translate(APOSTROPHES)


def _finder(words: Sequence[str]) -> Callable[[str], int | None]:
    """Return which known word a word is: written so, or with other capitals, apostrophes and punctuation."""
    plain = [plain_text(word) for word in words]
    low = [_folded(word) for word in plain]

    def find(word: str) -> int | None:
        for known, tried in (
            (plain, word), (plain, _strip(word)), (low, _folded(word)), (low, _folded(_strip(word))),
        ):  # fmt: skip
            if tried in known:
                return known.index(tried)
        return None

    return find


def shown_word(word: str) -> str:
    """Return a word of the vocabulary as English writes it."""
    return "I" if word == "i" else word


def spoken_words(sentence: str) -> list[str]:
    """Return the words of `sentence` as they were typed, without punctuation."""
    return [stripped for part in plain_text(sentence).split() if (stripped := _strip(part))]


def word_ids(sentence: str, words: Sequence[str], most: int = MAX_WORDS) -> list[int]:
    """Return the index of each word of `sentence` among the words known, whatever its capitals.

    Raises:
        ValueError: no word, more than `most`, or one that is not known.
    """
    tokens = spoken_words(sentence)
    if not tokens:
        raise ValueError(f"sentence: expected at least one word, got {sentence!r}")
    if len(tokens) > most:
        raise ValueError(f"sentence: expected at most {most} words, got {len(tokens)}")
    found = list(map(_finder(words), tokens))
    if unknown := [token for token, i in zip(tokens, found, strict=True) if i is None]:
        raise ValueError(f"sentence: expected words out of {_listed(words, unknown[0])}; got {_few(unknown)}")
    return [i for i in found if i is not None]


def _listed(words: Sequence[str], unknown: str) -> str:
    """Return all words of a small vocabulary; of a large one how many, and those near in spelling."""
    if len(words) <= LISTED:
        return ", ".join(words)
    near = difflib.get_close_matches(unknown.lower()[:40], [word.lower() for word in words])
    return f"the {len(words)} known" + (f", such as {', '.join(near)}" if near else "")


def _few(words: list[str]) -> str:
    more = f" and {len(words) - 3} more" if len(words) > 3 else ""
    return ", ".join(repr(word[:40]) for word in words[:3]) + more
