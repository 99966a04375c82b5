"""Decisions have one form, and a list of all of them."""

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "docs" / "decisions"
PAGES = sorted(path for path in FOLDER.glob("*.md") if path.name != "README.md")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_decision_says_why_what_and_what_follows(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    number = re.match(r"(\d{4})-[a-z0-9-]+\.md$", path.name)
    assert number, "expected a name such as 0012-mathml.md"
    assert re.findall(r"^# (.*)", text, re.MULTILINE)[0].startswith(f"{int(number[1])}. ")
    assert len(re.findall(r"^# ", text, re.MULTILINE)) == 1
    parts = re.findall(r"^\*\*(Context|Decision|Consequences)\.\*\* ", text, re.MULTILINE)
    assert parts == ["Context", "Decision", "Consequences"]


def test_all_decisions_are_listed() -> None:
    listed = re.findall(
        r"^- \[(.*)\]\((.*)\)$", (FOLDER / "README.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert listed == [(path.read_text(encoding="utf-8").split("\n")[0][2:], path.name) for path in PAGES]


def test_the_decisions_that_the_code_names_are_there() -> None:
    root = FOLDER.parents[1]
    named = {
        number
        for folder in ("book", "src", "tools")
        for path in (root / folder).rglob("*")
        if path.suffix in {".py", ".mjs", ".yml", ".css", ".js"} and "_build" not in path.parts
        for number in re.findall(r"docs/decisions/(\d{4})", path.read_text(encoding="utf-8"))
    }
    assert named
    assert named <= {path.name[:4] for path in PAGES}
