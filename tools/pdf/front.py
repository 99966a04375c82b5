"""What stands before the chapters: the title page, and the contents with page numbers."""

from copy import deepcopy
from dataclasses import dataclass

from lxml.html import HtmlElement
from lxml.html.builder import E

from .pages import classes, page_of

__all__ = ["About", "contents_page", "name_of", "title_page"]


@dataclass(frozen=True)
class About:
    """What is said of the course on its title page and in the file's properties."""

    title: str
    subject: str
    author: str
    version: str
    licence: str
    address: str
    language: str


def name_of(heading: HtmlElement) -> list[HtmlElement | str]:
    """Return what a heading says, for a place where nothing links to it."""
    copied = deepcopy(heading)
    for element in copied.xpath("descendant-or-self::*[@id]"):
        del element.attrib["id"]
    for link in copied.xpath(".//a"):
        link.drop_tag()
    return [*([copied.text] if copied.text else []), *copied]


def title_page(about: About, apart: list[tuple[str, str]]) -> HtmlElement:
    """Return the title page.

    Args:
        about: the course.
        apart: the id and the title of each section that holds what a reader wants to find out first.
    """
    said = [
        E.p("On the web, where every widget answers: ", E.a(about.address, href=about.address)),
        E.p(
            "Here a widget is a still of how its page opens, with its numbers beneath where they are few. "
            "Page numbers, references and addresses are links."
        ),
    ]
    if apart:
        places = [page_of(id_, f"{title}: page ") for id_, title in apart]
        for place in places[:-1]:
            place.tail = " · "
        said.append(E.p("What you may want to find out yourself stands at the end. ", *places))
    return E.section(
        {"class": "title-page", "id": "title-page"},
        E.h1(about.title),
        E.p(about.subject, {"class": "subject"}),
        E.p(about.author, {"class": "author"}),
        E.div({"class": "edition"}, E.p(f"Version {about.version}"), *said, E.p(about.licence)),
    )


def contents_page(title: str, parts: list[tuple[str, list[HtmlElement]]]) -> HtmlElement:
    """Return the contents: parts, chapters and their sections, each with the number of its page.

    Args:
        title: of the contents.
        parts: the title of each part, which may be empty, and its chapters.
    """
    listed = E.ol()
    for part, chapters in parts:
        inner = E.ol(*map(_chapter, chapters))
        listed.append(E.li(E.p(part), inner, {"class": "part"}) if part else E.li(inner))
    return E.section(E.h1(title), listed, {"class": "contents-page", "id": "contents-page"})


def _chapter(chapter: HtmlElement) -> HtmlElement:
    heading = chapter.xpath(".//h1 | .//h2")[0]
    # The sections right below the chapter's own heading.
    below = f"h{int(heading.tag[1]) + 1}"
    sections = [
        one
        for one in chapter.xpath(f".//section[@id][./{below}]")
        if not one.xpath(f"ancestor::*[{classes('admonition')}]")
    ]
    item = E.li(_line(chapter.get("id"), heading))
    if sections:
        item.append(E.ol(*(E.li(_line(one.get("id"), one.find(below))) for one in sections)))
    return item


def _line(id_: str, heading: HtmlElement) -> HtmlElement:
    link = page_of(id_)
    link.insert(0, E.span(*name_of(heading), {"class": "name"}))
    link.insert(1, E.span({"class": "dots"}))
    return link
