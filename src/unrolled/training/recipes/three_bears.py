"""Bears into Spanish: *osos*, *soporta* or *Bears*, by a transformer of 2017 or an LSTM with attention.

The transformer is the one that chapter 9 displays: the norm after each sum, a warm-up, label
smoothing, and one table for the words that are written and their scores. Taught in chapter 9.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor, nn

from unrolled.data.batches import pad
from unrolled.data.special_tokens import SPECIAL
from unrolled.data.three_bears import (
    CANONICAL,
    SENSES,
    SOURCE_VOCABULARY,
    TARGET_VOCABULARY,
    BearsPair,
    clue,
    held_out,
    training,
)
from unrolled.data.tokenizers import Words
from unrolled.nn import Transformer, TransformerConfig, padding_mask
from unrolled.nn.parts import NormOrder
from unrolled.tap import record
from unrolled.training.options import option
from unrolled.training.schedule import Schedule
from unrolled.training.task import Split
from unrolled.training.translation import TextPairs, TranslationTask, across, logits
from unrolled.training.translation_recipe import Architecture, TranslationRecipe

__all__ = ["SOURCE", "TARGET", "ThreeBears", "ThreeBearsTask"]

SOURCE = Words(SOURCE_VOCABULARY, lowercase=True, strict=True)
"""The words of English."""
TARGET = Words(TARGET_VOCABULARY, strict=True)
"""The words of Spanish."""


@dataclass(frozen=True, kw_only=True)
class ThreeBears(TranslationRecipe):
    """Options of the translation of bears; unless changed, the post-norm transformer of chapter 9."""

    name = "three-bears"
    about = "bears into Spanish, animals, a verb or a team: a transformer of 2017, or an LSTM with attention"
    legend: ClassVar[Mapping[str, str]] = {
        "exact *": "share (0 to 1) of held-out sentences translated word for word, greedily",
        "sense *": "share (0 to 1) of their bears whose translations are the right ones, in the right order",
        "choice *": (
            "share (0 to 1) of bears far from their clue at whose step the right one of the three words is "
            "the likeliest, given the right words before: of the whole model, with the encoder's bears, or "
            "the article before it, seeing only themselves, and with the clue unseen in the encoder, unseen "
            "by the decoder, or both"
        ),
        "weight *": "attention (0 to 1) of the decoder's last layer across, at that step, mean of heads",
        "canonical": "share (0 to 1) of the three sentences the chapter begins with that come out right",
    }

    architecture: Architecture = "transformer"
    steps: int = 300
    lr: float = 4e-3
    schedule: Schedule = "linear"
    warmup: float = 0.2
    label_smoothing: float = 0.1
    n_layers: int = 2
    d_ff: int = 128
    d_hidden: int = 120
    validate_every: int = 100
    checkpoint_every: int = 100
    sentences: int = option(12_000, "how many to learn from", unit="pairs", low=1)
    norm: NormOrder = option("post", "where a transformer's norms stand")  # noqa: RUF009
    tie: bool = option(True, "one table for a transformer's target words and their scores")

    def unused(self) -> dict[str, str]:
        """Return the options that this architecture, or this way to make batches, does not look at."""
        unused = super().unused()
        if self.architecture == "lstm":
            unused |= dict.fromkeys(("norm", "tie"), "with --architecture lstm")
        return unused

    def model(self) -> nn.Module:
        """Return a new model for the words of the grammar."""
        return self.make_model(SOURCE.vocab_size, TARGET.vocab_size)

    def transformer(self, source_vocab_size: int, target_vocab_size: int) -> TransformerConfig:
        """Return the configuration of a transformer with this norm, and one table or two."""
        config = super().transformer(source_vocab_size, target_vocab_size)
        return replace(config, norm=self.norm, tied="target" if self.tie else "none")

    def task(self, data: Path | None = None) -> "ThreeBearsTask":
        """Return the task; nothing is read from `data`, and no sentence is made before it is needed."""
        return ThreeBearsTask(self)


def _texts(pairs: Sequence[BearsPair]) -> TextPairs:
    return [(" ".join(pair.source), " ".join(pair.target)) for pair in pairs]


class ThreeBearsTask(TranslationTask):
    """English sentences with bears in them, their one translation each, and a model between the two."""

    def __init__(self, recipe: ThreeBears) -> None:
        def drawn(split: Split) -> TextPairs:
            if split == "train":
                return _texts(training(recipe.sentences, recipe.seed))
            return _texts([pair for some in held_out(100, 2).values() for pair in some])

        super().__init__(recipe, SOURCE, TARGET, drawn)

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """Return exact matches and senses of held-out sentences, by kind, and those of the three bears."""
        figures: dict[str, float] = {}
        kinds = held_out()
        for kind, tested in kinds.items():
            written = self.translate(model, [" ".join(pair.source) for pair in tested])
            right = [" ".join(pair.target) for pair in tested]
            figures[f"exact {kind}"] = sum(map(str.__eq__, written, right)) / len(right)
            hits = sum(_bears(w) == _bears(r) for w, r in zip(written, right, strict=True))
            figures[f"sense {kind}"] = hits / len(right)
        figures |= self.choices(model, kinds["gap"])
        three = self.translate(model, list(CANONICAL))
        figures["canonical"] = sum(map(str.__eq__, three, CANONICAL.values())) / len(three)
        return figures

    def choices(self, model: nn.Module, pairs: Sequence[BearsPair]) -> dict[str, float]:
        """Return how often the first "bears" is rightly chosen, whole and with paths of a transformer cut.

        Args:
            model: a `Seq2Seq`, of which only ``choice whole`` is given, or a `Transformer`.
            pairs: each has a `clue`, and an article before its "bears".
        """
        rows = torch.arange(len(pairs))
        bears, steps = torch.tensor([pair.alignment[0] for pair in pairs]).T
        words = torch.tensor([TARGET.index[word] for word in SENSES.values()])
        right = torch.tensor([list(SENSES).index(pair.senses[0]) for pair in pairs])
        sources = [(SOURCE.encode(" ".join(pair.source)), clue(pair)) for pair in pairs]

        with record(model, across(model)) as heard:
            paths = self.paths(model, sources, pairs)
        figures = {
            f"choice {name}": float((guesses[rows, steps][:, words].argmax(-1) == right).double().mean())
            for name, guesses in paths.items()
        }
        if isinstance(model, Transformer):
            weights = list(heard.values())[-1][0].mean(1)[rows, steps]  # of the whole model, [B, S]
            clues = torch.tensor([place for _, place in sources])
            for name, places in {"article": bears - 1, "bears": bears, "clue": clues}.items():
                figures[f"weight {name}"] = float(weights[rows, places].double().mean())
        return figures

    def paths(
        self, model: nn.Module, sources: Sequence[tuple[list[int], int]], pairs: Sequence[BearsPair]
    ) -> dict[str, Tensor]:
        """Return logits ``[B, T, V]`` under teacher forcing, of the whole model and with each path cut.

        Args:
            model: a `Seq2Seq`, of which only the whole is given, or a `Transformer`.
            sources: source tokens, and the place of the clue in each.
            pairs: whose first "bears" and whose targets are meant.
        """
        source, lengths = pad([[*ids, SPECIAL.eos] for ids, _ in sources])
        given, _ = pad([[SPECIAL.bos, *TARGET.encode(" ".join(pair.target))] for pair in pairs])
        if not isinstance(model, Transformer):
            return {"whole": logits(model, source, lengths, given)}
        rows = torch.arange(len(pairs))
        bears = torch.tensor([pair.alignment[0][0] for pair in pairs])
        clues = torch.tensor([place for _, place in sources])
        real = padding_mask(lengths, source.shape[1])  # [B, 1, S]
        seen = real.expand(-1, source.shape[1], -1)  # [B, S, S]

        def alone(places: Tensor) -> Tensor:
            mask = seen.clone()
            mask[rows, places] = False
            mask[rows, places, places] = True
            return mask

        hidden, across = seen.clone(), real.clone()
        hidden[rows, :, clues] = False
        hidden[rows, clues, clues] = True
        across[rows, :, clues] = False
        cuts = {
            "whole": (seen, real),
            "bears alone": (alone(bears), real),
            "article alone": (alone(bears - 1), real),
            "clue unseen in the encoder": (hidden, real),
            "clue unseen across": (seen, across),
            "clue unseen": (hidden, across),
        }
        return {
            name: model.decode(given, model.encode(source, inside), outside)
            for name, (inside, outside) in cuts.items()
        }


def _bears(text: str) -> list[str]:
    """Return what a translation made of its bears, in order."""
    return [word for word in text.split() if word in SENSES.values()]
