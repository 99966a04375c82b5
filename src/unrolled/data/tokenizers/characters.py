"""One token per character."""

from collections.abc import Iterable
from pathlib import Path

from unrolled.data.special_tokens import SPECIAL
from unrolled.data.tokenizers.inputs import check_text
from unrolled.data.tokenizers.saved import save
from unrolled.data.tokenizers.table import Table

__all__ = ["Characters"]


class Characters(Table):
    """One token per character of an alphabet, which holds each character once; anything else is an error.

    Example:
        >>> from unrolled.data.tokenizers import Characters
        >>> tokenizer = Characters.train("bears")
        >>> tokenizer.encode("bear"), tokenizer.decode(tokenizer.encode("bear"))
        ([6, 7, 5, 8], 'bear')
    """

    def __init__(self, characters: Iterable[str]) -> None:
        characters = tuple(characters)
        for character in characters:
            if len(character) != 1:
                raise ValueError(f"characters: expected single characters, got {character!r}")
        super().__init__(characters)

    @classmethod
    def train(cls, text: str) -> "Characters":
        """Return a tokenizer for the characters of `text`, in the order of their code points."""
        return cls(sorted(set(check_text(text))))

    def encode(self, text: str) -> list[int]:
        """Return one id per character.

        Raises:
            ValueError: a character is not in the alphabet.
        """
        for position, character in enumerate(check_text(text)):
            if character not in self.index:
                known = "".join(self.tokens[len(SPECIAL) :])
                raise ValueError(
                    f"expected characters of {known!r}, got {character!r} at position {position}"
                )
        return [self.index[character] for character in text]

    def decode(self, ids: Iterable[int]) -> str:
        """Return the characters of `ids` in a row."""
        return "".join(self.kept(ids))

    def save(self, path: str | Path) -> None:
        """Write the alphabet to a JSON file."""
        save(path, {"kind": "characters", "tokens": self.tokens[len(SPECIAL) :]})
