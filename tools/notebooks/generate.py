"""From a chapter to a notebook: a list of processors, each from notebook to notebook."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from docutils.nodes import make_id

from tools import address as public_address
from tools.notebooks import cells as nb
from tools.notebooks.blocks import Block, blocks, directive
from tools.notebooks.citations import read_bibliography, sources
from tools.notebooks.context import Address, Context, anchor
from tools.notebooks.directives import DIRECTIVES, SOURCES, display_math
from tools.notebooks.inline import convert_inline
from tools.notebooks.labels import read_book, slug, terms
from tools.notebooks.leftovers import find_leftovers
from tools.notebooks.source import Cell, Problem, is_chapter, read_chapter

__all__ = ["PROCESSORS", "GenerationError", "convert", "generate", "generate_text"]


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
    if block.kind in ("math", "amsmath"):
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
    if block.kind == "definitions":
        return _definitions(text, line, ctx)
    return {"comment": "", "html": convert_inline(text, line, ctx) if block.kind == "html" else ""}.get(
        block.kind, text
    )


def _directive(block: Block, line: int, ctx: Context) -> str:
    try:
        found = directive(block, line)
    except ValueError as error:
        ctx.problem(line, str(error))
        return ""
    if found.name in ("code-cell", "raw-cell"):
        ctx.problem(line, f"{{{found.name}}} must stand by itself, in no list, quote or other directive")
        return ""
    handler = DIRECTIVES.get(found.name)
    if handler is None:
        ctx.problem(
            line, f"{{{found.name}}} is a directive the notebooks do not know: add it to directives.py"
        )
        return ""
    return handler(found, ctx)


def _definitions(text: str, line: int, ctx: Context) -> str:
    items = (f"- **{', '.join(names)}**: {' '.join(said.split())}" for names, said in terms(text))
    return convert_inline("\n".join(items), line, ctx)


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
    refuse_leftovers,
)


def generate_text(
    page: str, texts: dict[str, str], bibliography: Any, address: Address, facts: dict[str, Any] | None = None
) -> str:
    """Return the notebook of one chapter as the text of its file.

    Args:
        page: which of the pages.
        texts: every page of the book, from name to text.
        bibliography: pybtex's entries.
        address: where things will stand in public.
        facts: what was measured for the chapter.

    Raises:
        GenerationError: something in the chapter cannot be shown in a notebook.
    """
    chapter = read_chapter(page, f"book/{page}.md", texts[page])
    ctx = Context(chapter, read_book(texts), bibliography, address, convert, facts or {})
    cells = chapter.cells
    for process in PROCESSORS:
        cells = process(cells, ctx)
    if ctx.problems:
        raise GenerationError(ctx.problems)
    return nb.notebook_text(page, cells, nb.notebook_metadata(chapter.front))


def read_pages(book: Path) -> dict[str, str]:
    """Return the pages of the book by name; folders that begin with an underscore hold none."""
    found = {}
    for path in sorted(book.rglob("*.md")):
        name = path.relative_to(book).with_suffix("")
        if not any(part.startswith("_") for part in name.parts):
            found[name.as_posix()] = path.read_text(encoding="utf-8")
    return found


def generate(root: Path) -> dict[str, str]:
    """Return the text of every notebook of the repository at `root`, from page name to text.

    Raises:
        GenerationError: with the problems of all chapters.
    """
    texts = read_pages(root / "book")
    bibliography = read_bibliography(root / "book" / "references.bib")
    times = root / "results" / "chapter_times.json"
    facts = json.loads(times.read_text(encoding="utf-8")) if times.is_file() else {}
    made: dict[str, str] = {}
    problems: list[Problem] = []
    for page, text in texts.items():
        # A page without a number, such as the landing page, is a notebook for the book alone.
        if is_chapter(text) and Path(page).name.split("_")[0].isdigit():
            try:
                made[page] = generate_text(page, texts, bibliography, public_address, facts.get(page))
            except GenerationError as error:
                problems += error.problems
    for name, first, again in read_book(texts).taken:
        said = f"names something {name!r}, and something in {first} has that name"
        problems.append(Problem(f"book/{again}.md", 1, said))
    if problems:
        raise GenerationError(problems)
    return made
