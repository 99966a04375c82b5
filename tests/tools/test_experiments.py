"""The experiments name recipes that exist, and what they recorded is what they would record today."""

import argparse
import dataclasses
import json
import shlex
from pathlib import Path

import pytest

from tools.experiments.__main__ import experiments, main, run_trial
from tools.experiments.trial import Trial
from unrolled.training.options import add_options
from unrolled.training.recipes import recipes
from unrolled.training.recipes.reversal import Reversal
from unrolled.training.results import read_result
from unrolled.training.stored import stored

ROOT = Path(__file__).parents[2]
TRIALS = {trial.result: trial for module in experiments().values() for trial in module.TRIALS}
RECORDED = sorted(
    path.stem for path in (ROOT / "results").glob("*.json") if "schema" in json.loads(path.read_bytes())
)


def test_every_trial_has_a_name_of_its_own():
    assert TRIALS
    assert len(TRIALS) == sum(len(module.TRIALS) for module in experiments().values())


@pytest.mark.parametrize("name", sorted(TRIALS))
def test_every_trial_is_recorded_with_the_command_that_makes_it(name):
    trial, result = TRIALS[name], read_result(name)
    assert result["command"] == dataclasses.replace(trial.recipe, seed=trial.seeds[0]).command()
    assert result["seeds"] == list(trial.seeds)
    assert result["notes"] == trial.notes
    assert result["curve"]["training"]


@pytest.mark.parametrize("name", RECORDED)
def test_every_result_says_where_it_comes_from(name):
    result = read_result(name)
    assert result["name"] == name
    assert result["hardware"]
    assert result["date"]
    assert len(result["commit"]) == 40, "a commit, without changes"
    words = shlex.split(result["command"])
    if words[:2] == ["unrolled", "train"]:
        recipe = recipes()[words[2]]
        parser = argparse.ArgumentParser()
        add_options(parser, recipe)
        options = vars(parser.parse_args(words[3:]))
        assert recipe(**options).command() == result["command"]


def test_a_trial_is_trained_recorded_and_stored_and_not_trained_twice(tmp_path):
    recipe = Reversal(steps=2, d_hidden=4, d_model=3, longest=3, epoch=2)
    seen = []
    trial = Trial(
        "tiny",
        recipe,
        seeds=(3, 5),
        notes="a note",
        store="tiny",
        store_seed=5,
        after=lambda run, results: seen.append((run.recipe.seed, results)),
    )
    where = {"results": tmp_path / "results", "weights": tmp_path / "weights"}
    run_trial(trial, tmp_path / "runs", device="cpu", **where)
    result = read_result("tiny", tmp_path / "results")
    assert (result["seeds"], result["notes"]) == ([3, 5], "a note")
    assert seen == [(5, tmp_path / "results")]
    assert stored("tiny", tmp_path / "weights").recipe == dataclasses.replace(recipe, seed=5)

    before = (tmp_path / "runs/tiny-3/metrics.json").stat().st_mtime_ns
    run_trial(trial, tmp_path / "runs", device="cpu", **where)
    assert (tmp_path / "runs/tiny-3/metrics.json").stat().st_mtime_ns == before


def test_a_run_of_other_options_is_not_recorded(tmp_path):
    recipe = Reversal(steps=2, d_hidden=4, d_model=3, longest=3, epoch=2)
    where = {"results": tmp_path / "results", "weights": tmp_path / "weights"}
    run_trial(Trial("tiny", recipe, seeds=(3,)), tmp_path / "runs", device="cpu", **where)
    other = Trial("tiny", dataclasses.replace(recipe, lr=0.5), seeds=(3,))
    with pytest.raises(ValueError, match=r"tiny-3: expected a run of .* --lr 0\.5 .*, got other options"):
        run_trial(other, tmp_path / "runs", device="cpu", **where)


def test_nothing_is_recorded_from_code_that_is_not_committed(monkeypatch, capsys):
    monkeypatch.setattr("tools.experiments.__main__.commit", lambda: "abc+changes")
    assert main(["reversal"]) == 1
    assert "commit first" in capsys.readouterr().err
