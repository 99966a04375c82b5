"""How the PDF is printed: page numbers that hold, an outline, a bounded wait, and a small file of it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tools import browser as finder
from tools.pdf.document import Document
from tools.pdf.finish import finished
from tools.pdf.make import STYLE
from tools.pdf.patience import Patience
from tools.pdf.printing import print_pdf
from tools.pdf.site import PdfError, SitePage
from tools.pdf.stills import draw
from tools.pdf.values import Ref


def print_html(browser: Browser, folder: Path, body: str, patience: Patience | None = None) -> bytes:
    file = folder / "page.html"
    file.write_text(f"<!doctype html><html lang=en><title>T</title>{body}", encoding="utf-8")
    return print_pdf(browser, file, patience)


DRAWER = """globalThis.unrolledPicture = { picture: (el) => ({
  text: el.innerText, width: 360, height: el.getBoundingClientRect().height > 0 ? 180 : 0 }) }"""
FOLDED = """<article><h1>One</h1><details><summary>Fold</summary>
<div class="unrolled-widget" data-widget="map" data-mounted="true"><div class="unrolled-live">
<div class="unrolled" aria-label="What it shows">shown<details><summary>List</summary>words</details></div>
</div></div></details></article>"""


def test_a_folded_widget_is_drawn_as_it_opens_and_as_large_as_the_text(
    browser: Browser, tmp_path: Path
) -> None:
    (tmp_path / "_static").mkdir()
    (tmp_path / "_static" / "unrolled-pictures.js").write_text(DRAWER)
    (tmp_path / "one.html").write_text(f"<!doctype html><title>T</title>{FOLDED}")
    (still,) = draw(browser, SitePage(tmp_path / "one.html"), tmp_path)
    assert still.file.read_text() == "shown"  # neither its list nor the line that opens it
    assert (still.width, still.height, still.about) == (280, 140, "What it shows")
    (tmp_path / "_static" / "unrolled-pictures.js").unlink()
    with pytest.raises(PdfError, match=r"expected .*unrolled-pictures\.js, which draws widgets"):
        draw(browser, SitePage(tmp_path / "one.html"), tmp_path)


def changed(pdf: Document) -> set[int]:
    return {pdf.trailer["Root"].number, pdf.trailer["Info"].number}


def test_page_numbers_are_filled_in_and_properties_added(browser: Browser, tmp_path: Path) -> None:
    link = '<a href="#x">to <span data-page-of="x">000</span></a>'
    data = print_html(browser, tmp_path, f'{link}<h1 style="break-before:page" id="x">Ü</h1>')
    more = finished(data, {"Author": "Ä (B)", "Subject": "C"})
    assert len(more) < len(data)
    before, after = Document(data), Document(more)
    assert after.places == {"x": 2}
    assert (after.information["Author"], after.information["Subject"]) == ("Ä (B)", "C")
    assert after.information["Title"] == before.information["Title"] == "T"
    assert (before.catalog.get("PageMode"), after.catalog["PageMode"]) == (None, "UseOutlines")
    assert [(one.title, one.page) for one in after.outline] == [("Ü", 2)]
    assert [after.content(page) for page in (1, 2)] == [before.content(page) for page in (1, 2)]
    assert after.where.keys() - before.where.keys()
    assert all(after.get(Ref(k)) == before.get(Ref(k)) for k in before.where if k not in changed(before))
    # It can be done again, and the last word counts.
    again = Document(finished(more, {"Subject": "D"}))
    assert (again.information["Subject"], again.information["Author"]) == ("D", "Ä (B)")
    assert again.places == {"x": 2}


def test_a_wrapped_heading_keeps_its_spaces_in_the_outline(browser: Browser, tmp_path: Path) -> None:
    words = "What a weight of attention tells, and what it does not"
    style = f"<style>{STYLE.read_text()} h1 {{ width: 8em }}</style>"
    data = print_html(browser, tmp_path, f'{style}<article class="chapter"><h1>{words}</h1></article>')
    assert [one.title for one in Document(data).outline] == [words]


def test_letters_that_no_font_has_are_named(browser: Browser, tmp_path: Path) -> None:
    told: list[str] = []
    print_html(browser, tmp_path, "<meta charset=utf-8>Aä–π \U000107ff \U000107ff x", Patience(told.append))
    (line,) = (line for line in told if "font" in line)
    assert line.startswith("No font here has 1 of the letters, such as \U000107ff: ")
    told.clear()
    print_html(browser, tmp_path, "<meta charset=utf-8>Aä–π", Patience(told.append))
    assert [line for line in told if "font" in line] == []
    assert any(line.startswith("Printing, pass 2: tags") for line in told)


def test_a_print_that_never_ends_is_ended(browser: Browser) -> None:
    """In a browser of its own, which is lost with it."""
    told: list[str] = []
    own = browser.browser_type.launch(executable_path=finder.find_or_fetch(), args=finder.arguments())
    tab = own.new_page()
    tab.set_content("x<script>onbeforeprint = () => { for (;;); }</script>")
    with (
        pytest.raises(PdfError, match="Printing: not done after 2 s, so Chromium was ended"),
        Patience(told.append, seconds=2, word=0.5).step(own, "Printing"),
    ):
        tab.pdf()
    assert not own.is_connected()
    assert told
    assert all(re.fullmatch(r"  Printing: \d s so far", line) for line in told)


def test_every_step_of_printing_is_bounded(browser: Browser, tmp_path: Path) -> None:
    steps: list[str] = []

    class Noted(Patience):
        @contextmanager
        def step(self, browser: Browser, what: str) -> Iterator[None]:
            steps.append(what)
            with super().step(browser, what):
                yield

    print_html(browser, tmp_path, "x", Noted())
    assert steps == [
        "Opening all pages as one",
        "Printing, pass 1",
        "Filling in the page numbers",
        "Printing, pass 2",
    ]


def test_a_number_of_what_is_not_there_is_refused(browser: Browser, tmp_path: Path) -> None:
    with pytest.raises(PdfError, match="page numbers are asked of places that are on no page: gone"):
        print_html(browser, tmp_path, '<a href="#gone"><span data-page-of="gone">000</span></a>')


def test_numbers_that_never_hold_are_refused(browser: Browser, tmp_path: Path) -> None:
    """Here the heading stands on another page as soon as the number is right."""
    body = """<a href="#x"><span data-page-of="x">000</span></a><h1 id="x">X</h1><script>
      const number = document.querySelector("span"), heading = document.querySelector("h1");
      new MutationObserver(() => (heading.style.breakBefore = number.textContent === "2" ? "auto" : "page"))
        .observe(number, { childList: true });</script>"""
    with pytest.raises(
        PdfError, match="expected page numbers that hold, but they still change after 5 passes"
    ):
        print_html(browser, tmp_path, body)
