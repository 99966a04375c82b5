"""How long the course takes: each chapter's minutes, and ``{course-times}``, which lists and adds them."""

from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective

from tools import course
from tools.run_times import measured_times, run_clock
from tools.teaching import exercises
from tools.words import Counted, Words

from .words import wording

__all__ = ["Minutes", "setup", "spoken_hours", "times_of"]

_WORDS_A_MINUTE = 200
_SECONDS_A_LOOK = 12  # at an equation, a figure or a block of output


@dataclass(frozen=True)
class Minutes:
    """What a page asks of a reader."""

    reading: int
    """Words at 200 a minute, and 12 seconds for whatever is looked at."""
    exercises: int
    """The sum of what its exercises state."""


class course_times(nodes.General, nodes.Element):  # type: ignore[misc]  # docutils ships no types
    """Stands on the first page until all chapters are read."""


class CourseTimes(SphinxDirective):
    """Leave a place for the list."""

    def run(self) -> list[nodes.Node]:
        """Return the place."""
        return [course_times()]


def times_of(env: BuildEnvironment) -> dict[str, Minutes]:
    """Return the minutes of each page that was read, by page."""
    known: Any = env
    if not hasattr(known, "course_minutes"):
        known.course_minutes = {}
    found: dict[str, Minutes] = known.course_minutes
    return found


def note(app: Sphinx, doctree: nodes.document) -> None:
    """Note the minutes of a page as it is read: the first page of the book is written with each build."""
    text = Path(app.env.doc2path(app.env.docname)).read_text(encoding="utf-8")
    stated = sum(exercise.minutes for exercise in exercises(text))
    times_of(app.env)[app.env.docname] = Minutes(reading_minutes(doctree), stated)


def forget(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    """Forget a page that is gone, or is read again."""
    times_of(env).pop(docname, None)


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


def spoken_hours(minutes: int, say: Words) -> str:
    """Return a long time in words, to the half hour: "3½ hours"."""
    halves = max(1, round(minutes / 30))
    number = f"{halves // 2 or ''}{'½' if halves % 2 else ''}"
    return say("times.hours", count=Counted(number, max(1, halves / 2)))


def fill(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Put the list in its place."""
    for place in list(doctree.findall(course_times)):
        place.replace_self(nodes.raw("", listed(app, docname), format="html"))


def listed(app: Sphinx, docname: str) -> str:
    """Return the list of the chapters with their times, folded beneath the sum of all."""
    root = Path(app.srcdir).parent
    known, measured, say = times_of(app.env), measured_times(root), wording(app)
    chapters = [name for name in course.chapters(root) if name in known]
    rows = "".join(
        f'<tr><th scope="row"><a href="{escape(app.builder.get_relative_uri(docname, name))}">'
        f"{escape(app.env.titles[name].astext())}</a></th>"
        f"<td>{known[name].reading}</td><td>{known[name].exercises}</td>"
        f"<td>{escape(run_clock(measured[name], say)) if name in measured else '–'}</td></tr>"
        for name in chapters
    )
    columns = (say("times.chapter"), say("times.reading"), say("times.exercises"), say("times.running"))
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in columns)
    reading = sum(known[name].reading for name in chapters)
    solving = sum(known[name].exercises for name in chapters)
    return (
        '<details class="sd-dropdown course-times"><summary><span>'
        f"{say.html('times.all', reading=spoken_hours(reading, say), exercises=spoken_hours(solving, say))}"
        '</span></summary><div class="sd-summary-content">'
        f'<table class="docutils"><thead><tr>{head}</tr></thead>'
        f'<tbody>{rows}<tr class="sum"><th scope="row">{say.html("times.sum")}</th>'
        f"<td>{reading}</td><td>{solving}</td><td></td></tr></tbody></table></div></details>"
    )


def setup(app: Sphinx) -> None:
    """Register the directive; it is filled when all pages are read."""
    app.add_node(course_times)
    app.add_directive("course-times", CourseTimes)
    app.connect("env-purge-doc", forget)
    app.connect("doctree-read", note)
    app.connect("doctree-resolved", fill)
