"""Notebooks to hand out: no solution, no check of a solution's numbers, no verdict on a quiz's choices."""

from tools import address
from tools.answers import is_solution
from tools.notebooks.blocks import Directive, blocks, directive
from tools.notebooks.cells import HIDDEN
from tools.notebooks.context import Context, anchor
from tools.notebooks.directives import DIRECTIVES, dropdown, quiz_parts
from tools.notebooks.generate import BOOK, Kind
from tools.notebooks.inline import convert_inline
from tools.notebooks.source import Cell

__all__ = ["HANDOUT"]


class Neighbours:
    """Where things stand for whoever got the handout: its pages lie one folder above its notebooks."""

    repository = staticmethod(address.repository)
    raw_url = staticmethod(address.raw_url)

    def pages_url(self) -> str:
        """Return the way from a notebook to the pages."""
        return ".."

    def colab_url(self, path: str, /) -> str:
        """Return nothing: what Colab opens is the public notebook, and that has the solutions."""
        return ""


def drop_checks_of_answers(cells: list[Cell], ctx: Context) -> list[Cell]:
    """Leave out the hidden cells behind a solution or a quiz, up to a heading: they assert its numbers."""
    kept: list[Cell] = []
    solved = False
    for cell in cells:
        if cell.kind == "markdown":
            solved = _is_answered(cell) or (solved and not cell.source.startswith("#"))
        elif solved and HIDDEN & set(cell.tags):
            continue
        kept.append(cell)
    return kept


def _is_answered(cell: Cell) -> bool:
    found = (directive(block, cell.line) for block in blocks(cell.source) if block.kind == "directive")
    return any(one.name == "quiz" or (one.name == "dropdown" and is_solution(one.argument)) for one in found)


def hint_only(found: Directive, ctx: Context) -> str:
    """Drop a fold that holds a solution, and keep any other."""
    return "" if is_solution(found.argument) else dropdown(found, ctx)


def open_question(found: Directive, ctx: Context) -> str:
    """Turn a quiz into its question and a list of the choices."""
    read, question = quiz_parts(found, ctx)
    if read is None:
        return ""
    choices = "\n".join(f"- {convert_inline(choice.text, found.line, ctx)}" for choice in read.choices)
    return f"{anchor(read.label)}\n\n{question}\n\n{choices}"


HANDOUT = Kind(
    processors=(drop_checks_of_answers, *BOOK.processors),
    directives=DIRECTIVES | {"dropdown": hint_only, "quiz": open_question},
    address=Neighbours(),
)
"""How the notebooks of the handout are made."""
