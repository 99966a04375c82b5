"""How a table stands on slides: whole, or in parts with the same head."""

from docutils import nodes

__all__ = ["parts"]

# So many rows can be read from the back row.
_ROWS = 12


def parts(table: nodes.table) -> list[nodes.Node]:
    """Return what successive slides show of a table: all of it, or parts about as long as one another."""
    (body,) = table.findall(nodes.tbody)
    rows = len(body)
    number = -(-rows // _ROWS)
    if number == 1:
        return [table]
    made: list[nodes.Node] = []
    for n in range(number):
        part = table.deepcopy()
        (own,) = part.findall(nodes.tbody)
        own.children = own.children[n * rows // number : (n + 1) * rows // number]
        made.append(part)
    return made
