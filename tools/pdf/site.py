"""What a built book holds: its parts, and the pages of each, in the order of its contents."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from lxml import html
from lxml.html import HtmlElement

__all__ = ["Part", "PdfError", "SitePage", "contents"]


class PdfError(RuntimeError):
    """The PDF was not made; the message says which page or link is to blame, and what was expected."""


@dataclass(frozen=True)
class SitePage:
    """A page of the built book."""

    file: Path

    @property
    def stem(self) -> str:
        """Its name, which begins the ids of all that stands on it."""
        return self.file.stem

    @cached_property
    def tree(self) -> HtmlElement:
        """The page as it is on the disk; whoever changes it takes a copy."""
        parser = html.HTMLParser(encoding="utf-8", huge_tree=True)
        return html.document_fromstring(self.file.read_bytes(), parser=parser)

    @property
    def article(self) -> HtmlElement:
        """What the page says.

        Raises:
            PdfError: it is no page of the book.
        """
        found = self.tree.xpath("//article[.//h1]")
        if not found:
            raise PdfError(f"{self.file}: expected a page of the book, with an <article> and a title in it")
        return found[0]

    @property
    def title(self) -> str:
        """Its title in words."""
        return text_of(self.article.xpath(".//h1")[0])


@dataclass(frozen=True)
class Part:
    """Pages under one heading; a book without parts has one whose title is empty."""

    title: str
    pages: tuple[SitePage, ...]


def text_of(element: HtmlElement) -> str:
    """Return the words of a heading, without the sign that links to it."""
    words = element.xpath(".//text()[not(ancestor::a[contains(@class, 'headerlink')])]")
    return " ".join("".join(words).split())


def contents(site: Path) -> tuple[SitePage, list[Part]]:
    """Return the first page of the book in the folder `site`, and its parts.

    Raises:
        PdfError: there is no built book; or its contents name a page that is not there.
    """
    index = SitePage(site / "index.html")
    if not index.file.is_file():
        raise PdfError(f"expected a built book in {site}, found no index.html: run `make book` first")
    parts: list[Part] = []
    title = ""
    for entry in index.tree.xpath("//nav[contains(@class, 'toctree')]/*"):
        if entry.tag != "ul":
            title = text_of(entry)
            continue
        # What lies below a page is left to the web: that is the reference, hundreds of names for looking up.
        links = [link.get("href").split("#")[0] for link in entry.xpath("./li/a")]
        pages = tuple(SitePage(site / name) for name in links if name and name != index.file.name)
        if pages:
            parts.append(Part(title, pages))
    for page in (page for part in parts for page in part.pages):
        if not page.file.is_file():
            raise PdfError(
                f"the contents of {site} name {page.file.name}, which is not there: build the book again"
            )
    if not parts:
        raise PdfError(f"{index.file}: expected contents that name pages, found none")
    return index, parts
