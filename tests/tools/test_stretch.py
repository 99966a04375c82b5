"""The experiment on stretched positions asks one trained model with other angles, and trains it on."""

from dataclasses import replace
from pathlib import Path

import torch
from torch.testing import assert_close

from tools.experiments.stretch import EACH, LONG, RECIPE, RULES, further, measure, stretched
from unrolled.training.results import read_result


def test_a_rule_changes_the_angles_and_no_weight():
    model = RECIPE.model().eval()
    tokens = torch.randint(0, model.config.vocab_size, (2, 37))
    assert_close(stretched(model, RULES["bare"])(tokens), model(tokens))
    for name in RULES.keys() - {"bare"}:
        other = stretched(model, RULES[name])
        assert all(torch.equal(a, b) for a, b in zip(other.parameters(), model.parameters(), strict=True))
        assert not torch.allclose(other(tokens), model(tokens))


def test_training_on_leaves_the_model_it_began_with_alone():
    model = RECIPE.model().eval()
    before = model.token_embedding.weight.clone()
    words = torch.randint(0, model.config.vocab_size, (2 * LONG,))
    after = further(model, words, seed=0, steps=2)
    assert_close(model.token_embedding.weight, before)
    assert not torch.allclose(after.token_embedding.weight, before)


def test_every_rule_is_recorded_at_once_and_after(tmp_path: Path) -> None:
    recipe = replace(RECIPE, steps=2, batch=2, validate_every=0)
    measure(recipe, steps=1, seeds=(5,), folder=tmp_path, runs=tmp_path / "runs")
    result = read_result("stretch", tmp_path)
    assert set(result["tables"]["curves"]) == {
        f"{name}, {when}" for name in RULES for when in ("at once", "after")
    }
    assert len(result["tables"]["points"]) == len(result["tables"]["curves"]["NTK, after"][0]) == LONG // EACH
    assert (
        result["metrics"]["bare, at once, positions 256-511"]
        != result["metrics"]["NTK, at once, positions 256-511"]
    )
