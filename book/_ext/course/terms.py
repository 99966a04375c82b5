"""The terms of the glossary, and where a chapter uses each of them first.

What a glossary says is read off its page: a term, its meaning in one sentence, then, if there are any,
``Also: NAME, NAME.`` and ``First in [chapter N](PAGE.md).``
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from docutils import nodes
from sphinx import addnodes

from .quiz import quiz

__all__ = ["Passage", "Term", "Use", "first_uses", "passage", "prose", "terms_of"]

_ALSO = re.compile(r"\sAlso: (.+?)\.(?:\s|$)")
_FIRST = re.compile(r"\sFirst in (?:the )?[^.]*\.$")
# What is no running text, or is folded away: a term stands out of it badly, or where nobody sees it.
_ASIDE = (
    *(nodes.reference, addnodes.pending_xref, nodes.literal, nodes.title, nodes.caption),
    *(nodes.table, nodes.footnote, nodes.citation, nodes.raw, nodes.comment, addnodes.glossary, quiz),
)

_SUMMARY = "What you know now, and what is missing"


class Term(NamedTuple):
    """An entry of the glossary."""

    name: str
    page: str  # of the glossary
    anchor: str
    meaning: str
    others: tuple[str, ...]
    first: str
    """The chapter that uses it first; empty where none is named."""

    @property
    def slug(self) -> str:
        """Return what the addresses of this term end in."""
        return self.anchor.removeprefix("term-")

    @property
    def told(self) -> list[str]:
        """Return the names by which a text may be known to speak of this term and of nothing else.

        Of the other names those of several words, or with capitals: *skip connection* and *BPTT* are of the
        field, *state* and *layer* are words of many meanings.
        """
        return [self.name, *(name for name in self.others if " " in name or _has_capitals(name))]


class Passage(NamedTuple):
    """A run of text in a chapter."""

    text: str
    section: str
    """The title of the section it stands in."""
    apart: bool
    """Whether it is set in bold or italics, as a term is where it is explained."""


class Use(NamedTuple):
    """The place of a term: the number of the passage, and where in it."""

    passage: int
    start: int
    end: int


def _has_capitals(name: str) -> bool:
    return len(re.findall(r"[A-Z]", name)) > 1


def terms_of(doctree: nodes.document, page: str) -> list[Term]:
    """Return the terms of the glossaries in a page as it was read."""
    found = []
    for glossary in doctree.findall(addnodes.glossary):
        for item in glossary.findall(nodes.definition_list_item):
            definition = next(item.findall(nodes.definition))
            said = " ".join(definition.astext().split())
            also = _ALSO.search(said)
            links = [link.get("reftarget", "") for link in definition.findall(addnodes.pending_xref)]
            first = links[-1].removesuffix(".md") if links and _FIRST.search(said) else ""
            meaning = (said[: also.start()] if also else _FIRST.sub("", said)).strip()
            names = tuple(also[1].split(", ")) if also else ()
            for term in item.findall(nodes.term):
                found.append(Term(term.astext(), page, term["ids"][0], meaning, names, first))
    return found


def prose(doctree: nodes.Node) -> list[nodes.Text]:
    """Return the texts of a page's paragraphs, without links, formulas, code, tables, and what is folded."""
    return [text for text in doctree.findall(nodes.Text) if _is_prose(text)]


def passage(text: nodes.Text) -> Passage:
    """Return what is to be known of a text of `prose`."""
    return Passage(str(text), _section_title(text), isinstance(text.parent, nodes.strong | nodes.emphasis))


def _is_prose(text: nodes.Text) -> bool:
    paragraph = False
    node = text.parent
    # An example stands in italics, a whole sentence of it; so does a term or two.
    if isinstance(node, nodes.emphasis) and len(text.split()) > 3:
        return False
    while node is not None and not _is_aside(node):
        paragraph = paragraph or isinstance(node, nodes.paragraph)
        node = node.parent
    return paragraph and node is None


def _is_aside(node: nodes.Node) -> bool:
    if isinstance(node, nodes.container) and (node.get("nb_element") or node.get("design_component")):
        return True
    # sphinx-design puts nodes of its own in the place of its containers.
    return isinstance(node, _ASIDE) or type(node).__name__.startswith("dropdown_")


def _section_title(node: nodes.Node) -> str:
    """Return the title of the section a node stands in; the content of an exercise is one without."""
    while not (isinstance(node, nodes.section) and isinstance(node[0], nodes.title)):
        node = node.parent
    return str(node[0].astext())


def _pattern(names: Iterable[tuple[str, Term]]) -> tuple[re.Pattern[str], list[Term]]:
    """Return what finds any of the names, the longest first, and the term of each of its groups."""
    longest_first = sorted(names, key=lambda pair: -len(pair[0]))
    found = "|".join(f"({_written(name)})" for name, _ in longest_first)
    return re.compile(rf"(?<![\w-])(?:{found or '(?!)'})(?![\w-])"), [term for _, term in longest_first]


def _written(name: str) -> str:
    """Return a pattern for a name and its plural, in any line, with or without its hyphens."""
    stem, ending = (name[:-1], "(?:y|ies)") if re.search(r"[a-z]{2}y$", name) else (name, "(?:s|es)?")
    pattern = re.sub(r"\\[ -]| ", r"[\\s-]", re.escape(stem)) + ending
    return pattern if _has_capitals(name) else f"(?i:{pattern})"


def first_uses(passages: list[Passage], page: str, terms: Iterable[Term], order: list[str]) -> dict[str, Use]:
    """Return the first use of each term in the texts of a page, by the anchor of the term.

    A chapter before the one that a term names as its first may use the word, but not the term. In the chapter
    where it is first, the place that sets it in bold or italics is the one that says what it is: unless that
    is the summary, which sets everything in bold.
    """
    place = {name: n for n, name in enumerate(order)}
    here = place.get(page, len(order))
    known = [term for term in terms if place.get(term.first, 0) <= here]
    uses: dict[str, Use] = {}
    apart = [n for n, (_, section, is_apart) in enumerate(passages) if is_apart and section != _SUMMARY]
    # There it may be called by any of its names.
    own = [(name, term) for term in known if term.first == page for name in (term.name, *term.others)]
    for names, numbers in (
        (own, apart),
        ([(name, term) for term in known for name in term.told], range(len(passages))),
    ):
        pattern, of_group = _pattern(names)
        for number in numbers:
            for match in pattern.finditer(passages[number].text):
                assert match.lastindex
                use = Use(number, match.start(), match.end())
                taken = any(
                    other.passage == number and other.start < use.end and use.start < other.end
                    for other in uses.values()
                )
                if not taken:
                    uses.setdefault(of_group[match.lastindex - 1].anchor, use)
    return uses
