"""What the ladder's transformer leaves for the page to show: translations, and who attended to whom."""

import json

import numpy as np
import pytest
import torch

from tests.training.conftest import ALONE
from tools.experiments.multi30k import SHOWN, attention
from unrolled.tap import record
from unrolled.training.recipes import multi30k
from unrolled.training.recipes.multi30k import Multi30k
from unrolled.training.results import read_result
from unrolled.training.run import open_run, run_recipe
from unrolled.widgets.translation import TranslationView

CAPTIONS = [(f"Ein Hund sieht {i} Bälle.", f"A dog sees {i} balls.") for i in range(max(SHOWN) + 1)]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(multi30k, "multi30k", lambda part, folder: CAPTIONS)
        folder = tmp_path_factory.mktemp("runs") / "one"
        sizes = {"d_model": 12, "n_heads": 2, "n_layers": 3, "d_ff": 14, "vocab_size": 300}
        run_recipe(Multi30k(steps=3, max_tokens=300, **sizes), folder, ALONE, quiet=True)
        yield open_run(folder, torch.device("cpu"))


def test_examples_hold_what_the_model_attends_to_and_the_page_can_show_them(run, tmp_path):
    attention(run, tmp_path)
    result = read_result("multi30k-transformer-attention", tmp_path)
    assert result["commit"] == run.metrics["commit"]
    examples = result["tables"]["examples"]
    assert [example["reference"] for example in examples] == [CAPTIONS[i][1] for i in SHOWN]
    TranslationView(examples)  # checks every weight
    first, task, model = examples[0], run.task, run.task.model
    source = torch.tensor([[*task.source_tokenizer.encode(first["caption"].lower()), 2]])
    assert first["source"] == [task.source_tokenizer.token(i) for i in source[0].tolist()]
    written = task.translate(model, [first["caption"]], beam=1)[0]
    assert first["written"] == written
    target = torch.tensor([[1, *task.write_ids(model, [source[0, :-1].tolist()], beam=1)[0]]])
    assert first["target"] == [task.target_tokenizer.token(i) for i in target[0].tolist()]
    with record(model, "decoder.layers.2.cross_attention.weights") as heard, torch.no_grad():
        model(source, target)
    (expected,) = heard["decoder.layers.2.cross_attention.weights"]
    np.testing.assert_allclose(first["cross"][2], expected[0].numpy(), atol=5.1e-4)


def test_numbers_are_short(run, tmp_path):
    attention(run, tmp_path)
    numbers = np.array(
        json.loads((tmp_path / "multi30k-transformer-attention.json").read_text())["tables"]["examples"][3][
            "encoder"
        ]
    )
    assert np.array_equal(numbers, numbers.round(3))


def test_what_ships_is_light_and_the_page_can_show_it():
    examples = read_result("multi30k-transformer-attention")["tables"]["examples"]
    assert len(examples) == len(SHOWN)
    TranslationView(examples)
    assert len(examples[0]["encoder"]) == len(examples[0]["cross"]) == Multi30k().n_layers
    transformer = read_result("multi30k-transformer")
    assert transformer["metrics"]["bleu"][0] > 36.52, "the figure to beat"
