"""Slides: one file a chapter, each slide seen whole, turned by keyboard, with widgets that answer."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from lxml import html
from playwright.sync_api import Page, expect

from tests.axe import WCAG, run_axe
from tests.book.little import edit
from tests.waiting import wait_until
from tools import course
from tools.build_book import build

NewPage = Callable[..., Page]
STAGE = {"width": 1280, "height": 720}
SHOWN = ".slide.is-shown"
# What of the shown slide lies beyond it, what scrolls, and the slide itself where it says and shows nothing.
CUT_OFF = """() => {
  const slide = document.querySelector(".slide.is-shown");
  const edge = slide.getBoundingClientRect();
  // The box of a formula never scrolls down: its line is a little higher than what is drawn.
  const scrolls = (el) => el.scrollWidth > el.clientWidth + 1
    || (el.scrollHeight > el.clientHeight + 1 && !el.matches(".equation-body"));
  const parts = [...slide.children].filter((el) => el.checkVisibility() && !el.matches(".pick"));
  const beyond = parts.filter((el) => {
    const box = el.getBoundingClientRect();
    return box.bottom > edge.bottom + 1 || box.right > edge.right + 1 || box.top < edge.top - 1;
  });
  const scrolled = [...slide.querySelectorAll(".room, .fit > * pre, .scrolls, .equation-body")]
    .filter((el) => el.checkVisibility() && !el.closest(".unrolled-widget") && scrolls(el));
  const empty = slide.querySelector(".lead, .fit > *") ? [] : [slide];
  return [...beyond, ...scrolled, ...empty].map((el) => `${slide.id}: ${el.className || el.tagName}`);
}"""
# Turn to each slide, and collect what is found there.
EACH_SLIDE = """(look) => [...document.querySelectorAll(".slide")].flatMap((slide, n) => {
  document.body.dispatchEvent(new KeyboardEvent("keydown", { key: n ? "PageDown" : "Home", bubbles: true }));
  if (!slide.matches(".is-shown")) return [`${slide.id}: not shown`];
  return look();
})"""


@pytest.fixture(scope="session")
def built_slides(once: Callable[..., Path], built_book: Path) -> Path:
    """Build the slides of the real book: `built_book` has read the pages and run the cells."""
    return once("built-slides", lambda folder: shutil.copytree(build(edition="slides"), folder))


@pytest.fixture
def deck(sample_editions: Path, new_page: NewPage) -> Page:
    """The slides of the sample's chapter, opened from disk."""
    page = new_page(viewport=STAGE)
    page.goto((sample_editions / "slides" / "04_everything.html").as_uri())
    expect(page.locator(SHOWN)).to_have_count(1)
    return page


def test_every_chapter_has_one_file_that_holds_all_it_needs(built_slides: Path) -> None:
    names = {path.relative_to(built_slides).as_posix() for path in built_slides.rglob("*") if path.is_file()}
    assert names == {"index.html", *(f"{page}.html" for page in course.chapters())}
    for page in course.chapters():
        tree = html.parse(built_slides / f"{page}.html").getroot()
        assert 10 <= len(tree.find_class("slide")) <= 40, page
        # Exercises are set, and not solved.
        assert tree.find_class("sd-dropdown") == []
        assert tree.xpath("//script/@src | //link[@rel='stylesheet']/@href") == []
        assert [src for src in tree.xpath("//img/@src") if not src.startswith("data:")] == []
        text = (built_slides / f"{page}.html").read_text(encoding="utf-8")
        assert set(re.findall(r"""url\(["']?(\w+:|fonts)""", text)) == {"data:"}, page


def test_no_slide_of_the_book_is_cut_off_scrolls_or_is_empty(built_slides: Path, new_page: NewPage) -> None:
    """Every slide of every chapter, its widgets alive: turned within the page, which takes no time."""
    page = new_page(viewport=STAGE)
    for chapter in course.chapters():
        page.goto((built_slides / f"{chapter}.html").as_uri())
        expect(page.locator(".unrolled-widget:not([data-mounted='true'])")).to_have_count(0)
        found = page.evaluate(f"({EACH_SLIDE})({CUT_OFF})")
        assert found == [], chapter


def test_what_does_not_fit_is_found(deck: Page) -> None:
    """The check above would see a slide that is too full, and one that scrolls."""
    deck.evaluate("""() => {
      const [one, other] = document.querySelectorAll(".slide:has(.room)");
      one.querySelector("h2").style.fontSize = "40rem";
      other.querySelector(".fit").append(...Array.from({ length: 400 }, () => document.createElement("hr")));
    }""")
    found = deck.evaluate(f"({EACH_SLIDE})({CUT_OFF})")
    assert {line.partition(":")[0] for line in found} == set(
        deck.locator(".slide:has(.room)").evaluate_all("all => all.slice(0, 2).map(slide => slide.id)")
    )


