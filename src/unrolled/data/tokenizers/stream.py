"""A text that is longer than memory, token by token."""

from collections.abc import Iterable, Iterator
from typing import Protocol, cast

from unrolled.data.tokenizers.characters import Characters
from unrolled.data.tokenizers.inputs import check_text
from unrolled.data.tokenizers.library import LibraryTokenizer
from unrolled.data.tokenizers.protocol import Tokenizer
from unrolled.data.tokenizers.words import Words
from unrolled.inputs import not_text

__all__ = ["TextFile", "encode_stream"]

_SPACES = " \t\n\r"


class TextFile(Protocol):
    """What is read from a file that was opened as text."""

    def read(self, n: int, /) -> str:
        """Return up to `n` characters, none at the end."""


def encode_stream(
    tokenizer: Tokenizer, texts: "Iterable[str] | TextFile", *, size: int = 65_536
) -> Iterator[int]:
    """Yield the ids of a long text, those that `encode` gives to the whole of it.

    The text is cut before white space that has none before it, where no rule for words looks across. Kept in
    memory are about `size` characters, or the longest stretch without white space, if that is longer.

    Args:
        tokenizer: characters, words, byte pairs, or a published tokenizer with GPT-2's rule for words or
            BERT's.
        texts: a file opened as text, or parts of one text in their order. Where one ends and the next begins
            makes no difference.
        size: how many characters to read at a time, 1 or more.

    Raises:
        TypeError: it is a single text, or something that gives no texts.
        ValueError: it is not known of this tokenizer where a text may be cut, or `size` is below 1.
    """
    if size < 1:
        raise ValueError(f"size: expected 1 or more characters, got {size}")
    known = isinstance(tokenizer, Characters | Words) or (
        isinstance(tokenizer, LibraryTokenizer) and tokenizer.cuts_at_spaces()
    )
    if not known:
        raise ValueError(
            "tokenizer: expected characters, words, or pieces cut at white space as GPT-2's or BERT's are, "
            f"got {type(tokenizer).__name__} with another rule"
        )
    return _encoded(tokenizer, _parts(not_text("texts", texts), size), size)


def _parts(texts: "Iterable[str] | TextFile", size: int) -> Iterator[str]:
    if hasattr(texts, "read"):
        file = cast(TextFile, texts)
        while part := check_text(file.read(size)):
            yield part
        return
    for text in texts:
        check_text(text)
        for start in range(0, len(text), size):
            yield text[start : start + size]


def _encoded(tokenizer: Tokenizer, parts: Iterator[str], size: int) -> Iterator[int]:
    waiting: list[str] = []  # joined only where they can be cut: one long word costs no more than its length
    last, length = "", 0
    for part in parts:
        cut = _last_cut(last, part)
        if cut is None or length + len(part) < size:
            waiting.append(part)
        else:
            yield from tokenizer.encode("".join((*waiting, part[:cut])))
            waiting, length = [part[cut:]], -cut
        last, length = part[-1:] or last, length + len(part)
    yield from tokenizer.encode("".join(waiting))


def _last_cut(before: str, part: str) -> int | None:
    """Return the last place in `part`, 0 included, before white space that has none before it."""
    for place in range(len(part) - 1, -1, -1):
        previous = part[place - 1] if place else before
        if part[place] in _SPACES and previous and not previous.isspace():
            return place
    return None
