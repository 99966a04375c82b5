"""The few words of a page that stand on a slide: a first sentence, a statement set in bold, a question."""

import re
from collections.abc import Iterable

from docutils import nodes

from .looks import is_said, kind

__all__ = ["beginning", "introduction", "lead", "question", "statements"]

# The end of a sentence, with the quotes and brackets that close behind it; not that of an initial or "e.g.".
_END = re.compile(r"(?<![A-Z.])(?<!\be\.g)(?<!\bi\.e)(?<!\bvs)(?<!\bal)[.?!][\"”’)]*(?=\s|$)")
# So many words make a statement or a question of what is set in bold; fewer are a term, or name a paragraph.
_WORDS = 5
# A first sentence with fewer words than this says too little by itself: the next one goes with it.
_ENOUGH = 9
# A sentence that begins so goes on from another one, which is not there.
_GOES_ON = re.compile(r"(?:They|It|That|This|These|Those|He|She|So|And|But|Again|Now)\b")
# A paragraph of no more words than this is read at a glance.
_GLANCE = 42


def beginning(paragraph: nodes.Element, enough: int = _ENOUGH) -> list[nodes.Node]:
    """Return the first sentences of a paragraph that have enough words, their marks and formulas kept."""
    kept: list[nodes.Node] = []
    for child in paragraph.children:
        if isinstance(child, nodes.Text):
            for end in _END.finditer(child):
                text = str(child)[: end.end()]
                if len(_words([*kept, nodes.Text(text)])) >= enough:
                    return [*kept, nodes.Text(text)]
        kept.append(child)
    return kept


def ending(paragraph: nodes.Element) -> list[nodes.Node]:
    """Return the last sentence of a paragraph, or nothing where that says too little or too much."""
    kept: list[nodes.Node] = []
    for child in reversed(paragraph.children):
        ends = [end.end() for end in _END.finditer(child)] if isinstance(child, nodes.Text) else []
        # The last end is that of the sentence itself.
        if not kept:
            ends = [end for end in ends if child.astext()[end:].strip()]
        if ends:
            kept.insert(0, nodes.Text(str(child)[ends[-1] :].lstrip()))
            break
        kept.insert(0, child)
    return kept if len(_words(kept)) >= _ENOUGH and _is_short(kept) else []


def _words(parts: Iterable[nodes.Node]) -> list[str]:
    return "".join(part.astext() for part in parts).split()


def _is_short(parts: Iterable[nodes.Node]) -> bool:
    return len(_words(parts)) <= _GLANCE


def statements(paragraphs: Iterable[nodes.Element]) -> list[nodes.strong]:
    """Return the whole sentences that the paragraphs set in bold, in their order."""
    return [said for said in _bold(paragraphs) if _is_sentence(said.astext().strip())]


def _bold(paragraphs: Iterable[nodes.Element]) -> list[nodes.strong]:
    found = [strong for paragraph in paragraphs for strong in paragraph.findall(nodes.strong)]
    return [strong for strong in found if len(strong.astext().split()) >= _WORDS]


def _is_sentence(text: str) -> bool:
    return text[0].isupper() and text.endswith((".", "?", "!"))


def question(paragraphs: list[nodes.Element]) -> nodes.strong | None:
    """Return the last question that is set in bold, with a capital where it stood within a sentence."""
    asked = [said for said in _bold(paragraphs) if said.astext().rstrip().endswith("?")]
    if not asked:
        return None
    first = asked[-1][0]
    if isinstance(first, nodes.Text):
        asked[-1][0] = nodes.Text(first[0].upper() + first[1:])
    return asked[-1]


def lead(blocks: list[nodes.Node], before: list[nodes.Node] | None = None) -> list[nodes.Node]:
    """Return what a slide says of a section: its first statement in bold, or how it begins.

    Args:
        blocks: of the section.
        before: those of them that stand before what the slide shows; all unless told.
    """
    for said in statements(_paragraphs(blocks)):
        return list(said.children)
    paragraphs = _paragraphs(blocks if before is None else before)
    return beginning(paragraphs[0]) if paragraphs else []


def introduction(before: list[nodes.Node]) -> list[nodes.Node]:
    """Return the paragraph that leads up to what a slide shows, or how it ends, if that is said by itself."""
    for block in reversed(before):
        if is_said(block):
            assert isinstance(block, nodes.Element)
            found = list(block.children) if _is_short(block.children) else ending(block)
            return [] if _GOES_ON.match("".join(part.astext() for part in found)) else found
        if kind(block):
            break
    return []


def _paragraphs(blocks: list[nodes.Node]) -> list[nodes.Element]:
    return [block for block in blocks if is_said(block) and not block.astext().startswith("(")]
