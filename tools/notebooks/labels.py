"""Everything a page can be asked for by name: its headings, equations and exercises."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from docutils.nodes import make_id

from tools.notebooks.blocks import Block, blocks, directive
from tools.notebooks.source import is_chapter, read_chapter

__all__ = ["Book", "Label", "Page", "join", "read_book", "read_page", "slug"]

NUMBERED = ("exercise", "math")


@dataclass(frozen=True)
class Label:
    """Something with a name: where it stands and what to call it."""

    page: str
    kind: str
    anchor: str
    text: str
    number: str = ""


@dataclass
class Page:
    """One page of the book and the numbers of what stands on it, by line."""

    name: str
    title: str = ""
    headings: dict[str, str] = field(default_factory=dict)
    numbers: dict[int, str] = field(default_factory=dict)
    # The names on it in their order, each with what it stands for.
    names: list[tuple[str, Label]] = field(default_factory=list)


@dataclass
class Book:
    """All pages and labels."""

    pages: dict[str, Page] = field(default_factory=dict)
    labels: dict[str, Label] = field(default_factory=dict)
    # Names that stand for two things: the name, the page that has it first, the page that takes it again.
    taken: list[tuple[str, str, str]] = field(default_factory=list)


def read_book(texts: dict[str, str]) -> Book:
    """Return the index of the pages `texts`, from page name to text."""
    return join(read_page(name, text) for name, text in texts.items())


def read_page(name: str, text: str) -> Page:
    """Return what can be asked for by name on one page."""
    page = Page(name)
    _Indexer(page).read(text)
    return page


def join(pages: Iterable[Page]) -> Book:
    """Return the index of a book of these pages."""
    book = Book()
    for page in sorted(pages, key=lambda page: page.name):
        book.pages[page.name] = page
        for name, label in page.names:
            if first := book.labels.get(name.lower()):
                book.taken.append((name, first.page, page.name))
            book.labels[name.lower()] = label
    return book


def slug(heading: str) -> str:
    """Return the anchor MyST gives a heading, as GitHub does."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


class _Indexer:
    """Walks one page in order and notes what has a name or a number."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.counts: dict[str, int] = {}
        self.waiting: list[str] = []
        first = Path(page.name).name.split("_")[0]
        self.chapter = f"{int(first)}." if first.isdigit() else ""

    def read(self, text: str) -> None:
        if is_chapter(text):
            for cell in read_chapter(self.page.name, self.page.name, text).cells:
                if cell.kind == "markdown":
                    self.walk(cell.source, cell.line)
        else:
            self.walk(text, 1)

    def walk(self, text: str, line: int) -> None:
        for block in blocks(text):
            at = line + block.start
            if block.kind == "target":
                self.waiting.append(block.token.content.strip())
            elif block.kind == "heading":
                self.heading(text.split("\n")[block.start])
            elif block.kind == "math":
                if block.token.type == "math_block_label":
                    self.numbered("math", at, [block.token.info], "")
            elif block.kind == "directive":
                self.directive(block, at)

    def heading(self, text: str) -> None:
        title = text.strip().strip("#").strip()
        self.page.title = self.page.title or title
        anchor = make_id(title)
        self.page.headings[slug(title)] = anchor
        for name in self.waiting:
            self.add(name, "heading", title)
        self.waiting = []

    def directive(self, block: Block, line: int) -> None:
        try:
            found = directive(block, line)
        except ValueError:
            return  # the conversion reports it
        names = [*self.waiting, *(found.options[key] for key in ("label", "name") if key in found.options)]
        self.waiting = []
        if found.name in NUMBERED and "nonumber" not in found.options:
            if found.name != "math" or names:
                self.numbered(found.name, line, names, found.argument)
        else:
            for name in names:
                self.add(name, found.name, found.argument)
        if found.name not in ("math", "code", "code-block", "quiz"):
            self.walk(found.body, found.body_line)

    def numbered(self, kind: str, line: int, names: list[str], text: str) -> None:
        self.counts[kind] = self.counts.get(kind, 0) + 1
        number = f"{self.chapter}{self.counts[kind]}"
        self.page.numbers[line] = number
        for name in names:
            self.add(name, kind, text, number)

    def add(self, name: str, kind: str, text: str, number: str = "") -> None:
        # Sphinx writes the anchor of an equation with a prefix of its own.
        anchor = f"equation-{make_id(name)}" if kind == "math" else make_id(name)
        self.page.names.append((name, Label(self.page.name, kind, anchor, text, number)))
