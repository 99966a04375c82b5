"""What the book needs beyond Jupyter Book: mathematics, quizzes, facts, pages, widgets without a server."""

from typing import Any

from sphinx.application import Sphinx

from . import facts, mathml, numbers, page, quiz

__all__ = ["setup"]


def setup(app: Sphinx) -> dict[str, Any]:
    """Register every part with Sphinx."""
    # Jupyter Book sets this for an extension the book leaves out.
    app.add_config_value("comments_config", {}, "")
    for part in (mathml, numbers, quiz, facts, page):
        part.setup(app)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
