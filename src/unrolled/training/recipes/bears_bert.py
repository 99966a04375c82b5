"""The bears' model with [CLS] and [SEP] around a sentence, or with BERT's 80/10/10. Taught in chapter 11.

Everything else is as in the recipe `bears`, so that a difference comes from the part that was exchanged.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import torch
from torch import Tensor

from unrolled.data import bears
from unrolled.data.bears_tokens import WORDS, Frame, as_it_is, framed
from unrolled.data.masking import MaskingRule, always_mask, eighty_ten_ten
from unrolled.data.seeds import seeded
from unrolled.data.special_tokens import SPECIAL
from unrolled.nn import BERT, padding_mask
from unrolled.training.options import option
from unrolled.training.recipes.bears import Bears, BearsTask

__all__ = ["BearsBert", "BearsBertTask"]

RULES: dict[str, MaskingRule] = {"always": always_mask, "80-10-10": eighty_ten_ten(len(WORDS))}
FRAMES: dict[str, Frame] = {"none": as_it_is, "cls-sep": framed}


@dataclass(frozen=True, kw_only=True)
class BearsBert(Bears):
    """Options of the bears' model with parts of BERT's."""

    name = "bears-bert"
    about = "the bears' model with [CLS] and [SEP], or with BERT's 80/10/10"
    legend: ClassVar[Mapping[str, str]] = {
        **Bears.legend,
        "guessed": "share (0 to 1) of hidden words of new sentences that are guessed, <mask> in their place",
        "guess loss": "cross-entropy of the same, in nats per hidden word",
        "named": "share (0 to 1) of words of new sentences that the model names when nothing is hidden",
    }

    masking: Literal["always", "80-10-10"] = option("always", "what stands in the place of a chosen word")
    frame: Literal["none", "cls-sep"] = option("none", "what is put around a sentence")

    @property
    def longest(self) -> int:
        """How many tokens the longest sentence has."""
        return len(FRAMES[self.frame](bears.Sentence(("bears",) * bears.MAX_WORDS, None, None, None)).words)

    def task(self, data: Path | None = None) -> "BearsBertTask":
        """Return the task; nothing is read from `data`."""
        return BearsBertTask(self, RULES[self.masking], FRAMES[self.frame])


class BearsBertTask(BearsTask):
    """The bears' task, which also measures how well words are guessed, hidden and in plain sight."""

    def evaluate(self, model: BERT) -> dict[str, float]:
        """Return the bears' figures, and those of guessing with ``<mask>`` in some places or in none."""
        tokens, lengths = self._splits["validation"]
        device = model.token_embedding.weight.device
        chosen = torch.rand(tokens.shape, generator=seeded("guessed", self.recipe.seed)) < self._share[tokens]
        seen = tokens.masked_fill(chosen, SPECIAL.mask)
        words = tokens >= len(SPECIAL)

        def logits(given: Tensor) -> Tensor:
            mask = padding_mask(lengths, given.shape[1]).to(device)
            guesses: Tensor = model(given.to(device), mask).cpu()
            return guesses

        hidden, plain = logits(seen)[chosen], logits(tokens)[words]
        loss = torch.nn.functional.cross_entropy(hidden.double(), tokens[chosen])
        return {
            **super().evaluate(model),
            "guessed": float((hidden.argmax(-1) == tokens[chosen]).double().mean()),
            "guess loss": float(loss),
            "named": float((plain.argmax(-1) == tokens[words]).double().mean()),
        }
