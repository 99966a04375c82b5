"""Chapter 6: heads and lines of the built page are those of the stored models, over http and from disk."""

import json
import re
from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
import torch
from playwright.sync_api import Locator, Page, expect
from torch import Tensor

from tests.book.answers import digits
from unrolled.data.bears_tokens import encode_words
from unrolled.data.relations import NAMES, two_relations
from unrolled.tap import record
from unrolled.training.stored import stored
from unrolled.widgets import head_summary

CHAPTER = "06_multi_head.html"
OpenAll = Callable[[str], list[Locator]]


@pytest.fixture
def open_all(where: str, page: Page) -> OpenAll:
    """Return a function that opens the chapter and returns all of its widgets of a kind, answering."""

    def open_it(kind: str) -> list[Locator]:
        page.goto(where + CHAPTER)
        widgets = page.locator(f'.unrolled-widget[data-widget="{kind}"][data-mounted="true"]')
        expect(widgets.first).to_be_attached()
        return widgets.all()

    return open_it


@pytest.fixture(scope="module")
def example() -> Any:
    return two_relations(1, seed=0)


def maps(name: str, tokens: Tensor) -> Tensor:
    """Return the weights of a stored model, ``[H, T, T]``."""
    model = stored(name).model
    with record(model, "attention.weights") as heard, torch.no_grad():
        model(tokens)
    return heard["attention.weights"][0][0]


def test_the_head_browser_shows_all_three_heads_with_their_figures(
    open_all: OpenAll, example: Any, page: Page
) -> None:
    widget = open_all("head-browser")[0]
    w = torch.cat([maps(name, example.tokens) for name in ("two-relations", "two-relations-one-head")])
    relations = {"its friend": example.alignment[0, 0], "its boss": example.alignment[0, 1]}
    summary = head_summary(w, relations=relations, ordered=False)
    radios = widget.get_by_role("radio")
    expect(radios).to_have_count(3)
    names = [NAMES[i] for i in example.tokens[0, :, 0].tolist()]
    panel = widget.locator(".u-panel").first
    assert panel.locator("tbody th").all_inner_texts() == names
    radios.first.focus()
    for head in range(3):
        expect(radios.nth(head)).to_have_attribute("aria-checked", "true")
        assert panel.locator("td[data-j]").all_text_contents() == digits(w[head])
        figures = [
            f"{f[0, head]:.2f}" + (" bits" if name == "entropy" else "") for name, f in summary.items()
        ]
        assert panel.locator("dd").all_inner_texts() == figures
        page.keyboard.press("ArrowRight")
    # Two side by side, one token through both.
    widget.get_by_label("Beside it").select_option("two: head 1")
    widget.locator(".u-panel").nth(1).locator("td[data-i='3'][data-j='0']").click()
    expect(widget.locator(".u-bars-title")).to_have_text([f"{names[3]} attends to"] * 2)
    values = widget.locator(".u-bars .u-value").all_inner_texts()
    assert values == digits(torch.cat([w[2, 3], w[0, 3]]))


def test_bertviz_draws_the_two_heads(open_all: OpenAll, example: Any) -> None:
    widget = open_all("bertviz-head-view")[0]
    w = maps("two-relations", example.tokens).double()
    for head in (0, 1):
        lines = widget.locator(f".headAttention[head-index='{head}'] line")
        drawn = torch.tensor(
            lines.evaluate_all("(all) => all.map((line) => Number(line.getAttribute('stroke-opacity')))"),
            dtype=torch.float64,
        )
        torch.testing.assert_close(drawn, w[head].flatten() / 2, rtol=0, atol=5e-4)
    widget.get_by_role("button", name="Head 0").click()
    names = widget.locator("#left text").all_text_contents()
    widget.get_by_label("Token that looks").select_option(names[4])
    said = widget.get_by_role("status").text_content() or ""
    assert re.findall(r"\d\.\d\d", said) == digits(w[1, 4])


BEARS = ["I love ▢", "She ▢ the pain", "▢ won the game"]


def bears_maps(sentence: str) -> Tensor:
    """Return the weights of the stored bears model, ``[layers, H, T, T]``."""
    model = stored("bears").model
    tokens, _ = encode_words([sentence.lower().replace("▢", "<mask>").split()])
    with record(model, "*.weights") as heard, torch.no_grad():
        model(tokens)
    return torch.stack([layer[0][0] for layer in heard.values()])


def test_every_head_of_the_bears_model_can_be_browsed(open_all: OpenAll) -> None:
    widget = open_all("explore")[0]
    for sentence in BEARS:
        widget.get_by_label("sentence =").select_option(sentence)
        browser = widget.locator('.u-outcome [data-widget="head-browser"][data-mounted="true"]')
        expect(browser.locator(".u-title")).to_have_text(sentence)
        for (layer, head), w in zip(product((1, 2), (1, 2)), bears_maps(sentence).flatten(0, 1), strict=True):
            browser.get_by_role("radio", name=f"layer {layer}, head {head}").click()
            cells = browser.locator(".u-panel").first.locator("td[data-j]")
            assert cells.all_text_contents() == digits(w)


def test_bertviz_draws_every_layer_of_the_bears_model(open_all: OpenAll) -> None:
    for widget, sentence in zip(open_all("bertviz-head-view")[1:], BEARS[1:2], strict=True):
        for layer, w in enumerate(bears_maps(sentence).double()):
            widget.get_by_label("Layer").select_option(str(layer))
            lines = widget.locator("#attention line")
            drawn = lines.evaluate_all(
                "(all) => all.map((line) => Number(line.getAttribute('stroke-opacity')))"
            )
            got = torch.tensor(drawn, dtype=torch.float64)
            torch.testing.assert_close(got, w.flatten() / 2, rtol=0, atol=5e-4)


def test_nothing_is_fetched_and_nothing_goes_wrong(where: str, page: Page) -> None:
    wrong: list[str] = []
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda request: None if request.url.startswith(where) else wrong.append(request.url))
    page.goto(where + CHAPTER)
    for widget in page.locator(".unrolled-widget").all():
        expect(widget).to_have_attribute("data-mounted", "true")
        state = json.loads(widget.locator(":scope > script").text_content() or "")
        assert state["title"] or widget.get_attribute("data-widget") == "explore"
    assert [url for url in wrong if not url.startswith(("data:", "blob:"))] == []
