"""The cost calculator in a browser: its numbers are those of `unrolled.costs`, and nonsense is named."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.widgets.notebook import NOTEBOOK
from unrolled.costs import KNOWN, Sizes, Today, cache_bytes, operations, parameters
from unrolled.widgets import CostCalculator, bundle

SMALL = Sizes(vocab_size=101, max_len=53, d_model=30, n_heads=5, n_layers=3, d_ff=71)
OWN = "sizes of your own"


def field(page: Page, name: str) -> Locator:
    return page.get_by_role("textbox", name=name, exact=True)


def figures(page: Page) -> dict[str, Any]:
    """Return what the page computed; its counts come as text, since JSON's numbers may be too small."""
    found: dict[str, Any] = json.loads(page.locator(".unrolled").get_attribute("data-figures") or "")
    return found


def as_text(got: Any) -> Any:
    """Return Python's figures as the page writes its own: counts as text, the rest as numbers."""
    counts = {"weights", "cache", "token", "counted", "moved"}
    return {
        name: {part: str(n) for part, n in value.items()}
        if name == "parts"
        else [as_text(one) for one in value]
        if name == "phases"
        else str(value)
        if name in counts
        else value
        for name, value in got.items()
    }


def agrees(page: Page, widget: CostCalculator) -> None:
    assert figures(page) == as_text(widget.figures())


@pytest.mark.parametrize("name", KNOWN)
def test_a_published_model_costs_in_the_page_what_it_costs_in_python(
    page: Page, mount: Callable[..., None], name: str
) -> None:
    mount(page, CostCalculator("GPT-2 medium", batch=3, bits=8, peak=312, bandwidth=1555.5))
    page.get_by_label("Model", exact=True).select_option(label=name)
    agrees(page, CostCalculator(name, batch=3, bits=8, peak=312, bandwidth=1555.5))
    for label, value in (("Context, tokens", 999_983), ("Batch, sequences", 997)):
        field(page, label).fill(f"{value:,}")
    agrees(page, CostCalculator(name, length=999_983, batch=997, bits=8, peak=312, bandwidth=1555.5))
    expect(page.locator(".u-cost-said")).to_contain_text(
        f"{parameters(KNOWN[name].sizes).total:,} parameters"
    )


def test_a_block_of_today_is_refused_where_the_page_cannot_count_it() -> None:
    with pytest.raises(ValueError, match=r"^model: expected sizes without parts of today"):
        CostCalculator(replace(SMALL, today=Today(window=5, block=64)))


def test_sizes_of_ones_own(page: Page, mount: Callable[..., None]) -> None:
    mount(page, CostCalculator(SMALL))
    agrees(page, CostCalculator(SMALL))
    given: dict[str, Any] = {"n_layers": 7, "d_model": 60, "n_heads": 10, "n_kv_heads": 2, "d_ff": 0}
    labels = ["Blocks", "Components, d", "Heads", "Key/value heads", "Feed-forward width"]
    for label, value in zip(labels, given.values(), strict=True):
        field(page, label).fill(str(value))
    page.get_by_label("Kind", exact=True).select_option(index=1)
    page.get_by_label("Output layer", exact=True).select_option(index=1)
    page.get_by_label("A number takes", exact=True).select_option(index=3)
    own = Sizes(**given, vocab_size=101, max_len=53, bias=False, learned=False, tied=False)
    agrees(page, CostCalculator(own, bits=4))
    field(page, "Feed-forward width").fill("13")
    page.get_by_label("Feed-forward layer", exact=True).select_option(index=1)
    agrees(page, CostCalculator(replace(own, d_ff=13, gated=True), bits=4))
    expect(page.get_by_label("Model", exact=True)).to_have_value(str(len(KNOWN)))


def test_an_encoder_writes_no_tokens(page: Page, mount: Callable[..., None]) -> None:
    mount(page, CostCalculator("BERT base"))
    assert [one["phase"] for one in figures(page)["phases"]] == ["training", "prefill"]
    expect(page.locator(".u-cost-said")).to_contain_text("An encoder keeps no cache.")


def test_by_keyboard(page: Page, mount: Callable[..., None]) -> None:
    mount(page, CostCalculator(SMALL))
    page.get_by_label("Model", exact=True).focus()
    page.keyboard.press("Home")
    agrees(page, CostCalculator("GPT-2"))
    field(page, "Batch, sequences").focus()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("17")
    agrees(page, CostCalculator("GPT-2", batch=17))
    expect(page.get_by_role("status").filter(has_text="GPT-2: 124.44 million")).to_be_visible()
    page.get_by_role("button", name="Reset").press("Enter")
    agrees(page, CostCalculator(SMALL))
    expect(page.get_by_label("Model", exact=True)).to_have_value(str(len(KNOWN)))


