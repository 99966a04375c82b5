"""The slides of a chapter: which there are, and what stands on each.

The first slide has the chapter's title and its question. Then each section has one or more, with its heading,
its first statement in bold or else what leads up to the thing shown, and what of it is best looked at: see
`chosen`. Each quiz and each exercise has a slide of its own, and exercises are listed before; the last
section is the summary. `marks` changes this.
"""

from collections.abc import Iterator

from docutils import nodes
from sphinx_exercise.nodes import is_exercise_node  # type: ignore[import-untyped]

from tools import course

from ..quiz import quiz
from . import tables
from .code import length, pieces
from .exercises import is_task, name_of
from .looks import BEST, is_said, kind, on_a_slide
from .marks import is_left_out, marked
from .words import beginning, introduction, lead, question

__all__ = ["chosen", "slides"]

# The words of a paragraph that stand on a slide on which there is nothing else: no fewer than this.
_PARAGRAPH = 30
# The equations that stand on one slide.
_EQUATIONS = 3
# Beside no more equations than this there is room for so many lines of the code that computes them.
_FEW = 2
_SHORT = 10
# Above more lines of code than this nothing else stands.
_LONG = 16


def slides(
    top: nodes.section, numbers: dict[str, tuple[int, ...]], sources: frozenset[str] = frozenset()
) -> list[nodes.section]:
    """Return the slides of a chapter, whose whole page is the section `top`.

    Args:
        top: the chapter.
        numbers: of its exercises, by their id.
        sources: the ids of what the chapter cites; a section that lists such stands on no slide.
    """
    sections = [child for child in top.children if isinstance(child, nodes.section)]
    told = [section for section in sections if not _is_sources(section, sources)]
    made = [_first(top)]
    for section in told:
        made += _of(section, "", numbers, is_last=section is told[-1])
    return made


def _first(top: nodes.section) -> nodes.section:
    said = [block for block in top.children if is_said(block)]
    asked = question(said)
    words = asked.children if asked else lead(said)
    first = _slide(
        top, top["ids"][0], "title", course.title(), [nodes.paragraph("", "", *words, classes=["lead"])]
    )
    (heading,) = first.findall(nodes.title)
    if len(heading) == 1 and ": " in (text := heading.astext()):
        # A line ends where the title makes a pause.
        name, _, more = text.partition(": ")
        heading.children = []
        heading += [nodes.Text(f"{name}: "), nodes.inline("", more, classes=["after"])]
    return first


def _of(
    section: nodes.section, above: str, numbers: dict[str, tuple[int, ...]], is_last: bool = False
) -> Iterator[nodes.section]:
    """Yield the slides of a section and of those within it; `above` is the heading it stands under."""
    name = section["ids"][0]
    blocks = [child for child in section.children if not isinstance(child, nodes.title | nodes.section)]
    if not is_left_out(blocks):
        bodies = list(_bodies(blocks, numbers, is_last))
        for n, (what, body) in enumerate(bodies):
            yield _slide(section, f"{name}-{n + 1}" if n else name, what, above, body)
    for child in section.children:
        if isinstance(child, nodes.section):
            yield from _of(child, section[0].astext(), numbers)


def _bodies(
    blocks: list[nodes.Node], numbers: dict[str, tuple[int, ...]], is_last: bool
) -> Iterator[tuple[str, list[nodes.Node]]]:
    """Yield the kind and the content of each slide that these blocks of a section give."""
    if any(is_task(block) for block in blocks):
        exercises = [block for block in blocks if is_exercise_node(block)]
        if exercises:
            yield "exercises", [_listed(exercises, numbers)]
            yield from (("exercise", [exercise]) for exercise in exercises)
        yield from (("quiz", [block]) for block in blocks if isinstance(block, quiz))
        return
    said = [block for block in blocks if is_said(block)]
    if is_last:
        yield from _summary(blocks, said)
        return
    groups = marked(blocks) or chosen(blocks)
    if not groups and said:
        # Nothing to look at: the words have the room.
        statement = lead(blocks, [])
        yield "words", [*_lead(statement), nodes.paragraph("", "", *_copies(beginning(said[0], _PARAGRAPH)))]
    heard: set[str] = set()
    for n, group in enumerate(groups):
        kinds = [kind(block) or "words" for block in group]
        best = min(kinds, key=[*BEST, "words"].index)
        words = [] if "words" in kinds else _words(blocks, group[0], best, is_first=n == 0)
        text = "".join(word.astext() for word in words)
        begins = [] if text in heard else _lead(words)
        heard.add(text)
        for part in _parts(group, best):
            # Long code needs all the room.
            above = begins if best != "code" or sum(map(length, part)) <= _LONG else []
            yield best, [*above, *map(on_a_slide, part)]
            begins = []


