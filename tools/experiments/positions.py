"""Positions: a question that is at chance without them, and texts longer than those that were learned."""

from typing import get_args

from tools.experiments.trial import Trial
from unrolled.nn.embedding import Positions
from unrolled.training.recipes.lm_positions import LmPositions
from unrolled.training.recipes.which_first import WhichFirst

_UNLEARNED = (
    "Trained at the length 1x alone. Learned positions have a vector for every position asked, but past "
    "1x no step has reached it but weight decay."
)

TRIALS = [
    *(
        Trial(f"which-first-{kind}", WhichFirst(positions=kind), notes=_UNLEARNED)
        for kind in get_args(Positions)
    ),
    *(
        Trial(f"lm-positions-{kind}", LmPositions(positions=kind), notes=_UNLEARNED)
        for kind in get_args(Positions)
    ),
    Trial(
        "lm-positions-loud-waves",
        LmPositions(positions="sinusoidal", waves="loud"),
        notes=_UNLEARNED + " The waves are some 35 times as large as the first words.",
    ),
]
