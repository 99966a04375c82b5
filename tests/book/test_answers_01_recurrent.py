"""Chapter 1: the unrollers of the built page read what torch.nn.RNN and torch.nn.LSTM read."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from playwright.sync_api import Locator, Page, expect
from torch import Tensor

from tests.book.answers import digits, read

CHAPTER = "01_recurrent_networks.html"
SENTENCE = "Don't eat the delicious looking and smelling pizza"


class Reading:
    """An unroller of the page, and torch's networks with the weights the page was given."""

    def __init__(self, widget: Locator) -> None:
        self.widget, self.box = widget, widget.locator(".unrolled[data-step]")
        state: dict[str, Any] = json.loads(
            widget.locator('script[type="application/json"]').text_content() or ""
        )
        self.words = dict(zip(state["words"], state["vectors"], strict=True))
        self.units = state["units"]
        self.models: dict[str, torch.nn.RNN | torch.nn.LSTM] = {}
        for kind, cell in state["cells"].items():
            module = torch.nn.LSTM if kind == "lstm" else torch.nn.RNN
            model = module(len(state["vectors"][0]), len(self.units), dtype=torch.float64)
            for parameter, part in zip(model.parameters(), ("wx", "wh", "bx", "bh"), strict=True):
                parameter.data.copy_(torch.tensor(cell[part], dtype=torch.float64))
            self.models[kind] = model

    def hidden(self, kind: str, sentence: str) -> Tensor:
        """Return torch's hidden states ``[T, H]``."""
        tokens = re.findall(r"[\w']+", sentence.lower())
        x = torch.tensor([self.words[token] for token in tokens], dtype=torch.float64)
        with torch.no_grad():
            states: Tensor = self.models[kind](x)[0]
        return states

    def agrees(self, kind: str, sentence: str, step: int) -> Tensor:
        """Compare all states, and the digits printed at `step`, with torch; return its states."""
        expect(self.box).to_have_attribute("data-cell", kind)
        expect(self.box).to_have_attribute("data-step", str(step))
        states = self.hidden(kind, sentence)
        torch.testing.assert_close(read(self.box, "h"), states, rtol=0, atol=1e-9)
        row = self.widget.get_by_role("grid").get_by_role("row", name="hidden state h")
        shown = row.get_by_role("gridcell").all_inner_texts()
        assert shown == [text.replace("−0.00", "0.00") for text in digits(states[step - 1])]
        return states

    def button(self, name: str) -> Locator:
        return self.widget.get_by_role("button", name=name, exact=True)


@pytest.fixture
def open_reading(where: str, page: Page) -> Callable[[str], Reading]:
    """Return a function that opens the chapter and returns the unroller of a title."""

    def open_it(title: str) -> Reading:
        page.goto(where + CHAPTER)
        mounted = page.locator('.unrolled-widget[data-widget="unroller"][data-mounted="true"]')
        widget = mounted.filter(has=page.locator(".u-title", has_text=title))
        expect(widget).to_have_count(1)
        widget.scroll_into_view_if_needed()
        return Reading(widget)

    return open_it


def test_the_rnn_forgets_what_the_lstm_keeps(open_reading: Callable[[str], Reading]) -> None:
    reading = open_reading("Should you eat it?")
    reading.agrees("lstm", SENTENCE, 1)
    for step in range(2, 9):
        reading.button("Next word").click()
        states = reading.agrees("lstm", SENTENCE, step)
    assert states[-1, 1] < -0.5  # leave it
    reading.widget.get_by_label("Cell", exact=True).select_option("RNN")
    assert reading.agrees("rnn", SENTENCE, 8)[-1, 1] > 0.1  # eat
    reading.widget.get_by_label("Sentence").fill("please never eat soup")
    reading.button("Read").click()
    reading.agrees("rnn", "please never eat soup", 4)


def test_a_forget_gate_forced_shut_turns_the_verdict_round(open_reading: Callable[[str], Reading]) -> None:
    reading = open_reading("Should you eat it?")
    reading.widget.get_by_label("Words read").press("End")
    reading.agrees("lstm", SENTENCE, 8)
    reading.widget.get_by_label("Forget gate f").select_option("forced to 0")
    h = read(reading.box, "h")
    assert h[-1, 1] > 0.7
    # By hand: nothing is kept from step to step, so each cell state is i times g.
    made = read(reading.box, "i") * read(reading.box, "g")
    torch.testing.assert_close(read(reading.box, "c"), made, rtol=0, atol=1e-12)
    torch.testing.assert_close(h, read(reading.box, "o") * made.tanh(), rtol=0, atol=1e-12)
    reading.widget.get_by_label("Forget gate f").select_option("forced to 1")
    kept = read(reading.box, "c")[:, 0]
    torch.testing.assert_close(kept, kept[:1].expand(8), rtol=0, atol=1e-12)


def test_the_trained_network_reads_as_torch_does(open_reading: Callable[[str], Reading]) -> None:
    reading = open_reading("A trained LSTM")
    rest = "eat the delicious looking and smelling pizza"
    reading.agrees("lstm", f"often {rest}", 2)
    reading.widget.get_by_label("Words read").press("End")
    ends = []
    for first in ("always", "never", "often", "rarely"):
        reading.widget.get_by_label("Sentence").fill(f"{first} {rest}")
        reading.widget.get_by_label("Sentence").press("Enter")
        ends.append(reading.agrees("lstm", f"{first} {rest}", 8)[-1])
    assert len({tuple((end > 0).tolist()) for end in ends}) == 4


def test_the_explored_weight_shows_its_memory_and_its_derivative(where: str, page: Page) -> None:
    page.goto(where + CHAPTER)
    widget = page.locator('.unrolled-widget[data-widget="explore"][data-mounted="true"]')
    slider = widget.get_by_label("w =")
    slider.focus()
    page.keyboard.press("Home")
    for w in (0.5, 0.8, 1.0, 1.1, 1.3, 2.0, 3.0):
        first = torch.tensor(2.0).tanh().requires_grad_()
        state = first
        for _ in range(20):
            state = torch.tanh(w * state)
        (slope,) = torch.autograd.grad(state, first)
        figure = widget.locator(".u-outcome svg[role=img]")
        expect(figure).to_have_attribute("aria-label", re.compile(f"state {state.item():.2g}, derivative "))
        label = figure.get_attribute("aria-label") or ""
        assert float(label.rpartition(" ")[2]) == pytest.approx(slope.item(), rel=0.06)
        page.keyboard.press("ArrowRight")


def test_the_page_says_what_it_says_without_a_script(new_page: Any, built_book: Path) -> None:
    page = new_page(java_script_enabled=False)
    page.goto(f"{built_book.as_uri()}/{CHAPTER}")
    tables = page.locator(".unrolled-widget[data-widget=unroller] table")
    expect(tables).to_have_count(4 + 3)
    expect(tables.nth(0).locator("tbody tr").last).to_contain_text("0.13")
