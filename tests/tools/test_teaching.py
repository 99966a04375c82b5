"""The page for teachers: its lessons are read, and its parts come and go with their chapters."""

import shutil
from pathlib import Path

import pytest

from tools import new_chapter, remove_chapter
from tools.teaching import (
    Exercise,
    SyllabusError,
    exercises,
    lessons,
    part_of,
    parts,
    with_chapter,
    without_chapter,
)

PAGE = """# Teachers

```{syllabus}
:class: 90
1 | 04_one | by hand (20); a widget (15) | ex-a ex-b
2 | 07_two | exercise 7.1 (10) |
2 | - | projects (50) |
```

## 4. One

```{class-facts} 04_one
```

One.

## 7. Two

```{class-facts} 07_two
```

Two.
"""


def test_a_lesson_has_the_minutes_of_what_is_done() -> None:
    lines = PAGE.partition(":class: 90\n")[2].partition("```")[0].split("\n")
    assert [(one.week, one.page, one.minutes, one.homework) for one in lessons(lines)] == [
        (1, "04_one", 35, ("ex-a", "ex-b")),
        (2, "07_two", 10, ()),
        (2, "", 50, ()),
    ]


@pytest.mark.parametrize(
    "line",
    ["1 | 04_one | by hand (20)", "1 | 04_one | by hand | ex-a", "x | 04_one | by hand (20) | ex-a"],
)
def test_a_line_that_is_no_lesson_is_named(line: str) -> None:
    with pytest.raises(SyllabusError, match=r"expected 'week \| page or - \|.*got '"):
        lessons([line])


def test_weeks_do_not_go_back() -> None:
    with pytest.raises(SyllabusError, match=r"with a week of 3 or later, got '2 \| -"):
        lessons(["3 | - | one (5) | ", "2 | - | two (5) | "])


def test_an_exercise_is_read_with_what_it_states() -> None:
    stated = (
        "```{exercise} A row\n:label: ex-row\n\n*Difficulty: easy. About 5 minutes. Predict, then run.*\n"
    )
    assert exercises(stated) == [Exercise("ex-row", "A row", "easy", 5, "Predict, then run")]


@pytest.mark.parametrize(
    ("page", "order"),
    [
        ("05_new", ["04_one", "05_new", "07_two"]),
        ("01_new", ["01_new", "04_one", "07_two"]),
        ("09_new", ["04_one", "07_two", "09_new"]),
    ],
)
def test_an_empty_part_is_laid_out_in_its_place_and_goes_again(page: str, order: list[str]) -> None:
    more = with_chapter(PAGE, page, f"{int(page[:2])}. New")
    assert list(parts(more)) == order
    assert part_of(more, page).startswith(f"## {int(page[:2])}. New\n")
    assert without_chapter(more, page).split() == PAGE.split()


def test_a_chapter_goes_with_its_part_and_its_lessons() -> None:
    less = without_chapter(PAGE, "04_one")
    assert "04_one" not in less
    assert part_of(less, "07_two") == part_of(PAGE, "07_two")
    assert "2 | 07_two | exercise 7.1 (10) |\n2 | - | projects" in less


def test_the_commands_lay_out_a_part_and_take_it_away(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "book").mkdir()
    shutil.copy(new_chapter.ROOT / "book" / "_toc.yml", tmp_path / "book" / "_toc.yml")
    page = tmp_path / "book" / "teaching.md"
    page.write_text(PAGE, encoding="utf-8")
    assert new_chapter.main(["05", "new", "Something new"], root=tmp_path) == 0
    assert "Laid out its part in book/teaching.md" in capsys.readouterr().out
    assert part_of(page.read_text(encoding="utf-8"), "05_new").startswith("## 5. Something new\n")
    assert remove_chapter.main(["05"], root=tmp_path) == 0
    assert page.read_text(encoding="utf-8").split() == PAGE.split()
