"""The whole book, and what another edition may change of it."""

from collections.abc import Container
from pathlib import Path

from sphinx.application import Sphinx

from tools.notebooks.generate import generate
from tools.notebooks.labels import Book
from tools.words import Words

from ..links import Links, links


class Edition:
    """The whole book."""

    is_published = True
    """Whether it has an address that others may be told."""

    def title(self, title: str, say: Words) -> str:
        """Return the title of this edition of the course called `title`."""
        return title

    def connect(self, app: Sphinx) -> None:
        """Connect what changes the pages on their way out."""

    def links(self, root: Path, docname: str) -> Links:
        """Return the addresses of a page of the repository at `root`."""
        return links(root, docname)

    def notebooks(self, root: Path, pages: Container[str], book: Book) -> dict[str, str]:
        """Return the notebooks that a reader may download of some pages, from page name to text."""
        return generate(root, pages=pages, book=book)


class ToLookAt(Edition):
    """What is for looking at: it leads to no address, and has no notebooks."""

    is_published = False

    def links(self, root: Path, docname: str) -> Links:
        """Return no addresses."""
        return Links("", "", "", "")

    def notebooks(self, root: Path, pages: Container[str], book: Book) -> dict[str, str]:
        """Return none."""
        return {}
