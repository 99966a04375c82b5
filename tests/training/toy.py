"""A task of a few numbers whose batches are uneven on purpose: what the tests of the loop train."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn

from unrolled.training import IGNORED, Recipe, cross_entropy, option, seeded

WORDS = 7


class ToyModel(nn.Module):
    """Guess a word from the mean of the ones before it; the output weights are those of the embedding."""

    def __init__(self, dropout):
        super().__init__()
        self.embed = nn.Embedding(WORDS, 6)
        self.mix = nn.Linear(6, 6)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(6, WORDS)
        self.head.weight = self.embed.weight

    def forward(self, tokens):
        steps = torch.arange(1, tokens.shape[1] + 1, dtype=self.mix.weight.dtype, device=tokens.device)
        x = self.embed(tokens).cumsum(1) / steps[:, None]
        return self.head(self.dropout(torch.tanh(self.mix(x))))


class ToyTask:
    """Rows of 1 to 9 words that count upwards modulo 7, now and then wrongly; one row in some batches."""

    def __init__(self, recipe):
        self.recipe = recipe
        self.model = ToyModel(recipe.dropout)
        if recipe.double:
            self.model.double()

    def batches(self, split, seed, epoch):
        g = seeded("toy", split, seed, epoch)
        for i in range(5):
            rows = 1 if i == 2 else self.recipe.batch
            lengths = torch.randint(1, 10, (rows,), generator=g)
            first = torch.randint(0, WORDS, (rows, 1), generator=g)
            words = (first + torch.arange(10)) % WORDS
            noise = torch.rand(words.shape, generator=g) < 0.1
            words[noise] = torch.randint(0, WORDS, (int(noise.sum()),), generator=g)
            answers = words[:, 1:].masked_fill(torch.arange(9) >= lengths[:, None], IGNORED)
            yield {"words": words[:, :-1], "answers": answers}

    def loss(self, model, batch):
        smoothing = self.recipe.label_smoothing if model.training else 0.0
        return cross_entropy(model(batch["words"]), batch["answers"], label_smoothing=smoothing)

    def evaluate(self, model):
        right = n = 0
        for batch in self.batches("validation", 0, 0):
            asked = batch["answers"] != IGNORED
            right += int(
                (model(batch["words"].to(model.mix.weight.device)).argmax(-1).cpu() == batch["answers"])[
                    asked
                ].sum()
            )
            n += int(asked.sum())
        return {"accuracy": right / n}


@dataclass(frozen=True, kw_only=True)
class Toy(Recipe):
    name: ClassVar[str] = "toy"
    about: ClassVar[str] = "counting"

    steps: int = 24
    batch: int = 5
    lr: float = 0.05
    log_every: int = 1
    validate_every: int = 6
    checkpoint_every: int = 5
    dropout: float = option(0.0, "share of numbers set to zero", low=0, high=0.9)
    double: bool = option(True, "count in 64 bits")

    def task(self, data=None):
        torch.manual_seed(self.seed)
        return ToyTask(self)
