"""What models and batches ask of any tokenizer."""

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol, runtime_checkable

__all__ = ["Tokenizer"]


@runtime_checkable
class Tokenizer(Protocol):
    """What models and batches ask of any tokenizer.

    Ids 0 to 4 are the special tokens, as in `SPECIAL`, unless others were handed in or published.
    """

    @property
    def vocab_size(self) -> int:
        """V, the special tokens included."""

    def encode(self, text: str) -> list[int]:
        """Return the ids of `text`, with nothing added before or behind."""

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text of `ids` without padding, beginning and end; ValueError for an id out of range."""

    def token(self, index: int) -> str:
        """Return one token as it is shown in a picture."""

    def save(self, path: str | Path) -> None:
        """Write the tokenizer to a JSON file, whole or not at all."""
