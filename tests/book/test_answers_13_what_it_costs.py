"""Chapter 13: the calculator in the built page gives the numbers of `unrolled.costs`, as the page says."""

from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.book.answers import Open, figures
from unrolled.costs import KNOWN, Hardware, cache_bytes, operations, parameters, traffic

CHAPTER = "13_what_it_costs.html"
CARD = Hardware(312e12, 2.039e12)


@pytest.fixture
def widget(open_widget: Open) -> Locator:
    return open_widget(CHAPTER, "cost-calculator")


def passes(widget: Locator) -> dict[str, dict[str, Any]]:
    return {one["phase"]: one for one in figures(widget)["phases"]}


def choose(widget: Locator, name: str) -> None:
    widget.get_by_label("Model", exact=True).select_option(label=name)


def fill(widget: Locator, name: str, text: str) -> None:
    widget.get_by_role("textbox", name=name, exact=True).fill(text)


@pytest.mark.parametrize("name", KNOWN)
def test_every_model_has_the_counts_of_python(widget: Locator, name: str) -> None:
    choose(widget, name)
    s = KNOWN[name].sizes
    assert sum(map(int, figures(widget)["parts"].values())) == parameters(s).total
    assert int(figures(widget)["cache"]) == cache_bytes(s, s.max_len)
    for phase, one in passes(widget).items():
        counted = operations(s, s.max_len, phase=phase).total  # type: ignore[arg-type]
        moved = traffic(s, s.max_len, phase=phase)  # type: ignore[arg-type]
        assert (int(one["counted"]), int(one["moved"])) == (counted, moved)
        assert max(one["arithmetic"], one["memory"]) == CARD.seconds(counted, moved)


def test_a_batch_of_154_without_a_cache_and_none_with_it(widget: Locator) -> None:
    fill(widget, "Context, tokens", "1")
    for batch, bound in (("153", "memory"), ("154", "arithmetic")):
        fill(widget, "Batch, sequences", batch)
        assert passes(widget)["decode"]["bound"] == bound
    fill(widget, "Context, tokens", "4,096")
    for batch in ("154", "1,000,000"):
        fill(widget, "Batch, sequences", batch)
        assert passes(widget)["decode"]["bound"] == "memory"


def test_a_token_of_the_larger_llama_weighs_less(widget: Locator) -> None:
    weights = {}
    for name in ("Llama 2 13B", "Llama 2 70B"):
        choose(widget, name)
        weights[name] = int(figures(widget)["token"])
    assert weights["Llama 2 70B"] / weights["Llama 2 13B"] == 0.4


def test_half_a_byte_makes_decoding_four_times_as_fast_and_the_prefill_no_faster(widget: Locator) -> None:
    before = passes(widget)
    widget.get_by_label("A number takes", exact=True).select_option(label="half a byte (4 bit)")
    after = passes(widget)
    assert after["decode"]["speed"] == pytest.approx(4 * before["decode"]["speed"])
    assert after["prefill"]["speed"] == before["prefill"]["speed"]


def test_it_is_worked_by_keyboard_and_says_what_it_found(widget: Locator, page: Page) -> None:
    widget.get_by_label("Model", exact=True).focus()
    page.keyboard.press("Home")
    expect(widget.locator(".u-live")).to_contain_text(
        "GPT-2: 124.44 million parameters; a decoding step takes"
    )
    widget.get_by_role("textbox", name="Heads", exact=True).fill("7")
    expect(widget.get_by_text("7 heads cannot share out 768 components")).to_be_visible()
    widget.get_by_role("button", name="Reset").press("Enter")
    expect(widget.locator(".u-live")).to_contain_text("Llama 2 7B: 6.74 billion parameters")
