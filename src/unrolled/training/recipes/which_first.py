"""Does A stand before B? A question that a bag of symbols cannot answer. Taught in chapter 7."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor, nn

from unrolled._typed import plain_text
from unrolled.data.seeds import derived_seed
from unrolled.data.sequences import FIRST_SYMBOL, Ordered, which_came_first
from unrolled.nn.classifier import SequenceClassifier
from unrolled.nn.embedding import Positions
from unrolled.training.loss import cross_entropy
from unrolled.training.options import option
from unrolled.training.recipe import Recipe
from unrolled.training.task import Batch, GenerateOptions, Split

__all__ = ["TIMES", "WhichFirst", "WhichFirstTask"]

TIMES = (1, 2, 4)  # the lengths that are tested, in trained lengths


@dataclass(frozen=True, kw_only=True)
class WhichFirst(Recipe):
    """Options of the question which of two symbols came first."""

    name = "which-first"
    about = "a small encoder learns which of two symbols came first, with or without positions"
    legend: ClassVar[Mapping[str, str]] = {
        "accuracy at *": "share (0 to 1) of right answers at so many trained lengths; guessing gives 0.5",
    }

    steps: int = 300
    lr: float = 3e-3
    positions: Positions = option("learned", "how tokens know where they stand")  # noqa: RUF009
    length: int = option(16, "symbols of a sequence", unit="symbols", low=2)
    symbols: int = option(8, "different ones, A and B among them", unit="symbols", low=3, high=26)
    epoch: int = option(100, "steps that make an epoch", unit="steps", low=1)
    n_layers: int = option(2, "blocks", low=1)
    n_heads: int = option(4, "attention heads of each", low=1)
    d_model: int = option(32, "components per symbol", low=1)

    def __post_init__(self) -> None:
        """Refuse a batch that cannot hold as many of one answer as of the other."""
        super().__post_init__()
        if self.batch % 2:
            raise ValueError(f"batch: expected an even number, for half of each answer, got {self.batch}")

    def model(self) -> SequenceClassifier:
        """Return the encoder; it can read `TIMES` the length it is trained at."""
        return SequenceClassifier(
            FIRST_SYMBOL + self.symbols,
            2,
            max(TIMES) * self.length,
            self.d_model,
            self.n_heads,
            self.n_layers,
            self.positions,
        )

    def task(self, data: Path | None = None) -> "WhichFirstTask":
        """Return the task; nothing is read from `data`."""
        return WhichFirstTask(self)


class WhichFirstTask:
    """Sequences with A and B among fillers, and the model that says which came first."""

    writes_with: ClassVar[tuple[str, ...]] = ()

    def __init__(self, recipe: WhichFirst) -> None:
        self.recipe = recipe
        self.model: nn.Module = recipe.model()

    def _draw(self, n: int, length: int, *parts: str | int) -> Ordered:
        seed = derived_seed("which-first", *parts)
        return which_came_first(n, seed=seed, length=length, n_symbols=self.recipe.symbols)

    def batches(self, split: Split, seed: int, epoch: int) -> Iterator[Batch]:
        """Yield batches ``tokens`` ``[B, T]`` and ``labels`` ``[B]``, new ones every epoch."""
        r = self.recipe
        for i in range(r.epoch if split == "train" else 4):
            drawn = self._draw(r.batch, r.length, split, seed, epoch, i)
            yield {"tokens": drawn.tokens, "labels": drawn.labels}

    def loss(self, model: nn.Module, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the summed cross-entropy of the answers, and how many there are."""
        smoothing = self.recipe.label_smoothing if model.training else 0.0
        return cross_entropy(model(batch["tokens"]), batch["labels"], label_smoothing=smoothing)

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """Return the share of right answers at 1, 2 and 4 trained lengths, 2,000 new sequences each.

        Chance is 0.5. With learned positions the vectors past the trained length stay as they were drawn.
        """
        device = next(model.parameters()).device
        figures = {}
        for times in TIMES:
            drawn = self._draw(2000, times * self.recipe.length, "test", times)
            said = model(drawn.tokens.to(device)).argmax(-1).cpu()
            figures[f"accuracy at {times}x"] = (said == drawn.labels).float().mean().item()
        return figures

    def write(self, model: nn.Module, prompt: str, options: GenerateOptions) -> str:
        """Return ``A`` or ``B``, the one that the model thinks came first in letters such as ``C A D B``."""
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[: self.recipe.symbols]
        letters = plain_text(prompt).replace(" ", "").upper()
        if set(letters) - set(alphabet) or letters.count("A") != 1 or letters.count("B") != 1:
            raise ValueError(f"expected letters from A to {alphabet[-1]}, A and B once each, got {prompt!r}")
        tokens = torch.tensor([[alphabet.index(letter) + FIRST_SYMBOL for letter in letters]])
        return "BA"[int(model(tokens.to(next(model.parameters()).device)).argmax())]
