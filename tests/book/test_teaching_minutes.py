"""Minutes on the page for teachers follow the chapters, also where a build writes only what changed."""

import re
from pathlib import Path

import pytest

from tests.book.little import by_hand, edit, lay_out
from tools.build_book import BuildError, build

CHAPTER = f"""# The first

```{{chapter-facts}}
```

{900 * "word "}

```{{exercise}} A row
:label: ex-row
*Difficulty: easy. About 7 minutes. Checked.*

Solve it.
```
"""
PAGE = """# For teachers

```{syllabus}
:class: 90
1 | 01_first | by hand (20); *a widget* (15) | ex-row
1 | - | projects (30) |
```

## 1. The first

```{class-facts} 01_first
```
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The little book without a cell to run, and with a page for teachers."""
    root = lay_out(tmp_path / "little")
    book = root / "book"
    (book / "01_first.md").write_text(CHAPTER)
    (book / "02_second.md").write_text("# The second\n\nIt is short.\n")
    (book / "_toc.yml").write_text((book / "_toc.yml").read_text() + "  - file: teaching\n")
    (book / "teaching.md").write_text(PAGE)
    return root


def minutes(root: Path) -> list[int]:
    """Return what a chapter states of its reading, what its part states, and what a week has at home."""
    chapter, teaching = (
        (root / "book" / "_build" / "html" / f"{name}.html").read_text() for name in ("01_first", "teaching")
    )
    stated = [re.search(r"<dt>Reading</dt><dd>about (\d+) min", page) for page in (chapter, teaching)]
    home = re.search(r"<strong>(\d+) min</strong>: read \d+; exercises <a[^>]*>1\.1</a>, 7</p>", teaching)
    return [int(found[1]) for found in (*stated, home) if found]


def test_minutes_follow_a_chapter_that_got_longer(root: Path) -> None:
    build(root)
    assert minutes(root) == [5, 5, 12]
    teaching = (root / "book" / "_build" / "html" / "teaching.html").read_text()
    assert "The first, 35 min: by hand (20); a widget (15)" in re.sub(r"<[^>]+>", "", teaching)
    # This build writes that chapter, and no other.
    edit(root / "book" / "01_first.md", "Solve it.", "Solve it." + 400 * " more")
    build(root)
    assert minutes(root) == [7, 7, 14]


def test_where_pages_are_joined_the_minutes_are_the_same(root: Path, tmp_path: Path) -> None:
    made = by_hand(root, tmp_path / "joined", "--builder", "singlehtml")
    assert made.returncode == 0, made.stderr
    (page,) = (tmp_path / "joined").rglob("index.html")
    said = re.sub(r"<[^>]+>", "", page.read_text(encoding="utf-8"))
    assert "The first, 35 min: by hand (20)" in said
    assert "12 min: read 5; exercises 1.1, 7" in said


def test_what_a_syllabus_gets_wrong_is_said(root: Path) -> None:
    lines = {
        "1 | 05_gone | by hand (20) |": "such as 04_self_attention, got '05_gone'",
        "1 | 01_first | by hand (95) |": "week 1: expected at most 90 minutes in class, got 95",
        "1 | 01_first | by hand |": "expected 'week | page or - |",
    }
    wrong = "".join(f"\n```{{syllabus}}\n:class: 90\n{line}\n```\n" for line in lines)
    (root / "book" / "teaching.md").write_text(PAGE + wrong)
    with pytest.raises(BuildError) as error:
        build(root)
    assert [said for said in lines.values() if said not in str(error.value)] == []


def test_homework_that_no_chapter_has_is_said(root: Path) -> None:
    edit(root / "book" / "teaching.md", "| ex-row", "| ex-none")
    with pytest.raises(BuildError, match=r"teaching: expected labels of exercises, .* got 'ex-none'"):
        build(root)
