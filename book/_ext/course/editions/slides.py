"""The slides: of each chapter one file that holds all it needs, its widgets alive."""

import base64
import re
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config

from tools import course
from unrolled.widgets import bundle

from ..words import for_scripts, wording
from .deck import slides
from .edition import ToLookAt
from .marks import mark
from .pages import in_order, without_terms

_FONT = re.compile(r'url\("(fonts/[^"]+\.woff2)"\)')
_PICTURE = re.compile(r'(<img [^>]*?src=")(?!data:)([^"]+)"')
_KINDS = {".png": "image/png", ".svg": "image/svg+xml", ".jpg": "image/jpeg", ".gif": "image/gif"}


def to_slides(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Put the slides of a chapter in the place of its text, and a list of all in that of the first page."""
    (top,) = [child for child in doctree.children if isinstance(child, nodes.section)]
    if docname == app.config.root_doc:
        doctree.children = []
        doctree += _front(app, top)
        return
    if not course.is_chapter(docname):
        return
    cited: Any = app.env.get_domain("cite")
    # An id such as "id5" is another thing on another page.
    here = (citation for citation in cited.citations if citation.bibliography_key.docname == docname)
    sources = frozenset(citation.citation_id for citation in here)
    made = slides(top, app.env.toc_fignumbers.get(docname, {}).get("exercise", {}), sources)
    doctree.children = []
    doctree += made
    _unlink(doctree)


def _unlink(doctree: nodes.document) -> None:
    """Leave the words of links into the book, and nothing of what leads to notes that are not here."""
    without_terms(doctree)
    for note in list(doctree.findall(nodes.footnote_reference)):
        note.parent.remove(note)
    for comment in [node for node in doctree.findall(nodes.comment) if mark(node)]:
        comment.parent.remove(comment)
    for reference in list(doctree.findall(nodes.reference)):
        if "://" not in reference.get("refuri", ""):
            reference.replace_self(reference.children)


def _front(app: Sphinx, top: nodes.section) -> nodes.section:
    say = wording(app)
    listed = nodes.bullet_list(classes=["decks"])
    for page in in_order(app.env):
        if course.is_chapter(page):
            link = nodes.reference("", app.env.titles[page].astext(), refuri=f"{page}.html", internal=True)
            listed += nodes.list_item("", nodes.paragraph("", "", link))
    room = nodes.container("", nodes.container("", listed, classes=["fit"]), classes=["room"])
    return nodes.section(
        "",
        nodes.title("", say("editions.slides", title=course.title())),
        room,
        ids=top["ids"],
        classes=["slide"],
    )


def to_one_file(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None
) -> str | None:
    """Give the template everything the page needs, and choose it."""
    from ..page import lighter, widgets_of

    if doctree is None:
        return None
    assets = Path(app.srcdir) / "_assets"
    body = str(context["body"])
    names = widgets_of(body)

    def font(found: re.Match[str]) -> str:
        return f'url("{_data((assets / found[1]).read_bytes(), "font/woff2")}")'

    sheets = [_FONT.sub(font, (assets / "course.css").read_text(encoding="utf-8"))]
    ours = ("words.js", "slides.js")
    scripts = [lighter((assets / name).read_text(encoding="utf-8")) for name in ours]
    context["slides_spoken"] = for_scripts(app, ours)
    if names:
        sheets.append(bundle.stylesheet())
        scripts.append(lighter(bundle.page_script(names)))
    sheets.append((assets / "slides.css").read_text(encoding="utf-8"))
    context["sheets"], context["inline"] = sheets, scripts
    context["body"] = _PICTURE.sub(lambda found: _picture(app, found), _headings(body))
    context["mark"] = _data((assets / "mark.svg").read_bytes(), "image/svg+xml")
    context["is_list"] = pagename == app.config.root_doc
    return "slides.html"


def _headings(body: str) -> str:
    """Return the slides with headings of the second level behind the first, which has the chapter's title."""
    first, end, rest = body.partition("</h1>")
    return first + end + re.sub(r"(</?h)1(?=[\s>])", r"\g<1>2", rest)


def _data(content: bytes, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _picture(app: Sphinx, found: re.Match[str]) -> str:
    """Return an image that holds its picture."""
    source = found[2]
    if "://" in source:
        return found[0]
    path = next(
        Path(app.srcdir) / original for original, (_, copy) in app.env.images.items() if source.endswith(copy)
    )
    return f'{found[1]}{_data(path.read_bytes(), _KINDS[path.suffix])}"'


def keep_slides(app: Sphinx, error: Exception | None) -> None:
    """Remove whatever is not slides: they hold all they need."""
    if error is not None:
        return
    kept = {f"{page}.html" for page in app.env.found_docs if course.is_chapter(page)} | {
        f"{app.config.root_doc}.html"
    }
    out = Path(app.outdir)
    for path in sorted(out.rglob("*"), reverse=True):
        if path.is_dir():
            path.rmdir()
        elif path.relative_to(out).as_posix() not in kept:
            path.unlink()


def without_links(app: Sphinx, config: Config) -> None:
    """Let no heading carry a link to itself: a slide is not read but shown."""
    config.html_permalinks = False


def without_search(app: Sphinx) -> None:
    """Make no index: nothing is searched, and of one that is not kept, no part can be made again."""
    builder: Any = app.builder
    builder.search = False


class Slides(ToLookAt):
    """What a teacher shows."""

    def connect(self, app: Sphinx) -> None:
        """Make slides of every page on its way out."""
        without_links(app, app.config)
        app.connect("builder-inited", without_search)
        app.connect("doctree-resolved", to_slides, priority=900)
        app.connect("html-page-context", to_one_file, priority=995)
        app.connect("build-finished", keep_slides, priority=900)
