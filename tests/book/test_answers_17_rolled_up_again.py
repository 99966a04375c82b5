"""Chapter 17: the state in the built page is the package's, over http and from disk."""

import json

import pytest
import torch
from playwright.sync_api import Locator, expect

from tests.book.answers import Open, close
from unrolled.nn import delta_rule, linear_attention

CHAPTER = "17_rolled_up_again.html"
KEYS = {
    "Bruno": [1.0, 0, 0],
    "Olga": [0, 1.0, 0],
    "Misha": [0, 0, 1.0],
    "Ursa": [0.6, 0.8, 0],
    "Teddy": [0, 0.6, 0.8],
    "Goldie": [0.8, 0, 0.6],
}
VALUES = {
    "honey": [1.0, 0, 0],
    "salmon": [0, 1.0, 0],
    "berries": [0, 0, 1.0],
    "nuts": [-1.0, 0, 0],
    "roots": [0, -1.0, 0],
    "clover": [0, 0, -1.0],
}


@pytest.fixture
def widget(open_widget: Open) -> Locator:
    return open_widget(CHAPTER, "state-matrix")


def agrees(widget: Locator, rule: str, keep: float) -> None:
    text = widget.get_by_role("textbox", name="Pairs, in order").input_value()
    n = int(widget.get_by_label("Pairs written").input_value())
    pairs = [pair.split() for pair in text.split(", ")][:n]
    key = torch.tensor([KEYS[k] for k, _ in pairs], dtype=torch.float64)
    value = torch.tensor([VALUES[v] for _, v in pairs], dtype=torch.float64)
    gate = torch.full((n,), keep, dtype=torch.float64).log() if "gated" in rule else None
    if "delta" in rule:
        _, state = delta_rule(key, key, value, torch.ones(n, dtype=torch.float64), gate)
    else:
        _, state = linear_attention(key, key, value, gate)
    shown = widget.locator(".unrolled[data-state]").get_attribute("data-state")
    assert shown is not None
    close(torch.tensor(json.loads(shown), dtype=torch.float64), state)


def test_what_the_chapter_gives_to_try_happens(widget: Locator) -> None:
    right = widget.locator(".unrolled[data-right]")
    agrees(widget, "linear", 1.0)
    for _ in range(4):
        widget.get_by_role("button", name="Write one more").click()
        agrees(widget, "linear", 1.0)
    expect(right).to_have_attribute("data-right", "1/5")
    widget.get_by_label("Rule").select_option("delta")
    agrees(widget, "delta", 1.0)
    expect(right).to_have_attribute("data-right", "3/5")
    widget.get_by_label("Rule").select_option("gated")
    for _ in range(6):
        widget.get_by_label("Kept of the state").press("ArrowLeft")
    agrees(widget, "gated", 0.6)
    expect(right).to_have_attribute("data-right", "3/5")
    widget.get_by_label("Ask for").select_option("Goldie")
    expect(widget.locator(".u-state-back")).to_contain_text("Goldie was not written")
