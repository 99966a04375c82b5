"""A model with a closed vocabulary reads a pasted prompt as it looks."""

import pytest
import torch

from unrolled.training.recipes.bears import Bears
from unrolled.training.recipes.reversal import Reversal
from unrolled.training.recipes.spanish import Spanish
from unrolled.training.recipes.which_first import WhichFirst
from unrolled.training.task import GenerateOptions

# A byte-order mark, a no-break space, a zero-width space; a soft hyphen, another apostrophe, a newline.
PASTED = {
    Bears: ("\ufeffBe\u200bars\u00a0won _\n", "bears won _"),
    Spanish: ("Do\u00adn\u2019t\u00a0eat the\npizza\u200b", "don't eat the pizza"),
    Reversal: ("\ufeffA\u00a0b\u200b c\n", "a b c"),
    WhichFirst: ("a\u00a0c\u200b b\n", "A C B"),
}


@pytest.mark.parametrize("recipe", PASTED, ids=lambda recipe: recipe.__name__)
def test_a_pasted_prompt_is_the_one_it_looks_like(recipe):
    torch.manual_seed(0)
    task = recipe().task()
    task.model.eval()
    pasted, plain = PASTED[recipe]
    assert pasted != plain
    options = GenerateOptions()
    assert task.write(task.model, pasted, options) == task.write(task.model, plain, options)
