"""``{syllabus}`` and ``{class-facts}``: what a teacher needs to know of time, added up from the chapters.

No minute of a chapter is typed on the page for teachers: reading is what `times` says of the page, exercises
are what they state. So the page is filled when the chapters are read, and written in every build.
"""

from collections.abc import Sequence
from html import escape
from itertools import groupby
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.nodes import make_id
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

from tools.course import is_chapter
from tools.teaching import Exercise, Lesson, SyllabusError, exercises, lessons
from tools.words import Words

from .times import times_of
from .words import wording


class class_facts(nodes.General, nodes.Element):  # type: ignore[misc]  # docutils ships no types
    """Stands at the head of a chapter's part."""


class lesson(nodes.General, nodes.Element):  # type: ignore[misc]
    """Stands in a syllabus before what is done: the chapter and its minutes."""


class homework(nodes.General, nodes.Element):  # type: ignore[misc]
    """Stands in a syllabus for a week's reading and exercises, or for those of all weeks."""


class ClassFacts(SphinxDirective):
    """Leave a place for the facts of the chapter that is named."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the place."""
        _teaches(self.env)
        return [class_facts(page=_known(self, self.arguments[0]))]


class Syllabus(SphinxDirective):
    """Lay out a table of weeks; ``:class:`` is how many minutes a week has in class."""

    has_content = True
    option_spec: ClassVar[dict[str, Any]] = {"class": directives.positive_int}

    def run(self) -> list[nodes.Node]:
        """Return the table, with places for what is added up."""
        _teaches(self.env)
        try:
            plan = lessons(self.content)
        except SyllabusError as error:
            raise self.error(str(error)) from error
        limit = self.options.get("class", 0)
        say = wording(self.env.app)
        head = [say("teaching.week"), say("teaching.class_minutes", count=limit), say("teaching.at_home")]
        rows = []
        for week, of_week in groupby(plan, key=lambda one: one.week):
            taught = list(of_week)
            if (minutes := sum(one.minutes for one in taught)) > limit:
                raise self.error(f"week {week}: expected at most {limit} minutes in class, got {minutes}")
            done: list[nodes.Node] = []
            for one in taught:
                paragraph = self._parsed(one.done)
                paragraph.insert(
                    0, lesson(page=_known(self, one.page) if one.page else "", minutes=one.minutes)
                )
                done.append(paragraph)
            rows.append([[nodes.paragraph("", str(week))], done, [homework(taught=taught)]])
        total = say("teaching.minutes", count=sum(one.minutes for one in plan))
        rows.append(
            [
                [nodes.paragraph("", say("teaching.all"))],
                [nodes.paragraph("", total)],
                [homework(taught=plan)],
            ]
        )
        made = _table(head, rows)
        made["taught"] = plan
        return [made]

    def _parsed(self, text: str) -> nodes.paragraph:
        into = nodes.container()
        self.state.nested_parse(
            StringList([text], source=self.env.doc2path(self.env.docname)), self.content_offset, into
        )
        paragraph = into.children[0]
        assert isinstance(paragraph, nodes.paragraph)
        return paragraph


def _teaches(env: Any) -> None:
    """Note that the page that is read tells of chapters."""
    env.course_teachers = getattr(env, "course_teachers", set()) | {env.docname}


def _known(directive: SphinxDirective, page: str) -> str:
    if page not in directive.env.found_docs or not is_chapter(page):
        raise directive.error(f"expected the page of a chapter, such as 04_self_attention, got {page!r}")
    return page


def _table(head: Sequence[str], rows: Sequence[Sequence[Sequence[nodes.Node]]]) -> nodes.table:
    """Return a table whose cells hold these nodes."""
    table = nodes.table(classes=["syllabus"])
    group = nodes.tgroup(cols=len(head))
    group += [nodes.colspec(colwidth=1) for _ in head]
    group += nodes.thead("", nodes.row("", *(nodes.entry("", nodes.paragraph("", name)) for name in head)))
    group += nodes.tbody("", *(nodes.row("", *(nodes.entry("", *cell) for cell in row)) for row in rows))
    table += group
    return table


class _Chapters:
    """What the chapters of a book state of themselves, and how to link to it."""

    def __init__(self, app: Sphinx, docname: str) -> None:
        self.app, self.docname, self.env = app, docname, app.env
        self.say: Words = wording(app)
        texts = {
            page: Path(self.env.doc2path(page)).read_text(encoding="utf-8")
            for page in self.env.found_docs
            if is_chapter(page)
        }
        self.exercises: dict[str, list[Exercise]] = {page: exercises(text) for page, text in texts.items()}
        self.by_label = {one.label: one for found in self.exercises.values() for one in found}
        self.page_of = {one.label: page for page, found in self.exercises.items() for one in found}
        self.reading = {page: minutes.reading for page, minutes in times_of(self.env).items()}

    def stated(self, labels: Sequence[str]) -> list[Exercise]:
        """Return the exercises with these labels."""
        if unknown := [label for label in labels if label not in self.by_label]:
            raise ExtensionError(
                f"{self.docname}: expected labels of exercises, which state their minutes, got {unknown[0]!r}"
            )
        return [self.by_label[label] for label in labels]

    def number(self, one: Exercise) -> str:
        """Return the number of an exercise, such as "4.2"; one of a page without a number is named by it."""
        page = self.page_of[one.label]
        numbers = self.env.toc_fignumbers[page].get("exercise", {}).get(make_id(one.label), ())
        number = ".".join(str(part) for part in numbers)
        return number if len(numbers) > 1 else f"{page.split('_')[0]} {number}"

    def uri(self, page: str, anchor: str = "") -> str:
        """Return the address of a chapter, or of a place in it, as the page for teachers has to write it."""
        uri: str = self.app.builder.get_relative_uri(self.docname, page)
        return f"{uri}#{anchor}" if anchor else uri

    def link(self, one: Exercise) -> nodes.reference:
        """Return a link to an exercise by its number."""
        where = self.uri(self.page_of[one.label], one.label)
        return nodes.reference("", self.number(one), refuri=where, reftitle=one.title, internal=True)

    def title(self, page: str) -> str:
        """Return the title of a chapter up to its colon."""
        return str(self.env.titles[page].astext()).split(":")[0]

    def read(self, pages: Sequence[str]) -> int:
        """Return for how many minutes chapters are read."""
        return sum(self.reading[page] for page in pages)


