import json
import re
import shutil
from pathlib import Path

import pytest
import yaml

from tools.new_chapter import ROOT, main
from tools.notebooks.execution import execute
from tools.notebooks.generate import generate


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository whose book holds what a new chapter refers to."""
    (tmp_path / "book").mkdir()
    for name in ("notation.md", "references.bib"):
        shutil.copy(ROOT / "book" / name, tmp_path / "book" / name)
    return tmp_path


def test_a_new_chapter_has_every_part_in_order(repository: Path) -> None:
    assert main(["05", "qkv", "Queries, keys, values"], root=repository) == 0
    text = (repository / "book" / "05_qkv.md").read_text(encoding="utf-8")
    assert re.findall(
        r"^#+ .*", re.sub(r"```\{code-cell\}.*?```", "", text, flags=re.DOTALL), re.MULTILINE
    ) == [
        "# Queries, keys, values",
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
    assert text.count("# Your turn") == 2
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


def test_it_prints_the_line_for_the_table_of_contents(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["05", "qkv", "Queries, keys, values"], root=repository)
    printed = capsys.readouterr().out
    assert yaml.safe_load(printed.split("add:\n")[1]) == [{"file": "05_qkv"}]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["5", "qkv", "Title"], "number: expected two digits such as 05, got '5'"),
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
