"""What the tests of hand examples share: the cells of a page, run as they are printed."""

import re
from pathlib import Path
from typing import Any

__all__ = ["run"]

BOOK = Path(__file__).parents[2] / "book"
CELL = re.compile(r"^```\{code-cell\}[^\n]*\n(?::[^\n]*\n)*(.*?)^```$", re.DOTALL | re.MULTILINE)


def run(
    page: str, *parts: str, given: dict[str, Any] | None = None, until: dict[str, str] | None = None
) -> dict[str, Any]:
    """Return the names that the page's imports and the first cells that hold each of `parts` define.

    What is `given` stands in place of cells that are left out. The cell of a part that is in `until` stops
    before its first line that begins so: what comes after, which may train for long, is not read.
    """
    scope: dict[str, Any] = dict(given or {})
    ends = until or {}
    assert ends.keys() <= {*parts}, f"until: expected some of {parts}, got {[*ends]}"
    cells: list[str] = CELL.findall((BOOK / f"{page}.md").read_text(encoding="utf-8"))
    for part in ("\nimport torch", *parts):
        code = next((f"\n{cell}" for cell in cells if part in f"\n{cell}"), None)
        assert code is not None, f"{page}: no cell holds {part!r}"
        if part in ends:
            code, found, _ = code.partition(f"\n{ends[part]}")
            assert found, f"{page}: no line of the cell of {part!r} begins {ends[part]!r}"
        exec(code, scope)
    return scope
