"""Chapter 12: the page's model is the one it has trained, whatever is typed and whichever head is cut."""

from pathlib import Path
from typing import Any

import pytest
import torch
from playwright.sync_api import Locator, Page, expect
from torch import Tensor, nn

from tests.book.answers import Open, close, read, state_of
from tests.book.cells import run
from unrolled.probe import zero_head
from unrolled.tap import Edit, edit, record
from unrolled.widgets.packed import unpack

CHAPTER = "12_reading_attention.html"


@pytest.fixture(scope="module")
def state(built_book: Path) -> dict[str, Any]:
    """What the page gives its widget."""
    return state_of(built_book / CHAPTER, "induction-explorer")


@pytest.fixture(scope="module")
def model(state: dict[str, Any]) -> nn.Module:
    """The page's class with the page's numbers, in float64."""
    made: nn.Module = run("12_reading_attention", "class AttentionOnly(")["AttentionOnly"]().double()
    tensors = {name: torch.from_numpy(x) for name, x in unpack(state["packed"]).items()}
    made.load_state_dict({name: x for name, x in tensors.items() if not name.startswith("means.")})
    return made


@pytest.fixture(scope="module")
def means(state: dict[str, Any]) -> list[Tensor]:
    tensors = unpack(state["packed"])
    return [torch.from_numpy(tensors[f"means.{layer}"]).view(2, -1) for layer in range(2)]


@pytest.fixture
def widget(open_widget: Open) -> Locator:
    return open_widget(CHAPTER, "induction-explorer")


def agrees(widget: Locator, model: nn.Module, text: str, edits: dict[str, Edit] | None = None) -> None:
    """Hold weights and logits of all places, and the chances after the last, against torch's."""
    tokens = torch.tensor([["abcdefghijklmnopqrstuvwxyz".index(letter) for letter in text]])
    with edit(model, edits or {}), torch.no_grad(), record(model, "*.weights") as heard:
        logits = model(tokens)[0]
    box = widget.locator(".unrolled")
    close(read(box, "logits"), logits)
    close(read(box, "weights"), torch.stack([weights[0] for (weights,) in heard.values()]))
    close(read(box, "chances"), logits[-1].softmax(-1))


def cut(widget: Locator, head: str, what: str) -> None:
    widget.get_by_role("combobox", name=f"Head {head}").select_option(label=what)


def test_what_the_chapter_gives_to_try_happens(widget: Locator, model: nn.Module, state: Any) -> None:
    text, live = state["text"], widget.locator(".u-live")
    agrees(widget, model, text)
    expect(live).to_contain_text("head 2.1 looks most at place 3, “e”")
    expect(live).to_contain_text("head 1.2 looks most at place 2, “h”")
    expect(live).to_contain_text("Guess: e (")
    cut(widget, "1.2", "says zero")
    agrees(widget, model, text, {"layers.0.context": zero_head(1)})
    expect(live).not_to_contain_text("Guess: e")
    widget.get_by_role("button", name="All heads on").click()
    cut(widget, "1.1", "says zero")
    agrees(widget, model, text, {"layers.0.context": zero_head(0)})
    expect(live).to_contain_text("Guess: e (")
    widget.get_by_role("button", name="All heads on").click()
    for head in (0, 1):
        cut(widget, f"2.{head + 1}", "says zero")
    agrees(widget, model, text, {"layers.1.context": torch.zeros_like})
    expect(live).not_to_contain_text("Guess: e")


def test_typed_letters_and_means_are_torchs(
    widget: Locator, model: nn.Module, means: list[Tensor], page: Page
) -> None:
    field = widget.get_by_role("textbox", name="Letters")
    field.focus()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("thebearsxqbe")
    page.keyboard.press("Enter")
    agrees(widget, model, "thebearsxqbe")
    cut(widget, "2.1", "says its mean")

    def change(found: Tensor) -> Tensor:
        found[:, 0] = means[1][0]
        return found

    agrees(widget, model, "thebearsxqbe", {"layers.1.context": change})


def test_a_letter_the_model_does_not_know_is_told(widget: Locator) -> None:
    field = widget.get_by_role("textbox", name="Letters")
    field.fill("bärs & 3")
    field.press("Enter")
    expect(widget.locator(".u-error")).to_have_text("Expected letters from a to z, got “ä”, “&”, “3”.")
    expect(widget.locator(".u-paths")).to_be_hidden()
