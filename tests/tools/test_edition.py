"""The version is the declared one, and a page's day is that of its last commit."""

import re
import subprocess
from pathlib import Path

import pytest

from tools import edition

ROOT = Path(__file__).parents[2]


def git(root: Path, *arguments: str, day: str = "2026-03-01") -> None:
    at = f"{day}T12:00:00+00:00"
    who = {
        f"GIT_{role}_{what}": "a@example.org"
        for role in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(root),
        **who,
        "GIT_AUTHOR_DATE": at,
        "GIT_COMMITTER_DATE": at,
    }
    subprocess.run(["git", *arguments], cwd=root, env=environment, check=True, capture_output=True)


def write(root: Path, page: str, text: str, day: str) -> None:
    (root / "book" / f"{page}.md").write_text(text)
    git(root, "add", ".")
    git(root, "commit", "-m", "a", day=day)


@pytest.fixture
def history(tmp_path: Path) -> Path:
    root = tmp_path / "whole"
    (root / "book").mkdir(parents=True)
    git(root, "init", "-b", "main")
    write(root, "01_first", "one", "2026-03-01")
    write(root, "02_seçond", "one", "2026-03-02")
    write(root, "01_first", "two", "2026-04-03")
    return root


def test_the_version_is_the_declared_one() -> None:
    declared = re.search(r'^version = "(.*)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert declared
    assert edition.version() == declared[1]


def test_a_page_has_the_day_of_its_last_commit(history: Path) -> None:
    assert edition.changed(history) == {"01_first": "2026-04-03", "02_seçond": "2026-03-02"}


def test_a_clone_without_its_history_knows_no_day(history: Path, tmp_path: Path) -> None:
    """Every page would have the day of the one commit that is there."""
    git(tmp_path, "clone", "--depth", "1", history.as_uri(), "shallow")
    assert edition.changed(tmp_path / "shallow") == {}


def test_a_folder_without_a_history_knows_no_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert edition.changed(tmp_path) == {}
    monkeypatch.setenv("PATH", str(tmp_path))
    assert edition.changed(ROOT) == {}
