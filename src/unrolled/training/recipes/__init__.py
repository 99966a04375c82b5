"""The experiments of the course, one file each: a dataclass of options, and the task they make.

Used from chapter 1 on.
"""

from unrolled.training.recipe import Recipe
from unrolled.training.recipes.bears import Bears
from unrolled.training.recipes.bears_bert import BearsBert
from unrolled.training.recipes.block import Block
from unrolled.training.recipes.gpt import Gpt, GptLarge
from unrolled.training.recipes.gpt_tales import GptPlayground, GptTales
from unrolled.training.recipes.induction import Induction
from unrolled.training.recipes.lm_positions import LmPositions
from unrolled.training.recipes.multi30k import Multi30k
from unrolled.training.recipes.recall import PairRecall
from unrolled.training.recipes.reversal import Reversal
from unrolled.training.recipes.spanish import Spanish
from unrolled.training.recipes.spanish_one_way import SpanishOneWay
from unrolled.training.recipes.three_bears import ThreeBears
from unrolled.training.recipes.two_relations import TwoRelations
from unrolled.training.recipes.which_first import WhichFirst

__all__ = ["recipes"]


def recipes() -> dict[str, type[Recipe]]:
    """Return all recipes by name, sorted.

    Example:
        >>> from unrolled.training.recipes import recipes
        >>> "reversal" in recipes()
        True
    """
    known: list[type[Recipe]] = [
        Bears,
        BearsBert,
        Block,
        Gpt,
        GptLarge,
        GptPlayground,
        GptTales,
        Induction,
        LmPositions,
        Multi30k,
        PairRecall,
        Reversal,
        Spanish,
        SpanishOneWay,
        ThreeBears,
        TwoRelations,
        WhichFirst,
    ]
    return {recipe.name: recipe for recipe in sorted(known, key=lambda recipe: recipe.name)}
