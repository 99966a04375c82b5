"""The recall of pairs: what learns it within seconds, and what cannot."""

from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
import torch

from tools.experiments.recall import CASES
from unrolled.training.distributed import workers
from unrolled.training.recipes.recall import Layer, PairRecall
from unrolled.training.run import run_recipe


def test_the_delta_rule_learns_four_pairs(tmp_path: Path) -> None:
    """In a hundred steps it is far from guessing, which gives 1/32."""
    recipe = PairRecall(layer="delta", pairs=4, steps=120, d_model=32)
    with workers("cpu") as alone:
        metrics = run_recipe(recipe, tmp_path / "run", alone)
    assert metrics["metrics"]["accuracy"] > 0.5


@pytest.mark.parametrize("layer", get_args(Layer))
@pytest.mark.parametrize("shift", [False, True])
def test_every_layer_answers_and_none_sees_the_future(layer: Layer, shift: bool) -> None:
    """Logits of all 32 values at every position; the last query changes no earlier answer."""
    torch.manual_seed(0)
    recipe = PairRecall(layer=layer, pairs=5, d_model=12, d_head=7, batch=3, shift=shift)
    task = recipe.task()
    batch = next(iter(task.batches("train", 0, 0)))
    model = task.model.eval()
    logits = model(batch["keys"], batch["values"])
    assert logits.shape == (3, 10, 32)
    changed = batch["keys"].clone()
    changed[:, -1] = (changed[:, -1] + 1) % 32
    torch.testing.assert_close(model(changed, batch["values"])[:, :-1], logits[:, :-1])
    total, n = task.loss(model, batch)
    assert n == 15
    assert 0 < float(total.detach()) / 15 < 8
    assert 0 <= task.evaluate(model)["accuracy"] <= 0.3


def test_what_is_compared_differs_in_what_it_says() -> None:
    """All cases are recipes of their own; equal size means as many parameters, within a fifth."""
    assert len({repr(case) for case in CASES.values()}) == len(CASES)

    def size(case: str) -> int:
        return sum(p.numel() for p in CASES[case].model().parameters())

    sizes = [size(f"{layer}, 32 pairs") for layer in ("softmax", "linear", "gated", "delta", "lstm")]
    assert max(sizes) < 1.25 * min(sizes)
    assert replace(CASES["lstm of 128, 4 pairs"], d_head=16) == CASES["lstm, 4 pairs"]
