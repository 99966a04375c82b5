"""A still of every widget: what it shows as the page opens, as the picture its own button saves."""

from dataclasses import dataclass
from pathlib import Path

from lxml.html import HtmlElement
from lxml.html.builder import E
from playwright.sync_api import Browser, ViewportSize

from .pages import classes
from .patience import Patience
from .site import PdfError, SitePage

__all__ = ["Still", "draw", "put"]

# What a table has at most that stands beneath its still; larger ones are left to the page on the web.
ROWS = 16
COLUMNS = 12
# A desk: the page's lines are then as wide as those of the PDF, and nothing shows that it scrolls.
DESK: ViewportSize = {"width": 1280, "height": 1000}

# Of every widget that is no outcome of another: its picture, and what is said to whoever does not see it.
_DRAW = """() => [...document.querySelectorAll("article .unrolled-widget")]
  .filter((place) => !place.parentElement.closest(".unrolled-widget"))
  .map((place) => {
    const el = place.querySelector(".unrolled-live .unrolled");
    const { text, width, height } = globalThis.unrolledPicture.picture(el);
    return { text, width, height, about: el.getAttribute("aria-label") || place.dataset.widget };
  })"""
_READY = """() => [...document.querySelectorAll("article .unrolled-widget")]
  .every((place) => place.dataset.mounted === "true")"""
# Nobody takes hold of a still, or unfolds it.
_STYLE = """.unrolled :is(.u-controls, .u-keys, .u-buttons, input[type="range"], details:not([open]))
  { display: none !important; }"""
# Widgets draw themselves anew when their size changes, which they hear of a frame later.
_DRAWN = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
# What is folded has no size, and no picture; what is folded within a widget stays so, as its page opens.
_UNFOLD = """() => document.querySelectorAll("article details:has(.unrolled-widget)").forEach(
  (fold) => { if (!fold.closest(".unrolled-widget")) fold.open = true; })"""
# On paper letters are 10.5 pt high where a desk has 18 px. A widget's keep their size to those around it.
_SCALE = (10.5 * 96 / 72) / 18


@dataclass(frozen=True)
class Still:
    """A picture of a widget: its file, its size on paper in CSS pixels, and what is said to the blind."""

    file: Path
    width: int
    height: int
    about: str


def draw(browser: Browser, page: SitePage, folder: Path, patience: Patience | None = None) -> list[Still]:
    """Draw the widgets of `page` into files of `folder`, in the order of the page.

    Args:
        browser: in which the page is opened.
        page: of the site.
        folder: takes the files.
        patience: bounds the wait, and tells of it.

    Raises:
        PdfError: the site holds nothing to draw with, or Chromium does not answer.
    """
    if not page.article.xpath(f".//div[{classes('unrolled-widget')}]"):
        return []
    drawer = page.file.parent / "_static" / "unrolled-pictures.js"
    if not drawer.is_file():
        raise PdfError(f"expected {drawer}, which draws widgets: build the book again")
    tab = browser.new_page(viewport=DESK, color_scheme="light")
    tab.set_default_timeout(0)  # `patience` bounds all
    try:
        with (patience or Patience()).step(browser, f"Drawing the widgets of {page.file.name}"):
            tab.goto(page.file.absolute().as_uri())
            tab.wait_for_function(_READY)
            tab.evaluate(_UNFOLD)
            tab.add_style_tag(content=_STYLE)
            tab.evaluate("() => document.fonts.ready.then(() => true)")
            tab.evaluate(_DRAWN)
            tab.add_script_tag(path=drawer)
            drawn = tab.evaluate(_DRAW)
    finally:
        tab.close()
    stills = []
    for number, one in enumerate(drawn):
        file = folder / f"{page.stem}-{number}.svg"
        file.write_text(one["text"], encoding="utf-8")
        size = round(one["width"] * _SCALE), round(one["height"] * _SCALE)
        stills.append(Still(file, *size, one["about"]))
    return stills


def put(chapter: HtmlElement, stills: list[Still], address: str) -> None:
    """Put the stills in the place of the widgets of `chapter`, each above its numbers where these are few.

    Args:
        chapter: a section of the document.
        stills: of its widgets, in the order of the page.
        address: of the page on the web, where the widgets answer.

    Raises:
        PdfError: there are as many stills as widgets in one of both, and more or less in the other.
    """
    places = chapter.xpath(
        f".//div[{classes('unrolled-widget')}][not(ancestor::div[{classes('unrolled-widget')}])]"
    )
    if len(places) != len(stills):
        raise PdfError(
            f"{chapter.get('id')}: expected a still of each of {len(places)} widgets, got {len(stills)}"
        )
    for place, still in zip(places, stills, strict=True):
        picture = E.img(
            src=still.file.as_uri(), width=str(still.width), height=str(still.height), alt=still.about
        )
        (fallback,) = place.xpath(f"./div[{classes('unrolled-fallback')}]")
        rows = fallback.xpath("./table//tr")
        live = E.figcaption(E.a("This answers on the web.", href=address))
        for child in list(place):
            place.remove(child)
        place.append(E.figure(picture, live, {"class": "still"}))
        if 0 < len(rows) <= ROWS and max(map(len, rows)) <= COLUMNS:
            place.append(fallback)
