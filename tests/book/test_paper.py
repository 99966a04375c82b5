"""A chapter on paper: nothing is cut, no page stays white, and what a screen folds can be read."""

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

NewPage = Callable[..., Page]
# An A4 page within its margins, in CSS pixels.
PAPER = {"width": 673, "height": 1002}


CUT = """(all, width) => all.filter((el) => el.checkVisibility() && !el.closest("svg"))
  .filter((el) => el.getBoundingClientRect().right > width + 1
    || (getComputedStyle(el).overflowX !== "visible" && el.scrollWidth > el.clientWidth + 1))
  .map((el) => `${el.tagName}.${el.className}: ${el.textContent.trim().slice(0, 60)}`)"""
KEPT = """all => all.filter((el) => el.checkVisibility() && !el.closest("svg")
    && getComputedStyle(el).breakInside.startsWith("avoid"))
  .map((el) => [`${el.tagName}.${el.className}`, el.getBoundingClientRect().height])"""


def test_nothing_is_cut_at_the_edge_and_what_is_kept_whole_is_at_most_half_a_page(
    site: Path, new_page: NewPage
) -> None:
    cut, tall, kept = {}, {}, 0
    page = new_page(viewport=PAPER)
    for path in sorted(site.glob("*.html")):
        page.emulate_media(media="screen")
        page.goto(path.as_uri())
        page.emulate_media(media="print")
        elements = page.locator("article *")
        if found := elements.evaluate_all(CUT, PAPER["width"]):
            cut[path.name] = found
        whole = elements.evaluate_all(KEPT)
        kept += len(whole)
        if found := [told for told in whole if told[1] > PAPER["height"] / 2]:
            tall[path.name] = found
    assert cut == {}
    assert tall == {}
    assert kept > 10


def test_folded_code_is_read_and_its_button_is_not(sample_book: Path, new_page: NewPage) -> None:
    page = new_page(viewport=PAPER)
    page.goto(f"{sample_book.as_uri()}/04_everything.html")
    fold = page.locator("details.hide").first
    expect(fold.locator("summary")).to_be_visible()
    assert (
        fold.locator("pre").evaluate("el => el.checkVisibility() ? el.getBoundingClientRect().height : 0")
        == 0
    )
    page.emulate_media(media="print")
    expect(fold.locator("summary")).to_be_hidden()
    assert (
        fold.locator("pre").evaluate("el => el.checkVisibility() ? el.getBoundingClientRect().height : 0")
        > 40
    )
