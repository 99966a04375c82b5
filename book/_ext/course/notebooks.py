"""The notebooks that a reader may download: made anew of the pages that are, with what all pages name."""

from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

from tools.notebooks.generate import GenerationError
from tools.notebooks.labels import join, read_page

from . import editions, incremental

__all__ = ["setup"]


def note(app: Sphinx, doctree: nodes.document) -> None:
    """Keep what has a name on a page that is read."""
    env: Any = app.env
    text = Path(env.doc2path(env.docname)).read_text(encoding="utf-8")
    vars(env).setdefault("course_named", {})[env.docname] = read_page(env.docname, text)


def forget(app: Sphinx, env: Any, page: str) -> None:
    """Forget a page that is read again, or gone."""
    getattr(env, "course_named", {}).pop(page, None)


def add_files(app: Sphinx, error: Exception | None) -> None:
    """Write the notebooks; the committed files carry the declared address, and these that of the site."""
    if error is not None or app.builder.format != "html":
        return
    root, edition, env = Path(app.srcdir).parent, editions.of(app), app.env
    try:
        book = join(getattr(env, "course_named", {}).values())
        notebooks = edition.notebooks(root, incremental.written(app), book)
    except GenerationError as problems:
        raise ExtensionError(f"no notebook can be made:\n{problems}") from problems
    for page, text in notebooks.items():
        if page in env.found_docs and edition.links(root, page).download:
            path = Path(app.outdir) / "notebooks" / f"{page}.ipynb"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode("utf-8"))


def setup(app: Sphinx) -> None:
    """Write notebooks before they are packed."""
    app.connect("env-purge-doc", forget)
    app.connect("doctree-read", note)
    app.connect("build-finished", add_files)
