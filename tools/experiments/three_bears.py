"""The three bears: the transformer of 2017, an LSTM with attention, and each habit left out once."""

from tools.experiments.trial import Trial
from unrolled.training.recipes.three_bears import ThreeBears

_HOW = (
    "Learned from 12,000 sentences; tested on 200 of each kind, with combinations of words that are in none "
    "of them. Unless warm-up is left out, the rate rises for a fifth of the steps; then it falls in a "
    "straight line."
)

TRIALS = [
    Trial("three-bears", ThreeBears(), notes=_HOW, store="three-bears"),
    Trial(
        "three-bears-lstm",
        ThreeBears(architecture="lstm", n_layers=1, steps=400, lr=8e-3),
        notes=_HOW + " An LSTM with the dot score: as many parameters, and steps for as many seconds.",
    ),
    Trial("three-bears-no-warmup", ThreeBears(warmup=0.0), notes=_HOW),
    Trial("three-bears-no-smoothing", ThreeBears(label_smoothing=0.0), notes=_HOW),
    Trial("three-bears-not-tied", ThreeBears(tie=False), notes=_HOW),
]
