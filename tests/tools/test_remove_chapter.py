"""A chapter goes without leaving a link, a test or a line behind, and what speaks of it is listed."""

import json
import re
import shutil
from pathlib import Path

import pytest
import yaml

from tools import course
from tools.notebooks.generate import generate
from tools.remove_chapter import ROOT, main, own_tests


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A copy of what a chapter leaves its traces in."""
    for name in ("book", "tests/book"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("_build", "__pycache__"))
    shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks")
    (tmp_path / "results").mkdir()
    shutil.copy(ROOT / "results" / "chapter_times.json", tmp_path / "results")
    return tmp_path


CHAPTERS = course.chapters()


def test_the_last_chapter_goes_without_a_trace(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = CHAPTERS[-1]
    number = page[:2]
    assert main([number], root=repository) == 0
    said = capsys.readouterr().out
    assert list(repository.rglob(f"*{page}*")) == []
    assert page not in (repository / "book" / "_toc.yml").read_text()
    assert page not in json.loads((repository / "results" / "chapter_times.json").read_text())
    for path in (*(repository / "book").rglob("*.md"), *(repository / "tests" / "book").rglob("*.py")):
        assert page not in path.read_text(encoding="utf-8"), path.name
    # What is left can be read: no label and no page is missing.
    assert list(generate(repository)) == CHAPTERS[:-1]
    # Whatever calls it by its number is named with its line.
    for path in (repository / "book").glob("*.md"):
        for line, text in enumerate(path.read_text(encoding="utf-8").split("\n"), start=1):
            if re.search(rf"\bchapter {int(number)}\b", text, re.IGNORECASE):
                assert f"book/{path.name}:{line}: " in said


@pytest.mark.parametrize("page", CHAPTERS)
def test_the_own_tests_a_chapter_are_named_after_it(page: str) -> None:
    """So that they go with it: no other test of pages opens it."""
    own = own_tests(page, ROOT)
    assert own
    for path in (ROOT / "tests" / "book").glob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert path in own or (f"{page}.html" not in text and f'"{page}"' not in text), path.name


def test_links_and_labels_of_the_chapter_are_found(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = CHAPTERS[-1]
    own = repository / "book" / f"{page}.md"
    own.write_text(own.read_text(encoding="utf-8") + "\n$$ a = b $$ (eq-gone)\n", encoding="utf-8")
    other = repository / "book" / "notation.md"
    begins = len(other.read_text(encoding="utf-8").split("\n"))
    see = f"See [it]({page}.md), [a part]({page}.md#part), chapters 1 to {int(page[:2])}."
    text = f"\n{see}\n\n{{eq}}`eq-gone`\n"
    other.write_text(other.read_text(encoding="utf-8") + text, encoding="utf-8")
    assert main([page[:2]], root=repository) == 0
    said = capsys.readouterr().out
    assert f"See it, a part, chapters 1 to {int(page[:2])}." in other.read_text(encoding="utf-8")
    assert f"book/notation.md:{begins + 1}: See it" in said
    assert f"book/notation.md:{begins + 3}: {{eq}}`eq-gone`" in said


def test_an_interlude_goes_by_its_name(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    book = repository / "book"
    for path in book.glob("interlude_*.md"):
        assert main(["interlude"], root=repository) == 0, path.name
    capsys.readouterr()
    toc = (book / "_toc.yml").read_text()
    (book / "_toc.yml").write_text(toc.replace("- file: 09_", "- file: interlude_less\n      - file: 09_", 1))
    front = (book / "08_block.md").read_text(encoding="utf-8").split("\n# ")[0]
    (book / "interlude_less.md").write_text(f"{front}\n# Less\n\nMore.\n", encoding="utf-8")
    (book / "more.md").write_text(
        "See [less](interlude_less.md).\nThe interlude says so.\n", encoding="utf-8"
    )
    test = repository / "tests" / "book" / "test_answers_interlude_less.py"
    test.write_text("")
    order = list(generate(repository))
    assert order[order.index("interlude_less") - 1 :][:3:2] == ["08_block", order[8 + 1]]
    assert main(["interlude"], root=repository) == 0
    assert "book/more.md:2: The interlude says so." in capsys.readouterr().out
    assert (book / "more.md").read_text(encoding="utf-8").startswith("See less.")
    assert not test.exists()
    assert "interlude" not in (book / "_toc.yml").read_text()


@pytest.mark.parametrize("number", ["00", "7", "../07", "x"])
def test_what_is_no_chapter_is_refused(
    repository: Path, number: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(repository.rglob("*"))
    assert main([number], root=repository) == 1
    assert f"got {number!r}" in capsys.readouterr().err
    assert sorted(repository.rglob("*")) == before


def test_the_contents_are_still_a_list_of_parts(repository: Path) -> None:
    main([CHAPTERS[2][:2]], root=repository)
    toc = yaml.safe_load((repository / "book" / "_toc.yml").read_text())
    files = [chapter["file"] for part in toc["parts"] for chapter in part["chapters"]]
    assert CHAPTERS[2] not in files
    assert set(CHAPTERS) - set(files) == {CHAPTERS[2]}
