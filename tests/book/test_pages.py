"""Every page of the book in a real browser: over http and from disk, light and dark, wide and narrow.

A page is opened once for each setting, and all that is asked of it there is asked at once.
"""

import gzip
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml
from playwright.sync_api import Page, Response, expect

from tests.axe import WCAG, run_axe
from tests.book.conftest import SAMPLE
from tests.book.look import unfold
from tests.book.site_links import broken_links

BOOK = Path(__file__).parents[2] / "book"
# Of the rules with these tags, those that read colours.
OF_COLOURS = ["color-contrast", "link-in-text-block"]
DESK = {"width": 1280, "height": 900}
PHONE = {"width": 375, "height": 740}
NewPage = Callable[..., Page]
Serve = Callable[[Path], str]

# The elements, and where and how each is seen, apart from its colours.
LAYOUT = """() => JSON.stringify([document.documentElement.outerHTML,
  [...document.querySelectorAll("*")].map((el) => {
    const { x, y, width, height } = el.getBoundingClientRect();
    const { display, visibility, opacity, overflow, position, zIndex, clipPath } = getComputedStyle(el);
    return [x, y, width, height, display, visibility, opacity, overflow, position, zIndex, clipPath];
  })])"""


def pages(book: Path) -> list[str]:
    """Return the pages that a book's table of contents names, the search, and the page for lost readers."""
    contents = yaml.safe_load((book / "_toc.yml").read_text(encoding="utf-8"))
    chapters = [chapter for part in contents["parts"] for chapter in part["chapters"]]
    files = [page["file"] for chapter in chapters for page in (chapter, *chapter.get("sections", []))]
    return [f"{name}.html" for name in (contents["root"], *files, "search", "404")]


class Place(NamedTuple):
    """A page of a built book."""

    site: Path
    name: str

    @property
    def file(self) -> Path:
        return self.site / self.name


# One directive makes all pages of the reference of the same elements: two of them stand for all in a browser.
# At every width each of them is opened in test_narrow.
ALIKE = {name for name in pages(BOOK) if name.startswith("reference_")} - {"reference_shapes.html"}
PLACES = [("built_book", name) for name in pages(BOOK) if name not in ALIKE]
PLACES += [("sample_book", name) for name in pages(SAMPLE)]


@pytest.fixture(params=PLACES, ids=lambda place: "-".join(place).removesuffix(".html"))
def place(request: pytest.FixtureRequest) -> Place:
    site, name = request.param
    return Place(request.getfixturevalue(site), name)


@pytest.mark.parametrize(("book", "built"), [(BOOK, "built_book"), (SAMPLE, "sample_book")])
def test_these_are_all_pages(request: pytest.FixtureRequest, book: Path, built: str) -> None:
    site: Path = request.getfixturevalue(built)
    assert {path.relative_to(site).as_posix() for path in site.rglob("*.html")} == set(pages(book))


def widgets_mounted(page: Page, file: Path) -> None:
    """Every widget that the file holds is mounted, once, by a script that is there if it is needed."""
    written = 'class="unrolled-widget"' in file.read_text(encoding="utf-8")
    # What `explore` keeps for other choices waits in templates, where no locator looks.
    there = page.locator(".unrolled-widget").count()
    mounted = page.locator('.unrolled-widget[data-mounted="true"] > .unrolled-live').count()
    scripts = page.locator('script[src*="unrolled-widgets"]').count()
    assert (written, mounted, scripts) == (there > 0, there, min(there, 1))


def no_wider_than_the_screen(page: Page) -> None:
    assert page.viewport_size
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


def axe_finds_nothing(page: Page) -> None:
    """Run axe over a page that is open in light, and again in dark.

    In dark only the rules of colours run, where the same elements stand in the same boxes: then every other
    rule would look at what it has seen already. Where anything but a colour differs, all rules run.
    """
    unfold(page)
    light = page.evaluate(LAYOUT)
    passed, complaints = run_axe(page, type="tag", values=WCAG)
    assert len(passed) > 10
    assert complaints == []
    page.emulate_media(color_scheme="dark")
    page.reload()
    unfold(page)
    if page.evaluate(LAYOUT) == light:
        passed, complaints = run_axe(page, type="rule", values=OF_COLOURS)
    else:
        passed, complaints = run_axe(page, type="tag", values=WCAG)
    assert "color-contrast" in passed
    assert complaints == []


def weight(responses: list[Response], least: int) -> int:
    """Return the bytes of HTML, scripts, styles and fonts, gzipped; expect `least` files or more."""
    asked = {response.url: response for response in reversed(responses)}.values()
    counted = [r for r in asked if r.request.resource_type in {"document", "script", "stylesheet", "font"}]
    assert len(counted) >= least
    return sum(
        len(body) if response.request.resource_type == "font" else len(gzip.compress(body, 6))
        for response in counted
        for body in [response.body()]
    )


