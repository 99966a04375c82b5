"""An edition of some pages of the book: no list, no link and no search of it leads to another."""

import re
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from ..glossary import term_use

__all__ = ["Kept", "in_order", "keep_only", "without_terms"]

Kept = Callable[[BuildEnvironment], set[str]]
"""What an edition keeps of the pages."""

_ENTRY = re.compile(
    r'<li class="toctree-l1[^"]*"><a class="[^"]*" href="([^"#]*)(?:#[^"]*)?">.*?</a></li>\s*', re.DOTALL
)
_EMPTY = re.compile(
    r'<p aria-level="2" class="caption"[^>]*>(?:(?!</p>).)*</p>\s*<ul[^>]*>\s*</ul>', re.DOTALL
)


def in_order(env: BuildEnvironment) -> list[str]:
    """Return the pages in the order of the table of contents."""
    return [env.config.root_doc, *(page for pages in env.toctree_includes.values() for page in pages)]


def without_terms(doctree: nodes.document) -> None:
    """Leave of linked terms their words: the glossary is not here."""
    for use in list(doctree.findall(term_use)):
        use.replace_self(use.children)


def keep_only(app: Sphinx, kept: Kept) -> None:
    """Connect what leaves the other pages out."""

    def context_of(
        app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None
    ) -> None:
        here, listed = kept(app.env), context["toctree"]
        folder = app.builder.get_relative_uri(pagename, app.config.root_doc).removesuffix("index.html")

        def entry(found: re.Match[str]) -> str:
            page = found[1].removeprefix(folder).removesuffix(".html") or pagename
            return found[0] if page in here else ""

        context["toctree"] = lambda **options: _EMPTY.sub("", _ENTRY.sub(entry, listed(**options)))
        found = context["hasdoc"]
        context["hasdoc"] = lambda name: found(name) and name in here
        order = [page for page in in_order(app.env) if page in here]
        if pagename in order:
            at = order.index(pagename)
            context["prev"] = _neighbour(app, pagename, order[at - 1 : at])
            context["next"] = _neighbour(app, pagename, order[at + 1 : at + 2])

    app.connect("html-page-context", context_of, priority=994)
    app.connect("html-collect-pages", lambda app: _forget(app, kept))
    app.connect("build-finished", lambda app, error: _remove(app, kept, error), priority=100)


def _neighbour(app: Sphinx, pagename: str, pages: list[str]) -> dict[str, str] | None:
    if not pages:
        return None
    title = escape(app.env.titles[pages[0]].astext())
    return {"link": app.builder.get_relative_uri(pagename, pages[0]), "title": title}


def _forget(app: Sphinx, kept: Kept) -> list[Any]:
    """Let the search find nothing on other pages."""
    indexer = getattr(app.builder, "indexer", None)
    if indexer is not None:
        indexer.prune(sorted(kept(app.env)))
    return []


def _remove(app: Sphinx, kept: Kept, error: Exception | None) -> None:
    """Remove the other pages, which Sphinx has written all the same."""
    if error is not None:
        return
    for page in set(app.env.found_docs) - kept(app.env):
        (Path(app.outdir) / f"{page}.html").unlink(missing_ok=True)
