"""GPT-2's rule for words, which no piece crosses."""

import re
import unicodedata

from unrolled.data.tokenizers.inputs import check_text

__all__ = ["gpt2_words"]

# Unicode's white space, without the file, group, record and unit separators that Python counts as such.
_SPACES = frozenset(
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029"
    "\u202f\u205f\u3000"
)
_WORDS = re.compile(r"'(?:[stmd]|re|ve|ll)| ?[A-Za-z]+| ?[0-9]+| ?[^ \tA-Za-z0-9]+|[ \t]+(?![^ \t])|[ \t]+")


def gpt2_words(text: str) -> list[str]:
    r"""Return the words that GPT-2 cuts a text into before it cuts them into pieces.

    An ending such as ``'s`` or ``'ll``; else letters, or digits, or anything else but white space, each with
    the one space before it; else white space, without the last when a word follows. Together they are the
    text. The same as `tokenizers.pre_tokenizers.ByteLevel`. Taught in the interlude.

    Source:
        ``encoder.py`` of https://github.com/openai/gpt-2, Radford et al., 2019.

    Example:
        >>> from unrolled.data.tokenizers import gpt2_words
        >>> gpt2_words("she bears the pain, doesn't she?")
        ['she', ' bears', ' the', ' pain', ',', ' doesn', "'t", ' she', '?']
    """
    # The standard library's re knows no \p{L}: one character stands for each kind.
    shadow = "".join(map(_kind, check_text(text)))
    return [text[found.start() : found.end()] for found in _WORDS.finditer(shadow)]


def _kind(character: str) -> str:
    if character == " " or (character.isascii() and character.isalnum()) or character == "'":
        return character
    if character in _SPACES:
        return "\t"
    return {"L": "A", "N": "0"}.get(unicodedata.category(character)[0], "!")
