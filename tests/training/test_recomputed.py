"""Short results, trained from scratch by the command they record, come out as recorded."""

import argparse
import shlex

import pytest

from tests.training.conftest import ALONE
from unrolled.training.options import add_options
from unrolled.training.recipes import recipes
from unrolled.training.results import read_result
from unrolled.training.run import run_recipe

# Results that take a few seconds. The rest would take minutes: there, stored weights are measured again.
SHORT = ["reversal", "which-first-learned"]


def recorded_recipe(command):
    """Return the recipe that a result's command trains."""
    name, *options = shlex.split(command.removeprefix("unrolled train "))
    parser = argparse.ArgumentParser()
    add_options(parser, recipes()[name])
    return recipes()[name](**vars(parser.parse_args(options)))


def admitted(values):
    """Return how far a figure may be from its record.

    The same processor gives the same number. Another one rounds differently, and after hundreds of steps that
    is as if another seed had been drawn: so the seeds say how much a figure varies.
    """
    return 0.02 * max(1, max(map(abs, values))) + max(values) - min(values)


@pytest.mark.parametrize("name", SHORT)
def test_a_result_trained_again_is_what_was_recorded(name, tmp_path):
    result = read_result(name)
    again = run_recipe(recorded_recipe(result["command"]), tmp_path / "run", ALONE, quiet=True)
    assert again["command"] == result["command"]
    assert again["seed"] == result["seeds"][0]
    assert again["parameters"] == result["parameters"]
    assert again["metrics"].keys() == result["metrics"].keys()
    for figure, values in result["metrics"].items():
        assert again["metrics"][figure] == pytest.approx(values[0], rel=0, abs=admitted(values)), figure
