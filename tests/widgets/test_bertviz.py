"""bertviz's own script draws our weights, with names for its controls and nothing from the network."""

import gzip
import importlib
import re
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import torch
from playwright.sync_api import Page, expect

from tests.widgets.maps import WORDS, weights
from unrolled.widgets import BertvizHeadView, bertviz_head_view, bundle

LINES = "[...document.querySelectorAll('#attention line')]"


def opacity(page: Page, head: int) -> list[float]:
    return page.evaluate(
        f"{LINES}.filter((l) => l.parentNode.parentNode.getAttribute('head-index') == {head})"
        ".map((l) => Number(l.getAttribute('stroke-opacity')))"
    )


@pytest.mark.parametrize("view", ["head", "model"])
def test_the_script_is_bertvizs_but_for_the_address_of_its_libraries(view: str) -> None:
    ours = (bundle.JS / f"bertviz-{view}-view-script.mjs").read_text(encoding="utf-8")
    kept = re.search(r"// ----- 8< -----\n(.*)\n// ----- >8 -----", ours, re.DOTALL)
    theirs = files("bertviz").joinpath(f"{view}_view.js").read_text(encoding="utf-8")
    assert kept
    assert kept[1] == theirs[theirs.index("requirejs(['jquery', 'd3']") :].rstrip()
    assert "http" not in kept[1]
    licence = Path(str(files("bertviz"))).parent / "bertviz-1.4.1.dist-info/licenses/LICENSE"
    assert (bundle.JS / "bertviz-LICENSE.txt").read_bytes() == licence.read_bytes()
    for name in ("d3-color", "d3-selection"):
        assert "Redistributions of source code must retain" in (bundle.JS / f"{name}.mjs").read_text()


def test_lines_are_as_strong_as_the_weights(page: Page, mount: Callable[..., None]) -> None:
    w = weights(2, 3, 5, 5)
    mount(page, BertvizHeadView(w, list("abcde")))
    for layer in (0, 1):
        page.get_by_label("Layer").select_option(str(layer))
        for head in range(3):
            # Shared among the heads that are on, as in bertviz.
            expected = w[layer, head].flatten() / 3
            assert torch.allclose(torch.tensor(opacity(page, head)).double(), expected, atol=5e-4)


def test_heads_are_switched_by_buttons_and_by_bertvizs_own_squares(
    page: Page, mount: Callable[..., None]
) -> None:
    w = weights(1, 2, 3, 3)
    mount(page, BertvizHeadView(w, WORDS))
    first, second = (page.get_by_role("button", name=f"Head {i}") for i in (0, 1))
    first.focus()
    page.keyboard.press("Space")
    expect(first).to_have_attribute("aria-pressed", "false")
    assert max(opacity(page, 0)) == 0
    assert torch.allclose(torch.tensor(opacity(page, 1)).double(), w[0, 1].flatten(), atol=5e-4)
    second.click()  # the last one that is on stays on, as in bertviz
    expect(second).to_have_attribute("aria-pressed", "true")
    squares = page.locator(".u-bertviz svg > g:last-of-type > rect")
    squares.first.click()
    expect(first).to_have_attribute("aria-pressed", "true")
    squares.nth(1).dblclick()
    expect(first).to_have_attribute("aria-pressed", "false")
    expect(second).to_have_attribute("aria-pressed", "true")


def test_a_token_is_chosen_from_a_list_or_pointed_at(page: Page, mount: Callable[..., None]) -> None:
    w = weights(1, 2, 3, 3)
    mount(page, BertvizHeadView(w, WORDS))
    shown = f"{LINES}.filter((l) => getComputedStyle(l).visibility === 'visible').length"
    assert page.evaluate(shown) == 18
    page.get_by_label("Token that looks").select_option("bears")
    assert page.evaluate(shown) == 6
    said = "; ".join(
        f"head {h}: "
        + ", ".join(f"{word} {x:.2f}" for word, x in zip(WORDS, w[0, h, 2].tolist(), strict=True))
        for h in (0, 1)
    )
    expect(page.get_by_role("status")).to_have_text(f"bears attends to: {said}.")
    page.get_by_label("Token that looks").select_option("all tokens")
    assert page.evaluate(shown) == 18
    page.locator("#right text", has_text="love").hover()
    expect(page.get_by_role("status")).to_contain_text("love is attended to by: head 0: I ")
    assert page.evaluate(shown) == 6


