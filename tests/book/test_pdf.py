"""The book as one PDF: of the sample, printed once for all tests."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.book.pdf_text import glyphs, lines
from tools import address, course
from tools.pdf.document import Document
from tools.pdf.make import make
from tools.pdf.pages import Book
from tools.pdf.site import contents, text_of

MILLIMETRE = 72 / 25.4
CHAPTER = "Everything a chapter may hold"


@pytest.fixture(scope="module")
def pdf(once: Callable[..., Path], sample_book: Path, browser: Browser) -> Document:
    folder = once("sample-pdf", lambda new: make(sample_book, new / "course.pdf", browser))
    return Document((folder / "course.pdf").read_bytes())


def written(pdf: Document, place: str) -> list[str]:
    """Return the lines of the page on which `place` stands."""
    return lines(glyphs(pdf, pdf.places[place]))


def test_it_says_what_it_is(pdf: Document) -> None:
    assert pdf.information["Title"] == course.title()
    assert course.title() in pdf.information["Author"]
    assert pdf.information["Subject"]
    assert pdf.information["Creator"] == address.pages_url()
    assert pdf.catalog["Lang"] == b"en"
    assert pdf.catalog["ViewerPreferences"]["DisplayDocTitle"] is True
    assert len(pdf.data) < 1_000_000


def test_the_outline_has_parts_chapters_and_sections(pdf: Document) -> None:
    outline = list(pdf.outline)
    assert [(one.depth, one.title) for one in outline] == [
        (0, course.title()),
        (0, "Contents"),
        (0, "Introduction"),
        (0, "Part II. Samples"),
        (1, CHAPTER),
        (2, "Mathematics that must look right"),
        (2, "Code and its outputs"),
        (2, "Boxes"),
        (0, "Appendices"),
        (1, "References"),
        (1, "Hints"),
        (2, CHAPTER),
        (1, "Solutions"),
        (2, CHAPTER),
        (1, "Answers to the questions"),
        (2, CHAPTER),
    ]
    assert pdf.catalog["PageMode"] == "UseOutlines"
    for one in outline:
        assert one.title in lines(glyphs(pdf, one.page))


def test_the_contents_give_the_page_of_each_heading(pdf: Document) -> None:
    (contents_page,) = (one.page for one in pdf.outline if one.title == "Contents")
    written_there = lines(glyphs(pdf, contents_page))
    listed = [line.rsplit(" ", 1) for line in written_there if re.search(r"\D \d+$", line)]
    titles = [title for title, _ in listed]
    assert titles == [
        t.title
        for t in pdf.outline
        if t.title not in (course.title(), "Contents", "Part II. Samples", "Appendices")
    ]
    # Three sections carry the same name: they come one after the other.
    named = [one.page for one in pdf.outline if one.title in titles]
    assert [int(page) for _, page in listed] == named
    assert len(set(named)) > 5


def test_each_page_says_its_number_its_part_and_its_chapter(pdf: Document) -> None:
    for number in range(2, len(pdf.pages) + 1):
        assert lines(glyphs(pdf, number))[-1] == str(number)
    (head, *_), after = written(pdf, "04_everything.boxes"), lines(glyphs(pdf, 1))
    assert head == f"Part II. Samples {CHAPTER}"
    assert not after[-1].isdigit()


def test_nothing_is_written_beyond_the_margins(pdf: Document) -> None:
    """What lies beyond them is cut off: Chromium draws nothing there."""
    for number, page in enumerate(pdf.pages, 1):
        _, _, wide, high = page["MediaBox"]
        found = glyphs(pdf, number)
        assert found
        assert min(one.left for one in found) >= 19.9 * MILLIMETRE
        assert max(one.right for one in found) <= wide - 19.5 * MILLIMETRE
        assert min(one.base for one in found) >= 8 * MILLIMETRE
        assert max(one.base for one in found) <= high - 8 * MILLIMETRE
    text = " ".join(line for number in range(1, len(pdf.pages) + 1) for line in lines(glyphs(pdf, number)))
    assert "the page of a phone, number {n}" in text
    assert "for n in range(2)]; long_name" in text


def test_all_letters_come_along_and_can_be_copied(pdf: Document) -> None:
    fonts = [pdf.get(font) for page in pdf.pages for font in pdf.get(page["Resources"]["Font"]).values()]
    assert len(fonts) > 20
    for font in fonts:
        assert "ToUnicode" in font
        if font["Subtype"] == "Type3":  # its letters are drawings in the file itself
            assert font["CharProcs"]
        else:
            inner = pdf.get(pdf.get(font["DescendantFonts"])[0])
            assert pdf.get(inner["FontDescriptor"]).keys() & {"FontFile", "FontFile2", "FontFile3"}
    everything = [one.text for number in range(1, len(pdf.pages) + 1) for one in glyphs(pdf, number)]
    assert sum(text == "" for text in everything) < len(everything) / 100


def test_it_is_tagged_for_screen_readers(pdf: Document) -> None:
    assert pdf.catalog["MarkInfo"]["Marked"] is True
    roles: dict[str, list[dict]] = {}
    waiting = [pdf.catalog["StructTreeRoot"]]
    while waiting:
        node = pdf.get(waiting.pop())
        if isinstance(node, list):
            waiting += node
        elif isinstance(node, dict) and node.get("Type") in ("StructElem", "StructTreeRoot"):
            roles.setdefault(str(node.get("S")), []).append(node)
            waiting.append(node.get("K"))
    assert {"H1", "H2", "H3", "P", "L", "LI", "Table", "TR", "TH", "TD", "Link", "Figure"} <= set(roles)
    told = {
        figure["Alt"].decode("utf-16" if figure["Alt"][:1] == b"\xfe" else "latin-1")
        for figure in roles["Figure"]
        if "Alt" in figure
    }
    assert "A curve that rises: 0, 1, 4, 9." in told
    assert any("ttention" in one for one in told)  # the still


def test_links_lead_within_the_file_or_to_the_web(pdf: Document) -> None:
    links = list(pdf.links)
    inside = {link.place for link in links if link.place is not None}
    outside = {link.address for link in links if link.address is not None}
    assert inside <= pdf.places.keys()
    assert {"04_everything", "04_everything.equation-eq-attention", "references.id2"} <= inside
    assert all(link.startswith("https://") for link in outside)
    assert f"{address.pages_url()}04_everything.html" in outside
    # The notebook lies beside the pages of the web, not beside the PDF.
    assert f"{address.pages_url()}notebooks/04_everything.ipynb" in outside


def test_hints_solutions_and_answers_stand_at_the_end_with_links_there_and_back(pdf: Document) -> None:
    exercise, quiz = "04_everything.ex-rows", "04_everything.quiz-symmetric"
    links = {(link.page, link.place) for link in pdf.links}
    for place, says, back in (
        (f"hint.{exercise}", "Start from", exercise),
        (f"solution.{exercise}", "The sum of the numerators is the denominator.", exercise),
        (f"answer.{quiz}", "The dot product does not care for order.", quiz),
    ):
        there, here = pdf.places[place], pdf.places[back]
        assert here < there
        assert (here, place) in links
        assert (there, back) in links
        assert any(says in line for line in written(pdf, place))
        assert not any(says in line for line in written(pdf, back))
        assert any(re.search(rf"page {there}\b", line) for line in written(pdf, back))
        assert any(re.search(rf"page {here}$", line) for line in written(pdf, place))
    choices = [line for line in written(pdf, quiz) if re.match("[ABC]. ", line)]
    assert len(choices) == 3


def test_a_widget_is_a_still_with_its_numbers_and_no_button(pdf: Document) -> None:
    page = pdf.places["04_everything.boxes"] - 1
    said = lines(glyphs(pdf, page))
    assert "love 0.20 0.50 0.30" in said
    assert "I attends to" in " ".join(said)
    assert "Numbers" not in said
    assert "Copy link" not in " ".join(said)


def test_every_link_of_the_real_book_leads_somewhere(built_book: Path) -> None:
    """`Book.target` refuses one that does not."""
    index, parts = contents(built_book)
    pages = [index, *(page for part in parts for page in part.pages)]
    book = Book(pages, address.pages_url())
    assert [page.stem for page in pages if course.is_chapter(page.stem)] == course.chapters()
    targets = [book.target(page, link) for page in pages for link in page.article.xpath(".//a/@href")]
    assert sum(target.startswith("#") for target in targets) > 500
    assert not [target for target in targets if not target.startswith(("#", "https://"))]
    assert text_of(index.article.xpath(".//h1")[0]) == course.title()
