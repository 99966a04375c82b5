"""The marks of slides in a page's source: comments of MyST, which no other edition shows.

Above a block of a section stands one of

    % slide          the block stands on a slide of its own
    % slide: also    it stands on the slide of the block marked before it
    % slide: none    as the first thing of a section: the section stands on no slide

A section without marks shows what `deck.chosen` chooses.
"""

import re

from docutils import nodes
from sphinx.errors import ExtensionError

__all__ = ["is_left_out", "marked"]

_MARK = re.compile(r"slides?\b\s*:?\s*(.*)", re.IGNORECASE | re.DOTALL)
_KNOWN = {"": "slide", "also": "also", "none": "none"}


def mark(node: nodes.Node) -> str | None:
    """Return which mark a node is: "slide", "also", "none", or None for any other node.

    Raises:
        ExtensionError: it begins as a mark does and goes on as none does.
    """
    if not isinstance(node, nodes.comment) or not (found := _MARK.fullmatch(node.astext().strip())):
        return None
    if found[1] not in _KNOWN:
        raise ExtensionError(
            f"{node.source}:{node.line}: expected '% slide', '% slide: also' or '% slide: none', "
            f"got '% {node.astext()}'"
        )
    return _KNOWN[found[1]]


def is_left_out(blocks: list[nodes.Node]) -> bool:
    """Tell whether a section with these blocks stands on no slide."""
    return any(mark(block) == "none" for block in blocks)


def marked(blocks: list[nodes.Node]) -> list[list[nodes.Node]]:
    """Return the marked blocks, those of one slide together."""
    found: list[list[nodes.Node]] = []
    waiting: str | None = None
    for block in blocks:
        if now := mark(block):
            waiting = now
        elif waiting and not isinstance(block, nodes.target | nodes.comment):
            if waiting == "slide" or not found:
                found.append([])
            found[-1].append(block)
            waiting = None
    return found
