"""A cell of a page runs whole, or up to a line that it has."""

from pathlib import Path

import pytest

from tests.book import cells

PART = "def twice("
PAGE = """# A page

```{code-cell} ipython3
import math
import torch
```

```{code-cell} ipython3
:tags: [hide-input]

def twice(x):
    return 2 * x

DONE = twice(7)
```
"""


@pytest.fixture(autouse=True)
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One page of a book of its own."""
    (tmp_path / "page.md").write_text(PAGE, encoding="utf-8")
    monkeypatch.setattr(cells, "BOOK", tmp_path)


def test_a_cell_stops_before_a_line() -> None:
    assert cells.run("page", PART)["DONE"] == 14
    stopped = cells.run("page", PART, until={PART: "DONE = "})
    assert stopped["twice"](5) == 10
    assert "DONE" not in stopped


@pytest.mark.parametrize(
    ("until", "message"),
    [
        ({PART: "ONE = "}, "no line of the cell of 'def twice\\(' begins 'ONE = '"),
        ({"def hide(": "tokens"}, "until: expected some of"),
    ],
)
def test_a_line_that_the_cell_lacks_is_an_error(until: dict[str, str], message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        cells.run("page", PART, until=until)
