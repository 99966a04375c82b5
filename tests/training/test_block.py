"""Kinds of blocks: what each computes, and what is measured before the first step and after the last."""

import pytest
import torch
from torch.testing import assert_close

from tests.training.conftest import ALONE
from unrolled.nn import AttentionBlock, EncoderBlock
from unrolled.training.loop import Trainer
from unrolled.training.recipes.block import Block, gradient_norms, post_norm_alone, pre_norm_alone
from unrolled.training.run import evaluate_task

SMALL = {"n_layers": 3, "n_heads": 2, "d_model": 14, "length": 11, "batch": 5, "steps": 4}


def made(**options):
    recipe = Block(**SMALL, **options)
    torch.manual_seed(recipe.seed)
    return recipe, recipe.task()


@pytest.mark.parametrize("norm", ["pre", "post"])
def test_without_a_way_around_only_the_sublayers_are_left(norm):
    torch.manual_seed(0)
    residual = pre_norm_alone if norm == "pre" else post_norm_alone
    block, x = EncoderBlock(15, 3, 31, norm=residual).double(), torch.randn(2, 7, 15, dtype=torch.float64)
    if norm == "pre":
        expected = block.feedforward(block.feedforward_norm(block.attention(block.attention_norm(x))))
    else:
        expected = block.feedforward_norm(block.feedforward(block.attention_norm(block.attention(x))))
    assert_close(block(x), expected)


@pytest.mark.parametrize(
    ("kind", "block"),
    [("whole", EncoderBlock), ("no-residual", EncoderBlock), ("attention-only", AttentionBlock)],
)
@pytest.mark.parametrize("norm", ["pre", "post"])
def test_the_stack_is_made_of_what_was_asked_and_is_causal(kind, block, norm):
    _, task = made(kind=kind, norm=norm)
    assert [type(layer) for layer in task.model.layers] == [block] * 3
    alone = pre_norm_alone if norm == "pre" else post_norm_alone
    assert all(layer.norm == (alone if kind == "no-residual" else norm) for layer in task.model.layers)
    assert isinstance(task.model.final_norm, torch.nn.LayerNorm if norm == "pre" else torch.nn.Identity)
    tokens = next(iter(task.batches("train", 0, 0)))["tokens"]
    changed = tokens.clone()
    changed[:, 7] = (tokens[:, 7] + 1) % 413
    before, after = task.model(tokens), task.model(changed)
    assert_close(after[:, :7], before[:, :7])
    assert not torch.allclose(after[:, 7], before[:, 7])


def test_gradient_norms_are_those_a_backward_pass_leaves():
    _, task = made()
    loss, count = task.loss(task.model, next(iter(task.batches("train", 0, 0))))
    (loss / count).backward()
    expected = [
        torch.stack([p.grad.square().sum() for p in layer.parameters()]).sum().sqrt().item()
        for layer in task.model.layers
    ]
    assert task.first_gradients() == pytest.approx(expected, rel=1e-5)
    loss, count = task.loss(task.model, next(iter(task.batches("train", 0, 0))))
    assert gradient_norms(task.model, loss / count) == pytest.approx(expected, rel=1e-5)


def test_figures_are_of_the_model_as_it_is_but_for_the_first_gradients(tmp_path):
    recipe, task = made()
    before = evaluate_task(task, recipe)
    assert before["loss by frequency"] == pytest.approx(5.02, abs=0.05)
    assert before["trained"] == 0
    Trainer(recipe, task, tmp_path, ALONE).train()
    after = evaluate_task(task, recipe)
    assert list(after) == ["loss", "loss by frequency", "trained", "gradient 1", "gradient 2", "gradient 3"]
    assert after["loss"] != before["loss"]
    assert [after[f"gradient {i}"] for i in (1, 2, 3)] == [before[f"gradient {i}"] for i in (1, 2, 3)]
    task.model.lm_head.weight.data.zero_()
    task.model.lm_head.bias.data = (torch.bincount(task.words["train"], minlength=413) + 1).log()
    assert evaluate_task(task, recipe)["loss"] == pytest.approx(after["loss by frequency"], abs=0.02)


def test_a_shallow_one_learns(tmp_path):
    recipe = Block(n_layers=1, d_model=16, length=11, steps=40, lr=1e-2, warmup=0.1)
    torch.manual_seed(0)
    task = recipe.task()
    Trainer(recipe, task, tmp_path, ALONE).train()
    assert evaluate_task(task, recipe)["trained"] == 1
