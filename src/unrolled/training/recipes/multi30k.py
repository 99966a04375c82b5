"""German captions into English, with an LSTM or a transformer, under one protocol. Taught in chapter 9.

The protocol of the ladder: Multi30k (29,000 pairs), both sides in lower case, byte pairs learned from the
training sentences of each language, test of 2016 from Flickr, beam search, sacreBLEU of the written text
against the raw reference with ``lowercase=True``. Every rung differs in the model alone, and in the learning
rate that suits it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from torch import nn

from unrolled.data.public import Part, multi30k
from unrolled.data.tokenizers import BytePairs
from unrolled.inputs import not_text
from unrolled.training.options import option
from unrolled.training.translation import TranslationTask
from unrolled.training.translation_recipe import Architecture, ScoreName, TranslationRecipe

__all__ = ["Multi30k", "Multi30kTask", "bleu"]


@dataclass(frozen=True, kw_only=True)
class Multi30k(TranslationRecipe):
    """Options of the ladder; unless changed, its last rung, the transformer."""

    name = "multi30k"
    about = "German captions into English: LSTM, LSTM with each score, transformer"
    measured_with: ClassVar[tuple[str, ...]] = ("sacrebleu",)
    legend: ClassVar[Mapping[str, str]] = {
        "bleu": "BLEU (0 to 100) on the test of 2016, with the beam of the recipe",
        "bleu_greedy": "the same, written greedily",
        "bleu_validation": "BLEU on the validation split, written greedily",
    }

    architecture: Architecture = "transformer"
    score: ScoreName | None = "additive"
    steps: int = 4000
    lr: float = 2e-3
    label_smoothing: float = 0.1
    weight_decay: float = 1e-4
    d_model: int = 256
    d_hidden: int = 256
    n_layers: int = 3
    n_heads: int = 4
    d_ff: int = 512
    dropout: float = 0.2
    max_tokens: int | None = 2048
    validate_every: int = 500
    checkpoint_every: int = 500
    beam: int = 5
    length_penalty: float = 1.0
    vocab_size: int = option(
        5000, "tokens of each language, special ones and single bytes included", unit="tokens", low=300
    )

    @property
    def public(self) -> bool:
        """True: the captions have to be downloaded once."""
        return True

    def model(self) -> nn.Module:
        """Return a new model for `vocab_size` tokens of each language."""
        return self.make_model(self.vocab_size, self.vocab_size)

    def task(self, data: Path | None = None) -> "Multi30kTask":
        """Return the task; the captions are read from `data`, or downloaded once."""
        return Multi30kTask(self, data)


class Multi30kTask(TranslationTask):
    """Captions of photographs, and the model that translates them.

    Raises:
        DataError: the captions cannot be had.
    """

    def __init__(self, recipe: Multi30k, data: Path | None = None) -> None:
        self._data = data
        train = [(de.lower(), en.lower()) for de, en in self.captions("train")]
        validation = [(de.lower(), en.lower()) for de, en in self.captions("val")]
        german, english = (
            BytePairs.train((pair[side] for pair in train), vocab_size=recipe.vocab_size) for side in (0, 1)
        )
        super().__init__(recipe, german, english, {"train": train, "validation": validation})

    def captions(self, part: Part) -> list[tuple[str, str]]:
        """Return the (German, English) pairs of a part, as published."""
        return multi30k(part, folder=self._data)

    def translate(self, model: nn.Module, sentences: Any, **options: Any) -> list[str]:
        """Return the translations of sentences, in lower case; for the options see `TranslationTask`."""
        not_text("sentences", sentences)
        return super().translate(model, [sentence.lower() for sentence in sentences], **options)

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """Return BLEU on the test of 2016, with the recipe's beam and greedily, and on validation."""
        figures: dict[str, float] = {}
        measured: tuple[tuple[str, Part, int], ...] = (
            ("bleu", "test", self.recipe.beam),
            ("bleu_greedy", "test", 1),
            ("bleu_validation", "val", 1),
        )
        for name, part, beam in measured:
            pairs = self.captions(part)
            written = self.translate(model, [german for german, _ in pairs], beam=beam)
            figures[name] = bleu(written, [english for _, english in pairs])
        return figures


def bleu(written: list[str], references: list[str]) -> float:
    """Return corpus BLEU, case ignored, of sentences against one reference each, from 0 to 100.

    Papineni et al., BLEU, 2002, as sacreBLEU computes it (Post, 2018); its signature is
    ``nrefs:1|case:lc|eff:no|tok:13a|smooth:exp``.

    Raises:
        ValueError: there is no sentence, or not one reference for each.
        ImportError: sacrebleu is not installed.
    """
    not_text("written", written)
    not_text("references", references)
    if not written or len(written) != len(references):
        raise ValueError(
            f"references: expected as many as sentences, 1 or more, got {len(references)} for {len(written)}"
        )
    from sacrebleu.metrics.bleu import BLEU  # only this measure needs it

    return float(BLEU(lowercase=True).corpus_score(written, [references]).score)
