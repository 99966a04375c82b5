"""The folded solutions of the chapters pass the checks that learners run."""

import importlib
import re
from typing import NamedTuple

import pytest

from tools import course

CHAPTERS = [course.ROOT / "book" / f"{page}.md" for page in course.chapters()]

# A folded solution with code, and the next cell, whose last line checks what the learner made.
SOLVED = re.compile(
    r"^```\{dropdown\} Solution\n(?P<solution>.*?)^```\n(?P<between>.*?)"
    r"^```\{code-cell\}\n(?P<cell>.*?)^```\n",
    re.DOTALL | re.MULTILINE,
)
CODE = re.compile(r"^~~~python\n(.*?)^~~~", re.DOTALL | re.MULTILINE)
CHECK = re.compile(r"^(check_\w+)\((\w+)\)$", re.MULTILINE)
MODULE = re.compile(r"^from (unrolled\.exercises\.\w+) import", re.MULTILINE)


class Solved(NamedTuple):
    module: str
    check: str
    name: str
    code: str


def solved() -> list[Solved]:
    found = []
    for page in CHAPTERS:
        text = page.read_text(encoding="utf-8")
        for match in SOLVED.finditer(text):
            code, check = CODE.search(match["solution"]), CHECK.search(match["cell"])
            if code and check and "{exercise}" not in match["between"]:
                module = MODULE.search(text)
                assert module, f"{page.name} checks exercises but imports no checks"
                found.append(Solved(module[1], check[1], check[2], code[1]))
    return found


def test_every_check_in_a_chapter_has_a_solution() -> None:
    for page in CHAPTERS:
        checks = {check for check, _ in CHECK.findall(page.read_text(encoding="utf-8"))}
        assert len(checks) >= 2, f"{page.name}: two exercises at least are checked on the spot"
        assert checks <= {exercise.check for exercise in solved()}, page.name


@pytest.mark.parametrize("exercise", solved(), ids=lambda exercise: exercise.check)
def test_solution_passes_its_check(exercise: Solved) -> None:
    check = getattr(importlib.import_module(exercise.module), exercise.check)
    scope: dict[str, object] = {}
    exec(f"import torch\n{exercise.code}", scope)
    result = check(scope[exercise.name])
    assert result.passed, result.message
