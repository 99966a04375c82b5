"""English into Spanish, with one vector to carry it all, and without that bottleneck.

The same LSTM encoder and decoder learns the same sentences without attention and with one of four scores; a
transformer of the same size learns them too. Sentences of up to `longest` words are learned; longer ones are
tested as well. Taught in chapters 2, 3, 7 and 9.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor, nn

from unrolled._typed import APOSTROPHES, plain_text
from unrolled.data.batches import pad
from unrolled.data.spanish import (
    MAX_WORDS,
    SOURCE_VOCABULARY,
    SPECIMENS,
    TARGET_VOCABULARY,
    Pair,
    held_out,
    pairs,
    training,
)
from unrolled.data.special_tokens import SPECIAL
from unrolled.data.tokenizers import Tokenizer, Words
from unrolled.inputs import not_text
from unrolled.nn import Seq2Seq
from unrolled.tap import record
from unrolled.training.options import option
from unrolled.training.recipes.multi30k import bleu
from unrolled.training.task import GenerateOptions, Split
from unrolled.training.translation import TextPairs, TranslationTask, across, logits
from unrolled.training.translation_recipe import TranslationRecipe

__all__ = ["SOURCE", "TARGET", "Spanish", "SpanishTask", "arrived", "denials_kept"]

SOURCE = Words(SOURCE_VOCABULARY, lowercase=True, strict=True)
"""The words of English."""
TARGET = Words(TARGET_VOCABULARY, lowercase=True, strict=True)
"""The words of Spanish."""
_AT_ONCE = 50  # pairs: the additive score compares every word with every word, in 128 numbers each


@dataclass(frozen=True, kw_only=True)
class Spanish(TranslationRecipe):
    """Options of the translation from English into Spanish; unless changed, an LSTM with the dot score."""

    name = "spanish"
    about = "English into Spanish: an LSTM with and without attention, or a transformer"
    measured_with: ClassVar[tuple[str, ...]] = ("sacrebleu",)
    legend: ClassVar[Mapping[str, str]] = {
        "exact *": "share (0 to 1) of sentences of so many words translated word for word, greedily",
        "tokens *": "share (0 to 1) of words guessed right, <eos> included, given the right ones before",
        "bleu *": "BLEU (0 to 100) of the greedy translations",
        "negation *": 'share (0 to 1) of "no" with its verb (no comas) that the greedy translation has too',
        "alignment*": (
            "share (0 to 1) of nouns, verbs and adjectives at whose step the greatest attention "
            "weight is on the word they translate, given the right words before; without a range, of "
            "all lengths learned"
        ),
        "near*": "share (0 to 1) of those where it is on that word or on one beside it",
        "specimens": "share (0 to 1) of the two sentences of chapter 2 that come out right",
    }

    steps: int = 1600
    lr: float = 4e-3
    d_model: int = 48
    d_ff: int = 128
    validate_every: int = 400
    checkpoint_every: int = 400
    sentences: int = option(20_000, "how many to learn from", unit="pairs", low=1)
    longest: int = option(
        45, "the most words a sentence to learn from has", unit="words", low=10, high=MAX_WORDS
    )

    def model(self) -> nn.Module:
        """Return a new model for the words of the grammar."""
        return self.make_model(SOURCE.vocab_size, TARGET.vocab_size)

    def task(self, data: Path | None = None) -> "SpanishTask":
        """Return the task; nothing is read from `data`, and no sentence is made before it is needed."""
        return SpanishTask(self)


def _texts(pairs: Sequence[Pair]) -> TextPairs:
    return [(" ".join(pair.source), " ".join(pair.target)) for pair in pairs]


@cache
def _tested() -> dict[tuple[int, int], list[Pair]]:
    """Two hundred sentences of each range of lengths, which no training set has: the same for every model."""
    return held_out()


class SpanishTask(TranslationTask):
    """English sentences, their one translation each, and a model between the two.

    Args:
        recipe: its options.
        source: for what is read; its order of words is the model's.
    """

    def __init__(self, recipe: Spanish, source: Tokenizer = SOURCE) -> None:
        self.longest = recipe.longest

        def drawn(split: Split) -> TextPairs:
            if split == "train":
                return _texts(training(recipe.sentences, recipe.seed, recipe.longest))
            return _texts(pairs(300, 2, 6, recipe.longest, "held_out"))

        super().__init__(recipe, source, TARGET, drawn)

    def write(self, model: nn.Module, prompt: str, options: GenerateOptions) -> str:
        """Return the translation of one sentence, which is read as it looks, with an apostrophe of any kind.

        Raises:
            ValueError: there is no sentence, or a word that is not known.
        """
        return super().write(model, plain_text(prompt).translate(APOSTROPHES), options)

    def guesses(self, model: nn.Module, pairs: Sequence[Pair]) -> list[Tensor]:
        """Return for every pair the likeliest words ``[T + 1]``, each given the right ones before it."""
        return [
            row[:n_words].cpu()
            for source, lengths, target, sizes in self._forced(model, pairs)
            for row, n_words in zip(logits(model, source, lengths, target).argmax(-1), sizes, strict=True)
        ]

    def attention(self, model: nn.Module, pairs: Sequence[Pair], layer: int = -1) -> list[Tensor]:
        """Return for every pair the attention map ``[T + 1, S + 1]``, given the right words before.

        Row t belongs to the step that writes word t, and ``<eos>`` is last. Of a transformer it is the
        cross-attention of one layer of the decoder, the mean over heads.

        Raises:
            LookupError: the model has no attention.
        """
        maps: list[Tensor] = []
        for source, lengths, target, sizes in self._forced(model, pairs):
            with record(model, across(model)) as heard:
                logits(model, source, lengths, target)
            (weights,) = list(heard.values())[layer]  # [B, T, S] or [B, H, T, S]
            weights = (weights.mean(1) if weights.dim() == 4 else weights).cpu()
            maps += [w[:t, :s] for w, t, s in zip(weights, sizes, lengths.tolist(), strict=True)]
        return maps

    def _forced(
        self, model: nn.Module, pairs: Sequence[Pair]
    ) -> Iterator[tuple[Tensor, Tensor, Tensor, list[int]]]:
        """Yield source, its lengths, target shifted right, and the steps of each pair."""
        device = next(model.parameters()).device
        for start in range(0, len(pairs), _AT_ONCE):
            some = pairs[start : start + _AT_ONCE]
            texts = [" ".join(pair.source) for pair in some]
            source, lengths = pad([[*self.source_tokenizer.encode(text), SPECIAL.eos] for text in texts])
            target, sizes = pad([[SPECIAL.bos, *TARGET.encode(" ".join(p.target))] for p in some])
            yield source.to(device), lengths.to(device), target.to(device), sizes.tolist()

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """Return figures of sentences never learned, by range of source lengths, such as ``exact 26-30``.

        ========== ==========================================================================================
        exact      share of sentences translated word for word, greedily
        tokens     share of words guessed right, ``<eos>`` included, given the right ones before
        bleu       of the greedy translations, 0 to 100
        negation   share of "no" with its verb (*no comas*) that the greedy translation has too
        alignment  share of nouns, verbs and adjectives at whose step the greatest weight is on the word they
                   translate, given the right words before
        near       share of those where it is on that word or on one beside it
        ========== ==========================================================================================

        The last two need attention; without a range they are those of all ranges within the lengths learned.
        ``specimens`` is the share of the two sentences of chapter 2 that come out right.
        """
        figures: dict[str, float] = {}
        distances: dict[tuple[int, int], Tensor] = {}
        for bucket, tested in _tested().items():
            of = f"{bucket[0]}-{bucket[1]}"
            written = self.translate(model, [" ".join(pair.source) for pair in tested])
            right = [" ".join(pair.target) for pair in tested]
            figures[f"exact {of}"] = _equal(written, right)
            figures[f"tokens {of}"] = self._tokens_right(model, tested)
            figures[f"bleu {of}"] = bleu(written, right)
            figures[f"negation {of}"] = denials_kept(written, right)
            if not isinstance(model, Seq2Seq) or model.score is not None:
                distances[bucket] = self._distances(model, tested)
                figures |= _aligned(distances[bucket], f" {of}")
        if distances:
            learned = [d for (_, high), d in distances.items() if high <= self.longest]
            figures |= _aligned(torch.cat(learned), "")
        figures["specimens"] = _equal(self.translate(model, list(SPECIMENS)), list(SPECIMENS.values()))
        return figures

    def _tokens_right(self, model: nn.Module, pairs: Sequence[Pair]) -> float:
        right = [torch.tensor([*TARGET.encode(" ".join(pair.target)), SPECIAL.eos]) for pair in pairs]
        guesses = torch.cat(self.guesses(model, pairs))
        return float((guesses == torch.cat(right)).double().mean())

    def _distances(self, model: nn.Module, pairs: Sequence[Pair]) -> Tensor:
        """How far from the right word the greatest weight is, for each aligned word of all pairs, ``[N]``."""
        distances = []
        for pair, weights in zip(pairs, self.attention(model, pairs), strict=True):
            sources, targets = torch.tensor(pair.alignment).T
            distances.append((weights.argmax(-1)[targets] - sources).abs())
        return torch.cat(distances)


def _aligned(distances: Tensor, of: str) -> dict[str, float]:
    near = {"alignment": distances == 0, "near": distances <= 1}
    return {name + of: float(hits.double().mean()) for name, hits in near.items()}


def _equal(written: Sequence[str], right: Sequence[str]) -> float:
    return sum(ours == theirs for ours, theirs in zip(written, right, strict=True)) / len(right)


def arrived(pairs: Sequence[Pair], written: Sequence[str]) -> Tensor:
    """Return the share of nouns, verbs and adjectives whose translation was written, by fifths of the source.

    Args:
        pairs: sentences with their right translations.
        written: what was written for each. Translations of *other* sentences say what chance brings.

    Returns:
        A tensor ``[5]``, beginning with the first fifth of the English words; a fifth in which no such word
        stands is NaN.
    """
    found, asked = torch.zeros(5), torch.zeros(5)
    for pair, text in zip(pairs, not_text("written", written), strict=True):
        words = text.split()
        for source, target in pair.alignment:
            fifth = 5 * source // len(pair.source)
            asked[fifth] += 1
            found[fifth] += pair.target[target] in words
    return found / asked


def denials_kept(written: Sequence[str], references: Sequence[str]) -> float:
    """Return the share of the references' denied verbs, "no" and its verb, that what was written has too.

    Raises:
        ValueError: no reference denies anything.
    """
    kept = asked = 0
    for ours, right in zip(not_text("written", written), not_text("references", references), strict=True):
        denied = _denials(right)
        kept += (denied & _denials(ours)).total()
        asked += denied.total()
    if not asked:
        raise ValueError("references: expected a 'no' in one of them at least, got none")
    return kept / asked


def _denials(text: str) -> Counter[str]:
    words = text.split()
    return Counter(verb for no, verb in pairwise(words) if no == "no")
