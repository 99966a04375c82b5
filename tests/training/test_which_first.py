"""Which came first: learned where positions tell, at chance where they do not."""

import pytest
import torch

from tests.training.conftest import ALONE
from unrolled.data.sequences import FIRST_SYMBOL
from unrolled.training import GenerateOptions
from unrolled.training.loop import Trainer
from unrolled.training.recipes.which_first import WhichFirst
from unrolled.training.run import evaluate_task

SMALL = {"length": 7, "symbols": 5, "steps": 120, "n_heads": 2, "lr": 5e-3, "batch": 46}


def trained(folder, **options):
    recipe = WhichFirst(**SMALL, **options)
    torch.manual_seed(recipe.seed)
    task = recipe.task()
    Trainer(recipe, task, folder, ALONE).train()
    task.model.eval()
    return task, evaluate_task(task, recipe)


def test_with_positions_it_learns_and_answers(tmp_path):
    task, figures = trained(tmp_path)
    assert list(figures) == ["accuracy at 1x", "accuracy at 2x", "accuracy at 4x"]
    assert figures["accuracy at 1x"] > 0.95
    ask = lambda text: task.write(task.model, text, GenerateOptions())
    assert (ask("C D A E B C D"), ask("c d b e a c d")) == ("A", "B")
    for wrong in ("C D", "A A B", "A B Z", ""):
        with pytest.raises(ValueError, match="expected letters from A to E, A and B once each"):
            ask(wrong)


@pytest.mark.parametrize("positions", ["none", "alibi"])
def test_without_direction_it_stays_at_chance(tmp_path, positions):
    _, figures = trained(tmp_path, positions=positions)
    assert all(abs(share - 0.5) < 0.04 for share in figures.values()), figures


def test_batches_are_new_and_balanced():
    task = WhichFirst(**SMALL, epoch=3).task()
    batches = list(task.batches("train", 0, 0)) + list(task.batches("train", 0, 1))
    assert len({batch["tokens"].numpy().tobytes() for batch in batches}) == 6
    for batch in batches:
        assert batch["labels"].sum() == 23
        assert int(batch["tokens"].max()) < FIRST_SYMBOL + 5


def test_an_odd_batch_is_refused():
    with pytest.raises(ValueError, match="batch: expected an even number, for half of each answer, got 45"):
        WhichFirst(batch=45)
