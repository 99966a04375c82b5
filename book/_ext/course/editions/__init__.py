"""The editions of one source: the book, the handout without solutions, the solutions, the slides.

Every edition reads the same pages, with the same outputs of the same cells; it differs in what it writes.
So the environment Sphinx keeps serves all, and no cell runs for one that has run for another.
"""

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ConfigError

from ..words import wording
from .edition import Edition
from .handout import Handout
from .slides import Slides
from .solutions import Solutions

__all__ = ["EDITIONS", "Edition", "of", "setup"]

EDITIONS: dict[str, type[Edition]] = {
    "book": Edition,
    "handout": Handout,
    "solutions": Solutions,
    "slides": Slides,
}


def of(app: Sphinx) -> Edition:
    """Return the edition that is being built."""
    name = app.config.course_edition
    if name not in EDITIONS:
        raise ConfigError(f"course_edition: expected one of {', '.join(EDITIONS)}, got {name!r}")
    return EDITIONS[name]()


def begin(app: Sphinx, config: Config) -> None:
    """Give the edition its title, and let it connect what it changes."""
    edition = of(app)
    config.html_title = edition.title(config.html_title, wording(app))
    edition.connect(app)


def setup(app: Sphinx) -> None:
    """Register the setting that names the edition."""
    # No reason to read anything again: what is read is the same.
    app.add_config_value("course_edition", "book", "", str)
    app.connect("config-inited", begin, priority=900)