def test_two_views_on_a_page_keep_apart(page: Page, mount: Callable[..., None]) -> None:
    mount(page, BertvizHeadView(weights(2, 1, 3, 3), WORDS), BertvizHeadView(weights(1, 2, 2, 2), ["x", "y"]))
    expect(page.locator(".u-bertviz svg")).to_have_count(2)
    page.get_by_label("Layer").first.select_option("1")
    expect(page.locator(".u-bertviz").nth(1).locator("line")).to_have_count(8)
    expect(page.locator(".u-bertviz").nth(0).locator("line")).to_have_count(9)


@pytest.mark.parametrize(("theme", "width"), [("light", 900), ("dark", 320)])
def test_axe_finds_nothing_and_the_console_stays_silent(
    new_page: Callable[..., Page],
    mount: Callable[..., None],
    violations: Callable[[Page], list[str]],
    theme: str,
    width: int,
) -> None:
    page = new_page(viewport={"width": width, "height": 800})
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("request", lambda request: said.append(request.url) if "page.html" not in request.url else None)
    mount(page, BertvizHeadView(weights(2, 4, 3, 3), WORDS, title="View"), theme=theme)
    page.get_by_label("Token that looks").select_option("love")
    assert violations(page) == []
    assert said == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    sizes = page.eval_on_selector_all(
        ".unrolled button, .unrolled select",
        "(all) => all.map((el) => el.getBoundingClientRect()).flatMap((r) => [r.width, r.height])",
    )
    assert min(sizes) >= 24
    ink, paper = page.evaluate(
        "[getComputedStyle(document.querySelector('.u-bertviz text')).fill,"
        " getComputedStyle(document.querySelector('.unrolled')).color]"
    )
    assert ink == paper


def test_hostile_text_is_text(page: Page, mount: Callable[..., None]) -> None:
    hostile = "<img src=x onerror=document.title='hit'>"
    mount(
        page, BertvizHeadView(weights(1, 1, 2, 2), [hostile, "'); document.title='hit'; ('"], title=hostile)
    )
    expect(page.locator("#left text").first).to_have_text(hostile)
    expect(page.locator("main img")).to_have_count(0)
    assert page.title() == "Widgets"


def test_it_is_light() -> None:
    assert len(gzip.compress(bundle.page_script(("bertviz-head-view",), "pictures.js").encode())) < 28_000


def test_without_a_script_there_are_tables() -> None:
    w = weights(2, 2, 3, 3)
    html = BertvizHeadView(w, WORDS).fallback_html()
    assert html.count("<table>") == 4
    assert "Layer 1, head 0." in html
    assert f"{w[1, 0, 2, 1]:.2f}" in html


def test_too_many_heads_are_refused() -> None:
    with pytest.raises(ValueError, match="weights: expected at most 12 heads, got 13; choose some"):
        bertviz_head_view(weights(13, 2, 2), ["a", "b"])


class TestWhereItRuns:
    @pytest.fixture
    def called(self, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
        calls: list[dict[str, Any]] = []
        monkeypatch.setattr("bertviz.head_view", lambda **given: calls.append(given))
        return calls

    def test_the_book_has_the_widget(
        self, called: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("UNROLLED_BOOK", "1")
        assert isinstance(bertviz_head_view(weights(2, 3, 3), WORDS), BertvizHeadView)
        assert called == []

    def test_a_live_notebook_has_bertviz_itself(self, called: list[dict[str, Any]]) -> None:
        w = weights(2, 3, 5, 5)
        assert bertviz_head_view(w, list("abcde")) is None
        (given,) = called
        assert [tuple(layer.shape) for layer in given["attention"]] == [(1, 3, 5, 5)] * 2
        assert torch.allclose(torch.cat(given["attention"]).double(), w, atol=5e-4)
        assert given["tokens"] == list("abcde")

    # bertviz does not close the file of its script.
    @pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
    def test_bertviz_takes_what_it_is_given(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert bertviz_head_view(weights(2, 3, 5, 5), list("abcde")) is None
        assert "HTML" in capsys.readouterr().out  # what IPython displays outside a notebook

    def test_a_notebook_without_bertviz_has_the_widget(self, monkeypatch: pytest.MonkeyPatch) -> None:
        module = importlib.import_module("unrolled.widgets.bertviz")
        monkeypatch.setattr(module, "find_spec", lambda name: None)
        assert isinstance(bertviz_head_view(weights(2, 3, 3), WORDS), BertvizHeadView)
