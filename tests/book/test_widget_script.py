"""The script that carries all widgets: lighter than its sources, and no text of a template is lost."""

import re
from pathlib import Path

from unrolled.widgets import bundle

COMMENT = re.compile(r"^\s*(?://|/?\*)")


def test_it_loses_comments_and_no_space_of_a_text(sample_book: Path) -> None:
    written = (sample_book / "_static" / "unrolled-widgets.js").read_text(encoding="utf-8")
    source = bundle.page_script(bundle.WIDGETS)
    assert len(written) < 0.75 * len(source)
    code = [line.split(" // ")[0].strip() for line in source.splitlines() if not COMMENT.match(line)]
    single = {line[line.index("`") : line.rindex("`") + 1] for line in code if line.count("`") == 2}
    # A template within a template, such as the "over 3 seeds" of the length curves: the whole line.
    nested = {line for line in code if line.count("`") > 2}
    assert any("`, over ${seeds} seeds`" in line for line in nested)
    assert len(single) > 100
    assert sorted(text for text in single | nested if text not in written) == []
