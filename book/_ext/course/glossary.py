"""Each term of the glossary is linked where a chapter uses it first, and says there what it means.

The sentence stands beside the word, hidden, and is shown by the style sheet alone: under the pointer, with
the focus, and at a touch (docs/decisions/0016). The glossary in turn says in which section that place is.
"""

from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.writers.html5 import HTML5Translator

from tools import course

from .terms import Term, Use, first_uses, passage, prose, terms_of
from .words import wording

__all__ = ["places", "setup", "terms"]


class term_use(nodes.General, nodes.Inline, nodes.TextElement):  # type: ignore[misc]  # docutils ships no types
    """A term at its first use in a chapter."""


def terms(env: Any) -> list[Term]:
    """Return the terms of all glossaries of the book."""
    return [term for found in getattr(env, "course_terms", {}).values() for term in found]


def places(env: Any) -> dict[str, str]:
    """Return the section of each term in the chapter it names as its first, by the anchor of the term."""
    order, known, found = _order(env), terms(env), {}
    # Kept with what it was found by: in most builds one chapter has changed, and no term.
    kept: dict[str, Any] = vars(env).setdefault("course_places", {})
    for page, passages in getattr(env, "course_prose", {}).items():
        if kept.get(page, ([], [], {}))[:2] != (known, order):
            first = {term.anchor for term in known if term.first == page}
            uses = first_uses(passages, page, known, order)
            here = {anchor: passages[use.passage].section for anchor, use in uses.items() if anchor in first}
            kept[page] = known, order, here
        found.update(kept[page][2])
    return found


def _order(env: BuildEnvironment) -> list[str]:
    return course.chapters(Path(env.srcdir).parent)


def read(app: Sphinx, doctree: nodes.document) -> None:
    """Keep the terms of a glossary, and of a chapter what a term may be found in."""
    env: Any = app.env
    for name in ("course_terms", "course_prose"):
        if not hasattr(env, name):
            setattr(env, name, {})
    if found := terms_of(doctree, env.docname):
        env.course_terms[env.docname] = found
    if course.is_chapter(env.docname):
        env.course_prose[env.docname] = [passage(text) for text in prose(doctree)]


def forget(app: Sphinx, env: Any, page: str) -> None:
    """Forget a page that is read again, or gone."""
    for name in ("course_terms", "course_prose", "course_places"):
        getattr(env, name, {}).pop(page, None)


class LinkTerms(SphinxPostTransform):
    """Link the terms of a chapter at their first use, and those of a glossary to their first place."""

    # Behind the references, and before formulas take the text that stands at them.
    default_priority = 850
    formats = ("html",)

    def run(self, **kwargs: object) -> None:
        """Link them."""
        page = self.env.docname
        known = {term.anchor: term for term in terms(self.env)}
        if self.app.builder.name != "html":
            return
        if course.is_chapter(page):
            texts = prose(self.document)
            uses = first_uses([passage(text) for text in texts], page, known.values(), _order(self.env))
            self._link(texts, uses, known)
        found = places(self.env) if any(term.page == page for term in known.values()) else {}
        for anchor, section in found.items():
            if known[anchor].page == page:
                self._add_place(known[anchor], section)

    def _link(self, texts: list[nodes.Text], uses: dict[str, Use], known: dict[str, Term]) -> None:
        of_text: dict[int, list[tuple[Use, Term]]] = {}
        for anchor, use in uses.items():
            of_text.setdefault(use.passage, []).append((use, known[anchor]))
        for number, found in of_text.items():
            text, parts, at = texts[number], [], 0
            for use, term in sorted(found):
                parts += [nodes.Text(text[at : use.start]), self._use(term, text[use.start : use.end])]
                at = use.end
            parts.append(nodes.Text(text[at:]))
            text.parent.replace(text, [part for part in parts if part.astext()])

    def _use(self, term: Term, words: str) -> nodes.Node:
        address = f"{self.app.builder.get_relative_uri(self.env.docname, term.page)}#{term.anchor}"
        return term_use("", words, slug=term.slug, meaning=term.meaning, address=address)

    def _add_place(self, term: Term, section: str) -> None:
        """Lead to the very word, and say in which section it stands."""
        item = next(node.parent for node in self.document.findall(nodes.term) if term.anchor in node["ids"])
        link = list(item.findall(nodes.reference))[-1]
        link["refuri"] = f"{self.app.builder.get_relative_uri(term.page, term.first)}#use-{term.slug}"
        at = link.parent.index(link) + 1
        rest = link.parent[at] if at < len(link.parent) else None
        if section.endswith(("?", "!")) and isinstance(rest, nodes.Text) and rest.startswith("."):
            link.parent.replace(rest, nodes.Text(rest[1:]))  # one sign ends the sentence
        link.parent.insert(at, [nodes.Text(", "), nodes.emphasis("", section)])


def visit_use(self: HTML5Translator, node: nodes.Element) -> None:
    """Write the word, and beside it what it means.

    `hidden` keeps the sentence out of what is copied, and out of a page that is read without this style.
    A finger puts the focus on the whole, a keyboard on the link: one stop for each term.
    """
    slug, address = escape(node["slug"]), escape(node["address"])
    self.body.append(f'<dfn class="term" id="use-{slug}" tabindex="-1">')
    self.body.append(f'<a href="{address}" aria-describedby="meaning-{slug}">')


def depart_use(self: HTML5Translator, node: nodes.Element) -> None:
    """Write the sentence."""
    slug, address = escape(node["slug"]), escape(node["address"])
    say = wording(self.builder)
    self.body.append(
        f'</a><span class="meaning" hidden><span id="meaning-{slug}">{self.encode(node["meaning"])}</span> '
        f'<a href="{address}" tabindex="-1">{say.html("glossary.link")}</a></span></dfn>'
    )


def setup(app: Sphinx) -> None:
    """Read glossaries and chapters, and link them when both are known."""
    app.add_node(term_use, html=(visit_use, depart_use))
    app.connect("env-purge-doc", forget)
    app.connect("doctree-read", read)
    app.add_post_transform(LinkTerms)
