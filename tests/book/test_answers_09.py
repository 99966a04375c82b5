"""Chapter 9: the three attentions in the page are those of the models, over http and from disk."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from playwright.sync_api import Locator, Page, expect
from torch import Tensor

from tests.book.answers import digits, read
from unrolled.data.three_bears import CANONICAL
from unrolled.training.recipes.three_bears import ThreeBearsTask
from unrolled.training.results import read_result
from unrolled.training.stored import stored

CHAPTER = "09_encoder_decoder.html"
OpenAll = Callable[[], list[Locator]]
KINDS = {
    "cross": "across: the translation looks at the source",
    "encoder": "encoder: the source looks at itself",
    "decoder": "decoder: the translation looks back at itself",
}


@pytest.fixture
def open_all(where: str, page: Page) -> OpenAll:
    """Return a function that opens the chapter and returns its two translation views, answering."""

    def open_it() -> list[Locator]:
        page.goto(where + CHAPTER)
        widgets = page.locator('.unrolled-widget[data-widget="translation"][data-mounted="true"]')
        expect(widgets).to_have_count(2)
        return widgets.all()

    return open_it


def pick(widget: Locator, label: str, option: str) -> None:
    widget.get_by_label(label, exact=True).select_option(label=option)


def shown(widget: Locator) -> Tensor:
    return read(widget.locator(".unrolled"), "map")


def same(widget: Locator, maps: dict[str, Tensor]) -> None:
    """Hold every map, of each kind, layer and head and of their mean, against the given ones."""
    for kind, name in KINDS.items():
        pick(widget, "Attention", name)
        for layer, heads in enumerate(maps[kind].double()):
            pick(widget, "Layer", str(layer + 1))
            for head, expected in enumerate(heads):
                pick(widget, "Head", str(head + 1))
                torch.testing.assert_close(shown(widget), expected, rtol=0, atol=5.01e-4)
            pick(widget, "Head", "mean of all")
            torch.testing.assert_close(shown(widget), heads.mean(0), rtol=0, atol=5.01e-4)
            cells = widget.locator(".u-grid td[data-j]").all_text_contents()
            assert cells == digits(shown(widget))


def test_the_captions_show_what_the_ladders_transformer_attended_to(open_all: OpenAll) -> None:
    _, captions = open_all()
    examples: list[dict[str, Any]] = read_result("multi30k-transformer-attention")["tables"]["examples"]
    for example in examples[:: len(examples) - 1]:  # the first and the last
        pick(captions, "Sentence", " ".join(example["source"]))
        expect(captions.locator(".u-pair dd")).to_contain_text([example["written"], example["reference"]])
        same(captions, {kind: torch.tensor(example[kind]) for kind in KINDS})


def test_the_bears_show_what_the_stored_model_attends_to(open_all: OpenAll) -> None:
    bears, _ = open_all()
    trained = stored("three-bears")
    model, task = trained.model, trained.recipe.task()
    assert isinstance(task, ThreeBearsTask)
    for sentence, written in CANONICAL.items():
        pick(bears, "Sentence", f"{sentence} <eos>")
        expect(bears.locator(".u-pair dd").nth(1)).to_have_text(written)
    same(bears, {kind: task.inside(model, sentence)[kind] for kind in KINDS})


def test_a_row_is_read_out_by_keyboard(open_all: OpenAll, page: Page) -> None:
    _, captions = open_all()
    example = read_result("multi30k-transformer-attention")["tables"]["examples"][0]
    pick(captions, "Layer", "2")
    row = example["target"].index(" a")
    captions.locator(f".u-grid td[data-i='{row - 1}'][data-j='0']").click()
    page.keyboard.press("ArrowDown")
    expect(captions.locator(".u-live")).to_contain_text("a attends to: gebäude 1.00")
    expect(captions.locator(".u-bars-title")).to_have_text("a attends to")