def test_a_page_at_a_desk_is_at_peace_light_and_accessible(
    place: Place, serve: Serve, new_page: NewPage
) -> None:
    """`new_page` fails on a console error and on a request that leaves the machine.

    From a server: axe reads the style sheets once more, which a page from disk may not.
    """
    page = new_page(viewport=DESK, color_scheme="light")
    responses: list[Response] = []
    page.on("response", lambda response: responses.append(response))
    page.goto(serve(place.site) + place.name, wait_until="networkidle")
    page.evaluate("document.fonts.ready")
    # What is shown for a lost address cannot ask for files beside it.
    assert weight(responses, least=1 if place.name == "404.html" else 3) <= 300_000
    widgets_mounted(page, place.file)
    axe_finds_nothing(page)


def test_a_page_on_a_narrow_screen_is_accessible(place: Place, serve: Serve, new_page: NewPage) -> None:
    page = new_page(viewport=PHONE, has_touch=True, color_scheme="light")
    page.goto(serve(place.site) + place.name)
    widgets_mounted(page, place.file)
    no_wider_than_the_screen(page)
    axe_finds_nothing(page)


def test_a_page_opens_from_disk_in_peace_on_a_phone(place: Place, new_page: NewPage) -> None:
    page = new_page(viewport=PHONE, has_touch=True)
    page.goto(place.file.as_uri())
    widgets_mounted(page, place.file)
    no_wider_than_the_screen(page)


def test_a_page_reads_without_javascript(place: Place, new_page: NewPage) -> None:
    page = new_page(java_script_enabled=False)
    page.goto(place.file.as_uri())
    expect(page.locator("h1").first).to_be_visible()
    for fallback in page.locator(".unrolled-fallback").all():
        expect(fallback).to_be_visible()
        # A table of the numbers, or the picture at the point the widget starts from.
        expect(fallback.locator("table, svg[role=img]").first).to_be_visible()
    # Buttons that only a script could answer are not there.
    expect(page.locator(".theme-switch")).to_be_hidden()


def test_links_between_pages_lead_somewhere(site: Path) -> None:
    checked, broken = broken_links(site)
    assert checked > 20
    assert broken == []


def test_an_id_stands_once_in_a_page(site: Path) -> None:
    for path in site.rglob("*.html"):
        # What stands in a template is no part of the page.
        text = re.sub(r"<template.*?</template>", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        found = re.findall(r'\sid="([^"]+)"', text)
        assert found
        assert sorted(found) == sorted(set(found)), path.name


def test_the_mathematics_is_all_in_our_font(site: Path) -> None:
    font = Path(__file__).parents[2] / "book" / "_assets" / "fonts" / "unrolled-math.txt"
    have = set(font.read_text(encoding="utf-8")) | set("\n\t ")
    formulas = 0
    for path in site.rglob("*.html"):
        for formula in re.findall(r"<math.*?</math>", path.read_text(encoding="utf-8"), re.S):
            formulas += 1
            text = re.sub(r"<[^>]*>", "", re.sub(r"<mtext.*?</mtext>", "", formula, flags=re.S))
            text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
            assert set(text) <= have, f"{path.name}: {set(text) - have} in {text}"
    assert formulas > 10


def test_the_theme_button_goes_round_and_is_remembered(site: Path, serve: Serve, new_page: NewPage) -> None:
    page = new_page(color_scheme="light")
    url = serve(site)
    page.goto(url + "index.html")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    button = page.get_by_role("button", name="Colours")
    expect(button).to_have_accessible_name("Colours: as the system")
    button.click()
    expect(button).to_have_accessible_name("Colours: light")
    button.click()
    expect(button).to_have_accessible_name("Colours: dark")
    assert page.evaluate(ground) != light
    page.goto(url + "references.html")
    expect(page.get_by_role("button", name="Colours")).to_have_accessible_name("Colours: dark")
    assert page.evaluate(ground) != light


def test_the_contents_open_and_close_on_a_phone(sample_book: Path, new_page: NewPage) -> None:
    page = new_page(viewport=PHONE)
    page.goto(f"{sample_book.as_uri()}/index.html")
    contents = page.get_by_role("navigation", name="The book")
    expect(contents).to_be_hidden()
    page.get_by_role("link", name="Contents of the book").click()
    expect(contents).to_be_visible()
    page.keyboard.press("Escape")
    expect(contents).to_be_hidden()


def test_the_search_finds_a_page_from_disk(sample_book: Path, new_page: NewPage) -> None:
    page = new_page()
    page.goto(f"{sample_book.as_uri()}/index.html")
    assert page.locator('input[type="search"]').count() == 1
    page.get_by_role("searchbox", name="Search the book").fill("numerators")
    page.keyboard.press("Enter")
    expect(page.locator("#search-results li").first).to_contain_text("Everything a chapter may hold")
    assert page.locator('input[type="search"]').count() == 1
