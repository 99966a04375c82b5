"""What is measured of the tales' model beside its loss: yardsticks of the text, and what it writes."""

import math
from pathlib import Path

import pytest
import torch

from tools.experiments.gpt import tales_text, yardsticks
from unrolled.training.recipes.gpt_tales import GptTales, TalesTask
from unrolled.training.results import PROVENANCE
from unrolled.training.run import Run

READ = "The great bear went into the wood. The little bear went after him, and the wee bear cried. " * 3


@pytest.fixture(scope="module")
def task() -> TalesTask:
    torch.manual_seed(0)
    recipe = GptTales(block=127, n_layers=1, n_heads=2, d_model=14)
    return TalesTask(recipe, f"{READ}\n\n" * 7, f"{READ}\n\n" * 5)


def test_the_yardsticks_stand_in_their_order(task: TalesTask) -> None:
    found = yardsticks(task)
    held = task.texts["validation"]
    assert found["chance"] == pytest.approx(math.log2(1536) * len(task.tokenizer.encode(held)) / len(held))
    assert 0 < found["bigram"] < found["unigram"] < found["chance"]
    assert found["xz after the training text"] < found["gzip"]


def test_what_it_writes_is_recorded_with_what_people_wrote(task: TalesTask, tmp_path: Path) -> None:
    about = dict.fromkeys(PROVENANCE, "none") | {"parameters": 7}
    tales_text(Run(tmp_path, task.recipe, task, about), tmp_path)
    written = next(tmp_path.glob("*.json")).read_text(encoding="utf-8")
    assert '"copied, held out": [1.0]' in written
    assert '"known words, held out": [1.0]' in written
    assert '"copied, 0.0": [0.0]' in written, "an untrained model has nothing to copy"
