"""Remember the first word: does the LSTM need shorter sentences, or only more batches of the full length?"""

from pathlib import Path

import torch

from tools.experiments.first_word import SEEDS, over_seeds
from tools.experiments.trial import Trial
from unrolled.training.provenance import provenance
from unrolled.training.results import record_result

TRIALS: list[Trial] = []
DISTANCE, STEPS = 20, 1500


def measure() -> None:
    """Write ``results/first-word-longer.json``: the plain LSTM, trained five times as long."""
    origin = provenance(torch.device("cpu"))  # the commit that trains, whatever is edited meanwhile
    values, wall, cpu = over_seeds("lstm", DISTANCE, steps=STEPS)
    record_result(
        "first-word-longer",
        command="python -m tools.experiments first_word_longer",
        seeds=SEEDS,
        metrics={f"LSTM, {DISTANCE}": values},
        provenance=origin,
        seconds={"wall": wall, "cpu": cpu},
        notes=f"Accuracy at the distance trained for, after {STEPS} batches instead of 300.",
        folder=Path(__file__).resolve().parents[2] / "results",
    )
