"""One training loop for all models of the course, its checkpoints, its recipes, and how figures are kept.

`unrolled.training.recipes` says what can be trained, `unrolled.training.run` trains it into a folder.

Taught in chapter 14.
"""

from unrolled.data.batches import IGNORED
from unrolled.data.seeds import derived_seed, seeded
from unrolled.training.loop import Trainer
from unrolled.training.loss import cross_entropy
from unrolled.training.options import option
from unrolled.training.recipe import Recipe
from unrolled.training.results import collect_runs, record_result
from unrolled.training.task import Batch, GenerateOptions, Probed, Split, Task, Writer

__all__ = [
    "IGNORED",
    "Batch",
    "GenerateOptions",
    "Probed",
    "Recipe",
    "Split",
    "Task",
    "Trainer",
    "Writer",
    "collect_runs",
    "cross_entropy",
    "derived_seed",
    "option",
    "record_result",
    "seeded",
]
