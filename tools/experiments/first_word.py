"""Remember the first word: RNN and LSTM by distance, and by the forget gate's first bias."""

from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import torch

from tools.experiments.trial import Trial
from unrolled.training.first_word import accuracy, train_first_word
from unrolled.training.provenance import provenance
from unrolled.training.results import record_result

TRIALS: list[Trial] = []
SEEDS = tuple(range(10))
DISTANCES = (5, 10, 20, 40)
NETWORKS: dict[str, tuple[str, float | None]] = {
    "RNN": ("rnn", None),
    "LSTM": ("lstm", None),
    "LSTM, forget bias 1": ("lstm", 1.0),
    "LSTM, forget bias 3": ("lstm", 3.0),
}


def over_seeds(cell: str, distance: int, **how: Any) -> tuple[list[float], list[float], list[float]]:
    """Return the accuracy of each seed at the distance trained for, and its seconds, wall and CPU."""
    values, wall, cpu = [], [], []
    for seed in SEEDS:
        began = perf_counter(), process_time()
        model = train_first_word(cell, distance, seed=seed, **how)
        wall.append(perf_counter() - began[0])
        cpu.append(process_time() - began[1])
        values.append(accuracy(model, distance))
    print(cell, distance, how, [round(value, 2) for value in values], flush=True)
    return values, wall, cpu


def measure() -> None:
    """Write ``results/first-word.json``: a figure for each network, distance, and kind of training."""
    metrics: dict[str, list[float]] = {}
    wall, cpu = [0.0] * len(SEEDS), [0.0] * len(SEEDS)
    for name, (cell, forget_bias) in NETWORKS.items():
        for distance in DISTANCES:
            for shorter_too in (False, True):
                values, clock, processor = over_seeds(
                    cell, distance, forget_bias=forget_bias, shorter_too=shorter_too
                )
                wall = [sum(pair) for pair in zip(wall, clock, strict=True)]
                cpu = [sum(pair) for pair in zip(cpu, processor, strict=True)]
                metrics[f"{name}, {distance}" + (", shorter too" if shorter_too else "")] = values
    record_result(
        "first-word",
        command="python -m tools.experiments first_word",
        seeds=SEEDS,
        metrics=metrics,
        provenance=provenance(torch.device("cpu")),
        seconds={"wall": wall, "cpu": cpu},
        notes="Accuracy at the distance trained for. Shorter too: trained at distances from 1 to it.",
        folder=Path(__file__).resolve().parents[2] / "results",
    )
