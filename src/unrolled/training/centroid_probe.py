"""The centroid probe: does a vector of "bears" know what "bears" means? Taught in chapters 4, 5 and 11.

The question is put by nearest centroid. Average the representation over plain training sentences, one
centroid per sense; then a test sentence, all of whose cue words were never met beside "bears", belongs to the
sense whose centroid is nearest. Chance is one third.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from unrolled.data.bears import KINDS, SENSES, Kind, Sentence, corpus, generate
from unrolled.data.clusters import nearest_centroid
from unrolled.data.word_vectors import WordVectors, word_vectors
from unrolled.nn import SimpleSelfAttention
from unrolled.shapes import check_shape

__all__ = [
    "BASELINES",
    "Questions",
    "Representation",
    "accuracies",
    "context_free",
    "evaluate",
    "failure_table",
    "mean_of_others",
    "self_attention",
    "window_mean",
]

Representation = Callable[[Sentence], Tensor]
"""From a sentence to the vector of its "bears"."""


@dataclass(frozen=True)
class Questions:
    """The sentences of one test; the senses are in turn, so that sentence i has sense i modulo three.

    Attributes:
        known: plain sentences with training cues, for the centroids.
        asked: sentences with held-out cues, by kind.
    """

    known: list[Sentence]
    asked: dict[Kind, list[Sentence]]

    @classmethod
    def draw(cls, n: int = 900, seed: int = 0) -> "Questions":
        """Return `n` sentences for the centroids and `n` of each kind; they follow from `seed` alone.

        Raises:
            ValueError: `n` is not a multiple of three, or below six.
        """
        if n < 2 * len(SENSES) or n % len(SENSES):
            raise ValueError(f"n: expected a multiple of {len(SENSES)} from {2 * len(SENSES)} up, got {n}")
        asked = {kind: generate(n, seed=seed + 1, kind=kind, cues="held_out") for kind in KINDS}
        return cls(generate(n, seed=seed), asked)

    @property
    def truth(self) -> Tensor:
        """Which sense each sentence has, ``[n]``."""
        return torch.arange(len(self.known)) % len(SENSES)


def _position(sentence: Sentence) -> int:
    if sentence.position is None:
        raise ValueError(f'sentence: expected one with "bears", got {str(sentence)!r}')
    return sentence.position


def _mean(vectors: WordVectors, words: tuple[str, ...]) -> Tensor:
    if not words:
        raise ValueError('sentence: expected a word beside "bears" to take the mean of, got none')
    return vectors.lookup(words).mean(0)


def context_free(vectors: WordVectors) -> Representation:
    """Represent "bears" by its own vector, whatever stands around it."""
    return lambda sentence: vectors[sentence.words[_position(sentence)]]


def mean_of_others(vectors: WordVectors) -> Representation:
    """Represent "bears" by the mean of all other words: a bag."""

    def represent(sentence: Sentence) -> Tensor:
        i = _position(sentence)
        return _mean(vectors, sentence.words[:i] + sentence.words[i + 1 :])

    return represent


def window_mean(vectors: WordVectors, reach: int = 2) -> Representation:
    """Represent "bears" by the mean of the words at most `reach` places to its left and right."""

    def represent(sentence: Sentence) -> Tensor:
        i = _position(sentence)
        near = sentence.words[max(0, i - reach) : i] + sentence.words[i + 1 : i + 1 + reach]
        return _mean(vectors, near)

    return represent


def self_attention(vectors: WordVectors, scale: float = 1.0) -> Representation:
    r"""Represent "bears" by its row of :math:`\mathrm{softmax}(XX^\top)X`."""
    attention = SimpleSelfAttention(scale)

    def represent(sentence: Sentence) -> Tensor:
        context: Tensor = attention(vectors.lookup(sentence.words))  # [T, D]
        return context[_position(sentence)]

    return represent


BASELINES: dict[str, Callable[[WordVectors], Representation]] = {
    "context-free vector": context_free,
    "mean of the other words": mean_of_others,
    "softmax(XXᵀ)X": self_attention,
    "±2-word window": window_mean,
}
"""The representations that attention is compared with, by name."""


def evaluate(represent: Representation, *, n: int = 900, seed: int = 0) -> dict[str, float]:
    """Return the share of test sentences whose nearest centroid is the right one, for each kind of sentence.

    Args:
        represent: turns a sentence into the vector of its "bears", ``[D]``.
        n: sentences for the centroids, and test sentences of each kind; the senses are balanced.
        seed: of the sentences. Training and test sentences differ by their cue words, whatever the seed.

    Raises:
        ValueError: `n` is not a multiple of three, or below six.
    """
    questions = Questions.draw(n, seed)

    def vectors(sentences: list[Sentence]) -> Tensor:
        return torch.stack([represent(sentence) for sentence in sentences])

    asked = {kind: vectors(sentences) for kind, sentences in questions.asked.items()}
    return accuracies(vectors(questions.known), asked, questions.truth)


def accuracies(known: Tensor, asked: Mapping[Kind, Tensor], truth: Tensor) -> dict[str, float]:
    """Return the share of vectors whose nearest centroid is that of their sense, for each kind of sentence.

    Args:
        known: vectors the centroids are means of, ``[n, D]``.
        asked: vectors to judge, ``[n, D]`` for each kind.
        truth: their senses, and those of `known`, ``[n]``.

    Raises:
        ShapeError: the shapes do not belong together.
        ValueError: there are fewer than two senses, or fewer than two vectors of one.
    """
    for kind, vectors in asked.items():
        check_shape(f"asked[{kind!r}]", vectors, "N D", N=len(truth))
    return {
        kind: (nearest_centroid(known, truth, vectors) == truth).double().mean().item()
        for kind, vectors in asked.items()
    }


def failure_table(
    seed: int = 0, *, d: int = 4, window: int | None = 4, n: int = 900
) -> dict[str, dict[str, float]]:
    """Return the accuracy of four representations that learn nothing but word vectors, by kind of sentence.

    Args:
        seed: of the corpus and of the test sentences.
        d: components per word.
        window: how far apart two words count as neighbours, for the word vectors.
        n: see `evaluate`.

    Returns:
        ``table[representation][kind]``. One clause is easy for any that looks at the other words. A second
        clause leads a bag and plain self-attention astray, below chance, since it has more cues than the own
        one; distance blinds the window. None passes all three.
    """
    vectors = word_vectors([sentence.words for sentence in corpus(seed=seed)], d, window=window)
    return {name: evaluate(build(vectors), n=n, seed=1000 + 2 * seed) for name, build in BASELINES.items()}
