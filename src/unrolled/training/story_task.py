"""Guess the next word of generated stories: what the recipes that compare blocks and positions share."""

from collections.abc import Iterator, Mapping
from typing import Any

from torch import Tensor, nn

from unrolled.data.batches import chunks, crops
from unrolled.data.seeds import seeded
from unrolled.data.story_words import story_words
from unrolled.training.loss import cross_entropy
from unrolled.training.task import Batch, Split

__all__ = ["StoryTask"]


class StoryTask:
    """Pieces of stories, and a causal model that guesses each next word.

    Args:
        recipe: it has ``batch``, ``length``, ``epoch``, ``label_smoothing`` and ``model()``; its name
            seeds the crops.
        stories: for each split how many stories there are, and their seed.
    """

    def __init__(self, recipe: Any, stories: Mapping[str, tuple[int, int]]) -> None:
        self.recipe = recipe
        self.words = {split: story_words(n, seed=seed) for split, (n, seed) in stories.items()}
        self.model: nn.Module = recipe.model()

    def batches(self, split: Split, seed: int, epoch: int) -> Iterator[Batch]:
        """Yield batches ``tokens`` and ``answers`` ``[B, T]``: crops to train on, the whole to validate."""
        r, words = self.recipe, self.words[split]
        if split == "validation":
            inputs, answers = chunks(words, r.length)
            yield {"tokens": inputs, "answers": answers}
            return
        g = seeded(r.name, split, seed, epoch)
        for _ in range(r.epoch):
            inputs, answers = crops(words, r.batch, r.length, g)
            yield {"tokens": inputs, "answers": answers}

    def loss(self, model: nn.Module, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the summed cross-entropy in nats, and how many words were guessed."""
        smoothing = self.recipe.label_smoothing if model.training else 0.0
        return cross_entropy(model(batch["tokens"]), batch["answers"], label_smoothing=smoothing)
