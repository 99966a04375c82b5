"""Byte-pair encoding: frequent pieces of words are tokens, down to single bytes."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from unrolled.data.special_tokens import SPECIAL
from unrolled.data.tokenizers.inputs import check_ids
from unrolled.data.tokenizers.library import LibraryTokenizer, from_description
from unrolled.data.tokenizers.saved import save
from unrolled.data.tokenizers.table import ENDS
from unrolled.inputs import not_text

__all__ = ["BytePairs", "Merge", "byte_alphabet"]


class Merge(NamedTuple):
    """One rule: token `left` and token `right`, side by side, become token `made`."""

    left: int
    right: int
    made: int


def byte_alphabet() -> dict[str, int]:
    """Return the 256 characters by which GPT-2's files write bytes, and the byte of each.

    A byte that is a character with ink in Latin-1 is written as that character; the other 68, white space
    and control characters among them, are written as the characters from U+0100 on, in their order. So a
    piece that begins with a space is written with Ġ. In the order of the characters, which is that of ids.

    Source:
        ``bytes_to_unicode`` of https://github.com/openai/gpt-2, Radford et al., 2019.

    Example:
        >>> from unrolled.data.tokenizers import byte_alphabet
        >>> len(byte_alphabet())
        256
    """
    with_ink = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    without = [byte for byte in range(256) if byte not in with_ink]
    written = {chr(byte): byte for byte in with_ink} | {chr(256 + n): byte for n, byte in enumerate(without)}
    return dict(sorted(written.items()))


class BytePairs(LibraryTokenizer):
    """Byte-pair encoding: frequent pieces of words are tokens, down to single bytes, so nothing is unknown.

    Sennrich, Haddow and Birch, Neural Machine Translation of Rare Words with Subword Units, 2016; on bytes:
    Radford et al., 2019. The work is done by the `tokenizers` library. Taught in the interlude.

    Args:
        model: the library's own description of a tokenizer, as `save` keeps it.
        special: the special tokens, which are the first of the vocabulary. With our own, `decode` leaves out
            padding, beginning and end; of others it leaves out all.

    Raises:
        TypeError: the special tokens are a single text.
        ValueError: it is something else, or has not these special tokens.

    Example:
        >>> from unrolled.data.tokenizers import BytePairs
        >>> tokenizer = BytePairs.train(["low lower lowest"] * 5, vocab_size=265)
        >>> tokenizer.decode(tokenizer.encode("lower"))
        'lower'
    """

    def __init__(self, model: dict[str, Any], *, special: Sequence[str] = SPECIAL.names) -> None:
        tokenizer = from_description(model)
        special = _names(special)
        names = tuple(tokenizer.id_to_token(i) for i in range(len(special)))
        if names != special:
            which = f"0 to {len(special) - 1}"
            raise ValueError(f"model: expected {special} as tokens {which}, got {names}")
        if (largest := max(tokenizer.get_vocab().values())) >= tokenizer.get_vocab_size():
            raise ValueError(
                f"model: expected ids from 0 to {tokenizer.get_vocab_size() - 1}, each once, got {largest}"
            )
        ours = special == SPECIAL.names
        super().__init__(
            tokenizer,
            {name: i for i, name in enumerate(special)},
            ENDS if ours else range(len(special)),
            typed_special=False,  # what is typed stays text
        )

    @classmethod
    def train(
        cls,
        texts: Iterable[str],
        *,
        vocab_size: int,
        min_count: int = 2,
        special: Sequence[str] = SPECIAL.names,
    ) -> "BytePairs":
        """Return a tokenizer of at most `vocab_size` tokens whose pieces come `min_count` times or more.

        Again and again the most frequent pair of neighbours becomes a token. Of equally frequent ones it is
        the pair with the smallest id on the left, and of those the smallest on the right.

        Raises:
            TypeError: the texts, or the special tokens, are a single one.
            ValueError: `vocab_size` has no room for the special tokens and the 256 bytes, or a special
                token comes twice or is empty.
        """
        not_text("texts", texts)
        special = _names(special)
        from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

        least = len(special) + 256
        if vocab_size < least:
            raise ValueError(
                f"vocab_size: expected {least} or more, special tokens and bytes, got {vocab_size}"
            )
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=vocab_size,
            min_frequency=min_count,
            special_tokens=list(special),
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
        tokenizer.train_from_iterator(texts, trainer)
        return cls(json.loads(tokenizer.to_str()), special=special)

    def first(self, vocab_size: int) -> "BytePairs":
        """Return the tokenizer that training would have given with room for fewer tokens.

        Merges are learned one after another, so a smaller vocabulary is the beginning of a larger one.

        Args:
            vocab_size: how many tokens to keep; special tokens and bytes are always kept.

        Raises:
            ValueError: `vocab_size` has no room for those, or is more than there are.
        """
        description = self.description()
        model = description["model"]
        least = self.vocab_size - len(model["merges"])
        if not least <= vocab_size <= self.vocab_size:
            raise ValueError(f"vocab_size: expected {least} to {self.vocab_size}, got {vocab_size}")
        kept = {token: i for token, i in model["vocab"].items() if i < vocab_size}
        merges = model["merges"][: vocab_size - least]
        return BytePairs(
            {**description, "model": {**model, "vocab": kept, "merges": merges}}, special=tuple(self.special)
        )

    @property
    def merges(self) -> list[Merge]:
        """The rules in the order in which they were learned, and are applied."""
        model = self.description()["model"]
        ids = model["vocab"]
        return [Merge(ids[left], ids[right], ids[left + right]) for left, right in model["merges"]]

    def token_bytes(self, index: int) -> bytes:
        """Return the bytes that a token stands for; a special token stands for none.

        Raises:
            ValueError: the id is out of range.
        """
        check_ids([index], self.vocab_size)
        if index in self.special.values():
            return b""
        alphabet = byte_alphabet()
        return bytes(alphabet[character] for character in self._tokenizer.id_to_token(index))

    def save(self, path: str | Path) -> None:
        """Write the library's description to a JSON file."""
        names = tuple(self.special)
        others = {} if names == SPECIAL.names else {"special": names}
        save(path, {"kind": "byte pairs", "model": self.description(), **others})


def _names(special: Sequence[str]) -> tuple[str, ...]:
    names = tuple(not_text("special", special, "special tokens"))
    if wrong := [name for name in names if not isinstance(name, str) or not name or names.count(name) > 1]:
        raise ValueError(f"special: expected names, each once, got {wrong[0]!r} in {names}")
    return names
