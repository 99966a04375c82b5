"""What the stored GPT of stories writes: words that exist, and sentences of its own."""

import pytest

from tools.experiments.gpt import memorisation_figures
from unrolled.training.recipes.gpt import Gpt
from unrolled.training.results import read_result
from unrolled.training.stored import stored


def test_the_stored_model_writes_as_recorded():
    """Fewer samples than recorded, and of rounded weights: near, not equal."""
    it = stored("gpt-stories")
    assert isinstance(it.recipe, Gpt)
    task = it.recipe.task()
    task.model = it.model
    figures = memorisation_figures(task, n=20, length=300)
    recorded = {name: values[0] for name, values in read_result("gpt-stories-novelty")["metrics"].items()}
    assert figures.keys() == recorded.keys()
    assert figures["sentences"] > 60
    assert figures["valid_words"] == pytest.approx(recorded["valid_words"], abs=0.02)
    assert figures["verbatim"] == pytest.approx(recorded["verbatim"], abs=0.12)
    for name in ("valid_words by chance", "verbatim by chance"):
        assert figures[name] == pytest.approx(recorded[name], rel=1e-9), (
            "no model is asked: the same anywhere"
        )
