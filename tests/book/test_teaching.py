"""The page for teachers: a part for every chapter, minutes that add up, no number that its chapter lacks."""

import html
import re
from collections import Counter
from itertools import groupby
from pathlib import Path

import pytest

from tools import course
from tools.notebooks.labels import read_book
from tools.teaching import Exercise, Lesson, exercises, lessons, part_of, parts

BOOK = course.ROOT / "book"
TEXT = (BOOK / "teaching.md").read_text(encoding="utf-8")
CHAPTERS = {page: (BOOK / f"{page}.md").read_text(encoding="utf-8") for page in course.chapters()}
PARTS = parts(TEXT)
LABELS = read_book(CHAPTERS).labels
EXERCISES: dict[str, dict[str, Exercise]] = {
    page: {one.label: one for one in exercises(text)} for page, text in CHAPTERS.items()
}
SYLLABI: dict[int, list[Lesson]] = {
    int(found[1]): lessons(found[2].split("\n"))
    for found in re.finditer(r"^```\{syllabus\}\n:class: (\d+)\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
}
MISTAKE = re.compile(
    r"^(?P<said>\S.*)\n: \*\*Ask:\*\* (?P<ask>.+)\n"
    r": \*\*You hear:\*\* (?P<hear>.+)\n: \*\*Mend it:\*\* (?P<mend>.+)$",
    re.MULTILINE,
)
# Numerals, with their decimals and thousands: 0.96, 4,096, 512.
NUMBER = re.compile(r"(?<![\w.,])\d+(?:,\d{3})*(?:\.\d+)?(?![\d])")


def said_in(text: str) -> set[str]:
    """Return the numbers of a text."""
    return {number.replace(",", "") for number in NUMBER.findall(text.replace("{,}", ","))}


@pytest.mark.parametrize("page", CHAPTERS)
def test_every_chapter_has_its_part_with_goals_and_three_mistakes(page: str) -> None:
    assert page in PARTS, f"book/teaching.md: a part with ```{{class-facts}} {page}``` is missing"
    part = part_of(TEXT, page)
    goals = re.findall(
        r"^- .+$", part.partition("**A student can**")[2].partition("**Show.**")[0], re.MULTILINE
    )
    assert 3 <= len(goals) <= 5, f"{page}: 3 to 5 goals"
    assert len(re.findall(r"^\*\*Show\.\*\* .{80,}", part, re.MULTILINE)) == 1, f"{page}: what to show"
    mistakes = list(MISTAKE.finditer(part.partition("**Three mistakes**")[2]))
    assert len(mistakes) == 3, f"{page}: three mistakes, each with Ask, You hear and Mend it"
    assert all(mistake["ask"].count("?") >= 1 for mistake in mistakes), (
        f"{page}: a question uncovers a mistake"
    )
    assert part.count(": **") == 9


def test_parts_stand_in_the_order_of_the_chapters_and_are_of_chapters() -> None:
    assert [page for page in PARTS if page in CHAPTERS] == [page for page in CHAPTERS if page in PARTS]
    assert set(PARTS) <= set(CHAPTERS)
    for page in PARTS:
        head = part_of(TEXT, page).split("\n")[0].removeprefix("## ")
        own = re.search(r"^# (.+)$", CHAPTERS[page], re.MULTILINE)
        assert own
        assert (
            head.split(". ")[0] == own[1].split(". ")[0]
            if page[0].isdigit()
            else head.startswith("Interlude")
        )


@pytest.mark.parametrize("page", PARTS)
def test_the_numbers_of_a_part_stand_in_its_chapter(page: str) -> None:
    # Not its heading, and not the numbers of what it calls: chapters, equations, places of links.
    part = part_of(TEXT, page).partition("\n")[2]
    called = r"\bchapters? \d+|\bequations? [\d. and]+|\]\([^)]*\)|^```.*?^```$"
    part = re.sub(called, "", part, flags=re.DOTALL | re.MULTILINE)
    assert said_in(part) - said_in(CHAPTERS[page]) == set()


@pytest.mark.parametrize("page", PARTS)
def test_what_a_part_shows_is_in_its_chapter(page: str) -> None:
    """A link leads into this chapter, to a heading that is there; a widget is called by its title."""
    part, chapter = part_of(TEXT, page), CHAPTERS[page]
    assert set(re.findall(r"\]\((\w+)\.md#", part)) <= {page}
    shown = re.search(r"^\*\*Show\.\*\* (.+)$", part, re.MULTILINE)
    assert shown
    titles = re.findall(r'title="([^"]+)"', chapter)
    words = shown[1].replace("*", "").lower()
    assert any(title.lower() in words for title in titles), f"{page}: one of {titles}"


def test_named_exercises_exist_and_state_their_minutes() -> None:
    named = set(re.findall(r"`(ex-[\w-]+)`", TEXT))
    stated = {label for found in EXERCISES.values() for label in found}
    assert named
    assert named <= stated
    for page, chapter in CHAPTERS.items():
        assert len(EXERCISES[page]) == chapter.count("\n```{exercise}"), (
            f"{page}: one does not state its minutes"
        )
    for chapter, number in re.findall(r"exercise (\d+)\.(\d+)", TEXT):
        assert f"{chapter}.{number}" in {
            label.number for label in LABELS.values() if label.kind == "exercise"
        }


@pytest.mark.parametrize("limit", SYLLABI)
def test_a_syllabus_is_full_where_it_has_all_chapters_and_never_too_full(limit: int) -> None:
    plan = SYLLABI[limit]
    weeks = {week: list(taught) for week, taught in groupby(plan, key=lambda one: one.week)}
    assert list(weeks) == sorted(set(weeks))
    for taught in weeks.values():
        assert sum(one.minutes for one in taught) <= limit
        for one in taught:
            assert one.minutes > 0
            assert not one.page or one.page in CHAPTERS
            # Homework is that of the chapter.
            assert set(one.homework) <= set(EXERCISES.get(one.page, {}))
    assert max(Counter(label for one in plan for label in one.homework).values()) == 1
    pages = [one.page for one in plan if one.page]
    assert pages == [page for page in CHAPTERS if page in pages]


def test_there_is_a_syllabus_of_seven_and_one_of_fourteen_weeks() -> None:
    assert {limit: plan[-1].week for limit, plan in SYLLABI.items()} == {180: 7, 90: 14}


def read_minutes(page: str) -> int:
    found = re.search(r"<dt>Reading</dt><dd>about (\d+) min</dd>", page)
    assert found
    return int(found[1])


def test_the_minutes_of_the_built_page_are_those_that_the_chapters_state(built_book: Path) -> None:
    page = (built_book / "teaching.html").read_text(encoding="utf-8")
    reading = {
        name: read_minutes((built_book / f"{name}.html").read_text(encoding="utf-8")) for name in CHAPTERS
    }
    facts = dict(
        re.findall(
            r'<dl class="chapter-facts"><div><dt>Chapter</dt><dd><a href="(\w+)\.html">(.*?)</dl>', page
        )
    )
    assert set(facts) == set(PARTS)
    for name, told in facts.items():
        assert read_minutes(told) == reading[name]
        assert f"<dd>{sum(one.minutes for one in EXERCISES[name].values())} min in all</dd>" in told
        by_hand, checked = (
            re.findall(r'#([\w-]+)"', told.partition(f"<dt>{key}</dt>")[2].partition("</div>")[0])
            for key in ("By hand", "Checked automatically")
        )
        assert checked == [one.label for one in EXERCISES[name].values() if one.how == "Checked"]
        assert by_hand == [label for label in EXERCISES[name] if label not in checked]
    tables = re.findall(r'<table class="[^"]*syllabus.*?</table>', page, re.DOTALL)
    for table, plan in zip(tables, SYLLABI.values(), strict=True):
        home = [
            html.unescape(re.sub(r"<[^>]+>", "", row)).split()
            for row in re.findall(
                r"<tr[^>]*>.*?<td>.*?</td>\s*<td>.*?</td>\s*<td>(.*?)</td>", table, re.DOTALL
            )
        ]
        weeks = [list(taught) for _, taught in groupby(plan, key=lambda one: one.week)]
        for words, taught in zip(home, [*weeks, plan], strict=True):
            pages = [one.page for one in taught if one.page]
            given = [EXERCISES[one.page][label] for one in taught for label in one.homework]
            read, solve = sum(reading[name] for name in pages), sum(one.minutes for one in given)
            begins = f"{read + solve} min: read {read}" if pages else "–"
            assert " ".join(words).removesuffix(f"; exercises {solve}").startswith(begins)
            if given:
                assert words[-1] == str(solve)
