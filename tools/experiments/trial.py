"""What an experiment is made of."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from unrolled.training import Recipe
from unrolled.training.run import Run
from unrolled.training.stored import Smaller

__all__ = ["Trial"]


@dataclass(frozen=True)
class Trial:
    """One recipe with its options, trained from several seeds, recorded as one result.

    Attributes:
        result: the name in ``results/``.
        recipe: its seed does not matter.
        seeds: one run each.
        notes: what a reader of the figures must know.
        store: the name in ``unrolled/weights`` for one of the trained models, if it is to ship.
        store_seed: which.
        smaller: how its weights are rounded; to half precision unless given.
        after: what else to record of that model; it gets the finished run, and the folder of results.
    """

    result: str
    recipe: Recipe
    seeds: tuple[int, ...] = (0, 1, 2)
    notes: str = ""
    store: str | None = None
    store_seed: int = 0
    smaller: Smaller | None = None
    after: Callable[[Run, Path], None] | None = None
