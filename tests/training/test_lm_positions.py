"""The language model that is asked past the length it was trained on."""

import math

import pytest
import torch
from torch.nn.functional import cross_entropy

from tests.training.conftest import ALONE
from unrolled.training.loop import Trainer
from unrolled.training.recipes.lm_positions import LmPositions
from unrolled.training.results import read_result
from unrolled.training.run import evaluate_task

SMALL = {"length": 8, "d_model": 12, "steps": 3, "batch": 5}


def made(**options):
    recipe = LmPositions(**SMALL, **options)
    torch.manual_seed(recipe.seed)
    task = recipe.task()
    task.model.eval()
    return recipe, task


@pytest.fixture(scope="module")
def learned():
    return made()


def test_perplexities_are_means_over_positions(learned):
    recipe, task = learned
    with torch.no_grad():
        losses = task.losses(task.model)
    figures = evaluate_task(task, recipe)
    assert losses.shape == (64,)
    expected = {"1x": (0, 8), "2x": (0, 16), "4x": (0, 32), "8x": (0, 64)}
    expected |= {f"positions {a}-{b - 1}": (a, b) for a, b in [(2, 8), (8, 16), (16, 32), (32, 64)]}
    assert figures.keys() == expected.keys()
    for name, (start, end) in expected.items():
        assert figures[name] == pytest.approx(math.exp(losses[start:end].mean()), rel=1e-5), name
    assert figures["8x"] == pytest.approx(413, rel=0.2), "about the number of words, before any learning"


def test_a_position_s_loss_is_that_of_the_next_word(learned):
    _, task = learned
    words = task.words["test"]
    n = (len(words) - 1) // 64
    with torch.no_grad():
        losses = task.losses(task.model)
        logits = task.model(words[: n * 64].view(n, 64))
    expected = cross_entropy(logits[:, 37], words[38::64][:n])
    torch.testing.assert_close(losses[37], expected, rtol=1e-4, atol=1e-4)


def test_no_step_reaches_learned_positions_past_the_trained_length(tmp_path):
    recipe, task = made(weight_decay=0.0)
    before = task.model.positions.table.weight.detach().clone()
    assert before.shape == (64, 12)
    Trainer(recipe, task, tmp_path, ALONE).train()
    moved = (task.model.positions.table.weight != before).any(1)
    assert moved.tolist() == [True] * 8 + [False] * 56


def test_crops_follow_from_seed_and_epoch_and_validation_is_whole(learned):
    _, task = learned
    one, again, other = (next(iter(task.batches("train", 0, e)))["tokens"] for e in (0, 0, 1))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
    (validation,) = task.batches("validation", 0, 0)
    assert torch.equal(validation["tokens"].flatten()[1:], validation["answers"].flatten()[:-1])


def test_waves_start_as_large_as_the_words():
    _, task = made(positions="sinusoidal")
    waves, words = task.model.positions.table, task.model.token_embedding.weight
    assert waves.std().item() == pytest.approx(words.std().item(), rel=1e-3)
    # The same waves, only smaller.
    assert (waves[1, 0] / waves[0, 1]).item() == pytest.approx(math.sin(1), rel=1e-4)
    _, loud = made(positions="sinusoidal", waves="loud")
    assert loud.model.positions.table.square().mean().item() == pytest.approx(0.5, rel=1e-3)


def test_loud_is_said_of_waves_alone():
    with pytest.raises(ValueError, match=r"waves: expected 'quiet' .* got 'loud' with 'rotary'"):
        LmPositions(positions="rotary", waves="loud")


def test_loud_waves_drown_the_words():
    """At the trained length, where quiet waves are as good as anything."""
    quiet, loud = (read_result(f"lm-positions-{name}") for name in ("sinusoidal", "loud-waves"))
    assert min(loud["metrics"]["1x"]) > 10 * max(quiet["metrics"]["1x"])