WRONG = [
    ("Context, tokens", "0", "expected a whole number from 1 to 100,000,000, got “0”."),
    ("Batch, sequences", "-3", "expected a whole number from 1 to 1,000,000, got “-3”."),
    ("Components, d", "1e99", "expected a whole number from 1 to 1,000,000, got “1e99”."),
    ("Vocabulary", "many", "expected a whole number from 1 to 100,000,000, got “many”."),
    ("Blocks", "", "expected a whole number from 1 to 10,000, got “”."),
    ("Blocks", "1.5", "expected a whole number from 1 to 10,000, got “1.5”."),
    ("Peak, 10¹² operations/s", "0", "expected a number from 0.001 to 1,000,000, got “0”."),
    ("Bandwidth, 10⁹ bytes/s", "∞", "expected a number from 0.001 to 1,000,000, got “∞”."),
    ("Heads", "7", "7 heads cannot share out 30 components"),
    ("Key/value heads", "3", "5 heads of queries cannot be put into 3 equal groups."),
    ("Key/value heads", "10", "5 heads of queries cannot be put into 10 equal groups."),
]


@pytest.mark.parametrize(("label", "text", "message"), WRONG)
def test_what_makes_no_model_is_said_and_nothing_is_shown_for_it(
    page: Page, mount: Callable[..., None], label: str, text: str, message: str
) -> None:
    mount(page, CostCalculator(SMALL))
    was = field(page, label).input_value()
    field(page, label).fill(text)
    error = page.locator(".u-error").filter(has_text=message)
    expect(error).to_be_visible()
    expect(field(page, label)).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_role("region", name="What a pass takes")).to_be_hidden()
    field(page, label).fill(was)
    expect(page.locator(".u-error:visible")).to_have_count(0)
    agrees(page, CostCalculator(SMALL))


def test_a_context_longer_than_the_model_was_made_for_is_computed_and_said(
    page: Page, mount: Callable[..., None]
) -> None:
    mount(page, CostCalculator(SMALL))
    field(page, "Context, tokens").fill("54")
    expect(page.get_by_text("Longer than the 53 tokens it was made for")).to_be_visible()
    agrees(page, CostCalculator(SMALL, length=54))


def test_the_picture_says_what_it_shows(page: Page, mount: Callable[..., None]) -> None:
    widget = CostCalculator("Llama 2 7B", peak=312, bandwidth=2039)
    mount(page, widget)
    picture = page.get_by_role("img", name="The card is bound by memory below 153.0 operations per byte")
    expect(picture).to_be_visible()
    expect(picture.locator("circle")).to_have_count(3)


def test_a_kernel_hears_and_is_heard(page: Page) -> None:
    widget = CostCalculator(SMALL)
    page.goto("about:blank")
    page.evaluate(NOTEBOOK, {"esm": bundle.esm(widget.name), "state": widget.state(), "kept": ["settings"]})
    field(page, "Batch, sequences").fill("11")
    assert page.evaluate("saved.at(-1)")["settings"] == CostCalculator(SMALL, batch=11).settings
    page.evaluate("(next) => model.set('settings', next)", CostCalculator("GPT-3").settings)
    agrees(page, CostCalculator("GPT-3"))
    page.evaluate("stop()")
    page.evaluate("(next) => model.set('settings', next)", widget.settings)
    agrees(page, CostCalculator("GPT-3"))


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1000])
def test_accessible_and_never_wider_than_the_page(
    new_page: Any, mount: Callable[..., None], violations: Callable[[Page], list[str]], theme: str, width: int
) -> None:
    page = new_page(viewport={"width": width, "height": 800})
    mount(page, CostCalculator("GPT-3", title="What does it cost?"), theme=theme)
    assert violations(page) == []
    field(page, "Heads").fill("7")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_without_a_script_the_table_has_the_numbers(new_page: Any) -> None:
    page = new_page(java_script_enabled=False)
    page.set_content(CostCalculator("Llama 2 13B").static_html())
    s = KNOWN["Llama 2 13B"].sizes
    expect(page.locator("caption").first).to_contain_text(f"cache {cache_bytes(s, 4096):,} bytes")
    row = page.locator("table").first.get_by_role("row", name="decoding step").get_by_role("cell")
    assert row.first.inner_text() == f"{operations(s, 4096, phase='decode').total / 1e9:.3f}"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"length": 0}, "length: expected a whole number from 1 to 100,000,000, got 0"),
        ({"batch": 10**9}, "batch: expected a whole number from 1 to 1,000,000, got 1000000000"),
        ({"peak": 0}, r"peak: expected a number from 0\.001 to 1,000,000, got 0"),
        ({"bandwidth": float("nan")}, "bandwidth: expected a number from .* got nan"),
        ({"bits": 12}, "bits: expected one of 32, 16, 8, 4, got 12"),
    ],
)
def test_python_says_what_it_expected(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CostCalculator(SMALL, **change)
    with pytest.raises(ValueError, match=r"^model: expected one of GPT-2, .* got 'GPT-5'$"):
        CostCalculator("GPT-5")
