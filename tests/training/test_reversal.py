"""Reversal: rows of the shared generator, a model that learns to turn them, a map held to the known one."""

import pytest
import torch

from tests.training.conftest import ALONE
from unrolled.data.batches import IGNORED
from unrolled.data.sequences import FIRST_SYMBOL, Transduction
from unrolled.data.special_tokens import SPECIAL
from unrolled.training import GenerateOptions
from unrolled.training.loop import Trainer
from unrolled.training.recipes.reversal import Reversal
from unrolled.training.run import evaluate_task

NAMES = ("exact", "argmax", "early", "late", "mass")


def test_a_batch_is_what_teacher_forcing_needs():
    task = Reversal(batch=13, shortest=2, longest=7, symbols=5).task()
    batch = next(iter(task.batches("train", 0, 0)))
    lengths = batch["lengths"].tolist()
    assert len(set(lengths)) > 1
    for length, source, target, labels in zip(
        lengths, batch["source"], batch["target"], batch["labels"], strict=True
    ):
        turned = source[:length].flip(0)
        assert bool(((turned >= FIRST_SYMBOL) & (turned < FIRST_SYMBOL + 5)).all())
        assert target.tolist()[: length + 1] == [SPECIAL.bos, *turned]
        assert labels.tolist()[: length + 1] == [*turned, SPECIAL.eos]
        assert set(labels.tolist()[length + 1 :]) <= {IGNORED}


def test_what_is_padding_moves_neither_loss_nor_map():
    torch.manual_seed(0)
    task = Reversal(symbols=5, d_model=7, d_hidden=6).task()
    model = task.model.double()
    rows = task.rows(11, 3, 7, "test")
    i = int(rows.lengths.argmin())
    n = int(rows.lengths[i])
    assert n < rows.source.shape[1]
    one = Transduction(
        rows.source[i : i + 1, :n],
        rows.target[i : i + 1, :n],
        rows.lengths[i : i + 1],
        rows.alignment[i : i + 1, :n, :n],
    )
    torch.testing.assert_close(
        task.attention(model, rows)[i, :n, :n], task.attention(model, one)[0], rtol=0, atol=1e-12
    )
    total, count = task.loss(model, task.batch(rows))
    parts = []
    for j, length in enumerate(rows.lengths.tolist()):
        cut = (rows.source, rows.target)
        source, target = (part[j : j + 1, :length] for part in cut)
        alone = Transduction(source, target, rows.lengths[j : j + 1], rows.alignment[j : j + 1])
        parts.append(task.loss(model, task.batch(alone)))
    torch.testing.assert_close(total, sum(loss for loss, _ in parts), rtol=1e-12, atol=0)
    assert count == sum(n for _, n in parts) == rows.lengths.sum() + len(rows.lengths)


def test_figures_tell_a_right_map_from_one_that_is_early_or_late(monkeypatch):
    task = Reversal(shortest=4, longest=5).task()
    assert task.ranges == [(4, 5), (6, 7), (8, 10)]

    def shifted(by):
        """A map whose weight, two thirds of it, is `by` letters from where it should be."""

        def attention(model, rows):
            weights = rows.alignment.roll(by, -1)
            return 2 / 3 * weights + 1 / 3 * rows.alignment.roll(by + 2, -1)

        return attention

    for by, name in ((0, "argmax"), (1, "early"), (-1, "late")):
        monkeypatch.setattr(task, "attention", shifted(by))
        figures = evaluate_task(task, task.recipe)
        # At the edge of a full row rolling wraps round: of 4 letters or more that is one at most.
        assert figures[f"{name} 4-5"] >= 0.75
        others = {"argmax", "early", "late"} - {name}
        assert all(figures[f"{other} 4-5"] == 0 for other in others)
        assert figures["mass 4-5"] == pytest.approx(2 / 3 if by == 0 else 0, abs=1e-6)


def test_without_attention_there_is_no_map():
    task = Reversal(score=None, d_hidden=4, shortest=1, longest=1).task()
    assert list(evaluate_task(task, task.recipe)) == ["exact 1-1", "exact 2-2"]
    with pytest.raises(LookupError, match="no tap matches 'weights'"):
        task.attention(task.model, task.rows(3, 1, 1, "test"))


def test_it_learns_to_turn_short_rows_round_and_says_so(tmp_path):
    recipe = Reversal(steps=150, longest=5, symbols=5, epoch=50)
    torch.manual_seed(0)
    task = recipe.task()
    before = evaluate_task(task, recipe)
    assert list(before) == [f"{name} {of}" for of in ("3-5", "6-7", "8-10") for name in NAMES]
    assert before["exact 3-5"] < 0.1
    Trainer(recipe, task, tmp_path, ALONE).train()
    after = evaluate_task(task, recipe)
    assert after["exact 3-5"] > 0.9
    assert after["mass 3-5"] > 2 * before["mass 3-5"]
    assert task.write(task.model, "a b c e", GenerateOptions()) == "e c b a"
    with pytest.raises(ValueError, match="expected letters from a to e, got z"):
        task.write(task.model, "a z", GenerateOptions())
