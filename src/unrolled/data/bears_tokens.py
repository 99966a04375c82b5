"""The sentences about bears as numbers, for a model that guesses hidden words. Taught in chapter 11."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from unrolled.data.batches import pad
from unrolled.data.bears import VOCABULARY, Sentence
from unrolled.data.special_tokens import SPECIAL
from unrolled.inputs import not_text
from unrolled.nn.masks import padding_mask
from unrolled.shapes import Lengths, Mask, Tokens

__all__ = [
    "WORDS",
    "BearsBatch",
    "Frame",
    "as_it_is",
    "encode_bears",
    "encode_words",
    "framed",
    "word_id",
]

WORDS = (*SPECIAL.names, *VOCABULARY)
"""Every token: the special ones, then the words of `unrolled.data.bears`."""
# What is put around a sentence before a model sees it.
Frame = Callable[[Sentence], Sentence]
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


def as_it_is(sentence: Sentence) -> Sentence:
    """Return the sentence itself: nothing is put around it."""
    return sentence


def framed(sentence: Sentence) -> Sentence:
    """Return a sentence between ``<bos>`` and ``<eos>``, which stand for [CLS] and [SEP] here.

    Places and clauses move along. RoBERTa's two tokens are called as ours are, ``<s>`` and ``</s>``.
    """
    begin, end = SPECIAL.names[SPECIAL.bos], SPECIAL.names[SPECIAL.eos]
    return replace(
        sentence,
        words=(begin, *sentence.words, end),
        position=None if sentence.position is None else sentence.position + 1,
        clause=sentence.clause and (sentence.clause[0] + 1, sentence.clause[1] + 1),
    )


def encode_words(sentences: Sequence[Sequence[str]]) -> tuple[Tokens, Lengths]:
    """Return tokens, padded on the right, ``[B, T]``, and the number of words of each sentence, ``[B]``.

    Raises:
        KeyError: a word is not in the vocabulary.
        TypeError: a sentence is a text instead of a list of words.
        ValueError: there is no sentence.
    """
    not_text("sentences", sentences, "lists of words")
    return pad([[_INDEX[word] for word in not_text("sentences", words, "words")] for words in sentences])


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
