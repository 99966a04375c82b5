"""What every page of the book is made of: its buttons, its contents, its widgets; nothing from elsewhere."""

import hashlib
import re
from collections.abc import Mapping
from functools import cache
from html import escape, unescape
from pathlib import Path
from types import MappingProxyType
from typing import Any

from docutils import nodes
from rjsmin import jsmin
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.locale import _ as sphinx_says

from tools.build_book import tidy
from tools.words import Words
from unrolled.widgets import bundle

from . import editions
from .figures import lighter_figures
from .links import Links
from .styles import lighter_style, widget_style
from .words import wording

PICTURES = "unrolled-pictures.js"
"""What draws the picture that a reader saves, beside the scripts of the widgets."""

_WIDGET = re.compile(r'class="unrolled-widget"[^>]*? data-widget="([\w-]+)"')
# A line of code, no comment, with more than one template.
_TEMPLATES = re.compile(r"^(?![ \t]*(?://|/?\*)).*`.*`.*`.*$", re.MULTILINE)
# sphinx-design's style sheet is 54 KB: for grids, cards and tabs alone; a dropdown is styled by ours.
_DESIGN = re.compile(r'class="[^"]*\bsd-(?:row|tab-set|btn|badge|container)')


_SIGN = re.compile(r'<span class="(?:pre|default_value|[a-z]{1,2}\d?)">([^<]*)</span>')