def _summary(blocks: list[nodes.Node], said: list[nodes.Node]) -> Iterator[tuple[str, list[nodes.Node]]]:
    """Yield the slides of the last section: its first paragraph with what it shows, and what it asks."""
    groups = marked(blocks) or chosen(blocks)
    asked = question(said)
    shown = groups[0] if groups else []
    best = min((kind(block) or "words" for block in shown), key=[*BEST, "words"].index, default="words")
    if said:
        said[0]["classes"] = ["summary"]
    if said or shown:
        yield best, [*said[:1], *(block for block in map(on_a_slide, shown) if block not in said[:1])]
    if asked:
        yield "question", _lead(asked.children)


def _words(blocks: list[nodes.Node], shown: nodes.Node, what: str, is_first: bool) -> list[nodes.Node]:
    """Return what is said above a block: on a section's first slide of the section, else of the block."""
    before = blocks[: blocks.index(shown)]
    near = introduction(before)
    if not is_first:
        behind = [block for block in blocks[blocks.index(shown) + 1 :] if is_said(block)]
        return near or (beginning(behind[0]) if behind else [])
    if statement := lead(blocks, []):
        return statement
    if what in ("equation", "formula"):
        return lead(before)
    return near or lead(before) or ([] if what in ("code", "output") else lead(blocks))


def _parts(group: list[nodes.Node], what: str) -> list[list[nodes.Node]]:
    """Return what of a group stands on successive slides: long code, a long table takes several."""
    if len(group) == 1 and what in ("code", "output"):
        return [[piece] for piece in pieces(group[0])] or [group]
    if len(group) == 1 and isinstance(group[0], nodes.table):
        return [[part] for part in tables.parts(group[0])]
    return [group]


def chosen(blocks: list[nodes.Node]) -> list[list[nodes.Node]]:
    """Return what a section without marks shows, those of one slide together.

    Its numbered equations stand on one slide, with the code behind them if that is short, and each widget, or
    else the first figure, on another. Where there is nothing of these, it is the first block of the best kind
    there is, unless it is code of which nothing can be read from the back row.
    """
    looks = [(found, block) for block in blocks if (found := kind(block))]
    looks = [(found, block) for found, block in looks if found not in ("code", "output") or pieces(block)]
    of = {best: [block for found, block in looks if found == best] for best in BEST}
    equations = [[*of["equation"][:_EQUATIONS], *_code_of(of["equation"], looks)]] if of["equation"] else []
    pictures = [[block] for block in of["widget"] or of["figure"][:1]]
    if equations or pictures:
        return equations + pictures
    return [of[best][:1] for best in BEST if of[best]][:1]


def _code_of(equations: list[nodes.Node], looks: list[tuple[str, nodes.Node]]) -> list[nodes.Node]:
    """Return the code that follows the last of these equations, if both are short."""
    after = [block for _, block in looks].index(equations[-1]) + 1
    following = looks[after : after + 1]
    if len(equations) > _FEW:
        return []
    return [block for found, block in following if found == "code" and length(block) <= _SHORT]


def _lead(words: list[nodes.Node]) -> list[nodes.Node]:
    return [nodes.paragraph("", "", *_copies(words), classes=["lead"])] if words else []


def _listed(exercises: list[nodes.Element], numbers: dict[str, tuple[int, ...]]) -> nodes.Element:
    """Return the list of exercises: number, title, and what is said of each before its text."""
    made = nodes.bullet_list(classes=["exercises"])
    for exercise in exercises:
        about = next((em.astext() for part in exercise[1:] for em in part.findall(nodes.emphasis)), "")
        name = nodes.strong("", name_of(exercise, numbers))
        made += nodes.list_item("", nodes.paragraph("", "", name, nodes.inline("", about, classes=["about"])))
    return made


def _slide(section: nodes.section, name: str, what: str, above: str, body: list[nodes.Node]) -> nodes.section:
    heading = next(child for child in section.children if isinstance(child, nodes.title)).deepcopy()
    head = [nodes.paragraph("", above, classes=["above"])] if above else []
    leads = [part for part in body if isinstance(part, nodes.Element) and "lead" in part["classes"]]
    rest = [part for part in body if part not in leads]
    fit = [nodes.container("", nodes.container("", *rest, classes=["fit"]), classes=["room"])] if rest else []
    return nodes.section("", *head, heading, *leads, *fit, ids=[name], classes=["slide", f"of-{what}"])


def _copies(found: list[nodes.Node]) -> list[nodes.Node]:
    return [node.deepcopy() for node in found]


def _is_sources(section: nodes.section, sources: frozenset[str]) -> bool:
    return any(sources.intersection(node.get("ids", ())) for node in section.findall(nodes.Element))
