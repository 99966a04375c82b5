"""What a model read, and what of it is shown: pieces or words, with special tokens or without."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from unrolled.inputs import floats

__all__ = ["Decoder", "Pieces", "decoded", "gathered", "one_by_one", "parted", "stands_on_one"]

Array = np.ndarray[Any, np.dtype[np.float64]]


class Decoder(Protocol):
    """What `decoded` asks of a tokenizer."""

    def decode(self, ids: list[int], /) -> str:
        """Return the text of some ids."""


@dataclass(frozen=True)
class Pieces:
    """The pieces that one sequence was read as.

    Attributes:
        labels: one for each piece.
        words: the number of the word that each piece is of; words are numbered from 0 in their order.
        names: one for each word.
        special: for each piece, whether it was added to the text, such as ``[CLS]``.
    """

    labels: list[str]
    words: list[int]
    names: list[str]
    special: list[bool]

    def __add__(self, other: "Pieces") -> "Pieces":
        """Return the pieces of two sequences, one behind the other."""
        first = len(self.names)
        return Pieces(
            self.labels + other.labels,
            self.words + [first + word for word in other.words],
            self.names + other.names,
            self.special + other.special,
        )

    def groups(self, *, join: bool, special: bool) -> tuple[list[str], list[list[int]]]:
        """Return the labels that are shown, and of each the pieces it stands for."""
        kept = [i for i in range(len(self.labels)) if special or not self.special[i]]
        if not join:
            return [self.labels[i] for i in kept], [[i] for i in kept]
        members: dict[int, list[int]] = {}
        for i in kept:
            members.setdefault(self.words[i], []).append(i)
        return [self.names[word] for word in members], list(members.values())


def one_by_one(labels: Sequence[str], *, special: bool = False) -> Pieces:
    """Return pieces that are words each."""
    return Pieces(list(labels), list(range(len(labels))), list(labels), [special] * len(labels))


def decoded(tokenizer: Decoder, ids: Sequence[int], labels: Sequence[str]) -> Pieces:
    """Return the pieces of a tokenizer that tells no more than what text some ids make.

    A word goes on where two neighbours decode to a text without a space between them, unless letters and
    other marks meet there.
    """
    words: list[int] = []
    members: list[list[int]] = []
    for k, one in enumerate(ids):
        if k == 0 or _parted(tokenizer, ids[k - 1], one):
            members.append([])
        members[-1].append(one)
        words.append(len(members) - 1)
    first = [words.index(word) for word in range(len(members))]
    names = [
        (labels[first[word]] if len(group) == 1 else tokenizer.decode(group)).strip() or labels[first[word]]
        for word, group in enumerate(members)
    ]
    return Pieces(list(labels), words, names, [False] * len(ids))


def _parted(tokenizer: Decoder, one: int, other: int) -> bool:
    """Whether two neighbours are of two words."""
    left, both = tokenizer.decode([one]), tokenizer.decode([one, other])
    if not both.startswith(left) or len(both) == len(left):  # a special token, or half a character
        return bool(both) and not both.endswith("\N{REPLACEMENT CHARACTER}")
    # A space by itself is the beginning of the word behind it.
    return bool(left.strip(" ")) and parted(left[-1:], both[len(left)])


def parted(end: str, begin: str) -> bool:
    """Whether a word ends between two characters: at a space, or where letters and other marks meet."""
    return end.isspace() or begin.isspace() or _of_word(end) != _of_word(begin)


def stands_on_one(letter: str) -> bool:
    """Whether a character is a sign that stands on the letter before it: GPT-2 takes it for a word."""
    return bool(letter) and unicodedata.category(letter)[0] == "M"


def _of_word(letter: str) -> bool:
    """Whether a character is a letter, a digit, or a sign that stands on one, as in Hindi."""
    return bool(letter) and unicodedata.category(letter)[0] in "LNM"


def gathered(
    weights: Any, queries: Pieces, keys: Pieces, *, join: bool, special: bool
) -> tuple[Array, list[str], list[str]]:
    r"""Return the weights among what is shown, and its labels.

    A word attends as its pieces do on average, and is attended to as much as they are together, so that the
    weights of a row still sum to 1 (Clark et al., 2019):

    .. math::  a_{IJ} = \frac{1}{|I|} \sum_{i \in I} \sum_{j \in J} a_{ij}

    Where special tokens are hidden, what they get is left out, and rows sum to less.

    Args:
        weights: ``[layers, heads, T, S]``.
        queries: the T pieces that look.
        keys: the S pieces looked at.
        join: whether pieces are joined to words.
        special: whether special tokens are shown.

    Reference:
        Clark et al., What Does BERT Look At?, 2019, section 4.1.
    """
    maps = floats(weights)
    rows, their = queries.groups(join=join, special=special)
    columns, theirs = keys.groups(join=join, special=special)
    maps = np.stack([maps[..., group].sum(-1) for group in theirs], -1) if theirs else maps[..., :0]
    maps = np.stack([maps[..., group, :].mean(-2) for group in their], -2) if their else maps[..., :0, :]
    return maps, rows, columns
