"""The page for teachers, ``book/teaching.md``: its parts, one for each chapter, and its syllabi.

A part is a section that has ``{class-facts}`` with the chapter's page for an argument. A lesson is a line of
``{syllabus}``: the week, the page or nothing, what is done with its minutes in brackets, and the labels of
exercises that are homework. What is a chapter's own, such as the minutes of its exercises, is read from it.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

__all__ = [
    "Exercise",
    "Lesson",
    "SyllabusError",
    "exercises",
    "lessons",
    "part_of",
    "parts",
    "with_chapter",
    "without_chapter",
]

_EXERCISE = re.compile(
    r"^```\{exercise\} (?P<title>.+)\n:label: (?P<label>\S+)\n(?:\s*\n)?"
    r"\*Difficulty: (?P<level>\w+)\. About (?P<minutes>\d+) minutes\. (?P<how>.+)\.\*$",
    re.MULTILINE,
)
_MINUTES = re.compile(r"\((\d+)\)")
_FACTS = re.compile(r"^```\{class-facts\} (\w+)\n```$", re.MULTILINE)

EMPTY = """## @title@

```{class-facts} @page@
```

**A student can**

- TODO compute something, with numbers
- TODO say why something is so
- TODO build or find something

**Show.** TODO The widget, its setting, and the question that comes before it is moved.

**Three mistakes**

{.mistakes}
TODO The first mistake, as whoever makes it would say it.
: **Ask:** TODO the question that uncovers it.
: **You hear:** TODO the wrong answer.
: **Mend it:** TODO a place of the chapter, a setting of a widget, or an exercise.

TODO The second.
: **Ask:** TODO
: **You hear:** TODO
: **Mend it:** TODO

TODO The third.
: **Ask:** TODO
: **You hear:** TODO
: **Mend it:** TODO

"""


class SyllabusError(ValueError):
    """A line of a syllabus that is no lesson."""


class Exercise(NamedTuple):
    """What a chapter states of one of its exercises; `how` is "Checked", "Paper", "Open" or the like."""

    label: str
    title: str
    level: str
    minutes: int
    how: str


class Lesson(NamedTuple):
    """What is done of one chapter in one week; `page` is empty for what belongs to no chapter."""

    week: int
    page: str
    done: str
    minutes: int
    homework: tuple[str, ...]


def exercises(text: str) -> list[Exercise]:
    """Return the exercises of a chapter's source, in their order."""
    return [
        Exercise(found["label"], found["title"], found["level"], int(found["minutes"]), found["how"])
        for found in _EXERCISE.finditer(text)
    ]


def lessons(lines: Iterable[str]) -> list[Lesson]:
    """Return the lessons of a syllabus; empty lines count for nothing.

    Raises:
        SyllabusError: a line has not four fields, no week, no minutes, or a week before the last one.
    """
    found: list[Lesson] = []
    for line in filter(str.strip, lines):
        fields = [field.strip() for field in line.split("|")]
        minutes = sum(map(int, _MINUTES.findall(fields[2]))) if len(fields) == 4 else 0
        last = found[-1].week if found else 1
        if not minutes or not fields[0].isdigit() or int(fields[0]) < last:
            raise SyllabusError(
                f"expected 'week | page or - | what is done (minutes); … | labels of exercises', with a week "
                f"of {last} or later, got {line.strip()!r}"
            )
        page = fields[1].removeprefix("-")
        found.append(Lesson(int(fields[0]), page, fields[2], minutes, tuple(fields[3].split())))
    return found


def parts(text: str) -> dict[str, tuple[int, int]]:
    """Return where the part of each chapter begins and ends in the page's text, by the chapter's page."""
    starts = [found.start() for found in re.finditer(r"^## ", text, re.MULTILINE)]
    found = {}
    for begin, end in zip(starts, [*starts[1:], len(text)], strict=True):
        if facts := _FACTS.search(text, begin, end):
            found[facts[1]] = (begin, end)
    return found


def part_of(text: str, page: str) -> str:
    """Return the part of a chapter.

    Raises:
        KeyError: it has none.
    """
    begin, end = parts(text)[page]
    return text[begin:end]


def without_chapter(text: str, page: str) -> str:
    """Return the page's text without the chapter's part and its lessons."""
    if page in (known := parts(text)):
        begin, end = known[page]
        text = text[:begin] + text[end:]
    return re.sub(rf"^\d+ \| {page} \|.*\n", "", text, flags=re.MULTILINE)


def with_chapter(text: str, page: str, title: str) -> str:
    """Return the page's text with an empty part for a chapter, behind those with no greater number."""
    known = parts(text)
    before = [end for other, (_, end) in known.items() if other[:2].isdigit() and other[:2] <= page[:2]]
    starts = [begin for begin, _ in known.values()]
    place = before[-1] if before else min(starts, default=len(text))
    if place == len(text):
        text = text.rstrip("\n") + "\n\n"
        place = len(text)
    part = EMPTY.replace("@title@", title).replace("@page@", page)
    return (text[:place] + part + text[place:]).rstrip("\n") + "\n"
