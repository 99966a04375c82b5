"""Trained on short texts, asked in long ones: which positions carry over. Taught in chapter 7."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from unrolled.data.batches import chunks
from unrolled.data.story_words import story_tokenizer
from unrolled.nn import GPT, GPTConfig, Sinusoidal
from unrolled.nn.embedding import Positions
from unrolled.training.options import option
from unrolled.training.recipe import Recipe
from unrolled.training.story_task import StoryTask

__all__ = ["LmPositions", "LmPositionsTask"]

_TIMES = 8  # the longest text that is asked, in trained lengths
# Seeds of the stories; none is read in two splits.
_STORIES = {"train": (4000, 0), "validation": (130, 1), "test": (500, 2)}


@dataclass(frozen=True, kw_only=True)
class LmPositions(Recipe):
    """Options of the language model that is asked past its trained length."""

    name = "lm-positions"
    about = "a small GPT of words is trained on short texts and asked in longer ones"
    legend: ClassVar[Mapping[str, str]] = {
        "?x": "perplexity per word of texts of so many trained lengths; lower is better, 1 is perfect",
        "positions *": "perplexity of the words at these positions, counted from 0",
    }

    steps: int = 600
    batch: int = 32
    lr: float = 3e-3
    positions: Positions = option("learned", "how tokens know where they stand")  # noqa: RUF009
    waves: Literal["quiet", "loud"] = option(
        "quiet", "sinusoidal positions as small as the first words, or as large as the paper's"
    )
    length: int = option(64, "length of the texts it is trained on", unit="words", low=2)
    epoch: int = option(100, "steps that make an epoch: crops are drawn by chance", unit="steps", low=1)
    n_layers: int = option(2, "blocks", low=1)
    n_heads: int = option(4, "attention heads of each", low=1)
    d_model: int = option(64, "components per word", low=1)

    def __post_init__(self) -> None:
        """Refuse loud waves where there are none."""
        super().__post_init__()
        if self.waves == "loud" and self.positions != "sinusoidal":
            raise ValueError(
                f"waves: expected 'quiet' with positions other than sinusoidal ones, got 'loud' with "
                f"{self.positions!r}"
            )

    def model(self) -> GPT:
        """Return a GPT with room for texts eight times as long as those it is trained on.

        With learned positions the vectors past the trained length stay as they were drawn: no step reaches
        them but weight decay. Quiet waves are scaled to the words as they were drawn: for the same waves,
        draw from the same seed.
        """
        gpt = GPT(
            GPTConfig(
                vocab_size=story_tokenizer().vocab_size,
                max_len=_TIMES * self.length,
                d_model=self.d_model,
                n_heads=self.n_heads,
                n_layers=self.n_layers,
                positions=self.positions,
            )
        )
        if isinstance(gpt.positions, Sinusoidal) and self.waves == "quiet":
            # GPT's first words are some 35 times smaller than the waves and would not be heard among them.
            # The paper makes the words as large as the waves; here, where words start small, it is the other
            # way.
            gpt.positions.table *= gpt.token_embedding.weight.std().item() / gpt.positions.table.std().item()
        return gpt

    def task(self, data: Path | None = None) -> "LmPositionsTask":
        """Return the task; nothing is read from `data`."""
        return LmPositionsTask(self)


class LmPositionsTask(StoryTask):
    """Stories in short pieces to learn from, in long ones to be asked."""

    recipe: LmPositions

    def __init__(self, recipe: LmPositions) -> None:
        super().__init__(recipe, _STORIES)

    def losses(self, model: nn.Module) -> Tensor:
        """Return the mean loss in nats at every position of texts of eight trained lengths, ``[T]``."""
        device = next(model.parameters()).device
        inputs, answers = chunks(self.words["test"], _TIMES * self.recipe.length)
        rows = []
        for some, right in zip(torch.split(inputs, 16), torch.split(answers, 16), strict=True):
            logits = model(some.to(device))
            rows.append(functional.cross_entropy(logits.mT, right.to(device), reduction="none").cpu())
        return torch.cat(rows).mean(0)

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """Return perplexities: of whole texts of 1, 2, 4 and 8 trained lengths, and by position.

        A causal model guesses the beginning of a text as if the rest were not there, so all of them come from
        the longest texts. ``positions 64-127`` are the 65th to the 128th word.
        """
        losses, length = self.losses(model), self.recipe.length
        edges = (length // 4, length, 2 * length, 4 * length, 8 * length)
        figures = {f"{times}x": losses[: times * length] for times in (1, 2, 4, 8)}
        for start, end in pairwise(edges):
            figures[f"positions {start}-{end - 1}"] = losses[start:end]
        return {name: math.exp(some.mean().item()) for name, some in figures.items()}
