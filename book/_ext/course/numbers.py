"""Number equations, exercises and figures by chapter: (4.1), Exercise 4.2.

A chapter's number is the number its file begins with, so that it stays when chapters before it are missing
or a page is built alone. Sphinx would count the pages of the table of contents, and read all of them in every
build to do so; what is numbered in a page is noted when it is read.
"""

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.domains.std import StandardDomain
from sphinx.environment import BuildEnvironment

_CHAPTER = re.compile(r"^(\d+)_")


def note(app: Sphinx, doctree: nodes.document) -> None:
    """Keep the names of what is numbered in a page: of each kind, in their order."""
    env: Any = app.env
    if not hasattr(env, "course_numbered"):
        env.course_numbered = {}
    found: dict[str, list[str]] = {}
    for node in doctree.findall(nodes.Element):
        if node["ids"] and (kind := _kind(env, node)):
            found.setdefault(kind, []).append(node["ids"][0])
    env.course_numbered[env.docname] = found


def _kind(env: BuildEnvironment, node: nodes.Element) -> str | None:
    """Return what a node is numbered as: a figure without a caption is not."""
    for domain in env.domains.values():
        kind: str | None = domain.get_enumerable_node_type(node)
        if kind and not (isinstance(domain, StandardDomain) and not domain.get_numfig_title(node)):
            return kind
    return None


def forget(app: Sphinx, env: Any, page: str) -> None:
    """Forget a page that is read again, or gone."""
    getattr(env, "course_numbered", {}).pop(page, None)


def leave_to_us(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Let Sphinx's own count be over at once; `by_chapter` follows it."""
    app.config.numfig = False
    return []


def by_chapter(app: Sphinx, env: Any) -> list[str]:
    """Number everything as (chapter, n); pages that are no chapter have (n,)."""
    app.config.numfig = True
    env.toc_fignumbers = {}
    for page, kinds in sorted(env.course_numbered.items()):
        chapter = _CHAPTER.match(page)
        before = (int(chapter[1]),) if chapter else ()
        env.toc_fignumbers[page] = {
            kind: {name: (*before, n) for n, name in enumerate(names, start=1)}
            for kind, names in kinds.items()
        }
    return []


def setup(app: Sphinx) -> None:
    """Note what is numbered, and number it before any page is written."""
    app.connect("env-purge-doc", forget)
    app.connect("doctree-read", note, priority=900)
    app.connect("env-get-updated", leave_to_us, priority=100)
    app.connect("env-get-updated", by_chapter, priority=800)
