"""What the book needs beyond Jupyter Book: mathematics, quizzes, facts, the reference, pages, widgets."""

import gc
import os
import sys
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

# Whoever types `jupyter-book build book` has neither the tools nor, perhaps, the package on the path.
ROOT = Path(__file__).parents[3]
for _folder in (ROOT / "src", ROOT):
    if str(_folder) not in sys.path:
        sys.path.insert(0, str(_folder))

from tools import pybtex_plugins  # noqa: E402
from tools.build_book import environment  # noqa: E402

from . import (  # noqa: E402
    editions,
    facts,
    glossary,
    incremental,
    mathml,
    names,
    notebooks,
    numbers,
    page,
    playground,
    quiz,
    reader,
    reference,
    search,
    sharing,
    teaching,
    times,
    words,
)

__all__ = ["setup"]


def search_what_comes(app: Sphinx, error: Exception | None) -> None:
    """Let Python search again for what nobody needs, but not among all that a build has made."""
    gc.freeze()
    gc.enable()


def setup(app: Sphinx) -> dict[str, Any]:
    """Register every part with Sphinx."""
    # Jupyter Book sets this for an extension the book leaves out.
    app.add_config_value("comments_config", {}, "")
    # The cells of a book built by hand see what those of `make book` see.
    os.environ.update(environment(Path(app.srcdir).parent, Path(app.outdir).parent))
    os.environ.pop("SOURCE_DATE_EPOCH", None)
    pybtex_plugins.register()
    # Pages are trees whose nodes know their parents. Searching them for what nobody needs any more took half
    # of the time of a build; without, one takes 2 GB instead of 0.8. What there is at its end is not searched
    # either.
    gc.disable()
    app.connect("build-finished", search_what_comes)
    parts = (
        words,
        editions,
        mathml,
        numbers,
        quiz,
        facts,
        times,
        teaching,
        reference,
        names,
        glossary,
        search,
        page,
        playground,
        notebooks,
        sharing,
        reader,
        incremental,
    )
    for part in parts:
        part.setup(app)
    return {"version": "1", "parallel_read_safe": False, "parallel_write_safe": True}
