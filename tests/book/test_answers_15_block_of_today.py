"""Chapter 15: the block in the built page weighs what the package's models weigh, over http and from disk."""

import json
from statistics import fmean

import pytest
from playwright.sync_api import Locator, expect

from tests.book.answers import Open, figures
from tools.experiments.today import build, table
from unrolled.training.results import read_result
from unrolled.widgets import BlockBuilder

CHAPTER = "15_block_of_today.html"


@pytest.fixture
def widget(open_widget: Open) -> Locator:
    return open_widget(CHAPTER, "block-builder")


def test_every_block_that_was_trained_weighs_what_its_model_weighs(widget: Locator) -> None:
    choice = widget.get_by_label("Take a block that was trained")
    names = choice.locator("option").all_text_contents()[:-1]
    cases = read_result("today")["tables"]["cases"]
    assert names == [name for name in cases if not name.endswith(", fast")]
    for name in names:
        choice.select_option(label=name)
        got, said = figures(widget), cases[name]
        assert got["parameters"] == said["parameters"]
        assert got["active"] == said["active parameters"]
        assert got["cache"] == 4 * said["numbers in the cache"]
        expect(widget.locator(".unrolled[data-trained]")).to_have_attribute("data-trained", name)
        mean = fmean(read_result("today")["metrics"][f"{name}, bits per byte"])
        expect(widget.locator(".u-outcome-said")).to_contain_text(f"{name}: {mean:.3f}")


@pytest.mark.parametrize("name", ["GPT-2's block", "latent attention", "eight experts, two asked"])
def test_what_was_recorded_of_a_model_is_so(name: str) -> None:
    recorded = read_result("today")["tables"]["cases"][name]
    assert table(name).items() <= recorded.items()
    assert sum(p.numel() for p in build(name).parameters()) == recorded["parameters"]


def test_what_the_chapter_gives_to_try_happens(widget: Locator) -> None:
    first = figures(widget)
    widget.get_by_label("Attention", exact=True).select_option("latent")
    latent = figures(widget)
    widget.get_by_label("Attention", exact=True).select_option("multi-query")
    query = figures(widget)
    assert latent["token"] == query["token"] == first["token"] // 4
    widget.get_by_role("button", name="Reset").click()
    widget.get_by_label("Tokens so far").select_option("8,192")
    long = figures(widget)
    widget.get_by_role("button", name="Window of 32").click()
    windowed = figures(widget)
    assert {key for key in long if long[key] != windowed[key]} == {"cache", "operations"}
    assert long["cache"] == 256 * windowed["cache"]
    widget.get_by_role("button", name="Reset").click()
    widget.get_by_role("button", name="8 experts, 2 asked").click()
    assert figures(widget)["parameters"] > 2 * figures(widget)["active"]


def test_python_and_the_page_agree_on_what_nobody_trained(widget: Locator) -> None:
    widget.get_by_label("Norm", exact=True).select_option("RMSNorm")
    widget.get_by_role("button", name="Learned sink").click()
    state = widget.locator("script[type='application/json']").first.text_content()
    sizes = json.loads(state or "")["sizes"]
    python = BlockBuilder(sizes, chosen={"norm": "RMSNorm", "sink": True})
    assert figures(widget) == python.figures()
