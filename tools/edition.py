"""Which edition a reader holds: the version of the course, and the day on which each page was last changed.

The version stands in pyproject.toml. The days come out of git's history, so nobody types them; where there is
no whole history (an archive, a shallow clone), there are none.
"""

import subprocess
from pathlib import Path

from tools.project import project

__all__ = ["changed", "version"]

ROOT = Path(__file__).parents[1]


def version() -> str:
    """Return the version, such as ``0.1.0``."""
    return str(project()["version"])


def changed(root: Path = ROOT) -> dict[str, str]:
    """Return the day of the last commit to each page of the book at `root` (``2026-03-01``), by page."""
    if _git(root, "rev-parse", "--is-shallow-repository").strip() != "false":
        return {}
    days: dict[str, str] = {}
    day = ""
    for line in _git(
        root, "log", "--relative", "--name-only", "--format=%x00%as", "--", "book/*.md"
    ).splitlines():
        if line.startswith("\0"):
            day = line[1:]
        elif line:
            days.setdefault(line.removeprefix("book/").removesuffix(".md"), day)
    return days


def _git(root: Path, *arguments: str) -> str:
    """Return what git says of the repository at `root`: nothing where there is no git, or none of its own."""
    command = ["git", "-c", "safe.directory=*", "-c", "core.quotePath=false", "-C", str(root), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    except OSError:
        return ""
    return done.stdout if done.returncode == 0 else ""
