"""Reversal: attention maps held against the known answer, by score, on rows longer than those learned too."""

from tools.experiments.trial import Trial
from unrolled.training.recipes.reversal import Reversal

TRIALS = [
    Trial("reversal", Reversal(), store="reversal"),
    Trial("reversal-none", Reversal(score=None)),
    Trial("reversal-general", Reversal(score="general")),
    Trial("reversal-additive", Reversal(score="additive")),
    Trial("reversal-scaled-dot", Reversal(score="scaled_dot")),
]
