"""The words of the frame, from ``book/_words.yml``: for templates, for directives, and for a page's scripts.

A template and a directive call `say` with a key, and so does a script: a page carries the words that its own
scripts ask for (docs/decisions/0024).
"""

import re
from functools import cache
from pathlib import Path
from typing import Any

from docutils import nodes
from myst_nb.sphinx_ import HideCodeCellNode  # type: ignore[import-untyped]
from sphinx.application import Sphinx
from sphinx.builders import Builder
from sphinx.config import Config
from sphinx.errors import ConfigError
from sphinx.transforms.post_transforms import SphinxPostTransform

from tools.words import Words, WordsError, spoken_in, words

__all__ = ["for_scripts", "setup", "wording"]

_SCRIPT = re.compile(r"_static/(\w+\.js)")


def wording(app: Sphinx | Builder) -> Words:
    """Return the words of the book that is being built."""
    return words(Path(app.srcdir).parent)


def for_scripts(app: Sphinx, names: tuple[str, ...]) -> str:
    """Return the words that these scripts of the book ask for, as JSON that may stand in a page."""
    return _json(Path(app.srcdir), tuple(sorted(names)))


@cache
def _json(book: Path, names: tuple[str, ...]) -> str:
    paths = [book / "_assets" / name for name in names]
    asked = {key for path in paths if path.is_file() for key in spoken_in(path.read_text(encoding="utf-8"))}
    return words(book.parent).json(asked)


def check(app: Sphinx, config: Config) -> None:
    """Refuse words that cannot be used, before any page is read, and let a folded cell ask for its own."""
    try:
        words(Path(app.srcdir).parent)
    except WordsError as error:
        raise ConfigError(str(error)) from error
    # What myst-nb calls the parts of a cell is English; `CellPrompts` puts our words in their place.
    config["nb_code_prompt_show"], config["nb_code_prompt_hide"] = "show {type}", "hide {type}"


class CellPrompts(SphinxPostTransform):
    """Say in our words what a folded cell shows and hides."""

    default_priority = 900
    formats = ("html",)

    def run(self, **kwargs: Any) -> None:
        """Replace both prompts of each fold."""
        say = wording(self.app)
        prompts = {
            "show content": say("code.show_content"),
            "show source": say("code.show_source"),
            "show output": say("code.show_output"),
            "show outputs": say("code.show_outputs"),
            "hide content": say("code.hide_content"),
            "hide source": say("code.hide_source"),
            "hide output": say("code.hide_output"),
            "hide outputs": say("code.hide_outputs"),
        }
        for fold in self.document.findall(HideCodeCellNode):
            for name in ("prompt_show", "prompt_hide"):
                # A cell may have a prompt of its own.
                fold[name] = prompts.get(fold[name], fold[name])


def add_to_context(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Give every template `say`, and the words for the scripts that its page loads."""
    context["say"] = wording(app).html
    loaded = [*context.get("scripts", ()), *(["_static/search.js"] if pagename == "search" else [])]
    context["spoken"] = for_scripts(app, tuple(name for path in loaded for name in _SCRIPT.findall(path)))


def setup(app: Sphinx) -> None:
    """Check the words first, and be the last to add to a page: it must be known what the page loads."""
    app.connect("config-inited", check, priority=100)
    app.add_post_transform(CellPrompts)
    app.connect("html-page-context", add_to_context, priority=999)
