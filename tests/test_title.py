"""One title, and every place that shows it."""

import re
import subprocess
from pathlib import Path

from tools import course

ROOT = Path(__file__).parents[1]
# What people read first, and what lawyers do: written by hand, and compared here.
WRITTEN = {"README.md", "book/index.md", "LICENSE", "LICENSE-CONTENT", "pyproject.toml"}
DECLARED = "book/_config.yml"


def test_the_title_stands_nowhere_else() -> None:
    """No code, no test and no page repeats it; CITATION.cff and the notebooks are generated."""
    found = subprocess.run(
        ["git", "-c", "safe.directory=*", "grep", "-I", "-l", "-F", "-e", course.title()],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    elsewhere = {path for path in found if not path.startswith("notebooks/")}
    assert elsewhere == {DECLARED, "CITATION.cff", *WRITTEN}, "write it with tools.course"


def test_the_first_headings_are_the_title() -> None:
    for path in ("README.md", "book/index.md"):
        text = (ROOT / path).read_text(encoding="utf-8")
        assert re.findall(r"^# (.*)", text, re.MULTILINE)[0] == course.title(), path


def test_the_configuration_says_it_once() -> None:
    titles = re.findall(rf".*{course.title()}.*", (ROOT / DECLARED).read_text(encoding="utf-8"))
    assert titles == [f"title: {course.title()}", f"author: The {course.title()} authors"]
