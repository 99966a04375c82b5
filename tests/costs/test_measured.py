"""Measuring machines: what is run and how often, never how long it took."""

import pytest
import torch

from tools.experiments import machine
from unrolled.costs import Hardware
from unrolled.costs.measured import fastest, measured
from unrolled.nn import GPTConfig


def test_each_runs_once_in_every_round_and_once_before() -> None:
    runs: list[str] = []
    took = fastest({name: lambda name=name: runs.append(name) for name in "ab"}, rounds=3)  # type: ignore[misc]
    assert runs == ["a", "b"] * 4
    assert took.keys() == {"a", "b"}
    assert min(took.values()) > 0
    with pytest.raises(ValueError, match="rounds: expected a whole number from 1, got 0"):
        fastest({}, rounds=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_machine_has_a_peak_and_a_bandwidth(dtype: torch.dtype) -> None:
    found = measured(size=7, numbers=11, rounds=2, dtype=dtype)
    assert isinstance(found, Hardware)
    with pytest.raises(ValueError, match="size: expected a whole number from 1, got 0"):
        measured(size=0)


@torch.no_grad()
def test_the_experiment_measures_what_its_notes_say() -> None:
    torch.manual_seed(0)
    query, key, value = torch.randn(3, 1, 2, 5, 7)
    fused = torch.nn.functional.scaled_dot_product_attention(query, key, value)
    torch.testing.assert_close(machine.explicit(query, key, value), fused)
    [[rows, intensity, speed]] = machine.roofline(5, 3, (7,))
    assert (rows, intensity) == (7, round(2 * 3 * 5 * 7 / (4 * (15 + 35 + 21)), 3))
    assert speed >= 0
    names = {"length", "RNN", "convolution", "projections", "pairs, fused", "pairs, explicit"}
    assert machine.layers((3, 5), 6, 2).keys() == names
    kept = machine.memory((512,), 4, 1)
    # Scores, and weights beside them; fused, no such thing.
    assert kept["explicit"][0] >= 2 * 4 * 512**2 / 2**20
    assert kept["fused"][0] < kept["explicit"][0] / 4
    writer = GPTConfig(vocab_size=11, max_len=7, d_model=6, n_heads=2, n_layers=1)
    found = machine.decoding(Hardware(1e9, 1e9), writer, context=5)
    assert len(found["step"]) == len(found["step, at least"]) == len(found["batch"])
    assert found["prefill"] > 0
