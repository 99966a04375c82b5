"""What of a page is looked at rather than read: of which kind it is, and how it stands on a slide."""

from docutils import nodes

from .exercises import is_task

__all__ = ["BEST", "is_said", "kind", "on_a_slide"]

BEST = ("widget", "figure", "equation", "table", "formula", "code", "list", "output")
"""The kinds, from what a section shows first to what it shows last."""


def kind(block: nodes.Node) -> str | None:
    """Return the kind of a block, or None for one that is read, or is nothing at all."""
    if isinstance(block, nodes.math_block):
        return "equation" if block.get("label") else "formula"
    if isinstance(block, nodes.table):
        return "table"
    if isinstance(block, nodes.literal_block):
        return "code"
    if isinstance(block, nodes.figure | nodes.image):
        return "figure"
    if isinstance(block, nodes.paragraph) and len(block) == 1 and isinstance(block[0], nodes.image):
        return "figure"
    if isinstance(block, nodes.bullet_list | nodes.enumerated_list | nodes.definition_list):
        return "list"
    if isinstance(block, nodes.raw) and block.get("format") == "html":
        return _of_html(block.astext())
    if _is_cell(block):
        return _of_cell(block)
    return None


def on_a_slide(block: nodes.Node) -> nodes.Node:
    """Return what a slide shows of a block: of a cell with a picture or a widget nothing but that."""
    if _is_cell(block) and kind(block) in ("widget", "figure", "table"):
        assert isinstance(block, nodes.Element)
        block.children = [output for output in block.children if _part(output) == "cell_code_output"]
    return block


def _part(node: nodes.Node) -> str:
    return str(node.get("nb_element", "")) if isinstance(node, nodes.Element) else ""


def _is_cell(node: nodes.Node) -> bool:
    return _part(node) == "cell_code"


def _of_cell(cell: nodes.Element) -> str | None:
    outputs = [part for part in cell.children if _part(part) == "cell_code_output"]
    shown = [_of_html(raw.astext()) for part in outputs for raw in part.findall(nodes.raw)]
    shown += ["figure" for part in outputs for _ in part.findall(nodes.image)]
    for known in ("widget", "figure", "table"):
        if known in shown:
            return known
    if any(_part(part) == "cell_code_source" for part in cell.children):
        return "code"  # folded code is a child of its fold
    return "output" if outputs else None


def _of_html(text: str) -> str | None:
    if 'class="unrolled-widget"' in text:
        return "widget"
    if "<figure" in text or "<svg" in text or "<img" in text:
        return "figure"
    return "table" if "<table" in text else None


def is_said(block: nodes.Node) -> bool:
    """Tell whether a block is a paragraph of text."""
    return isinstance(block, nodes.paragraph) and kind(block) is None and not is_task(block)
