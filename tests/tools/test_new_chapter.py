import json
import re
import shutil
from pathlib import Path

import pytest
import yaml

from tests.book import test_solutions
from tools.new_chapter import ROOT, main
from tools.notebooks.execution import execute
from tools.notebooks.generate import generate

TOC = """format: jb-book
root: index
parts:
  - caption: One
    chapters:
      - file: 04_before
  - caption: Two
    chapters:
      - file: 06_behind
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository whose book holds what a new chapter refers to."""
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "_toc.yml").write_text(TOC)
    for name in ("notation.md", "references.bib"):
        shutil.copy(ROOT / "book" / name, tmp_path / "book" / name)
    return tmp_path


def test_an_interlude_has_no_number_and_is_listed_by_hand(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["interlude", "rest", "A rest"], root=repository) == 0
    assert "\n# A rest\n" in (repository / "book" / "interlude_rest.md").read_text(encoding="utf-8")
    assert "add:\n      - file: interlude_rest" in capsys.readouterr().out
    assert (repository / "book" / "_toc.yml").read_text() == TOC
    assert "interlude_rest" in generate(repository)


def test_a_new_chapter_has_every_part_in_order(repository: Path) -> None:
    assert main(["05", "qkv", "Queries, keys, values"], root=repository) == 0
    text = (repository / "book" / "05_qkv.md").read_text(encoding="utf-8")
    assert re.findall(
        r"^#+ .*", re.sub(r"```\{code-cell\}.*?```", "", text, flags=re.DOTALL), re.MULTILINE
    ) == [
        "# 5. Queries, keys, values",
        "## What should happen",
        "## By hand",
        "## The equation",
        "## The code of that equation",
        "## The same as the package, the same as PyTorch",
        "## Try it",
        "## An experiment that could have gone the other way",
        "## Exercises",
        "## Quiz",
        "## What you know now, and what is missing",
        "## Sources",
    ]
    assert text.index("```{chapter-facts}") < text.index("**TODO The question of this chapter")
    assert text.count("{exercise}") == 4
    assert text.count("{dropdown} Hint") == text.count("{dropdown} Solution") == 4
    assert text.count("*Difficulty: ") == 4
    assert text.count("    ...  # your code") == 2
    # No line of code is wider than the box it stands in.
    code = "".join(re.findall(r"```\{code-cell\}\n(.*?)```", text, flags=re.DOTALL))
    assert max(map(len, code.split("\n"))) <= 76
    assert text.count("```{quiz}") == 3
    assert "```{bibliography}" in text
    assert "@" not in text.replace(" @ ", "")


def test_a_new_chapter_becomes_a_notebook_that_runs(repository: Path, tmp_path: Path) -> None:
    assert main(["05", "qkv", "Queries, keys, values"], root=repository) == 0
    made = generate(repository)
    assert list(made) == ["05_qkv"]
    folder = tmp_path / "empty"
    folder.mkdir()
    done = execute(made["05_qkv"], folder)
    assert all(cell.execution_count for cell in done.cells if cell.cell_type == "code")
    assert "Exercise 5.4" in json.dumps(made)


@pytest.mark.parametrize(
    ("number", "parts"),
    [
        ("05", [["04_before", "05_qkv"], ["06_behind"]]),
        ("07", [["04_before"], ["06_behind", "07_qkv"]]),
        ("01", [["01_qkv", "04_before"], ["06_behind"]]),
    ],
)
def test_it_is_listed_where_its_number_belongs(repository: Path, number: str, parts: list[list[str]]) -> None:
    main([number, "qkv", "Queries, keys, values"], root=repository)
    toc = yaml.safe_load((repository / "book" / "_toc.yml").read_text())
    assert [[chapter["file"] for chapter in part["chapters"]] for part in toc["parts"]] == parts


def test_the_line_for_a_table_of_contents_without_chapters_is_printed(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (repository / "book" / "_toc.yml").write_text("format: jb-book\nroot: index\n")
    main(["05", "qkv", "Queries, keys, values"], root=repository)
    printed = capsys.readouterr().out
    assert yaml.safe_load(printed.split("add:\n")[1]) == [{"file": "05_qkv"}]


def test_what_every_chapter_must_have_a_new_one_has(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The checks of the real book's exercises pass on it as it was laid out."""
    main(["05", "qkv", "Queries, keys, values"], root=repository)
    monkeypatch.setattr(test_solutions, "CHAPTERS", [repository / "book" / "05_qkv.md"])
    test_solutions.test_every_check_in_a_chapter_has_a_solution()
    exercises = test_solutions.solved()
    assert len(exercises) == 2
    for exercise in exercises:
        test_solutions.test_solution_passes_its_check(exercise)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["5", "qkv", "Title"], "number: expected two digits such as 05, or interlude, got '5'"),
        (["05", "Q K", "Title"], "name: expected small letters"),
        (["05", "../qkv", "Title"], "name: expected small letters"),
        (["05", "qkv", " "], "title: expected one line of text, got ' '"),
    ],
)
def test_bad_names_are_refused(
    repository: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(repository.rglob("*"))
    assert main(arguments, root=repository) == 1
    assert message in capsys.readouterr().err
    assert sorted(repository.rglob("*")) == before


def test_a_number_that_is_taken_is_refused(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["05", "qkv", "Queries"], root=repository) == 0
    before = (repository / "book" / "05_qkv.md").read_bytes()
    assert main(["05", "qkv", "Other"], root=repository) == 1
    assert main(["05", "other", "Other"], root=repository) == 1
    assert "number: book/05_qkv.md has it already" in capsys.readouterr().err
    assert (repository / "book" / "05_qkv.md").read_bytes() == before
