"""The sentences about bears as numbers, for a model that guesses hidden words. Taught in chapter 11."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from unrolled.data.batches import pad
from unrolled.data.bears import VOCABULARY, Sentence
from unrolled.data.special import SPECIAL
from unrolled.nn.masks import padding_mask
from unrolled.shapes import Lengths, Mask, Tokens

__all__ = ["WORDS", "BearsBatch", "encode_bears", "encode_words", "word_id"]

WORDS = (*SPECIAL.names, *VOCABULARY)
_INDEX = {word: i for i, word in enumerate(WORDS)}


@dataclass(frozen=True)
class BearsBatch:
    """Sentences with "bears", ready for a model.

    Attributes:
        tokens: ``[B, T]``, padded on the right.
        mask: which are words, ``[B, 1, T]``.
        places: where "bears" stands, ``[B]``.
        own: which words belong to the clause "bears" stands in, ``[B, T]``.
    """

    tokens: Tokens
    mask: Mask
    places: Tensor
    own: Tensor


def word_id(word: str) -> int:
    """Return the number of a word of the vocabulary, or of a special token; KeyError for any other."""
    return _INDEX[word]


def encode_words(sentences: Sequence[Sequence[str]]) -> tuple[Tokens, Lengths]:
    """Return tokens, padded on the right, ``[B, T]``, and the number of words of each sentence, ``[B]``.

    Raises:
        KeyError: a word is not in the vocabulary.
        ValueError: there is no sentence.
    """
    return pad([[_INDEX[word] for word in words] for words in sentences])


def encode_bears(sentences: Sequence[Sentence], *, hide: bool = True) -> BearsBatch:
    """Return sentences with "bears" as numbers, with or without ``<mask>`` in the place of "bears".

    A sentence whose clause is not known counts as one clause.

    Raises:
        ValueError: there is no sentence, or one has no "bears".
    """
    tokens, lengths = encode_words([sentence.words for sentence in sentences])
    places = []
    own = torch.zeros_like(tokens, dtype=torch.bool)
    for row, sentence in zip(own, sentences, strict=True):
        if sentence.position is None:
            raise ValueError(f'sentences: expected "bears" in each, got {str(sentence)!r}')
        places.append(sentence.position)
        row[slice(*(sentence.clause or (0, len(sentence.words))))] = True
    where = torch.tensor(places)
    if hide:
        tokens[torch.arange(len(tokens)), where] = SPECIAL.mask
    return BearsBatch(tokens, padding_mask(lengths, tokens.shape[1]), where, own)
