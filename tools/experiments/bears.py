"""Bears: what finds the sense of "bears" where attention is needed, and what does not."""

import torch

from tools.experiments.trial import Trial
from unrolled.data.senses import failure_table
from unrolled.training.provenance import provenance
from unrolled.training.recipes.bears import Bears
from unrolled.training.results import record_result

__all__ = ["BASELINE_SEEDS", "TRIALS", "baselines", "measure"]

_NOTES = (
    "Accuracy by nearest centroid: centroids of 900 plain sentences with training cues, tested on 900 of "
    "each kind with cues never met beside 'bears'. CPU seconds: all of a run but its last evaluation, the "
    "making of the corpus included, on one thread while the other core was busy too."
)

TRIALS = [
    Trial(
        "bears",
        Bears(),
        store="bears",
        store_seed=1,
        notes=f"{_NOTES} Stored are the weights of seed 1, the best of the three.",
    ),
    Trial("bears-one-layer", Bears(n_layers=1), notes=f"{_NOTES} As 'bears', but for the number of blocks."),
]

BASELINE_SEEDS = (0, 1, 2)


def baselines(seed: int) -> dict[str, float]:
    """Return the accuracy of what learns nothing but word vectors, as ``representation: kind``."""
    table = failure_table(seed)
    return {f"{name}: {kind}": share for name, row in table.items() for kind, share in row.items()}


def measure() -> None:
    """Record ``bears-baselines``."""
    figures = [baselines(seed) for seed in BASELINE_SEEDS]
    record_result(
        "bears-baselines",
        command="python -m tools.experiments bears",
        seeds=BASELINE_SEEDS,
        metrics={name: [round(table[name], 6) for table in figures] for name in figures[0]},
        provenance=provenance(torch.device("cpu")),
        notes="Word vectors of four numbers, counted in the corpus of the seed (window 4); `failure_table`.",
    )