def fill(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Put what is added up in its places; a builder that joins pages has them in one document."""
    places = [place for kind in (class_facts, lesson, homework) for place in doctree.findall(kind)]
    if not places:
        return
    chapters = _Chapters(app, docname)
    plans = [table["taught"] for table in doctree.findall(nodes.table) if table.hasattr("taught")]
    for place in places:
        if isinstance(place, class_facts):
            place.replace_self(nodes.raw("", _facts(chapters, place["page"], plans), format="html"))
        elif isinstance(place, lesson):
            place.replace_self(_lesson(chapters, place["page"], place["minutes"]))
        else:
            place.replace_self(_homework(chapters, place["taught"]))


def _facts(chapters: _Chapters, page: str, plans: Sequence[Sequence[Lesson]]) -> str:
    found, say = chapters.exercises[page], chapters.say
    in_class = [
        say.html("teaching.in_weeks", minutes=minutes, count=plan[-1].week)
        for plan in plans
        if (minutes := sum(one.minutes for one in plan if one.page == page))
    ]

    def linked(some: Sequence[Exercise]) -> str:
        return ", ".join(
            f'<a href="{escape(chapters.uri(page, one.label))}" title="{escape(one.title)}">'
            f"{chapters.number(one)}</a>"
            for one in some
        )

    checked = [one for one in found if one.how == "Checked"]
    others = [one for one in found if one not in checked]
    rows = {
        say("teaching.chapter"): f'<a href="{escape(chapters.uri(page))}">{escape(chapters.title(page))}</a>',
        say("facts.reading"): say.html("facts.about", minutes=chapters.read([page])),
        say("teaching.in_class"): " · ".join(in_class) or say.html("teaching.no_syllabus"),
        say("facts.exercises"): say.html("teaching.in_all", minutes=sum(one.minutes for one in found)),
        say("teaching.checked"): linked(checked) or say.html("teaching.none"),
        say("teaching.by_hand"): linked(others) or say.html("teaching.none"),
    }
    listed = "".join(f"<div><dt>{escape(key)}</dt><dd>{value}</dd></div>" for key, value in rows.items())
    return f'<dl class="chapter-facts">{listed}</dl>'


def _lesson(chapters: _Chapters, page: str, minutes: int) -> nodes.inline:
    spoken = nodes.strong("", chapters.say("teaching.min", count=minutes))
    if not page:
        return nodes.inline("", "", spoken, nodes.Text(": "))
    linked = nodes.reference("", chapters.title(page), refuri=chapters.uri(page), internal=True)
    return nodes.inline("", "", linked, nodes.Text(", "), spoken, nodes.Text(": "))


def _homework(chapters: _Chapters, taught: Sequence[Lesson]) -> nodes.paragraph:
    """Return what is read and solved, with the minutes of each; of more than one week, the sums alone."""
    reading = chapters.read(list(dict.fromkeys(one.page for one in taught if one.page)))
    given = chapters.stated([label for one in taught for label in one.homework])
    minutes = sum(one.minutes for one in given)
    if not reading:
        return nodes.paragraph("", nodes.Text("–"))
    say = chapters.say
    said = nodes.paragraph("", "", nodes.strong("", say("teaching.min", count=reading + minutes)))
    said += nodes.Text(say("teaching.read", minutes=reading))
    if given:
        said += nodes.Text(say("teaching.solve"))
        for one in given if len({one.week for one in taught}) == 1 else ():
            said += [chapters.link(one), nodes.Text(", ")]
        said += nodes.Text(f"{minutes}")
    return said


def to_write(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Return the pages that tell of chapters: written behind them by name, in every build."""
    return sorted(set(getattr(env, "course_teachers", ())) & env.found_docs)


def purge(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    """Forget a page that is read again or gone."""
    getattr(env, "course_teachers", set()).discard(docname)


def setup(app: Sphinx) -> None:
    """Register the directives; they are filled when the chapters are known."""
    for node in (class_facts, lesson, homework):
        app.add_node(node)
    app.add_directive("class-facts", ClassFacts)
    app.add_directive("syllabus", Syllabus)
    app.connect("env-purge-doc", purge)
    app.connect("env-get-updated", to_write)
    app.connect("doctree-resolved", fill)
