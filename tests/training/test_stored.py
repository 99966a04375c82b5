"""Weights that ship: what is written comes back, and what ships reaches what its result says."""

import json

import pytest
import torch
from safetensors.torch import save_file

from tests.training.conftest import ALONE
from unrolled.training.recipes.reversal import Reversal
from unrolled.training.results import read_result
from unrolled.training.run import evaluate_task, open_run, run_recipe
from unrolled.training.stored import FOLDER, store_run, stored, stored_names

MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "one"
    recipe = Reversal(steps=3, d_hidden=6, d_model=5, longest=4, seed=7)
    run_recipe(recipe, folder, ALONE, quiet=True)
    return open_run(folder, torch.device("cpu"))


def test_what_was_stored_comes_back_rounded_to_half_precision(run, tmp_path):
    before = {name: tensor.clone() for name, tensor in run.task.model.state_dict().items()}
    path = store_run(run, "small", "reversal-small", tmp_path)
    assert path == tmp_path / "small.safetensors"
    assert stored_names(tmp_path) == ["small"]
    state = torch.random.get_rng_state()
    again = stored("small", tmp_path)
    assert torch.equal(state, torch.random.get_rng_state()), "loading draws no random numbers of the caller's"
    assert (again.recipe, again.result) == (run.recipe, "reversal-small")
    assert not again.model.training
    for name, tensor in again.model.state_dict().items():
        assert tensor.dtype == torch.float32
        assert torch.equal(tensor, before[name].half().float()), name
    assert evaluate_task(run.task, run.recipe) == again.figures
    assert sum(p.numel() for p in again.model.parameters()) * 2 < path.stat().st_size


def test_what_is_not_stored_is_said(run, tmp_path):
    with pytest.raises(ValueError, match=r"expected one of \(none stored\), got 'small'"):
        stored("small", tmp_path)
    store_run(run, "small", "reversal-small", tmp_path)
    with pytest.raises(ValueError, match=r"expected one of small, got '\.\./small'"):
        stored("../small", tmp_path)
    save_file({"x": torch.ones(2)}, tmp_path / "other.safetensors")
    (tmp_path / "cut.safetensors").write_bytes((tmp_path / "small.safetensors").read_bytes()[:100])
    for name in ("other", "cut"):
        with pytest.raises(ValueError, match=rf"{name}\.safetensors: expected weights of this package"):
            stored(name, tmp_path)


def test_what_ships_is_small():
    sizes = {name: (FOLDER / f"{name}.safetensors").stat().st_size for name in stored_names()}
    english = sizes.pop("gpt-tales")  # a vocabulary of its own, and text that no grammar of ours makes
    assert english < 2.1 * MEGABYTE
    assert sizes.pop("gpt-playground") < 4 * MEGABYTE  # with four times the parameters, in 8 bits
    assert all(size < MEGABYTE for size in sizes.values()), sizes
    assert sum(sizes.values()) < 3.5 * MEGABYTE, sizes


@pytest.mark.parametrize("name", [name for name in stored_names() if not stored(name).recipe.public])
def test_stored_weights_reach_what_their_result_records(name):
    """The task is made anew and measures them again; rounding to half precision may cost a percent."""
    it = stored(name)
    result = read_result(it.result)
    at = result["seeds"].index(it.recipe.seed)
    task = it.recipe.task()
    task.model = it.model
    figures = evaluate_task(task, it.recipe)
    assert figures.keys() == it.figures.keys() == result["metrics"].keys()
    for figure, value in figures.items():
        # Another processor rounds otherwise: of two hundred sentences one or two may be written differently.
        assert value == pytest.approx(it.figures[figure], rel=5e-3, abs=0.011), figure
        assert value == pytest.approx(result["metrics"][figure][at], rel=0.01, abs=0.011), figure
    assert result["parameters"] == sum(p.numel() for p in it.model.parameters())
    assert json.loads(json.dumps(it.recipe.config())) == it.recipe.config()
