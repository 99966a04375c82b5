"""Stories in pieces: what a model is given, and what it is asked for."""

import math
from dataclasses import dataclass

import pytest
import torch
from torch import nn

from unrolled.data.story_words import story_words
from unrolled.training.story_task import StoryTask

STORIES = {"train": (30, 0), "validation": (7, 1), "test": (5, 2)}


class Even(nn.Module):
    """Finds all of 413 words equally likely."""

    def forward(self, tokens):
        return torch.zeros(*tokens.shape, 413)


@dataclass
class Options:
    name: str = "toy"
    batch: int = 3
    length: int = 11
    epoch: int = 5
    label_smoothing: float = 0.0

    def model(self):
        return Even()


def test_each_word_is_asked_for_after_those_before_it():
    task = StoryTask(Options(), STORIES)
    batches = list(task.batches("train", 0, 0))
    assert [b["tokens"].shape for b in batches] == [(3, 11)] * 5
    for batch in batches:
        assert torch.equal(batch["tokens"][:, 1:], batch["answers"][:, :-1])
    text = " ".join(map(str, story_words(30, seed=0).tolist()))
    assert " ".join(map(str, batches[0]["tokens"][0].tolist())) in text


def test_crops_follow_from_name_seed_and_epoch():
    def first(seed=0, epoch=0, **options):
        return next(iter(StoryTask(Options(**options), STORIES).batches("train", seed, epoch)))["tokens"]

    assert torch.equal(first(), first())
    for other in (first(seed=1), first(epoch=1), first(name="toys")):
        assert not torch.equal(first(), other)


def test_validation_is_the_whole_in_order():
    (batch,) = StoryTask(Options(), STORIES).batches("validation", 0, 0)
    words = story_words(7, seed=1)
    whole = len(words[:-1]) // 11 * 11
    assert torch.equal(batch["tokens"].flatten(), words[:whole])
    assert torch.equal(batch["answers"].flatten(), words[1 : whole + 1])


def test_the_loss_is_a_sum_and_smoothed_in_training_alone():
    task = StoryTask(Options(label_smoothing=0.1), STORIES)
    batch = next(iter(task.batches("train", 0, 0)))
    total, count = task.loss(task.model, batch)
    assert count == 33
    assert total.item() == pytest.approx(33 * math.log(413), rel=1e-5)

    class Sure(Even):
        def forward(self, tokens):
            logits = super().forward(tokens)
            return logits.scatter(-1, batch["answers"][..., None], 9.0)

    smoothed, _ = task.loss(Sure().train(), batch)
    plain, _ = task.loss(Sure().eval(), batch)
    assert smoothed > plain + 20
