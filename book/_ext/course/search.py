"""What the search knows of the book: its sections with their text, its terms, symbols, exercises, equations.

Sphinx's own index holds which page has which words. A reader asks for a place and wants to see its line, so
each place is an entry here, with the names it is called by. Sphinx's builder keeps the index as it would its
own: it feeds it each page that is written; the entries of the others come from the last build's index.
"""

import re
from collections.abc import Iterable
from keyword import iskeyword
from typing import IO, Any, NamedTuple

from docutils import nodes
from sphinx.addnodes import desc, desc_signature, glossary
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.environment import BuildEnvironment
from sphinx.search import IndexBuilder
from sphinx_exercise.nodes import is_exercise_node  # type: ignore[import-untyped]

from .plain import plain, plain_formula
from .quiz import quiz
from .terms import Term
from .words import wording

__all__ = ["Entry", "SectionIndex", "entries", "setup"]

_SYMBOLS = "notation"  # the page whose tables explain the symbols, one a row
_SOURCES = "Sources"  # the last section of a chapter
_CHAPTER = re.compile(r"(\d+)_")
_WORD = re.compile(r"[A-Za-z_]\w{2,}")
_SAID = re.compile(r"""\"{3}.*?\"{3}|"[^"\n]*"|'[^'\n]*'|\#[^\n]*""", re.DOTALL)
# What the reader does not see of a chapter's code.
_HIDDEN = re.compile(r"tag_(?:hide|remove)")


class Entry(NamedTuple):
    """A place in the book."""

    kind: str
    """``page``, ``section``, ``term``, ``symbol``, ``exercise``, ``equation`` or ``name``."""
    anchor: str
    """The id in the page; empty for its top."""
    title: str
    names: list[str]
    """What else it is called: who types one of them whole comes here."""
    text: str
    code: str
    """The names in its code, each once."""


class _Reader:
    """Reads a page, from top to bottom, into entries."""

    def __init__(self, env: Any, page: str, terms: dict[str, Term]) -> None:
        self.say = wording(env.app)
        self.numbers = env.toc_fignumbers.get(page, {})
        self.page = page
        self.terms = terms
        self.found: list[Entry] = []

    def section(self, section: nodes.section) -> None:
        """Read a section, and then those within it."""
        title = next(iter(section.findall(nodes.title)))
        number = _CHAPTER.match(self.page)
        if self.found:
            kind, anchor, names = "section", section["ids"][0], []
        else:
            kind, anchor, names = (
                "page",
                "",
                [self.say("search.chapter_typed", number=int(number[1]))] if number else [],
            )
        at = len(self.found)
        inner: list[nodes.section] = []
        text: list[str] = []
        code: list[str] = []
        self.found.append(Entry(kind, anchor, plain(title), names, "", ""))
        for child in section.children:
            if isinstance(child, nodes.section):
                inner.append(child)
            elif child is not title:
                self._block(child, text, code)
        # A source is found among the references; each chapter that names it would be found once more.
        said = "" if self.found[at].title == _SOURCES else " ".join(" ".join(text).split())
        self.found[at] = self.found[at]._replace(text=said, code=" ".join(sorted(set(code))))
        for child in inner:
            self.section(child)

    def _block(self, node: nodes.Node, text: list[str], code: list[str]) -> None:
        if is_exercise_node(node):
            self._exercise(node)
        elif isinstance(node, desc):
            self._object(node)
        elif isinstance(node, glossary):
            for item in node.findall(nodes.definition_list_item):
                self._terms(item)
        elif self.page == _SYMBOLS and isinstance(node, nodes.table):
            self._symbols(node)
        elif isinstance(node, nodes.container) and node.get("nb_element") == "cell_code":
            code += _names(node)
        elif isinstance(node, nodes.math_block):
            self._equation(node)
            text.append(plain(node))
        elif isinstance(node, nodes.container | quiz) or _is_fold(node):
            for child in node.children:
                self._block(child, text, code)
        else:
            text.append(plain(node))

    def _number(self, kind: str, node: nodes.Element) -> str:
        return ".".join(map(str, self.numbers.get(kind, {}).get(node["ids"][0], ())))

    def _exercise(self, node: nodes.Element) -> None:
        number = self._number("exercise", node)
        title = re.sub(r"^\s*\((.*)\)$", r"\1", plain(node[0]))
        named = self.say("search.exercise_title", number=number, title=title) if number else title
        typed = (
            self.say("search.exercise_typed", number=number),
            self.say("search.exercise_short", number=number),
        )
        names = list(typed) if number else []
        said = " ".join(" ".join(map(plain, node.children[1:])).split())
        self.found.append(Entry("exercise", node["ids"][0], named, names, said, ""))

    def _equation(self, node: nodes.math_block) -> None:
        if node.get("number"):
            number = self._number("displaymath", node)
            title = self.say("search.equation_title", number=number)
            names = [
                self.say("search.equation_typed", number=number),
                self.say("search.equation_short", number=number),
            ]
            self.found.append(Entry("equation", node["ids"][0], title, names, plain(node), ""))

    def _object(self, entry: desc) -> None:
        """Take a name of the package alone: what is said of it would be half of the index."""
        signature = next((one for one in entry.findall(desc_signature) if one["ids"]), None)
        if signature is not None:
            name = signature["ids"][0]
            self.found.append(Entry("name", name, name.rpartition(".")[2], [], "", ""))

    def _terms(self, item: nodes.Element) -> None:
        for term in (self.terms[node["ids"][0]] for node in item.findall(nodes.term)):
            self.found.append(Entry("term", term.anchor, term.name, list(term.others), term.meaning, ""))

    def _symbols(self, table: nodes.table) -> None:
        for row in table.findall(nodes.row):
            if row["ids"]:
                first, *others = (" ".join(plain(cell).split()) for cell in row.children)
                said = " · ".join(cell for cell in others if cell)
                self.found.append(Entry("symbol", row["ids"][0], first, _symbol_names(row), said, ""))


