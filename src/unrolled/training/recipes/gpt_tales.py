"""GPTs that read eighteen books of tales in pieces of words. Taught in chapter 10, used in the playground."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from unrolled.data.tales import MOST_PIECES, pieces
from unrolled.data.tokenizers import Tokenizer
from unrolled.nn import GPT, MultiHeadAttention
from unrolled.training.recipes.gpt import Corpus, Gpt, GptTask, mean_loss
from unrolled.training.task import Split

__all__ = ["GptPlayground", "GptTales", "TalesTask", "bits_per_byte"]


@dataclass(frozen=True, kw_only=True)
class GptTales(Gpt):
    """A GPT that reads real English: eighteen books of tales, in 1,536 pieces of words."""

    name = "gpt-tales"
    about = "a GPT of pieces of words learns to write tales"
    legend: ClassVar[Mapping[str, str]] = {
        "loss": "cross-entropy per token of the whole validation split [nats]; lower is better",
        "bits_per_byte": "the same per byte of text [bits]: what models with other tokens compare by",
        "bits_per_byte_read": "the same of as much text that it was trained on [bits]",
    }

    steps: int = 5000
    batch: int = 16
    corpus: Corpus = "tales"
    block: int = 128

    def task(self, data: Path | None = None) -> "TalesTask":
        """Return the task; the text is read from `data`, or downloaded once."""
        return TalesTask(self, *self._texts(data))


@dataclass(frozen=True, kw_only=True)
class GptPlayground(GptTales):
    """The GPT of the playground: larger, of 2,048 pieces, and it sees 512 tokens."""

    name = "gpt-playground"
    about = "a larger GPT learns to write tales: the one that answers in the playground"

    steps: int = 4500
    batch: int = 8
    lr: float = 2e-3
    block: int = 512
    d_model: int = 256
    dropout: float = 0.1
    validate_every: int = 250
    checkpoint_every: int = 50
    keep_best: bool = True
    precision: Literal["float32", "bf16"] = "bf16"

    def tokenizer(self) -> Tokenizer:
        """Return what cuts the books into 2,048 pieces."""
        return pieces(MOST_PIECES)

    def model(self) -> GPT:
        """Return a new model without dropout in its attention: fused, that is twice as fast."""
        model = super().model()
        for part in model.modules():
            if isinstance(part, MultiHeadAttention):
                part.dropout = 0.0
        return model


class TalesTask(GptTask):
    """Books, and a model that continues them; `texts` are those it learns from, and those held out.

    Args:
        recipe: its options.
        train: what is learned from.
        validation: what is not.
    """

    def __init__(self, recipe: Gpt, train: str, validation: str) -> None:
        super().__init__(recipe, train, validation)
        self.texts: dict[Split, str] = {"train": train, "validation": validation}

    def evaluate(self, model: GPT) -> dict[str, float]:
        """Return the loss per token in nats, and per byte in bits: held out, and of what was read."""
        train, held = self._tokens["train"], self._tokens["validation"]
        # As many tokens, from all over the training text: a hundred stretches of equal length.
        length = max(len(held) // 100, self.recipe.block + 1)
        apart = max(len(train) // 100, length)
        starts = range(0, len(train) - length + 1, apart)
        read = sum(mean_loss(model, train[start : start + length]) for start in starts) / len(starts)
        loss = mean_loss(model, held)
        return {
            "loss": loss,
            "bits_per_byte": bits_per_byte(loss, len(held), self.texts["validation"]),
            "bits_per_byte_read": bits_per_byte(read, len(train), self.texts["train"]),
        }


def bits_per_byte(loss: float, tokens: int, text: str) -> float:
    """Return what a loss per token in nats is per byte in bits, of a text that has so many tokens."""
    return loss * tokens / (math.log(2) * len(text.encode()))
