"""What holds for the real book: every chapter was timed, and it comes out the same wherever it is built."""

import re
import shutil
from pathlib import Path

from tests.book.little import files
from tools.build_book import build
from tools.notebooks.generate import generate

ROOT = Path(__file__).parents[2]


def differing(first: dict[str, bytes], second: dict[str, bytes]) -> list[str]:
    """Return the names that only one build has, and those of which the bytes differ."""
    assert len(first) > 10
    return sorted(name for name in first.keys() | second.keys() if first.get(name) != second.get(name))


def test_two_builds_of_the_sample_are_the_same_files(
    sample_root: Path, sample_book: Path, tmp_path: Path
) -> None:
    """The second build is in a folder of its own, where every cell runs afresh."""
    assert differing(files(sample_book), files(build(sample_root, tmp_path))) == []


def test_two_builds_of_one_commit_are_the_same_files(built_book: Path, tmp_path: Path) -> None:
    """The second build reads and writes every page in a folder of its own, with the same outputs of cells.

    That cells give the same outputs when they run again is seen where the notebooks run twice
    (tests/notebooks/test_execution.py), and here on the sample's.
    """
    made = tmp_path / "_build"
    made.mkdir()
    shutil.copytree(ROOT / "book" / "_build" / ".jupyter_cache", made / ".jupyter_cache")
    assert differing(files(built_book), files(build(ROOT, tmp_path))) == []


def test_every_chapter_says_how_long_it_was_measured_to_run(built_book: Path) -> None:
    chapters = generate(ROOT)
    assert chapters
    for name in chapters:
        page = (built_book / f"{name}.html").read_text(encoding="utf-8")
        assert "not measured yet" not in page, f"{name}: run `python -m tools.notebooks --time {name}`"
        assert re.search(r"<dt>Running</dt><dd>\d+ (?:(?:s |min )?to \d+ )?(s|min) on a [CG]PU", page), name


def test_the_book_offers_the_committed_notebooks(built_book: Path) -> None:
    """Where the address is the declared one, what a reader downloads is what Colab opens."""
    committed = files(ROOT / "notebooks")
    assert committed
    assert files(built_book / "notebooks") == committed
