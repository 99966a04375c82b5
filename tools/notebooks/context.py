"""What the processors of one chapter share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from pybtex.database import BibliographyData

from tools.notebooks.blocks import Directive
from tools.notebooks.labels import Book, Label
from tools.notebooks.source import Chapter, Problem

__all__ = ["Address", "Context", "anchor"]


class Address(Protocol):
    """Where things will stand in public; `tools.address` is one."""

    def repository(self) -> str: ...
    def pages_url(self) -> str: ...
    def colab_url(self, path: str, /) -> str:
        """Return nothing where Colab has no such notebook."""
        ...

    def raw_url(self, path: str, /) -> str: ...


def anchor(name: str) -> str:
    """Return a place to jump to; Colab looks for ``name``, Jupyter for ``id``."""
    return f'<a id="{name}" name="{name}"></a>'


@dataclass
class Context:
    """One chapter on its way, the book around it, and what has come up so far."""

    chapter: Chapter
    book: Book
    bibliography: BibliographyData
    address: Address
    convert: Callable[[str, int, "Context"], str]
    """Turn a MyST text that begins on a given line into plain Markdown."""
    directives: Mapping[str, Callable[[Directive, "Context"], str]]
    """What makes Markdown of each directive."""
    facts: dict[str, Any] = field(default_factory=dict)
    level: int = 1
    chapters: list[str] = field(default_factory=list)
    """The pages of the book that are notebooks."""
    cited: list[str] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)
    noted: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def problem(self, line: int, message: str) -> None:
        """Note what is wrong; the chapter fails at the end, with everything that is."""
        self.problems.append(Problem(self.chapter.file, line, message))

    def page_url(self, page: str, anchor: str = "") -> str:
        """Return the published address of a page of the book."""
        return f"{self.address.pages_url().rstrip('/')}/{page}.html" + (f"#{anchor}" if anchor else "")

    def label_url(self, label: Label) -> str:
        """Return an address within the notebook where the label stands in it, else on the published page."""
        return (
            f"#{label.anchor}" if label.page == self.chapter.page else self.page_url(label.page, label.anchor)
        )

    def file_path(self, target: str) -> str:
        """Return the path within the repository of a file a page names relative to itself."""
        start = Path("book", self.chapter.page).parent if not target.startswith("/") else Path("book")
        parts: list[str] = []
        for part in (start / target.lstrip("/")).parts:
            if part == ".." and parts:
                parts.pop()
            elif part != ".":
                parts.append(part)
        return "/".join(parts)
