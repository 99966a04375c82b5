"""bertviz's own script draws a map for every head, one of them large, and nothing comes from the network."""

import gzip
import importlib
from collections.abc import Callable
from typing import Any

import pytest
import torch
from playwright.sync_api import Page, expect

from tests.widgets.maps import WORDS, weights
from unrolled.widgets import BertvizModelView, bertviz_model_view, bundle

LETTERS = list("abcde")
# What stands in the large map alone.
DETAIL = "[...document.querySelectorAll('g.detail .attn-line-group')]"


def opacities(page: Page, where: str) -> torch.Tensor:
    lines = f"[...document.querySelectorAll('{where} line')]"
    found = page.evaluate(f"{lines}.map((line) => Number(line.getAttribute('stroke-opacity')))")
    return torch.tensor(found, dtype=torch.float64)


def enlarge(page: Page, head: str) -> None:
    page.get_by_label("Head to enlarge").select_option(head)


def test_every_map_is_the_weights_of_one_head(page: Page, mount: Callable[..., None]) -> None:
    w = weights(2, 3, 5, 5)
    mount(page, BertvizModelView(w, LETTERS))
    assert torch.allclose(opacities(page, ".u-bertviz"), w.flatten(), atol=5e-4)
    for layer in range(2):
        for head in range(3):
            enlarge(page, f"layer {layer}, head {head}")
            assert torch.allclose(opacities(page, "g.detail"), w[layer, head].flatten(), atol=5e-4)
            expect(page.locator("text.detail")).to_have_text(f"Layer {layer}, Head {head}")
    enlarge(page, "none")
    expect(page.locator(".detail")).to_have_count(0)


def test_a_map_is_enlarged_by_a_click_and_the_list_follows(page: Page, mount: Callable[..., None]) -> None:
    mount(page, BertvizModelView(weights(2, 3, 5, 5), LETTERS))
    head, token = page.get_by_label("Head to enlarge"), page.get_by_label("Token that looks")
    expect(token).to_be_disabled()
    small = page.locator(".u-bertviz svg > g:not(.detail)")
    small.nth(3).click(position={"x": 5, "y": 5})
    assert head.evaluate("(el) => el.selectedOptions[0].text") == "layer 1, head 0"
    expect(token).to_be_enabled()
    small.nth(3).click(position={"x": 5, "y": 5})  # closes, as in bertviz
    assert head.evaluate("(el) => el.selectedOptions[0].text") == "none"
    expect(page.get_by_role("status")).to_have_text(
        "2 layers down, 3 heads across: left looks, right is looked at. Choose a head to see its words."
    )


def test_a_token_is_chosen_from_a_list_or_pointed_at(page: Page, mount: Callable[..., None]) -> None:
    w = weights(1, 2, 3, 3)
    mount(page, BertvizModelView(w, WORDS))
    head = page.get_by_label("Head to enlarge")
    head.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    shown = f"{DETAIL}.map((g) => getComputedStyle(g).opacity)"
    assert page.evaluate(shown) == ["1", "1", "1"]
    page.get_by_label("Token that looks").select_option("bears")
    assert page.evaluate(shown) == ["0", "0", "1"]
    said = ", ".join(f"{word} {x:.2f}" for word, x in zip(WORDS, w[0, 1, 2].tolist(), strict=True))
    expect(page.get_by_role("status")).to_have_text(f"layer 0, head 1: bears attends to {said}.")
    page.get_by_label("Token that looks").select_option("all tokens")
    assert page.evaluate(shown) == ["1", "1", "1"]
    page.locator("g.detail text", has_text="love").first.hover()
    assert page.evaluate(shown) == ["0", "1", "0"]
    expect(page.get_by_role("status")).to_contain_text("layer 0, head 1: love attends to I ")
    page.get_by_label("Token that looks").hover()
    assert page.evaluate(shown) == ["1", "1", "1"]
    expect(page.get_by_role("status")).to_have_text("layer 0, head 1: left looks, right is looked at.")


