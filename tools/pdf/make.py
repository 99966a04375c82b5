"""From a folder of built pages to one PDF."""

import json
import tempfile
from pathlib import Path

from lxml import html
from lxml.html import HtmlElement
from lxml.html.builder import E
from playwright.sync_api import Browser

from tools import address
from tools.project import project

from .apart import Apart, take_apart, unfold
from .finish import finished
from .front import About, contents_page, title_page
from .pages import Book, section
from .patience import Patience
from .printing import print_pdf
from .site import Part, PdfError, SitePage, contents, text_of
from .stills import draw, put

__all__ = ["about", "combine", "make"]

ROOT = Path(__file__).parents[2]
LIMIT = 15.0
"""How large the file may be, in MB."""
STYLE = Path(__file__).with_name("print.css")
INTRODUCTION, CONTENTS = "Introduction", "Contents"


def make(
    site: Path, output: Path, chromium: Browser, patience: Patience | None = None, limit: float = LIMIT
) -> Path:
    """Print the book in the folder `site` into the file `output`; return it.

    Args:
        site: the built pages.
        output: the PDF; an old one stays until the new one is whole.
        chromium: prints, and lets the widgets draw themselves.
        patience: bounds each step, and tells what is done.
        limit: how large the file may be, in MB.

    Raises:
        PdfError: the pages are none of the book, one of their links leads nowhere, Chromium does not
            answer, or the file is larger than `limit`.
    """
    patience = patience or Patience()
    index, parts = contents(site)
    course = about(index)
    with tempfile.TemporaryDirectory(prefix="pdf-") as folder:
        document = combine(index, parts, course, chromium, Path(folder), patience)
        file = Path(folder) / "course.html"
        file.write_bytes(html.tostring(document, doctype="<!DOCTYPE html>", encoding="utf-8"))
        data = print_pdf(chromium, file, patience)
    patience.say("Packing")
    whole = finished(data, {"Author": course.author, "Subject": course.subject, "Creator": course.address})
    if len(whole) > limit * 1e6:
        raise PdfError(
            f"expected a file of at most {limit:g} MB, made one of {len(whole) / 1e6:.1f} MB. "
            "If it may be larger: --limit MB"
        )
    output.parent.mkdir(parents=True, exist_ok=True)
    half = output.with_suffix(".part")
    half.write_bytes(whole)
    return half.replace(output)


def about(index: SitePage) -> About:
    """Return what the first page and pyproject.toml say of the course."""
    said = project()
    licence, *_ = index.tree.xpath("//footer//p") or [E.p()]
    return About(
        title=index.tree.findtext(".//title"),
        subject=said["description"],
        author=", ".join(author["name"] for author in said["authors"]),
        version=said["version"],
        licence=text_of(licence),
        address=address.pages_url(),
        language=index.tree.get("lang", "en"),
    )


def combine(
    index: SitePage, parts: list[Part], course: About, chromium: Browser, folder: Path, patience: Patience
) -> HtmlElement:
    """Return one document of all pages: title, contents, chapters, and at the end what was taken apart.

    Args:
        index: the first page.
        parts: the others.
        course: for the title page.
        chromium: in which the widgets draw themselves.
        folder: takes their pictures.
        patience: bounds the wait for them, and tells what is done.
    """
    book = Book([index, *(page for part in parts for page in part.pages)], course.address)
    apart = Apart()

    def chapter(page: SitePage, deeper: int) -> HtmlElement:
        made = section(book, page, deeper)
        stills = draw(chromium, page, folder, patience)
        put(made, stills, f"{course.address}{page.file.name}")
        take_apart(made, page.title, apart)
        unfold(made)
        patience.say(f"  {page.title}" + (f", with {len(stills)} widgets drawn" if stills else ""))
        return made

    introduction = chapter(index, 0)
    heading = introduction.xpath(".//h1")[0]
    heading.clear()
    heading.text = INTRODUCTION
    bound: list[tuple[str, list[HtmlElement]]] = [("", [introduction])]
    for part in parts:
        deeper = 1 if part.title else 0
        chapters = [chapter(page, deeper) for page in part.pages]
        bound.append((part.title, chapters))
    deeper = 1 if bound[-1][0] else 0
    ends = apart.sections(deeper)
    bound[-1][1].extend(end for _, _, end in ends)

    body = E.main(
        title_page(course, [(id_, title) for id_, title, _ in ends]), contents_page(CONTENTS, bound)
    )
    heads: list[str] = []
    for title, chapters in bound:
        for place, made in enumerate(chapters):
            if title and place == 0:
                made.insert(0, E.h1(title, {"class": "part-title"}))
            heading = (
                made.xpath(".//h2 | .//h1[not(@class='part-title')]")[0] if title else made.xpath(".//h1")[0]
            )
            heads.append(_page_rule(len(heads), made, title or course.title, text_of(heading)))
            body.append(made)
    styles = _styles([index, *(page for part in parts for page in part.pages)])
    head = E.head(
        E.meta(charset="utf-8"),
        E.title(course.title),
        *(E.link(rel="stylesheet", href=style) for style in [*styles, STYLE.as_uri()]),
        E.style("\n".join(heads)),
    )
    return E.html(head, E.body(body), lang=course.language)


def _page_rule(number: int, chapter: HtmlElement, left: str, right: str) -> str:
    """Give the pages of `chapter` a name, and return the rule with what stands at their head."""
    chapter.set("style", f"page: chapter{number}")
    said = [json.dumps(text, ensure_ascii=False).replace("<", "\\3c ") for text in (left, right)]
    return (
        f"@page chapter{number} {{ @top-left {{ content: {said[0]} }} @top-right {{ content: {said[1]} }} }}"
    )


def _styles(pages: list[SitePage]) -> list[str]:
    """Return the addresses of the style sheets of the pages, each once, in the order of the pages."""
    found: dict[str, None] = {}
    for page in pages:
        for link in page.tree.xpath("//head/link[@rel='stylesheet']"):
            found[(page.file.absolute().parent / link.get("href").split("?")[0]).as_uri()] = None
    return list(found)
