"""Reversal: attention maps held against the known answer."""

from tools.experiments.trial import Trial
from unrolled.training.recipes.reversal import Reversal

TRIALS = [Trial("reversal", Reversal(), store="reversal")]
