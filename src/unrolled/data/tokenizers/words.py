"""One token per word."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from unrolled.data.special_tokens import SPECIAL
from unrolled.data.tokenizers.inputs import check_text
from unrolled.data.tokenizers.saved import save
from unrolled.data.tokenizers.table import Table
from unrolled.inputs import not_text

__all__ = ["Words"]

_COMBINING = "\N{COMBINING GRAVE ACCENT}"
_JOINERS = "\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}"


class Words(Table):
    """One token per word; a word it does not have becomes ``<unk>``, or an error.

    Two ways to write one letter, "ñ" and "n" with a tilde behind it, are one: texts and vocabulary are
    brought into Unicode's composed form, NFC. The name of a special token in a text, such as ``<unk>``, is a
    word the vocabulary does not have.

    Args:
        words: the vocabulary, each word once.
        punctuation: whether a mark such as ``,`` is a word of its own. Otherwise words are what white space
            separates. Accents, vowel signs and the joiners between letters belong to their word.
        lowercase: whether upper and lower case are the same.
        strict: whether an unknown word is an error.

    Raises:
        TypeError: the words are a single text.
        ValueError: a word comes twice, is the name of a special token, or is none that `split` gives.

    Example:
        >>> from unrolled.data.tokenizers import Words
        >>> tokenizer = Words(["bears", "i", "love"])
        >>> tokenizer.encode("i love bears"), tokenizer.encode("i love cats")
        ([6, 7, 5], [6, 7, 3])
    """

    def __init__(
        self,
        words: Iterable[str],
        *,
        punctuation: bool = False,
        lowercase: bool = False,
        strict: bool = False,
    ) -> None:
        composed = [unicodedata.normalize("NFC", word) for word in not_text("words", words, "words")]
        if named := [word for word in composed if word in SPECIAL.names]:
            raise ValueError(f"words: expected words beside the special tokens, got {named[0]!r}")
        super().__init__(composed)
        self.punctuation, self.lowercase, self.strict = punctuation, lowercase, strict
        for word in composed:
            if (read := self.split(word)) != [word]:
                raise ValueError(f"words: expected words that a text can have, got {word!r}, read as {read}")

    @classmethod
    def train(cls, texts: Iterable[str], *, min_count: int = 1, **settings: bool) -> "Words":
        """Return a tokenizer for the words that come `min_count` times or more, the most frequent first.

        The names of special tokens in the texts are left out.

        Raises:
            TypeError: the texts are a single one.
        """
        empty = cls((), **settings)
        counts = Counter(word for text in not_text("texts", texts) for word in empty.split(text))
        for name in SPECIAL.names:
            del counts[name]
        words = sorted((word for word, n in counts.items() if n >= min_count), key=lambda w: (-counts[w], w))
        return cls(words, **settings)

    def split(self, text: str) -> list[str]:
        """Return the words of `text`, known or not."""
        text = unicodedata.normalize("NFC", check_text(text))
        text = unicodedata.normalize("NFC", text.lower()) if self.lowercase else text
        return _words_and_marks(text) if self.punctuation else text.split()

    def encode(self, text: str) -> list[int]:
        """Return one id per word.

        Raises:
            ValueError: a word is not in the vocabulary, and the tokenizer is strict.
        """
        ids = []
        for word in self.split(text):
            # A special token's name that somebody typed is an unknown word.
            known = self.index.get(word, SPECIAL.unk)
            if known < len(SPECIAL) and self.strict:
                raise ValueError(
                    f"expected one of {self.vocab_size - len(SPECIAL)} known words, got {word!r}"
                )
            ids.append(known if known >= len(SPECIAL) else SPECIAL.unk)
        return ids

    def decode(self, ids: Iterable[int]) -> str:
        """Return the words of `ids` with a space between two."""
        return " ".join(self.kept(ids))

    def save(self, path: str | Path) -> None:
        """Write vocabulary and settings to a JSON file."""
        settings = {"punctuation": self.punctuation, "lowercase": self.lowercase, "strict": self.strict}
        save(path, {"kind": "words", "tokens": self.tokens[len(SPECIAL) :], **settings})


def _words_and_marks(text: str) -> list[str]:
    r"""Return words and punctuation marks, apart.

    ``\w`` knows neither combining marks (vowel signs, accents with no letter of their own) nor joiners. Here
    they are one stand-in, which belongs to what is before it.
    """
    shadow = text if text.isascii() else "".join(_COMBINING if _joins(c) else c for c in text)
    spans = re.finditer(rf"(?:\w{_COMBINING}*)+|[^\w\s]{_COMBINING}*", shadow)
    return [text[match.start() : match.end()] for match in spans]


def _joins(character: str) -> bool:
    return unicodedata.category(character).startswith("M") or character in _JOINERS
