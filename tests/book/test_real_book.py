"""What holds for the real book: every chapter was timed, and it comes out the same wherever it is built."""

import re
from pathlib import Path

import pytest

from tools.build_book import build
from tools.notebooks.generate import generate

ROOT = Path(__file__).parents[2]


@pytest.fixture
def real_root() -> Path:
    return ROOT


def files(folder: Path) -> dict[str, bytes]:
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()
    }


@pytest.mark.parametrize(
    ("repository", "built"), [("real_root", "built_book"), ("sample_root", "sample_book")]
)
def test_two_builds_of_one_commit_are_the_same_files(
    request: pytest.FixtureRequest, tmp_path: Path, repository: str, built: str
) -> None:
    """The second build is in a folder of its own, where every cell runs afresh."""
    first = files(request.getfixturevalue(built))
    second = files(build(request.getfixturevalue(repository), tmp_path))
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []
    assert len(first) > 10


def test_every_chapter_says_how_long_it_was_measured_to_run(built_book: Path) -> None:
    chapters = generate(ROOT)
    assert chapters
    for name in chapters:
        page = (built_book / f"{name}.html").read_text(encoding="utf-8")
        assert "not measured yet" not in page, f"{name}: run `python -m tools.notebooks --time {name}`"
        assert re.search(r"<dt>Running</dt><dd>\d+ (s|min) on a [CG]PU", page), name


def test_the_book_offers_the_committed_notebooks(built_book: Path) -> None:
    """Where the address is the declared one, what a reader downloads is what Colab opens."""
    committed = files(ROOT / "notebooks")
    assert committed
    assert files(built_book / "notebooks") == committed
