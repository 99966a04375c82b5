"""How code stands on slides: whole, in parts that are read one after the other, or by what it answers."""

from docutils import nodes

__all__ = ["length", "pieces"]

# So many lines of code, with what it answers, can be read from the back row.
LINES = 22
# So many more may stand on a slide where no empty line is nearer to the middle: they are written smaller.
_MORE = 4
# So many parts of a long cell are shown; what is longer still is an experiment, which shows its outcome.
_PARTS = 2
# So many lines of output are an outcome; fewer belong to the code.
_OUTCOME = 4


def length(block: nodes.Node) -> int:
    """Return how many lines of code a block has, with what it answers."""
    return _lines(
        [block] if isinstance(block, nodes.literal_block) else list(block.findall(nodes.literal_block))
    )


def pieces(block: nodes.Node) -> list[nodes.Node]:
    """Return what successive slides show of a block of code: its parts, or what it answers, or nothing."""
    if isinstance(block, nodes.literal_block):
        return [block] if _lines([block]) <= LINES else _split(block)
    sources, answers = _of(block, "cell_code_source"), _of(block, "cell_code_output")
    source, answer = _lines(sources), _lines(answers)
    if source + answer <= LINES:
        return [block]
    if answers and (source == 0 or answer >= _OUTCOME or source > _PARTS * LINES):
        return [_only(block, "cell_code_output")] if answer <= LINES else []
    if source <= LINES:
        return [_only(block, "cell_code_source")]
    return [_with(block, part) for part in _split(sources[0])]


def _of(block: nodes.Node, part: str) -> list[nodes.literal_block]:
    """Return the text of one part of a cell, the folded too."""
    found = (node for node in block.findall(nodes.Element) if node.get("nb_element") == part)
    return [text for node in found for text in node.findall(nodes.literal_block)]


def _lines(texts: list[nodes.literal_block]) -> int:
    return sum(text.astext().rstrip().count("\n") + 1 for text in texts)


def _only(cell: nodes.Node, part: str) -> nodes.Node:
    made = cell.deepcopy()
    assert isinstance(made, nodes.Element)
    made.children = [child for child in made.children if child.get("nb_element") == part]
    return made


def _with(cell: nodes.Node, source: nodes.literal_block) -> nodes.Node:
    """Return the cell with another source, and without what it answers."""
    made = _only(cell, "cell_code_source")
    (old,) = _of(made, "cell_code_source")
    old.replace_self(source)
    return made


def _split(block: nodes.literal_block) -> list[nodes.literal_block]:
    """Return the parts of a long block, cut at empty lines so that they are about as long as one another."""
    lines = block.astext().rstrip().split("\n")
    number = -(-len(lines) // LINES)
    if number > _PARTS:
        return []
    # The line behind each empty one begins a part; where something is defined, it does so better.
    starts = [n + 1 for n, line in enumerate(lines[:-1]) if not line.strip() and lines[n + 1].strip()]
    # Not within a text of several lines, which may hold empty ones.
    starts = [n for n in starts if "\n".join(lines[:n]).count('"""') % 2 == 0]
    middle = len(lines) / 2
    cuts = sorted(starts, key=lambda n: abs(n - middle) + (0 if _defines(lines[n]) else 4))
    for cut in cuts:
        parts = ["\n".join(lines[:cut]).rstrip(), "\n".join(lines[cut:])]
        if all(part.count("\n") < LINES + _MORE for part in parts):
            return [_copy(block, part) for part in parts]
    return []


def _defines(line: str) -> bool:
    return line.lstrip().startswith(("def ", "class ", "@"))


def _copy(block: nodes.literal_block, text: str) -> nodes.literal_block:
    made = block.deepcopy()
    made.rawsource, made.children = text, []
    made += nodes.Text(text)
    return made
