"""The special tokens: one numbering for every tokenizer, batch and task. Taught in the interlude."""

from typing import NamedTuple

__all__ = ["SPECIAL", "Special"]


class Special(NamedTuple):
    """Ids of the special tokens, the same in every vocabulary.

    Attributes:
        pad: fills a short sequence up; nobody looks at it.
        bos: where a sequence begins.
        eos: where it ends.
        unk: a word the vocabulary does not have.
        mask: a word that is hidden and has to be guessed.
    """

    pad: int = 0
    bos: int = 1
    eos: int = 2
    unk: int = 3
    mask: int = 4

    @property
    def names(self) -> tuple[str, ...]:
        """How they are written, in the order of their ids."""
        return tuple(f"<{name}>" for name in self._fields)


SPECIAL = Special()
"""The numbers of the special tokens, everywhere in the package."""
