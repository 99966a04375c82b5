"""The JavaScript of widgets and pages is checked, and what is wrong with it is found."""

import shutil
from pathlib import Path

import pytest

from tools import javascript


def test_typescript_and_eslint_find_nothing() -> None:
    assert javascript.complaints() == ""


@pytest.mark.parametrize(
    "module", [f"{javascript.SOURCES[0]}/wrong.mjs", f"{javascript.SOURCES[1]}/wrong.js"]
)
def test_a_wrong_type_and_an_unused_name_are_found(tmp_path: Path, module: str) -> None:
    for name in javascript.SOURCES:
        shutil.copytree(javascript.ROOT / name, tmp_path / name)
    wrong = (
        "/** @param {number} x */\nexport function twice(x) { const three = 3; return 2 * x; }\ntwice('a');\n"
    )
    (tmp_path / module).write_text(wrong, encoding="utf-8")
    said = javascript.complaints(tmp_path)
    assert "Argument of type 'string' is not assignable to parameter of type 'number'" in said
    assert "'three' is assigned a value but never used" in said
    assert said.count("error TS") == 1
