"""What every page of the book is made of: its buttons, its contents, its widgets; nothing from elsewhere."""

import hashlib
import re
from functools import cache
from pathlib import Path
from typing import Any

from docutils import nodes
from rjsmin import jsmin
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

from tools.notebooks.generate import GenerationError, generate
from unrolled.widgets import bundle

from .links import Links, links

_WIDGET = 'class="unrolled-widget"'
# A line of code, no comment, with more than one template.
_TEMPLATES = re.compile(r"^(?![ \t]*(?://|/?\*)).*`.*`.*`.*$", re.MULTILINE)
# sphinx-design's style sheet is 54 KB: for grids, cards and tabs alone; a dropdown is styled by ours.
_DESIGN = re.compile(r'class="[^"]*\bsd-(?:row|tab-set|btn|badge|container)')


def add_to_context(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Give the template what it draws."""
    body = mended(context.get("body", ""))
    pathto = context["pathto"]
    context["body"] = body
    context["author"] = app.config.author
    is_chapter = doctree is not None
    context["here"] = links(Path(app.srcdir).parent, pagename) if is_chapter else Links("", "", "", "")
    context["page_contents"] = page_contents(context.get("toc", "")) if is_chapter else ""
    context["description"] = description(doctree) if doctree is not None else ""

    def asset(path: str, content: str | bytes) -> str:
        return f"{pathto(path, 1)}?v={digest(content)}"

    assets = Path(app.srcdir) / "_assets"
    context["styles"] = [asset("_static/course.css", (assets / "course.css").read_bytes())]
    context["scripts"] = [asset("_static/course.js", (assets / "course.js").read_bytes())]
    if _DESIGN.search(body):
        context["styles"].insert(0, pathto("_static/sphinx-design.min.css", 1))
        if "sd-tab-set" in body:
            context["scripts"].append(pathto("_static/design-tabs.js", 1))
    if _WIDGET in body:
        context["styles"].append(asset("_static/unrolled-widgets.css", bundle.stylesheet()))
        context["scripts"].append(asset("_static/unrolled-widgets.js", widget_script()))


@cache
def widget_script() -> str:
    """Return the script of all widgets without comments and indents: a quarter lighter.

    jsmin takes a template within a template for its end, and the spaces of its text for spaces between words
    of the language. So lines that hold such a thing wait outside, each under a name, until it is done.
    """
    kept: list[str] = []

    def keep(line: re.Match[str]) -> str:
        if "//" in line[0].rpartition("`")[2]:
            raise ExtensionError(
                f"expected no comment behind a template within a template: {line[0].strip()}"
            )
        kept.append(line[0].strip())
        return f"__kept{len(kept) - 1}__"

    minified: str = jsmin(_TEMPLATES.sub(keep, bundle.page_script(bundle.WIDGETS)))
    return re.sub(r"__kept(\d+)__", lambda name: kept[int(name[1])], minified)


def digest(content: str | bytes) -> str:
    """Return a short name of what a file holds, so that a browser keeps it exactly as long as it is right."""
    data = content.encode() if isinstance(content, str) else content
    return hashlib.sha256(data).hexdigest()[:10]


def mended(body: str) -> str:
    """Return the body of a page without the flaws of the extensions that wrote it."""
    # Roles docutils gives a list of sources: deprecated, and children of a list that are no items.
    body = re.sub(r'(<div [^>]*class="citation(?:-list)?"[^>]*?) role="[^"]*"', r"\1", body)
    body = re.sub(r'<div role="list"( class="citation-list")', r"<div\1", body)
    # Cells that start folded say so twice, once for either state; the eye sees one, a screen reader this.
    body = body.replace('<summary aria-label="Toggle hidden content">', "<summary>")
    # Every exercise carries this id; an id stands once in a page.
    body = body.replace(' id="exercise-content"', "").replace(' id="solution-content"', "")
    # A table is wrapped so that it scrolls in its own box on a phone.
    body = re.sub(
        r'(<table class="[^"]*(?:docutils|dataframe)[^"]*".*?</table>)',
        r'<div class="scrolls">\1</div>',
        body,
        flags=re.DOTALL,
    )
    # "#" is what the eye sees of a link to a heading; a screen reader needs its name.
    return re.sub(
        r'<a class="headerlink" href="(#[^"]*)" title="([^"]*)">[^<]*</a>',
        r'<a class="headerlink" href="\1" title="\2" aria-label="\2">#</a>',
        body,
    )


def page_contents(toc: str) -> str:
    """Return the list of sections within the page: Sphinx's list without the page's own title."""
    inner = re.match(r"\s*<ul>\s*<li>\s*<a[^>]*>.*?</a>\s*(<ul>.*</ul>)?\s*</li>\s*</ul>\s*$", toc, re.DOTALL)
    return (inner[1] or "") if inner else ""


def description(doctree: nodes.document) -> str:
    """Return the first paragraph of the page, for a search engine's list."""
    for paragraph in doctree.findall(nodes.paragraph):
        if not isinstance(paragraph.parent, nodes.section):
            continue
        text = " ".join(paragraph.astext().split())
        return text if len(text) <= 160 else text[:157].rsplit(" ", 1)[0] + "…"
    return ""


def add_files(app: Sphinx, error: Exception | None) -> None:
    """Write the widgets' script and style once, and the notebooks a reader may download."""
    if error is not None or app.builder.format != "html":
        return
    static = Path(app.outdir) / "_static"
    (static / "unrolled-widgets.js").write_text(widget_script(), encoding="utf-8")
    (static / "unrolled-widgets.css").write_text(bundle.stylesheet(), encoding="utf-8")
    root = Path(app.srcdir).parent
    try:
        # Not the committed files: those carry the declared address, and the site of a fork its own.
        notebooks = generate(root)
    except GenerationError as problems:
        raise ExtensionError(f"no notebook can be made:\n{problems}") from problems
    for docname, text in notebooks.items():
        if docname in app.env.found_docs and links(root, docname).download:
            path = Path(app.outdir) / "notebooks" / f"{docname}.ipynb"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode("utf-8"))


def drop_widget_state(app: Sphinx, doctree: nodes.document) -> None:
    """Forget the state a live notebook keeps of its widgets: random ids, a second copy of every number."""
    doctree.attributes.pop("nb_js_files", None)


def setup(app: Sphinx) -> None:
    """Connect to Sphinx's events."""
    app.connect("html-page-context", add_to_context, priority=990)
    app.connect("doctree-read", drop_widget_state)
    app.connect("build-finished", add_files)
