"""Bears: what finds the sense of "bears" where attention is needed, and what does not."""

from tools.experiments.trial import Trial
from unrolled.training.recipes.bears import Bears

TRIALS = [
    Trial("bears", Bears(), store="bears"),
    Trial("bears-one-layer", Bears(n_layers=1, n_heads=1, d_model=32)),
]
