"""A chapter as a list of cells, each with the line of the file it began on."""

from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from myst_nb.core.read import (  # type: ignore[import-untyped]
    is_myst_markdown_notebook,
    read_myst_markdown_notebook,
)
from myst_parser.config.main import MdParserConfig
from myst_parser.parsers.mdit import create_md_parser

__all__ = ["Cell", "Chapter", "Problem", "is_chapter", "parser", "read_chapter"]

EXTENSIONS = {"amsmath", "colon_fence", "deflist", "dollarmath"}


@dataclass(frozen=True, order=True)
class Problem:
    """What keeps a chapter from becoming a notebook, and where."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


@dataclass
class Cell:
    """One cell on its way; `line` counts from one, and is zero for a cell the chapter does not hold."""

    kind: str
    source: str
    line: int = 0
    tags: tuple[str, ...] = ()
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass
class Chapter:
    """A chapter: its page name such as ``04_self_attention``, its front matter and its cells."""

    page: str
    file: str
    front: dict[str, Any]
    cells: list[Cell]
    text: str = ""

    @property
    def number(self) -> int | None:
        """The number the page name starts with, if any."""
        head = Path(self.page).name.split("_")[0]
        return int(head) if head.isdigit() else None


@cache
def parser() -> MarkdownIt:
    """Return MyST's own parser, for blocks only; one for all, since making it takes longer than a page."""
    config = MdParserConfig(enable_extensions=EXTENSIONS, disable_syntax=["inline"])
    return create_md_parser(config, RendererHTML)


@lru_cache(maxsize=64)
def is_chapter(text: str) -> bool:
    """Tell whether a page is a notebook: its front matter says ``file_format: mystnb``."""
    return bool(is_myst_markdown_notebook(text))


def read_chapter(page: str, file: str, text: str) -> Chapter:
    """Return the chapter that `text` spells, one Markdown cell per section.

    Args:
        page: the name of the page, its path within the book without ``.md``.
        file: the name problems are reported under.
        text: the whole file.
    """
    front, cells = _read(text)
    # What is remembered stays as it was read: the processors write into cells and front matter.
    return Chapter(
        page, file, deepcopy(front), [replace(cell, metadata=dict(cell.metadata)) for cell in cells], text
    )


@lru_cache(maxsize=64)
def _read(text: str) -> tuple[dict[str, Any], tuple[Cell, ...]]:
    """Return the front matter and the cells of a chapter: the book's index and the chapter itself ask."""
    notebook = read_myst_markdown_notebook(
        text, config=MdParserConfig(enable_extensions=EXTENSIONS), add_source_map=True
    )
    front = dict(notebook.metadata)
    starts = front.pop("source_map")
    lines = text.split("\n")
    cells: list[Cell] = []
    for cell, start in zip(notebook.cells, starts, strict=True):
        tags = cell.metadata.get("tags", ())
        tags = tuple(tags.split(",") if isinstance(tags, str) else tags)
        tags = tuple(tag.strip(" []'\"") for tag in tags)
        if cell.cell_type == "code":
            cells.append(Cell("code", cell.source.strip("\n"), start, tags))
            continue
        if cell.cell_type == "markdown":
            while not lines[start].strip():  # the reader counts from the blank lines before the text
                start += 1
        cells += [
            Cell(cell.cell_type, part, start + 1 + offset, tags) for offset, part in _sections(cell.source)
        ]
    return front, tuple(cells)


def _sections(text: str) -> list[tuple[int, str]]:
    """Split at headings, so that Colab can fold sections; a target stays with the heading it names."""
    tokens = [
        token for token in parser().parse(text) if token.level == 0 and token.map and token.nesting >= 0
    ]
    cuts = []
    for place, token in enumerate(tokens):
        if token.type == "heading_open":
            while place and tokens[place - 1].type == "myst_target":
                place -= 1
            cuts.append((tokens[place].map or [0])[0])
    lines = text.split("\n")
    edges = [*sorted({0, *cuts}), len(lines)]
    parts = [(a, "\n".join(lines[a:b])) for a, b in pairwise(edges)]
    # Blank lines at the front are counted in, so that line numbers stay true.
    return [
        (a + len(part) - len(part.lstrip("\n")) if part.strip() else a, part.strip("\n"))
        for a, part in parts
        if part.strip()
    ]
