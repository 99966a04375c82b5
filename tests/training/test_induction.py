"""What is asked of induction heads: scores of a model made by hand, and a short training."""

import pytest
import torch
from torch import nn

from tests.training.conftest import ALONE
from unrolled.nn import AttentionBlock
from unrolled.training.curve import read_curve
from unrolled.training.loop import Trainer
from unrolled.training.recipes.induction import Induction
from unrolled.training.run import evaluate_task

SMALL = {
    **{"symbols": 17, "length": 17, "asked": 13, "shortest": 4, "longest": 7},
    **{"steps": 20, "validate_every": 10, "epoch": 7},
}


def test_it_is_attention_alone():
    model = Induction().model()
    assert all(isinstance(layer, AttentionBlock) for layer in model.layers)
    assert sum(p.numel() for p in model.parameters()) < 46_000


def test_the_accuracy_counts_what_one_earlier_copy_tells():
    """A model that looks the answer up is always right there; one that says the symbol again never is."""
    task = Induction(**SMALL).task()
    drawn = task._draw(50, "here")

    class LooksUp(nn.Module):
        def __init__(self, step):
            super().__init__()
            self.step, self.weight = step, nn.Parameter(torch.zeros(1))

        def forward(self, tokens):
            logits = torch.zeros(*tokens.shape, 22)
            for row, symbols in enumerate(tokens.tolist()):
                for t, symbol in enumerate(symbols):
                    logits[row, t, [*symbols, symbol][symbols.index(symbol) + self.step]] = 1.0
            return logits

    assert task.accuracy(LooksUp(1), drawn) == 1.0
    assert task.accuracy(LooksUp(0), drawn) == 0.0


def test_the_curve_and_the_figures_name_every_head(tmp_path):
    recipe = Induction(**SMALL)
    torch.manual_seed(0)
    task = recipe.task()
    Trainer(recipe, task, tmp_path, ALONE).train()
    heads = ["1.1", "1.2", "2.1", "2.2"]
    named = {f"{what} {head}" for what in ("previous", "induction") for head in heads} | {"accuracy"}
    points = [point for point in read_curve(tmp_path / "curve.jsonl") if "validation_loss" in point]
    assert [point["step"] for point in points] == [10, 20]
    assert all(point.keys() == {"step", "validation_loss"} | named for point in points)
    figures = evaluate_task(task, recipe)
    assert figures.keys() == named | {f"accuracy without {head}" for head in heads}
    assert figures == evaluate_task(task, recipe), "every head is back"
    assert all(0 <= value <= 1 for value in figures.values())


def test_batches_are_new_and_repeat():
    task = Induction(**SMALL).task()
    first, *_, last = task.batches("train", 0, 0)
    (again, *_) = task.batches("train", 0, 0)
    assert torch.equal(first["tokens"], again["tokens"])
    assert not torch.equal(first["tokens"], last["tokens"])
    for row in last["tokens"].tolist():
        period = next(p for p in range(1, 17) if row[p:] == row[:-p])
        assert 4 <= period <= 7


def test_a_cycle_needs_symbols():
    with pytest.raises(ValueError, match="n_symbols: expected 28 or more, got 11"):
        Induction(symbols=11).task()
    with pytest.raises(ValueError, match="n_symbols: expected 24 or more, got 23"):
        next(iter(Induction(symbols=23, asked=20).task().batches("train", 0, 0)))
    with pytest.raises(ValueError, match="asked: expected at most length=31, got 32"):
        Induction(length=31)
