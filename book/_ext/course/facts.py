"""The ``{chapter-facts}`` directive: how long a chapter takes to read and to run, and where to run it."""

from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from markupsafe import Markup
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from tools.run_times import TIMES, Say, measured_times
from tools.run_times import run_time as spoken

from . import editions
from .times import times_of
from .words import wording


class chapter_facts(nodes.General, nodes.Element):  # type: ignore[misc]  # docutils ships no types
    """Stands at the top of a chapter until the whole page is known."""


class ChapterFacts(SphinxDirective):
    """Leave a place for the facts."""

    def run(self) -> list[nodes.Node]:
        """Return the place; the page depends on the measured times."""
        self.env.note_dependency(str(_root(self.env.srcdir) / TIMES))
        return [chapter_facts()]


def _root(srcdir: Any) -> Path:
    return Path(srcdir).parent


def run_time(root: Path, docname: str, say: Say) -> str:
    """Return what was measured for a chapter of the repository at `root`, in words."""
    measured = measured_times(root)
    if docname not in measured:
        return say("facts.not_measured")
    return spoken(measured[docname], say)


def _way(address: str, text: str, more: str = "") -> Markup:
    """Return a link; nothing where there is no address."""
    return Markup(f'<a href="{escape(address)}"{more}>{escape(text)}</a>') if address else Markup()


def _listed(*ways: str) -> str:
    return ", ".join(way for way in ways if way)


def _row(key: str, value: str) -> str:
    """Return a row of the facts, which are HTML; nothing where there is no value."""
    return f"<div><dt>{key}</dt><dd>{value}</dd></div>" if value else ""


def fill(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Put the facts in their place."""
    say = wording(app)
    for place in list(doctree.findall(chapter_facts)):
        here = editions.of(app).links(_root(app.srcdir), docname)
        minutes = times_of(app.env)[docname]
        rows = [
            (say("facts.reading"), say("facts.about", minutes=minutes.reading)),
            (say("facts.exercises"), say("facts.about", minutes=minutes.exercises)),
            (say("facts.running"), run_time(_root(app.srcdir), docname, say)),
        ]
        if not minutes.exercises:
            del rows[1]
        facts = "".join(_row(escape(key), escape(value)) for key, value in rows)
        colab, binder = _way(here.colab, say("facts.colab")), _way(here.binder, say("facts.binder"))
        run = say.html("facts.either", one=colab, other=binder) if colab and binder else colab or binder
        facts += _row(
            say.html("facts.notebook"), _listed(run, _way(here.download, say("facts.download"), " download"))
        )
        archive = _way(here.archive, say("facts.archive"), " download")
        facts += _row(
            say.html("facts.all_notebooks"), _listed(archive, _way(here.editor, say("facts.editor")))
        )
        place.replace_self(nodes.raw("", f'<dl class="chapter-facts">{facts}</dl>', format="html"))


def setup(app: Sphinx) -> None:
    """Register the directive; it is filled when the page is complete."""
    app.add_node(chapter_facts)
    app.add_directive("chapter-facts", ChapterFacts)
    app.connect("doctree-resolved", fill)
