"""Blocks: the norm before or after the sum, warm-up, residual connections, feed-forward, depth and rate."""

from tools.experiments.trial import Trial
from unrolled.training.recipes.block import Block

_HOW = (
    "Words of stories, 300 steps of 32 texts of 32 words; a gradient longer than 1 is cut to 1. Cold is "
    "without warm-up, else the learning rate rises for 90 steps and falls for the rest."
)
_DEPTHS = (2, 6, 12)


# Where a block trains or does not, three seeds say so; twenty-two trials with three each would take long.
_DECISIVE = {"pre-12", "pre-cold-12", "post-12", "post-cold-12", "no-residual-6"}


def _trial(name: str, recipe: Block) -> Trial:
    seeds = (0, 1, 2) if name in _DECISIVE else (0,)
    return Trial(f"block-{name}", recipe, seeds=seeds, notes=_HOW)


TRIALS = [
    *(_trial(f"pre-{n}", Block(n_layers=n)) for n in _DEPTHS),
    *(_trial(f"pre-cold-{n}", Block(n_layers=n, warmup=0.0)) for n in _DEPTHS),
    *(_trial(f"post-{n}", Block(norm="post", n_layers=n)) for n in _DEPTHS),
    *(_trial(f"post-cold-{n}", Block(norm="post", n_layers=n, warmup=0.0)) for n in _DEPTHS),
    # Where the norm stands after the sum, how much warm-up matters is a question of the learning rate.
    _trial("post-12-slow", Block(norm="post", n_layers=12, lr=1e-3)),
    _trial("post-cold-12-slow", Block(norm="post", n_layers=12, lr=1e-3, warmup=0.0)),
    _trial("post-12-fast", Block(norm="post", n_layers=12, lr=4e-3)),
    _trial("pre-cold-12-fast", Block(n_layers=12, lr=4e-3, warmup=0.0)),
    *(_trial(f"no-residual-{n}", Block(kind="no-residual", n_layers=n)) for n in _DEPTHS),
    *(_trial(f"attention-only-{n}", Block(kind="attention-only", n_layers=n)) for n in _DEPTHS),
]
