"""The playground in the built book says what its stored model says, over http and from disk."""

import pytest
import torch
from playwright.sync_api import Page, expect
from torch import Tensor

from tests.widgets.every import settle
from unrolled.data.tales import MOST_PIECES, pieces
from unrolled.nn import GPT
from unrolled.tap import edit
from unrolled.training.stored import stored

SENTENCES = ("She bears the pain", "“Who has been sitting in my chair?” said", "भालू 🐻 \x00 مرحبا", "x" * 70)
NAMED = "Mr. Toad and Mr. Badger and Mr."


@pytest.fixture(scope="module")
def model() -> GPT:
    found = stored("gpt-playground").model
    assert isinstance(found, GPT)
    return found


def shown(page: Page, what: str) -> Tensor:
    settle(page)
    return torch.tensor(page.evaluate(f"[...document.querySelector('.unrolled').shown.{what}]"))


def read(page: Page, text: str) -> list[int]:
    page.get_by_role("textbox", name="Your text", exact=True).fill(text)
    settle(page)
    return pieces(MOST_PIECES).encode(text)


def test_it_reads_what_is_typed_as_torch_does(page: Page, where: str, model: GPT) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{where}playground.html")
    settle(page)
    assert not any("_static/playground" in url for url in asked)  # it comes when the reader types
    for text in SENTENCES:
        ids = read(page, text)
        with torch.no_grad():
            logits = model(torch.tensor([ids]))[0, -1]
        torch.testing.assert_close(shown(page, "ending"), logits, rtol=1e-4, atol=1e-4)
    assert any("_static/playground" in url for url in asked)


def test_a_head_that_is_off_takes_the_name_away(page: Page, where: str, model: GPT) -> None:
    page.goto(f"{where}playground.html")
    ids = read(page, NAMED)
    page.locator("summary").filter(has_text="Block 3").click()
    page.get_by_role("button", name="Head 3", exact=True).nth(1).click()

    def without(context: Tensor) -> Tensor:
        context[:, 2] = 0
        return context

    with torch.no_grad(), edit(model, {"layers.2.attention.context": without}):
        logits = model(torch.tensor([ids]))[0, -1]
    torch.testing.assert_close(shown(page, "ending"), logits, rtol=1e-4, atol=1e-4)
    expect(page.get_by_text("Switched off: head 3 of block 3.")).to_be_visible()
