"""The ``{chapter-facts}`` directive: how long a chapter takes to read and to run, and where to run it."""

import json
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from .links import links

_WORDS_A_MINUTE = 200
_SECONDS_A_LOOK = 12  # at an equation, a figure or a block of output
_TIMES = "results/chapter_times.json"


class chapter_facts(nodes.General, nodes.Element):  # type: ignore[misc]  # docutils ships no types
    """Stands at the top of a chapter until the whole page is known."""


class ChapterFacts(SphinxDirective):
    """Leave a place for the facts."""

    def run(self) -> list[nodes.Node]:
        """Return the place; the page depends on the measured times."""
        self.env.note_dependency(str(_root(self.env.srcdir) / _TIMES))
        return [chapter_facts()]


def _root(srcdir: Any) -> Path:
    return Path(srcdir).parent


def reading_minutes(doctree: nodes.document) -> int:
    """Return the minutes a reader needs: words at 200 a minute, and 12 seconds for whatever is looked at."""
    words = looks = 0
    for node in doctree.findall():
        shown = isinstance(node, nodes.container) and node.get("nb_element") == "mime_bundle"
        if shown or isinstance(node, nodes.math_block | nodes.image | nodes.table):
            looks += 1
        elif isinstance(node, nodes.Text) and not _is_aside(node):
            words += len(node.astext().split())
    return max(1, round(words / _WORDS_A_MINUTE + looks * _SECONDS_A_LOOK / 60))


def _is_aside(text: nodes.Text) -> bool:
    """Whether `text` is the output of a cell, raw HTML or mathematics, which is looked at and not read."""
    parent = text.parent
    while parent is not None:
        if isinstance(parent, nodes.raw | nodes.math_block | nodes.comment):
            return True
        if isinstance(parent, nodes.container) and parent.get("nb_element") == "cell_code_output":
            return True
        parent = parent.parent
    return False


def run_time(times: Path, docname: str) -> str:
    """Return what was measured for a chapter, in words."""
    measured = json.loads(times.read_text(encoding="utf-8")) if times.exists() else {}
    if docname not in measured:
        return "not measured yet"
    entry = measured[docname]
    said = [
        f"{_spoken(entry[key])} on {where}"
        for key, where in (("cpu_s", "a CPU"), ("gpu_s", "a GPU"))
        if key in entry
    ]
    if not said:
        raise ValueError(f"{times.name}, {docname}: expected cpu_s or gpu_s, got {sorted(entry)}")
    about = ", ".join(str(entry[key]) for key in ("hardware", "date") if key in entry)
    return " · ".join(said) + (f" ({about})" if about else "")


def _spoken(seconds: float) -> str:
    return f"{max(1, round(seconds))} s" if seconds < 90 else f"{round(seconds / 60)} min"


def fill(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Put the facts in their place."""
    for place in list(doctree.findall(chapter_facts)):
        here = links(_root(app.srcdir), docname)
        rows = [
            ("Reading", f"about {reading_minutes(doctree)} min"),
            ("Running", run_time(_root(app.srcdir) / _TIMES, docname)),
        ]
        facts = "".join(f"<div><dt>{key}</dt><dd>{escape(value)}</dd></div>" for key, value in rows)
        if here.colab:
            facts += (
                f'<div><dt>Notebook</dt><dd><a href="{escape(here.colab)}">run in Colab</a>, '
                f'<a href="{escape(here.download)}" download>download</a></dd></div>'
            )
        place.replace_self(nodes.raw("", f'<dl class="chapter-facts">{facts}</dl>', format="html"))


def setup(app: Sphinx) -> None:
    """Register the directive; it is filled when the page is complete."""
    app.add_node(chapter_facts)
    app.add_directive("chapter-facts", ChapterFacts)
    app.connect("doctree-resolved", fill)
