"""What CONTRIBUTING.md and the README point to is there."""

import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
WHAT = ("chapter", "widget", "exercise", "recipe", "option")


@pytest.mark.parametrize(
    "name", ["CONTRIBUTING.md", "README.md", "docs/decisions/README.md", "docs/fork.md", "docs/teach.md"]
)
def test_every_file_it_links_to_is_there(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+)", text) if "://" not in link]
    assert links
    assert [link for link in links if not (ROOT / name).parent.joinpath(link).exists()] == []


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "docs/fork.md", "docs/teach.md"])
def test_every_command_it_names_is_there(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = {word for line in re.findall(r"`make ([a-z ]+)", text) for word in line.split()}
    assert "book" in targets
    assert [target for target in targets if not re.search(rf"^{target}:", makefile, re.MULTILINE)] == []
    for module in re.findall(r"python -m ((?:tools|benchmarks)[\w.]*)", text):
        path = ROOT.joinpath(*module.split("."))
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), module


@pytest.mark.parametrize("what", WHAT)
def test_whoever_adds_something_finds_the_files(what: str) -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = re.search(rf"^## A new {what}\n(.*?)^## ", text, re.MULTILINE | re.DOTALL)
    assert section
    assert re.search(r"`tests/\S+/test_", section[1])


def test_the_check_in_the_guide_for_forks_works() -> None:
    text = (ROOT / "docs" / "fork.md").read_text(encoding="utf-8")
    code = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert code
    there: dict[str, Any] = {}
    exec(code[1], there)
    check = there["check_double"]
    assert check(lambda x: x + x).passed
    assert "You squared each number" in str(check(lambda x: x**2))