def test_keys_turn_slides_and_show_them_all(deck: Page) -> None:
    place, press = deck.locator(".place"), deck.keyboard.press
    for key, where in [
        ("ArrowRight", 2), ("ArrowDown", 3), ("ArrowLeft", 2), ("End", 6), ("ArrowRight", 6),
        ("Home", 1), ("ArrowLeft", 1), (" ", 2), ("PageDown", 3), ("PageUp", 2),
    ]:  # fmt: skip
        press(key)
        expect(place).to_have_text(f"{where} / 6")
    assert deck.url.endswith("#mathematics-that-must-look-right")
    expect(deck.locator(".slide:visible")).to_have_count(1)
    press("Escape")
    expect(deck.locator(".slide:visible")).to_have_count(6)
    press("End")
    press("Enter")
    expect(deck.locator(".slide:visible")).to_have_count(1)
    expect(place).to_have_text("6 / 6")
    # The address leads to the slide.
    deck.reload()
    expect(place).to_have_text("6 / 6")


def test_a_widget_answers_and_keeps_its_keys(deck: Page) -> None:
    deck.goto(f"{deck.url}#code-and-its-outputs")
    widget = deck.locator(f"{SHOWN} .unrolled-widget[data-mounted='true']")
    expect(widget).to_have_count(1)
    before = widget.inner_text()
    widget.locator("[tabindex='0']").first.focus()
    deck.keyboard.press("ArrowDown")
    expect(widget).not_to_have_text(before, use_inner_text=True)
    expect(deck.locator(".place")).to_have_text("3 / 6")
    deck.keyboard.press("PageDown")
    expect(deck.locator(".place")).to_have_text("4 / 6")


def test_a_quiz_answers_on_its_slide(deck: Page) -> None:
    deck.keyboard.press("End")
    choice = deck.locator(f"{SHOWN} summary").first
    choice.press("Enter")
    expect(deck.get_by_text("The dot product does not care for order.")).to_be_visible()
    expect(deck.locator(".place")).to_have_text("6 / 6")
    wait_until(deck, f"({CUT_OFF})().length === 0")  # it is fitted again


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_slides_are_accessible(deck: Page, scheme: str) -> None:
    deck.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    for key in ("Home", "End", "PageUp", "PageUp", "PageUp", "Escape"):
        deck.keyboard.press(key)
        assert run_axe(deck, type="tag", values=WCAG)[1] == [], key


def test_on_paper_each_slide_is_a_page(deck: Page) -> None:
    pdf = deck.pdf(prefer_css_page_size=True, print_background=True)
    assert len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf)) == 6


def test_without_scripts_and_on_a_phone_slides_stand_one_below_the_other(
    sample_editions: Path, new_page: NewPage
) -> None:
    for options in ({"java_script_enabled": False}, {"viewport": {"width": 360, "height": 740}}):
        page = new_page(**options)
        page.goto((sample_editions / "slides" / "04_everything.html").as_uri())
        expect(page.locator(".slide:visible")).to_have_count(6)
        width = page.locator("html").evaluate("el => el.scrollWidth - el.clientWidth")
        assert width <= 0


def test_marks_choose_what_stands_on_slides(own_root: Path) -> None:
    page = own_root / "book" / "04_everything.md"
    text = page.read_text(encoding="utf-8")
    assert "\n## Mathematics that must look right\n" in text
    edit(page, "A wide one, which must scroll", "% slide\nA wide one, which must scroll")
    edit(page, "A long one in a line of text", "% slide: also\nA long one in a line of text")
    edit(page, "\n## Code and its outputs\n", "\n## Code and its outputs\n\n% slide: none\n")
    tree = html.parse(build(own_root, edition="slides") / "04_everything.html").getroot()
    slides = tree.find_class("slide")
    assert [slide.get("id") for slide in slides[:3]] == [
        "everything-a-chapter-may-hold", "mathematics-that-must-look-right", "boxes",
    ]  # fmt: skip
    said = " ".join(slides[1].text_content().split())
    assert "A wide one" in said
    assert "A long one" in said
    # A mark that goes is gone, although of all decks only this one is made again.
    edit(page, "\n\n% slide: none\n", "\n")
    tree = html.parse(build(own_root, edition="slides") / "04_everything.html").getroot()
    assert tree.find_class("slide")[2].get("id") == "code-and-its-outputs"
