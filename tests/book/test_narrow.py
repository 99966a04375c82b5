"""Small screens and large letters: nothing scrolls sideways or sticks over the text, figures can be read."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.book.look import SETTLED, unfold
from tools import course

NewPage = Callable[..., Page]

# Each formula with the character behind it, where that is no space: how far down their middles stand apart.
PARTED = """() => [...document.querySelectorAll("article math:not([display=block])")].flatMap((math) => {
  if (!math.checkVisibility()) return [];
  const block = math.closest("p, li, td, th, dd, dt, h1, h2, h3, summary, div");
  const walker = document.createTreeWalker(block, NodeFilter.SHOW_TEXT);
  const behind = (text) => math.compareDocumentPosition(text) & Node.DOCUMENT_POSITION_FOLLOWING;
  let text = walker.nextNode();
  while (text && (text.parentElement.closest("math") || !behind(text) || text.data === ""))
    text = walker.nextNode();
  if (!text || !/^[.,;:!?)’]/.test(text.data) || math.nextElementSibling?.matches("math, wbr")) return [];
  const sign = document.createRange();
  sign.setStart(text, 0);
  sign.setEnd(text, 1);
  const [a, b] = [math.getBoundingClientRect(), sign.getBoundingClientRect()];
  return a.bottom < b.top || b.left < a.left ? [math.textContent + text.data.slice(0, 1)] : [];
})"""


# What sticks, apart from heads of tables, which do so within their own boxes.
STICKING = """all => all.filter((el) => ["sticky", "fixed"].includes(getComputedStyle(el).position)
    && el.checkVisibility() && !el.closest("table")).map((el) => el.className)"""
# The smallest text of each figure. What stands beside letters, such as a power, is smaller in all books.
SMALLEST = """all => all.filter((svg) => svg.checkVisibility()).map((svg) => {
  const scale = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
  const sizes = [...svg.querySelectorAll("text")].filter((text) => !text.querySelector("tspan"))
    .map((text) => parseFloat(getComputedStyle(text).fontSize));
  return [svg.getAttribute("aria-label").slice(0, 60), scale * Math.min(Infinity, ...sizes)];
})"""

# The longest line of all code, and of what it prints, whose frame cuts lines off.
CUT = """all => all.filter((pre) => pre.checkVisibility() && pre.scrollWidth > pre.clientWidth + 1)
  .map((pre) => pre.textContent.split("\\n").reduce((a, b) => b.length > a.length ? b : a))"""


def test_at_every_width_no_page_scrolls_sideways_and_all_of_it_can_be_read(
    site: Path, new_page: NewPage
) -> None:
    """A page is opened at the narrowest width and then drawn out: opening it is what takes time.

    On a phone a formula keeps the full stop behind it, and no letter of a figure is below nine pixels; at
    four times its size (320 by 256) nothing sticks over the text; at a desk no line of code is cut off.
    """
    page = new_page()
    wrong: dict[str, list[object]] = {}
    figures = 0
    for path in sorted(site.glob("*.html")):
        page.set_viewport_size({"width": 320, "height": 256})
        page.goto(path.as_uri())
        unfold(page)
        found: list[object] = page.locator("body *").evaluate_all(STICKING)
        for width in (320, 360, 390, 768, 1280):
            page.set_viewport_size({"width": width, "height": 740})
            page.evaluate(SETTLED)
            there = page.evaluate("document.documentElement.scrollWidth")
            # A bar that is wider than the screen and yet cannot be scrolled to would be cut.
            bar = page.locator(".topbar").evaluate("el => el.scrollWidth")
            if max(there, bar) > width:
                found.append((width, there, bar))
            if width <= 390:
                found += [(width, formula) for formula in page.evaluate(PARTED)]
            if width == 360:
                sizes = page.locator(".unrolled-figure svg").evaluate_all(SMALLEST)
                figures += len(sizes)
                found += [told for told in sizes if told[1] < 8.99]
            if width == 1280 and path.name != "04_everything.html":  # of the sample: it has a line to cut
                found += page.locator("article .cell pre").evaluate_all(CUT)
        if found:
            wrong[path.name] = found
    assert figures > 0
    assert wrong == {}


@pytest.mark.parametrize("width", [320, 360])
def test_the_parts_of_the_bar_stand_apart(sample_book: Path, new_page: NewPage, width: int) -> None:
    page = new_page(viewport={"width": width, "height": 740})
    page.goto(f"{sample_book.as_uri()}/04_everything.html")
    boxes = [
        box for part in page.locator(".menu-open, .brand, .tools > *").all() if (box := part.bounding_box())
    ]
    assert len(boxes) >= 4
    for left, right in pairwise(boxes):
        assert left["x"] + left["width"] <= right["x"] + 0.5
    # The title is a box with room for its longest word.
    assert page.locator(".brand").evaluate("el => el.scrollWidth <= el.clientWidth")
    name = page.locator(".brand span").bounding_box()
    first = page.locator(".tools > *").first.bounding_box()
    assert name
    assert first
    assert name["x"] + name["width"] + 3 <= first["x"] or name["width"] == 1
    expect(page.get_by_role("link", name=course.title())).to_be_visible()


def test_a_figure_that_is_wide_scrolls_in_its_own_box(sample_book: Path, new_page: NewPage) -> None:
    page = new_page(viewport={"width": 240, "height": 740})
    page.goto(f"{sample_book.as_uri()}/04_everything.html")
    box = page.locator(".unrolled-figure > div").first
    assert box.evaluate("el => el.scrollWidth > el.clientWidth + 5")
    expect(box).to_have_attribute("tabindex", "0")
    place = box.bounding_box()
    assert place
    assert place["x"] + place["width"] <= 240


def test_a_box_is_reached_by_keyboard_once_what_is_in_it_has_grown(
    sample_book: Path, new_page: NewPage
) -> None:
    page = new_page(viewport={"width": 800, "height": 740})
    page.goto(f"{sample_book.as_uri()}/04_everything.html")
    box = page.locator(".unrolled-figure > div").first
    box.evaluate("el => { el.style.height = `${el.offsetHeight}px`; el.style.scrollbarWidth = 'none'; }")
    page.evaluate(SETTLED)
    expect(box).not_to_have_attribute("tabindex", "0")
    box.evaluate("el => { el.firstElementChild.style.minWidth = '2000px'; }")
    expect(box).to_have_attribute("tabindex", "0")