def add_to_context(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Give the template what it draws."""
    body = lighter_figures(mended(context.get("body", ""), link_names(wording(app))))
    pathto = context["pathto"]
    context["body"] = body
    context["author"] = app.config.author
    is_chapter = doctree is not None
    edition = editions.of(app)
    context["here"] = (
        edition.links(Path(app.srcdir).parent, pagename) if is_chapter else Links("", "", "", "")
    )
    context["page_contents"] = page_contents(context.get("toc", "")) if is_chapter else ""
    context["description"] = description(doctree) if doctree is not None else ""

    def asset(path: str, content: str | bytes) -> str:
        return f"{pathto(path, 1)}?v={digest(content)}"

    assets = Path(app.srcdir) / "_assets"
    context["styles"] = [asset("_static/course.css", (assets / "course.css").read_bytes())]
    scripts = ("words.js", "course.js")
    context["scripts"] = [asset(f"_static/{name}", (assets / name).read_bytes()) for name in scripts]
    if _DESIGN.search(body):
        context["styles"].insert(0, pathto("_static/sphinx-design.min.css", 1))
        if "sd-tab-set" in body:
            context["scripts"].append(pathto("_static/design-tabs.js", 1))
    if names := widgets_of(body):
        context["styles"].append(asset(f"_static/{style_name(names)}", widget_style(names)))
        context["scripts"].append(asset(f"_static/{script_name(names)}", widget_script(names)))


def widgets_of(text: str) -> tuple[str, ...]:
    """Return the names of the widgets that stand in a page, or wait in it as the outcome of a choice."""
    return tuple(sorted(set(_WIDGET.findall(text))))


def script_name(names: tuple[str, ...]) -> str:
    """Return the name of the file with these widgets: pages with the same ones share it."""
    return f"unrolled-widgets-{digest(' '.join(names))}.js"


def style_name(names: tuple[str, ...]) -> str:
    """Return the name of the file with the styles of these widgets."""
    return f"unrolled-widgets-{digest(' '.join(names))}.css"


@cache
def widget_script(names: tuple[str, ...]) -> str:
    """Return the script of these widgets, which loads the one that draws pictures when a reader saves one."""
    return lighter(bundle.page_script(names, f"{PICTURES}?v={digest(bundle.picture_script())}"))


def lighter(script: str) -> str:
    """Return a script of ours without comments and indents: a quarter lighter.

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

    minified: str = jsmin(_TEMPLATES.sub(keep, script))
    return re.sub(r"__kept(\d+)__", lambda name: kept[int(name[1])], minified)


def digest(content: str | bytes) -> str:
    """Return a short name of what a file holds, so that a browser keeps it exactly as long as it is right."""
    data = content.encode() if isinstance(content, str) else content
    return hashlib.sha256(data).hexdigest()[:10]


def link_names(say: Words) -> dict[str, str]:
    """Return what a link to a place is called, by what Sphinx calls it: English, in most languages."""
    return {
        str(sphinx_says("Link to this heading")): say("page.link_heading"),
        str(sphinx_says("Link to this equation")): say("page.link_equation"),
        str(sphinx_says("Link to this definition")): say("page.link_definition"),
        str(sphinx_says("Link to this term")): say("page.link_term"),
        str(sphinx_says("Link to this table")): say("page.link_table"),
        str(sphinx_says("Link to this code")): say("page.link_code"),
        str(sphinx_says("Link to this image")): say("page.link_image"),
    }


def mended(body: str, names: Mapping[str, str] = MappingProxyType({})) -> str:
    """Return the body of a page without the flaws of the extensions that wrote it.

    Args:
        body: the HTML.
        names: of links to places in the page, by what Sphinx calls them.
    """
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
    body = re.sub(r'<dt class="sig .*?</dt>', lambda line: signature(line[0]), body, flags=re.DOTALL)
    # A long name in a line of text may break behind its dots and underscores, and so need not within a word.
    body = re.sub(
        r'<span class="pre">([^<]{12,})</span>',
        lambda name: f'<span class="pre">{re.sub(r"(?<=[._/=,(])(?=[^._])", "<wbr>", name[1])}</span>',
        body,
    )

    # "#" is what the eye sees of a link to a heading; a screen reader needs its name.
    def link(found: re.Match[str]) -> str:
        name = escape(names.get(unescape(found[2]), unescape(found[2])))
        return f'<a class="headerlink" href="{found[1]}" title="{name}" aria-label="{name}">#</a>'

    return re.sub(r'<a class="headerlink" href="(#[^"]*)" title="([^"]*)">[^<]*</a>', link, body)


def signature(line: str) -> str:
    """Return a signature of the reference in a third of its elements.

    Sphinx puts one around each sign of the language, and makes of arguments that stand one below the other a
    list of definitions, in which nothing is defined.
    """
    line = re.sub(r"<(dl|dd)>", r'<span class="sig-\1">', line)
    line = re.sub(r"</(?:dl|dd)>", "</span>", line)
    for _ in range(2):  # one stands in the other
        line = _SIGN.sub(r"\1", line)
    return line


def page_contents(toc: str) -> str:
    """Return the list of sections within the page: Sphinx's list without the page's own title."""
    inner = re.match(r"\s*<ul>\s*<li>\s*<a[^>]*>.*?</a>\s*(<ul>.*</ul>)?\s*</li>\s*</ul>\s*$", toc, re.DOTALL)
    return inner[1] if inner and inner[1] and "<a " in inner[1] else ""


def description(doctree: nodes.document) -> str:
    """Return the first paragraph of the page, for a search engine's list."""
    for paragraph in doctree.findall(nodes.paragraph):
        if not isinstance(paragraph.parent, nodes.section):
            continue
        text = " ".join(paragraph.astext().split())
        return text if len(text) <= 160 else text[:157].rsplit(" ", 1)[0] + "…"
    return ""


def add_files(app: Sphinx, error: Exception | None) -> None:
    """Write the scripts and the styles of the widgets and of the page."""
    if error is not None or app.builder.format != "html":
        return
    static = Path(app.outdir) / "_static"
    # Each page loads the widgets it has, and no others: a third of the scripts and of the styles of all.
    for page in Path(app.outdir).rglob("*.html"):
        names = widgets_of(page.read_text(encoding="utf-8"))
        # Whatever may change them has all pages written into an empty folder.
        if names and not (static / script_name(names)).exists():
            (static / script_name(names)).write_text(widget_script(names), encoding="utf-8")
            (static / style_name(names)).write_text(widget_style(names), encoding="utf-8")
    for path in (Path(app.srcdir) / "_assets").glob("*.[cj]s*"):
        lighten = lighter if path.suffix == ".js" else lighter_style
        (static / path.name).write_text(lighten(path.read_text(encoding="utf-8")), encoding="utf-8")
    if app.builder.name == "html":
        tidy(Path(app.outdir))
    # No page names it, a script does.
    (static / PICTURES).write_text(lighter(bundle.picture_script()), encoding="utf-8")


def drop_widget_state(app: Sphinx, doctree: nodes.document) -> None:
    """Forget the state a live notebook keeps of its widgets: random ids, a second copy of every number."""
    doctree.attributes.pop("nb_js_files", None)


def teach_one_page(app: Sphinx) -> None:
    """Let the builder of one single page write what that of many pages can.

    Sphinx forgets all nodes of html as soon as one extension registers a node for singlehtml alone.
    """
    known = app.registry.translation_handlers
    known["singlehtml"] = {**known.get("html", {}), **known.get("singlehtml", {})}


def setup(app: Sphinx) -> None:
    """Connect to Sphinx's events."""
    app.connect("builder-inited", teach_one_page)
    app.connect("html-page-context", add_to_context, priority=990)
    app.connect("doctree-read", drop_widget_state)
    app.connect("build-finished", add_files)