def test_two_views_on_a_page_keep_apart(page: Page, mount: Callable[..., None]) -> None:
    first, second = (
        BertvizModelView(weights(2, 1, 3, 3), WORDS),
        BertvizModelView(weights(1, 2, 2, 2), ["x", "y"]),
    )
    mount(page, first, second)
    page.get_by_label("Head to enlarge").first.select_option("layer 1, head 0")
    expect(page.locator(".u-bertviz").nth(0).locator("line")).to_have_count(27)
    expect(page.locator(".u-bertviz").nth(1).locator("line")).to_have_count(8)


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
    mount(page, BertvizModelView(weights(2, 4, 3, 3), WORDS, title="View"), theme=theme)
    enlarge(page, "layer 1, head 3")
    page.get_by_label("Token that looks").select_option("love")
    assert violations(page) == []
    assert said == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    frame, box = (page.locator(where).bounding_box() for where in ("rect.detail", ".u-bertviz"))
    assert frame
    assert box
    assert frame["x"] + frame["width"] <= box["x"] + box["width"] + 1, "the large map is out of sight"
    ink, paper, behind, ground = page.evaluate(
        "[getComputedStyle(document.querySelector('g.detail text')).fill,"
        " getComputedStyle(document.querySelector('.unrolled')).color,"
        " getComputedStyle(document.querySelector('rect.detail')).fill,"
        " getComputedStyle(document.querySelector('.unrolled')).backgroundColor]"
    )
    assert (ink, behind) == (paper, ground)


def test_hostile_text_is_text(page: Page, mount: Callable[..., None]) -> None:
    hostile = "<img src=x onerror=document.title='hit'>"
    words = [hostile, "'); document.title='hit'; ('"]
    mount(page, BertvizModelView(weights(1, 1, 2, 2), words, title=hostile))
    enlarge(page, "layer 0, head 0")
    expect(page.locator("g.detail text").first).to_have_text(hostile)
    expect(page.locator("main img")).to_have_count(0)
    assert page.title() == "Widgets"


def test_it_is_light() -> None:
    assert len(gzip.compress(bundle.page_script(("bertviz-model-view",), "pictures.js").encode())) < 30_000


def test_the_largest_there_may_be_answers_at_once(page: Page, mount: Callable[..., None]) -> None:
    mount(page, BertvizModelView(weights(12, 12, 11, 11), list("abcdefghijk")))
    expect(page.locator(".u-bertviz line")).to_have_count(12 * 12 * 11 * 11)
    enlarge(page, "layer 11, head 11")
    expect(page.locator("text.detail")).to_have_text("Layer 11, Head 11")


def test_without_a_script_there_are_tables() -> None:
    w = weights(2, 2, 3, 3)
    html = BertvizModelView(w, WORDS).fallback_html()
    assert html.count("<table>") == 4
    assert "Layer 1, head 0." in html
    assert f"{w[1, 0, 2, 1]:.2f}" in html


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ((1, 13, 2, 2), "weights: expected at most 12 heads, got 13; choose some"),
        ((13, 1, 2, 2), "weights: expected at most 12 layers, got 13; choose some"),
        ((12, 12, 12, 12), "weights: expected at most 20,000 in one picture, got 20,736; show fewer"),
    ],
)
def test_too_much_is_refused(shape: tuple[int, ...], said: str) -> None:
    with pytest.raises(ValueError, match=f"^{said}"):
        bertviz_model_view(weights(*shape), list("abcdefghijkl")[: shape[-1]])


class TestWhereItRuns:
    @pytest.fixture
    def called(self, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
        calls: list[dict[str, Any]] = []
        monkeypatch.setattr("bertviz.model_view", lambda **given: calls.append(given))
        return calls

    def test_the_book_has_the_widget(
        self, called: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("UNROLLED_BOOK", "1")
        assert isinstance(bertviz_model_view(weights(2, 3, 3), WORDS), BertvizModelView)
        assert called == []

    def test_a_live_notebook_has_bertviz_itself(self, called: list[dict[str, Any]]) -> None:
        w = weights(2, 3, 5, 5)
        assert bertviz_model_view(w, LETTERS) is None
        (given,) = called
        assert [tuple(layer.shape) for layer in given["attention"]] == [(1, 3, 5, 5)] * 2
        assert torch.allclose(torch.cat(given["attention"]).double(), w, atol=5e-4)
        assert given["tokens"] == LETTERS

    # bertviz does not close the file of its script.
    @pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
    def test_bertviz_takes_what_it_is_given(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert bertviz_model_view(weights(2, 3, 5, 5), LETTERS) is None
        assert "HTML" in capsys.readouterr().out  # what IPython displays outside a notebook

    def test_a_notebook_without_bertviz_has_the_widget(self, monkeypatch: pytest.MonkeyPatch) -> None:
        module = importlib.import_module("unrolled.widgets.bertviz")
        monkeypatch.setattr(module, "find_spec", lambda name: None)
        assert isinstance(bertviz_model_view(weights(2, 3, 3), WORDS), BertvizModelView)