def _is_fold(node: nodes.Node) -> bool:
    return type(node).__name__.startswith(("dropdown_", "quiz_"))


def _names(cell: nodes.Element) -> list[str]:
    """Return the names in the code of a cell, if its reader sees it."""
    if _HIDDEN.search(" ".join(cell["classes"])):
        return []
    sources = (c for c in cell.findall(nodes.container) if c.get("nb_element") == "cell_code_source")
    codes = (_SAID.sub("", source.astext()) for source in sources)
    return [name for code in codes for name in _WORD.findall(code) if not iskeyword(name)]


def _symbol_names(row: nodes.row) -> list[str]:
    """Return what one may type for the symbols of a row: τ, tau, d_model."""
    formulas = [formula.astext() for formula in row[0].findall(nodes.math)]
    names = [name for formula in formulas for name in re.split(r",\s*", plain_formula(formula))]
    names += [formula[1:] for formula in formulas if re.fullmatch(r"\\[a-zA-Z]+", formula)]
    names += [literal.astext() for cell in row[:2] for literal in cell.findall(nodes.literal)]
    return list(dict.fromkeys(names))


def entries(doctree: nodes.document, page: str, env: BuildEnvironment) -> list[Entry]:
    """Return the places of a page, as it is about to be written."""
    reader = _Reader(
        env, page, {term.anchor: term for term in getattr(env, "course_terms", {}).get(page, [])}
    )
    for section in doctree.children:
        if isinstance(section, nodes.section):
            reader.section(section)
    return reader.found


class SectionIndex(IndexBuilder):
    """The entries of all pages, in the place of Sphinx's words."""

    def __init__(self, env: BuildEnvironment, lang: str) -> None:
        super().__init__(env, lang, {}, "")
        self.pages: dict[str, list[Any]] = {}

    def load(self, stream: IO[str], format: Any) -> None:
        """Take over the index of the last build."""
        loaded = format.load(stream)
        if not isinstance(loaded, dict):
            raise ValueError(f"expected an index of pages, got {type(loaded).__name__}")
        self.pages = loaded

    def prune(self, docnames: Iterable[str]) -> None:
        """Keep these pages only."""
        kept = set(docnames)
        self.pages = {page: found for page, found in self.pages.items() if page in kept}

    def feed(self, docname: str, filename: str, title: str, doctree: nodes.document) -> None:
        """Take in a page that is written."""
        self.pages[docname] = [list(entry) for entry in entries(doctree, docname, self.env)]

    def dump(self, stream: IO[str], format: Any) -> None:
        """Write the index."""
        format.dump(self.pages, stream)


class CourseBuilder(StandaloneHTMLBuilder):
    """Sphinx's builder of pages, with our index for its own."""

    def load_indexer(self, docnames: Iterable[str]) -> None:
        """Put our index in the place of Sphinx's, and let it take over what the last build found."""
        self.indexer = SectionIndex(self.env, self.config.html_search_language or self.config.language)
        super().load_indexer(docnames)


def name_symbols(app: Sphinx, doctree: nodes.document) -> None:
    """Give each row of the tables of symbols an id, so that a result of the search can lead to it."""
    if app.env.docname != _SYMBOLS:
        return
    taken: set[str] = set()
    for body in doctree.findall(nodes.tbody):
        for row in body.findall(nodes.row):
            formula = next(iter(row[0].findall(nodes.math)), None)
            if formula is None:
                continue
            base = name = f"symbol-{nodes.make_id(formula.astext()) or len(taken)}"
            number = 2
            while name in taken:
                name, number = f"{base}-{number}", number + 1
            taken.add(name)
            row["ids"].append(name)


def setup(app: Sphinx) -> None:
    """Let the pages be written by our builder."""
    app.add_builder(CourseBuilder, override=True)
    app.connect("doctree-read", name_symbols)
