"""Induction heads: two layers of attention find what followed last time; one layer does not."""

from tools.experiments.trial import Trial
from unrolled.training.recipes.induction import Induction

_MEASURED = (
    "Learned from sequences that repeat themselves over and over; measured on others, in which what follows "
    "stands in exactly one place. Which head does what differs by seed; head 2.1 is the first of layer 2."
)

TRIALS = [
    Trial("induction", Induction(), notes=_MEASURED, store="induction"),
    Trial("induction-one-layer", Induction(n_layers=1), notes=_MEASURED),
]
