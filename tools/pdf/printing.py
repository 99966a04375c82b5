"""Prints one document in Chromium until the page numbers that it speaks of are those that it has."""

from pathlib import Path

from playwright.sync_api import Browser

from .document import Document
from .letters import boxes
from .patience import Patience
from .site import PdfError

__all__ = ["PASSES", "print_pdf"]

PASSES = 5
"""How often a document is printed at most: a number with more digits may push a line to the next page."""

_ASKED = """() => [...new Set(
  [...document.querySelectorAll("[data-page-of]")].map((one) => one.dataset.pageOf))]"""
_FILL = """(pages) => document.querySelectorAll("[data-page-of]").forEach(
  (one) => (one.textContent = String(pages[one.dataset.pageOf])))"""
_READY = """() => Promise.all(
  [document.fonts.ready, ...[...document.images].map((one) => one.decode())]).then(() => true)"""


def print_pdf(browser: Browser, file: Path, patience: Patience | None = None) -> bytes:
    """Return the HTML document `file` as a PDF, tagged, with an outline, every page number filled in.

    Args:
        browser: a Chromium.
        file: whose elements with ``data-page-of`` get the number of the page where what has that id stands.
        patience: bounds each step, and tells of it.

    Raises:
        PdfError: a page number is asked of what is not there, or the numbers change with every printing, or
            Chromium does not answer.
    """
    patience = patience or Patience()
    tab = browser.new_page(color_scheme="light")
    tab.set_default_timeout(0)  # `patience` bounds all
    try:
        with patience.step(browser, "Opening all pages as one"):
            tab.goto(file.absolute().as_uri())
            tab.evaluate(_READY)
            asked = tab.evaluate(_ASKED)
            missing = boxes(tab)
        if missing:
            patience.say(
                f"No font here has {len(missing)} of the letters, such as {' '.join(missing[:8])}: they "
                "come out as boxes. Install fonts for them, such as Noto's"
            )
        numbers: dict[str, int] = {}
        for number in range(1, PASSES + 1):
            # The first only finds the numbers: without tags it takes a fraction of the time.
            whole = number > 1
            aim = "tags for screen readers, and an outline" if whole else "to find the page numbers"
            patience.say(f"Printing, pass {number}: {aim}")
            with patience.step(browser, f"Printing, pass {number}"):
                data = tab.pdf(prefer_css_page_size=True, print_background=True, tagged=whole, outline=whole)
            document = Document(data)
            patience.say(f"Printed {len(document.pages)} pages, {len(data) / 1e6:.1f} MB (pass {number})")
            if lost := [id_ for id_ in asked if id_ not in document.places]:
                raise PdfError(f"page numbers are asked of places that are on no page: {', '.join(lost[:5])}")
            before, numbers = numbers, {id_: document.places[id_] for id_ in asked}
            if whole and numbers == before:
                return data
            with patience.step(browser, "Filling in the page numbers"):
                tab.evaluate(_FILL, numbers)
    finally:
        tab.close()
    raise PdfError(
        f"{file.name}: expected page numbers that hold, but they still change after {PASSES} passes"
    )
