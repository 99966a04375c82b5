"""What other sites and search engines are told: title, words and picture of each page, and a map of all."""

from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from docutils import nodes
from sphinx.application import Sphinx

from tools import address
from tools.cards import SIZE, card
from tools.edition import changed, version

from . import editions

__all__ = ["days", "public_url", "setup"]

CARDS = "cards"
SITEMAP = "sitemap.xml"


def days(app: Sphinx) -> dict[str, str]:
    """Return the day of the last change of each page; git is asked once in a build."""
    known: Any = app
    if not hasattr(known, "course_days"):
        known.course_days = changed(Path(app.srcdir).parent)
    found: dict[str, str] = known.course_days
    return found


def public_url(app: Sphinx, docname: str) -> str:
    """Return the address under which the book is published for a page: the first has that of the folder."""
    return address.pages_url() + ("" if docname == app.config.root_doc else f"{docname}.html")


def add_to_context(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Give the template what sharing.html and colophon.html write."""
    context["edition"] = {"version": version(), "changed": days(app).get(pagename, "")}
    if (
        doctree is None or not editions.of(app).is_published
    ):  # the search, and the page for an address that is none
        context["sharing"] = None
        return
    title = app.env.titles[pagename].astext()
    context["sharing"] = {
        "title": title,
        "kind": "website" if pagename == app.config.root_doc else "article",
        "url": public_url(app, pagename),
        "picture": f"{address.pages_url()}{CARDS}/{pagename}.png",
        "width": SIZE[0],
        "height": SIZE[1],
    }


def add_files(app: Sphinx, error: Exception | None) -> None:
    """Draw the pictures that are not there, and write the map of the site."""
    if error is not None or app.builder.name != "html" or not editions.of(app).is_published:
        return
    pages = sorted(app.env.found_docs)
    for docname in pages:
        path = Path(app.outdir) / CARDS / f"{docname}.png"
        # A title that changes has all pages written anew, in an empty folder.
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(card(app.env.titles[docname].astext()))
    entries = "".join(f"  <url>{_entry(app, docname)}</url>\n" for docname in pages)
    (Path(app.outdir) / SITEMAP).write_text(
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{entries}</urlset>\n',
        encoding="utf-8",
    )


def _entry(app: Sphinx, docname: str) -> str:
    day = days(app).get(docname, "")
    at = f"<loc>{escape(public_url(app, docname))}</loc>"
    return at + (f"<lastmod>{day}</lastmod>" if day else "")


def setup(app: Sphinx) -> None:
    """Connect to Sphinx's events: the page's own extension comes first, and empties the folder of files."""
    app.connect("html-page-context", add_to_context, priority=991)
    app.connect("build-finished", add_files, priority=600)
