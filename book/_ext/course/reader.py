"""What stays with a reader: keys, a place in the browser, all notebooks in one file, a page for the lost."""

import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from docutils import nodes
from sphinx.application import Sphinx

from tools import address, course
from tools.edition import version
from tools.words import Words

from . import editions
from .links import ARCHIVE
from .page import digest
from .words import wording

__all__ = ["setup"]

LOST = "404"
_ASSETS = ("reader.css", "reader.js", "keys.js")


def add_to_context(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Give every page the style and the scripts; the page for lost readers gets its style within itself."""
    assets = Path(app.srcdir) / "_assets"
    if pagename == LOST:
        context.update(
            style=re.sub(r"@font-face \{.*?\}\n|/\*.*?\*/", "", (assets / "course.css").read_text("utf-8")),
            folder=urlsplit(address.pages_url()).path,
            published=address.pages_url(),
        )
        return
    for name in _ASSETS:
        there = f"{context['pathto'](f'_static/{name}', 1)}?v={digest((assets / name).read_bytes())}"
        context["styles" if name.endswith(".css") else "scripts"].append(there)


def lost(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Have Sphinx write the page that GitHub Pages shows for an address that is none."""
    if app.builder.name == "html" and editions.of(app).is_published:
        say = wording(app)
        yield LOST, {"title": say("lost.title")}, "404.html"


def add_files(app: Sphinx, error: Exception | None) -> None:
    """Pack the notebooks."""
    if error is not None or app.builder.name != "html":
        return
    out = Path(app.outdir)
    if (out / "notebooks").is_dir():
        (out / ARCHIVE).write_bytes(packed(out / "notebooks", wording(app)))


def packed(folder: Path, say: Words) -> bytes:
    """Return the notebooks as one archive, which depends on nothing but what they hold."""
    title = course.title()
    name = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.ipynb")}
    about = say("archive.readme", title=title, version=version(), pages=address.pages_url())
    files["README.txt"] = about.encode("utf-8")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path, content in sorted(files.items()):
            # The first day an archive can name: when it was made is not what it holds.
            entry = zipfile.ZipInfo(f"{name}/{path}", (1980, 1, 1, 0, 0, 0))
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(entry, content)
    return out.getvalue()


def setup(app: Sphinx) -> None:
    """Connect to Sphinx's events, behind the page's own extension."""
    app.connect("html-page-context", add_to_context, priority=992)
    app.connect("html-collect-pages", lost)
    app.connect("build-finished", add_files, priority=600)
