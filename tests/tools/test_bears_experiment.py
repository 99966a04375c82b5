"""What is recorded of the bears is what the course promises, and what the code gives."""

import pytest

from tools.experiments.bears import BASELINE_SEEDS, baselines
from unrolled.data.bears import KINDS
from unrolled.training.centroid_probe import BASELINES
from unrolled.training.results import read_result


def test_the_model_passes_with_every_seed_within_its_budget():
    result = read_result("bears")
    metrics = result["metrics"]
    assert len(result["seeds"]) == 3
    assert result["parameters"] <= 80_000
    assert max(result["seconds"]["cpu"]) <= 60
    assert min(metrics["plain"]) >= 0.99
    assert min(metrics["conflict"]) >= 0.99
    assert min(metrics["conflict+gap"]) >= 0.95
    assert min(metrics["canonical"]) == 1.0


def test_whatever_is_simpler_fails_somewhere():
    metrics = read_result("bears-baselines")["metrics"]
    assert max(read_result("bears-one-layer")["metrics"]["conflict+gap"]) < 0.8
    for name in BASELINES:
        assert min(max(metrics[f"{name}: {kind}"]) for kind in KINDS) < 0.4, name
    for name in ("mean of the other words", "softmax(XXᵀ)X"):
        assert min(metrics[f"{name}: plain"]) > 0.98
        assert max(metrics[f"{name}: conflict"]) < 0.38
    window = metrics["±2-word window: conflict+gap"]
    assert all(share == pytest.approx(1 / 3, abs=0.05) for share in window), "chance"


def test_two_rules_for_a_chosen_word_were_tried_with_nothing_else_changed():
    always, rule = (read_result(name) for name in ("bears-always-mask", "bears-80-10-10"))
    assert rule["command"] == f"{always['command']} --masking 80-10-10"
    assert always["seeds"] == rule["seeds"] == [0, 1, 2]
    assert min(rule["metrics"]["named"]) > max(always["metrics"]["named"])
    # The figure has a meaning only where words are guessed at all.
    assert min(always["metrics"]["guessed"] + rule["metrics"]["guessed"]) > 0.3


@pytest.mark.parametrize("seed", BASELINE_SEEDS[:1])
def test_the_baselines_come_out_again(seed):
    metrics = read_result("bears-baselines")["metrics"]
    found = baselines(seed)
    assert found.keys() == metrics.keys()
    at = BASELINE_SEEDS.index(seed)
    assert found == pytest.approx({name: values[at] for name, values in metrics.items()}, abs=2e-3)
