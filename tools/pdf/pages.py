"""The pages of the book as sections of one document: ids of their own, links that stay within it."""

import os
import re
from collections.abc import Callable, Iterable
from copy import deepcopy
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote, urljoin, urlsplit

from lxml import etree
from lxml.html import HtmlElement
from lxml.html.builder import E

from .site import PdfError, SitePage

__all__ = ["Book", "classes", "page_of", "section"]

# Attributes that hold the id of another element, or several.
_REFER = (
    "for",
    "list",
    "headers",
    "aria-labelledby",
    "aria-describedby",
    "aria-controls",
    "aria-owns",
    "aria-details",
)
_URL = re.compile(r"url\((['\"]?)#([^)'\"]+)\1\)")


def classes(name: str) -> str:
    """Return the condition of XPath that an element has the class `name`."""
    return f"contains(concat(' ', normalize-space(@class), ' '), ' {name} ')"


# What serves a screen alone: signs that link to a heading, scripts, outcomes that wait for a choice.
_SCREEN = " | ".join(
    [".//script", ".//template"]
    + [f".//*[{classes(name)}]" for name in ("headerlink", "copy", "sd-summary-state-marker")]
)


class Book:
    """All pages that go into the document, so that a link can be told where it leads.

    Args:
        pages: of the site, in any order.
        address: where the book is published, with a last slash: what is no page is linked to there.
    """

    def __init__(self, pages: Iterable[SitePage], address: str) -> None:
        self.pages = {page.file.absolute(): page for page in pages}
        self.address = address
        self.ids = {page.stem: set(page.article.xpath(".//@id")) for page in self.pages.values()}

    def place(self, page: SitePage, id_: str) -> str:
        """Return the id in the document of what has the id `id_` on the page `page`."""
        return f"{page.stem}.{id_}" if id_ else page.stem

    def target(self, page: SitePage, href: str) -> str:
        """Return where the link `href` on `page` leads: within the document where it can, else to the web.

        Raises:
            PdfError: it leads to an id that is on no page, or to what is no page at all.
        """
        parts = urlsplit(href)
        if parts.scheme not in ("", "http", "https", "mailto"):
            # It starts a program on the reader's machine. From paper one goes to what that would fetch.
            fetched = parse_qs(parts.query).get("url", [])
            if not fetched or urlsplit(fetched[0]).scheme != "https":
                raise PdfError(f"{page.file.name} links to {href}, which is not a web address")
            return fetched[0]
        if parts.scheme or parts.netloc:
            return href
        folder = page.file.absolute().parent
        file = Path(os.path.normpath(folder / unquote(parts.path))) if parts.path else page.file.absolute()
        other = self.pages.get(file)
        if other is None:
            if not file.is_relative_to(folder) or not file.exists():
                raise PdfError(f"{page.file.name} links to {href}, which the built book does not hold")
            published = file.relative_to(folder).as_posix()
            return urljoin(self.address, quote(published)) + (f"#{parts.fragment}" if parts.fragment else "")
        id_ = unquote(parts.fragment)
        if id_ and id_ not in self.ids[other.stem]:
            raise PdfError(
                f"{page.file.name} links to {href}: {other.file.name} has nothing of the id {id_!r}"
            )
        return "#" + quote(self.place(other, id_), safe=".")


def section(book: Book, page: SitePage, deeper: int) -> HtmlElement:
    """Return `page` as a section of the document.

    Args:
        book: what the document holds.
        page: of the site.
        deeper: by how many levels its headings go down: a chapter stands below its part.
    """
    article = deepcopy(page.article)
    for gone in article.xpath(_SCREEN):
        gone.drop_tree()
    rename(article, lambda id_: book.place(page, id_))
    for link in article.xpath(".//a[@href]"):
        link.set("href", book.target(page, link.get("href")))
        link.attrib.pop("download", None)
    for picture in article.xpath(".//img[@src] | .//source[@src] | .//image[@href]"):
        name = "src" if "src" in picture.attrib else "href"
        picture.set(name, urljoin(page.file.absolute().as_uri(), picture.get(name)))
    for heading in article.xpath(".//h1 | .//h2 | .//h3 | .//h4 | .//h5"):
        heading.tag = f"h{min(6, int(heading.tag[1]) + deeper)}"
        for element in heading.iter(etree.Element):  # print.css keeps spaces
            element.text = element.text and re.sub(r"\s+", " ", element.text)
            if element is not heading:
                element.tail = element.tail and re.sub(r"\s+", " ", element.tail)
    for formula in article.xpath(".//math[@data-tex]"):
        del formula.attrib["data-tex"]
    article.set("id", page.stem)
    article.set("class", "chapter deeper" if deeper else "chapter")
    return article


def rename(root: HtmlElement, new: Callable[[str], str]) -> None:
    """Give all ids below `root` a new name, and tell it all that refer to them; links are not among these."""
    for element in root.iter(etree.Element):
        attributes = element.attrib
        for name, value in list(attributes.items()):
            if name == "id":
                attributes[name] = new(value)
            elif name in _REFER:
                attributes[name] = " ".join(map(new, value.split()))
            elif name.endswith("href") and element.tag != "a" and value.startswith("#"):
                attributes[name] = "#" + new(value[1:])
            elif "url(" in value:
                attributes[name] = _URL.sub(lambda found: f"url(#{new(found[2])})", value)


def page_of(id_: str, *words: str) -> HtmlElement:
    """Return a link to what has the id `id_`, with `words` and the number of its page, which comes later."""
    link: HtmlElement = E.a(
        *words, E.span("000", {"data-page-of": id_, "class": "page-number"}), href="#" + quote(id_, safe=".")
    )
    return link
