"""Reversal: attention maps held against the known answer, by score, on rows longer than those learned too."""

from tools.experiments.trial import Trial
from unrolled.training.recipes.reversal import Reversal

_RANGES = "Learned from rows of 3 to 12 letters; tested on 300 rows of each range."
_MAPS = (
    f"{_RANGES} A map is early where its greatest weight is on the letter written a step before, and late "
    "where it is on the one written a step after. On longer rows more of them are late."
)
_EARLY = (
    f"{_MAPS} Here about three steps in ten are early also at the lengths learned, and most of the letters "
    "written there are right all the same: an encoder that reads both ways has a letter's neighbours in its "
    "state."
)

TRIALS = [
    Trial("reversal", Reversal(), notes=_MAPS, store="reversal"),
    Trial("reversal-none", Reversal(score=None), notes=_RANGES),
    Trial("reversal-general", Reversal(score="general"), notes=_MAPS),
    Trial("reversal-additive", Reversal(score="additive"), notes=_MAPS),
    Trial("reversal-scaled-dot", Reversal(score="scaled_dot"), notes=_EARLY),
]
