"""The experiments of the course, one file each: a dataclass of options, and the task they make."""

from unrolled.training.recipe import Recipe
from unrolled.training.recipes.bears import Bears
from unrolled.training.recipes.block import Block
from unrolled.training.recipes.gpt import Gpt, GptLarge
from unrolled.training.recipes.induction import Induction
from unrolled.training.recipes.lm_positions import LmPositions
from unrolled.training.recipes.multi30k import Multi30k
from unrolled.training.recipes.reversal import Reversal
from unrolled.training.recipes.spanish import Spanish
from unrolled.training.recipes.two_relations import TwoRelations
from unrolled.training.recipes.which_first import WhichFirst

__all__ = ["recipes"]


def recipes() -> dict[str, type[Recipe]]:
    """Return all recipes by name, sorted."""
    known: list[type[Recipe]] = [
        Bears,
        Block,
        Gpt,
        GptLarge,
        Induction,
        LmPositions,
        Multi30k,
        Reversal,
        Spanish,
        TwoRelations,
        WhichFirst,
    ]
    return {recipe.name: recipe for recipe in sorted(known, key=lambda recipe: recipe.name)}
