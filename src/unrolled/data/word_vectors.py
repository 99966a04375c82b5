r"""Word vectors without a network: count who stands near whom, and keep the strongest patterns.

.. math::  \mathrm{PMI}(w, c) = \log \frac{p(w, c)}{p(w)\, p_\alpha(c)}, \qquad
           p_\alpha(c) \propto \#(c)^{0.75}, \qquad
           \max(\mathrm{PMI}, 0) \approx U_d \Sigma_d V_d^\top, \qquad x_w = (U_d \Sigma_d)_w

Levy and Goldberg (2014), "Neural word embedding as implicit matrix factorization", show that skip-gram with
negative sampling factorises a shifted PMI matrix; Levy, Goldberg and Dagan (2015), "Improving distributional
similarity with lessons learned from word embeddings", find that choices such as the smoothed context
distribution (here 0.75) matter more than counting or predicting. They prefer :math:`\Sigma^{1/2}` or no
:math:`\Sigma` on their similarity benchmarks; on our small corpus the full :math:`\Sigma`, whose dot products
are the closest of rank d to those between the rows of the table, keeps the senses apart for more choices
of d. Taught in chapter 4.
"""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from unrolled.inputs import not_text

__all__ = ["WordVectors", "cooccurrence", "ppmi", "word_vectors"]


@dataclass(frozen=True)
class WordVectors:
    """One vector per word, the same in every sentence.

    Attributes:
        words: the vocabulary, V words.
        matrix: their vectors, ``[V, D]``, in the same order.
    """

    words: tuple[str, ...]
    matrix: Tensor

    def __post_init__(self) -> None:
        not_text("words", self.words, "words")
        if self.matrix.dim() != 2 or len(self.matrix) != len(self.words):
            raise ValueError(
                f"matrix: expected shape [V, D] with V={len(self.words)}, got {list(self.matrix.shape)}"
            )

    @cached_property
    def index(self) -> dict[str, int]:
        """Which row belongs to which word."""
        return {word: i for i, word in enumerate(self.words)}

    def ids(self, words: Iterable[str]) -> Tensor:
        """Return the rows of `words`, ``[T]``.

        Raises:
            KeyError: a word has no vector.
        """
        return torch.tensor([self._row(word) for word in not_text("words", words, "words")], dtype=torch.long)

    def lookup(self, words: Iterable[str]) -> Tensor:
        """Return X, one row per word, ``[T, D]``.

        Raises:
            KeyError: a word has no vector.
        """
        return self.matrix[self.ids(words)]

    def __getitem__(self, word: str) -> Tensor:
        return self.matrix[self._row(word)]

    def _row(self, word: str) -> int:
        if word not in self.index:
            close = difflib.get_close_matches(word, self.words, n=3)
            hint = f"; close to it: {', '.join(close)}" if close else ""
            raise KeyError(f"no vector for {word!r}: expected one of {len(self.words)} words{hint}")
        return self.index[word]


def _sentences(given: Iterable[Sequence[str]]) -> list[tuple[str, ...]]:
    """Return the sentences as tuples of words; a text would be one of letters."""
    return [tuple(not_text("sentences", s, "words, for each")) for s in not_text("sentences", given)]


def cooccurrence(
    sentences: Iterable[Sequence[str]], words: Sequence[str], *, window: int | None = None
) -> Tensor:
    """Count how often two words share a sentence, at most `window` words apart; None is the whole sentence.

    Args:
        sentences: each a sequence of words.
        words: the vocabulary, which fixes the order of rows and columns.
        window: the largest distance that counts.

    Returns:
        Counts, symmetric, ``[V, V]`` in float64.

    Raises:
        TypeError: a sentence is a text instead of a list of words.
        ValueError: no sentence has a word, or `window` is below one.
        KeyError: a sentence has a word that is not in `words`.
    """
    if window is not None and window < 1:
        raise ValueError(f"window: expected at least 1 or None, got {window}")
    index = {word: i for i, word in enumerate(not_text("words", words, "words"))}
    rows = [torch.tensor([index[word] for word in s]) for s in _sentences(sentences) if len(s)]
    if not rows:
        raise ValueError("sentences: expected at least one word, got none")
    size = len(words)
    padded = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=size)  # [N, T]
    counts = torch.zeros(size + 1, size + 1, dtype=torch.float64)
    reach = padded.shape[1] - 1 if window is None else min(window, padded.shape[1] - 1)
    for distance in range(1, reach + 1):
        left, right = padded[:, :-distance].flatten(), padded[:, distance:].flatten()
        pairs = torch.bincount(left * (size + 1) + right, minlength=(size + 1) ** 2)
        counts += pairs.view(size + 1, size + 1)
    counts = counts[:size, :size]  # without the padding
    return counts + counts.T


def ppmi(counts: Tensor, *, smoothing: float = 0.75) -> Tensor:
    """Return the positive pointwise mutual information of a table of counts, ``[V, V]``.

    Args:
        counts: how often word (row) and context (column) were met together.
        smoothing: power on the context's counts. Below one, rare contexts weigh less.

    Raises:
        ValueError: there is nothing to count.
    """
    total = counts.sum()
    if total <= 0:
        raise ValueError("counts: expected at least one pair of words, got none")
    context = counts.sum(0) ** smoothing
    expected = (counts.sum(1) / total)[:, None] * (context / context.sum())  # [V, V]
    # A word that never had company expects nothing: its row stays zero.
    ratio = torch.where(expected > 0, counts / total / expected.clamp_min(1e-300), torch.zeros_like(counts))
    return ratio.clamp_min(1.0).log()


def word_vectors(sentences: Iterable[Sequence[str]], d: int, *, window: int | None = None) -> WordVectors:
    """Learn one vector of `d` components per word, by counting.

    Args:
        sentences: each a sequence of words; the vocabulary is what occurs in them, sorted.
        d: components per word, at most the number of words.
        window: the largest distance at which two words count as neighbours; None is the whole sentence.

    Returns:
        Vectors in float64, scaled by one number so that their mean length is one. Function words, met
        beside everything, come out short, and rare words long. Nothing is drawn at random; of the two signs
        each singular vector could have, the one that makes its largest entry positive is taken.

    Raises:
        TypeError: a sentence is a text instead of a list of words.
        ValueError: `d` does not fit the vocabulary, `window` is below one, or no two words ever meet
            more often than by chance.
    """
    sentences = _sentences(sentences)
    words = tuple(sorted({word for sentence in sentences for word in sentence}))
    if not 1 <= d <= len(words):
        raise ValueError(f"d: expected a number from 1 to the {len(words)} words there are, got {d}")
    left, singular, _ = torch.linalg.svd(ppmi(cooccurrence(sentences, words, window=window)))
    vectors = left[:, :d] * singular[:d]  # [V, D]
    largest = vectors.abs().argmax(0)
    vectors = vectors * vectors[largest, torch.arange(d)].sign()
    length = vectors.norm(dim=1).mean()
    if length == 0:
        raise ValueError("sentences: expected two words that meet more often than by chance, got none")
    return WordVectors(words, vectors / length)
