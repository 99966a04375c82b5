"""From a chapter to a notebook: a list of processors, each from notebook to notebook."""

import re
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docutils.nodes import make_id

from tools import address as public_address
from tools import course
from tools.notebooks import cells as nb
from tools.notebooks.blocks import Block, blocks, directive
from tools.notebooks.citations import read_bibliography, sources
from tools.notebooks.context import Address, Context, anchor
from tools.notebooks.directives import DIRECTIVES, SOURCES, Handler, display_math
from tools.notebooks.inline import convert_inline
from tools.notebooks.labels import Book, read_book, slug
from tools.notebooks.leftovers import find_leftovers
from tools.notebooks.source import Cell, Problem, is_chapter, read_chapter
from tools.run_times import measured_times

__all__ = ["BOOK", "GenerationError", "Kind", "convert", "generate", "generate_text"]


class GenerationError(Exception):
    """Chapters that cannot become notebooks; the message lists every problem with file and line."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = sorted(set(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))


def convert(text: str, line: int, ctx: Context) -> str:
    """Turn a MyST text that begins on `line` of the chapter into plain Markdown."""
    lines = text.split("\n")
    out: list[str] = []
    done = 0
    for block in blocks(text):
        if done < block.start:
            out.append(convert_inline("\n".join(lines[done : block.start]), line + done, ctx))
        made = _block(block, lines, line + block.start, ctx)
        done = block.stop
        if made:
            first, *rest = made.split("\n")
            out.append("\n".join([block.prefix + first, *((block.indent + more).rstrip() for more in rest)]))
        elif done < len(lines) and not lines[done].strip():
            done += 1  # the blank line that set off what is gone
    if done < len(lines):
        out.append(convert_inline("\n".join(lines[done:]), line + done, ctx))
    return "\n".join(out).strip("\n")


_KINDS = {
    "definitions": "a definition list",
    "html": "HTML",
    "amsmath": "a bare environment of LaTeX",
}


def _block(block: Block, lines: list[str], line: int, ctx: Context) -> str:
    """Return the Markdown of one block, without the prefix it is nested under."""
    source = [lines[block.start][len(block.prefix) :]]
    source += [more.removeprefix(block.indent) for more in lines[block.start + 1 : block.stop]]
    text = "\n".join(source)
    token = block.token
    if block.kind == "directive":
        return _directive(block, line, ctx)
    if block.kind == "heading":
        ctx.level = int(token.tag[1:])
        name = slug(text.strip("# "))
        # Colab gives headings no names of their own.
        place = f"{anchor(make_id(name))}\n\n" if f"(#{name})" in ctx.chapter.text else ""
        return place + convert_inline(text, line, ctx)
    if block.kind == "math":
        name = token.info if token.type == "math_block_label" else ""
        number = ctx.book.pages[ctx.chapter.page].numbers.get(line, "") if name else ""
        made = display_math(token.content, number, f"equation-{make_id(name)}" if name else "")
        return made if ">" not in block.prefix else " ".join(made.split("\n"))
    if block.kind == "target":
        return anchor(make_id(token.content.strip())) + "\n"
    if block.kind == "note":
        label = str(token.meta["label"])
        first = text.split(":", 1)[1]
        ctx.notes[label] = convert(" ".join(first.split()), line, ctx)
        return ""
    if block.kind in ("definitions", "html", "amsmath"):
        ctx.problem(line, f"{_KINDS[block.kind]}: the notebooks do not know it, write it as Markdown")
        return ""
    return "" if block.kind == "comment" else text


def _directive(block: Block, line: int, ctx: Context) -> str:
    try:
        found = directive(block, line)
    except ValueError as error:
        ctx.problem(line, str(error))
        return ""
    if found.name in ("code-cell", "raw-cell"):
        ctx.problem(line, f"{{{found.name}}} must stand by itself, in no list, quote or other directive")
        return ""
    handler = ctx.directives.get(found.name)
    if handler is None:
        ctx.problem(
            line, f"{{{found.name}}} is a directive the notebooks do not know: add it to directives.py"
        )
        return ""
    return handler(found, ctx)


_TITLE = re.compile(r"(?:<a [^\n]*</a>\s*)*# [^\n]*(?:\n|$)")

Processor = Callable[[list[Cell], Context], list[Cell]]


def drop_book_only(cells: list[Cell], ctx: Context) -> list[Cell]:
    """Leave out what is tagged ``book-only``."""
    return [cell for cell in cells if "book-only" not in cell.tags]


def to_markdown(cells: list[Cell], ctx: Context) -> list[Cell]:
    """Convert every Markdown cell, and leave out those that come out empty."""
    made = [
        Cell(cell.kind, convert(cell.source, cell.line, ctx), cell.line, cell.tags, cell.metadata)
        if cell.kind == "markdown"
        else cell
        for cell in cells
    ]
    return [cell for cell in made if cell.kind != "markdown" or cell.source.strip()]


def add_notes(cells: list[Cell], ctx: Context) -> list[Cell]:
    """Append the footnotes in the order they are referred to."""
    for name in ctx.noted:
        if name not in ctx.notes:
            ctx.problem(0, f"refers to the footnote {name!r}, and there is none")
    noted = [name for name in ctx.noted if name in ctx.notes]
    if not noted:
        return cells
    listed = "\n".join(
        f"{i}. {anchor(f'note-{i}')}{ctx.notes[name]}" for i, name in enumerate(noted, start=1)
    )
    return [*cells, Cell("markdown", f"## Notes\n\n{listed}")]


def add_sources(cells: list[Cell], ctx: Context) -> list[Cell]:
    """Put the cited sources where the chapter has its bibliography, or at the end."""
    listed = sources(ctx)
    placed = False
    for cell in cells:
        if SOURCES in cell.source:
            placed = True
            cell.source = cell.source.replace(SOURCES, listed).strip("\n")
    return cells if placed or not listed else [*cells, Cell("markdown", f"## Sources\n\n{listed}")]


def add_first_cells(cells: list[Cell], ctx: Context) -> list[Cell]:
    """Put the title, the way back and the install cell first."""
    heading, rest = "", list(cells)
    # The title moves up, together with the anchors that name it.
    if rest and (found := _TITLE.match(rest[0].source)):
        heading = found[0].rstrip("\n")
        rest[0].source = rest[0].source[found.end() :].strip("\n")
        rest = [cell for cell in rest if cell.source.strip() or cell.kind == "code"]
    else:
        ctx.problem(1, "expected the chapter to begin with a title '# …'")
    setup = ""
    try:
        setup = nb.setup_source(ctx.address.repository(), dict(ctx.chapter.front.get("colab_needs") or {}))
    except ValueError as error:
        ctx.problem(1, str(error))
    hidden = {"cellView": "form", "jupyter": {"source_hidden": True}}
    return [Cell("markdown", nb.header(heading, ctx)), Cell("code", setup, metadata=hidden), *rest]


def add_last_cell(cells: list[Cell], ctx: Context) -> list[Cell]:
    """Lead on to the next chapter."""
    onward = nb.following(ctx)
    return [*cells, Cell("markdown", onward)] if onward else cells


def refuse_leftovers(cells: list[Cell], ctx: Context) -> list[Cell]:
    """Report every bit of MyST that is still there."""
    text = ctx.chapter.text.split("\n")
    for cell in cells:
        if cell.kind != "markdown":
            continue
        for offset, what, shown in find_leftovers(cell.source):
            # Lines move when cells are converted: look for the text from where the cell began.
            begins = max(cell.line - 1, 0)
            near = (number for number, line in enumerate(text[begins:], begins + 1) if shown in line)
            ctx.problem(next(near, cell.line + offset), f"{what} was left over: {shown}")
    return cells


PROCESSORS: tuple[Processor, ...] = (
    drop_book_only,
    to_markdown,
    add_notes,
    add_sources,
    add_first_cells,
    add_last_cell,
    refuse_leftovers,
)


@dataclass(frozen=True)
class Kind:
    """How notebooks are made: the processors in their order, what reads directives, where links lead."""

    processors: tuple[Processor, ...]
    directives: Mapping[str, Handler]
    address: Address


BOOK = Kind(PROCESSORS, DIRECTIVES, public_address)
"""How the committed notebooks are made."""


def generate_text(
    page: str,
    texts: dict[str, str],
    bibliography: Any,
    kind: Kind = BOOK,
    facts: dict[str, Any] | None = None,
    book: Book | None = None,
) -> str:
    """Return the notebook of one chapter as the text of its file.

    Args:
        page: which of the pages.
        texts: every page of the book, from name to text.
        bibliography: pybtex's entries.
        kind: how it is made.
        facts: what was measured for the chapter.
        book: the index of the pages, if it was read already.

    Raises:
        GenerationError: something in the chapter cannot be shown in a notebook.
    """
    chapter = read_chapter(page, f"book/{page}.md", texts[page])
    ctx = Context(
        chapter, book or read_book(texts), bibliography, kind.address, convert, kind.directives, facts or {}
    )
    ctx.chapters = chapters(texts)
    cells = chapter.cells
    for process in kind.processors:
        cells = process(cells, ctx)
    if ctx.problems:
        raise GenerationError(ctx.problems)
    return nb.notebook_text(page, cells, nb.notebook_metadata(chapter.front))


def chapters(texts: dict[str, str]) -> list[str]:
    """Return the pages that become notebooks; one that is no chapter, such as the landing page, does not."""
    return [page for page, text in texts.items() if is_chapter(text) and course.is_chapter(page)]


def read_pages(book: Path) -> dict[str, str]:
    """Return the pages of the book by name, the chapters first, in their order.

    Folders that begin with an underscore hold none.
    """
    found = {}
    for path in sorted(book.rglob("*.md")):
        name = path.relative_to(book).with_suffix("")
        if not any(part.startswith("_") for part in name.parts):
            found[name.as_posix()] = path.read_text(encoding="utf-8")
    listed = course.chapters(book.parent) if (book / "_toc.yml").is_file() else []
    first = [page for page in listed if page in found]
    return {page: found[page] for page in (*first, *(page for page in found if page not in first))}


def generate(
    root: Path, kind: Kind = BOOK, pages: Container[str] | None = None, book: Book | None = None
) -> dict[str, str]:
    """Return the text of every notebook of the repository at `root`, by page name.

    Args:
        root: the repository.
        kind: how they are made.
        pages: those of which the notebooks are wanted; all unless told.
        book: the index of the pages, if it was read already.

    Raises:
        GenerationError: with the problems of all chapters.
    """
    texts = read_pages(root / "book")
    bibliography = read_bibliography(root / "book" / "references.bib")
    facts = measured_times(root)
    book = book or read_book(texts)
    made: dict[str, str] = {}
    problems: list[Problem] = []
    for page in chapters(texts):
        if pages is not None and page not in pages:
            continue
        try:
            made[page] = generate_text(page, texts, bibliography, kind, facts.get(page), book)
        except GenerationError as error:
            problems += error.problems
    for name, first, again in book.taken:
        said = f"names something {name!r}, and something in {first} has that name"
        problems.append(Problem(f"book/{again}.md", 1, said))
    if problems:
        raise GenerationError(problems)
    return made
