"""The inline level: one function for each role, and for links, images and footnote marks."""

import re
from collections.abc import Callable

from tools.notebooks.citations import cite
from tools.notebooks.context import Context
from tools.notebooks.labels import Label

__all__ = ["ROLES", "convert_inline"]

Handler = Callable[[str, str, int, Context], str]
ROLES: dict[str, Handler] = {}

_WITHIN = r"(?:(?!\n[ \t>]*\n).)+?"  # anything but a paragraph's end
_INLINE = re.compile(
    rf"""
      \{{(?P<role>[A-Za-z][\w:.+-]*)\}}(?P<fence>`+)(?P<body>{_WITHIN})(?P=fence)(?!`)
    | (?P<code>(?P<ticks>`+)(?!`){_WITHIN}(?<!`)(?P=ticks)(?!`))
    | (?P<math>\$\${_WITHIN}\$\$|\$(?!\$){_WITHIN}\$)
    | (?P<escape>\\.)
    | !\[(?P<alt>[^\]]*)\]\((?P<image>[^)\s]+)(?P<image_title>\s+"[^"]*")?\)(?:\{{[^}}`]*\}})?
    | \[\^(?P<note>[^\]\s]+)\]
    | (?P<empty>\[)?\]\((?P<url>[^)\s]+)(?P<title>\s+"[^"]*")?\)(?:\{{[^}}`]*\}})?
    | (?P<definition>(?:^|(?<=\n))[ ]{{0,3}}\[[^\]^]+\]:[ \t]+\S+)
    """,
    re.VERBOSE | re.DOTALL,
)
_TITLED = re.compile(r"^(.*?)\s*<([^<>]+)>$", re.DOTALL)


def convert_inline(text: str, line: int, ctx: Context) -> str:
    """Return the text with its roles, links, images and notes turned into what Colab renders.

    Args:
        text: Markdown that begins on `line` of the chapter, without directives.
        line: for messages.
        ctx: the chapter.
    """

    def convert(found: re.Match[str]) -> str:
        at = line + text.count("\n", 0, found.start())
        if found["role"]:
            handler = ROLES.get(found["role"])
            if handler is None:
                ctx.problem(
                    at, f"{{{found['role']}}} is a role the notebooks do not know: add it to inline.py"
                )
                return found["body"]
            return handler(found["role"], " ".join(found["body"].split()), at, ctx)
        if found["image"]:
            return f"![{found['alt']}]({_file(found['image'], ctx)}{found['image_title'] or ''})"
        if found["note"]:
            return _note(found["note"])
        if found["url"]:
            return _link(found, at, ctx)
        if found["definition"]:
            ctx.problem(
                at, f"{found[0].strip()!r}: write the address into the link; cells share no definitions"
            )
        return found[0]

    def _note(name: str) -> str:
        if name not in ctx.noted:
            ctx.noted.append(name)
        number = ctx.noted.index(name) + 1
        return f'<sup><a href="#note-{number}">{number}</a></sup>'

    return _INLINE.sub(convert, text)


def _file(target: str, ctx: Context) -> str:
    """Return the public address of a file named relative to the page."""
    if target.startswith("#") or re.match(r"^[a-z][a-z0-9+.-]*:", target):
        return target
    return ctx.address.raw_url(ctx.file_path(target))


def _link(found: re.Match[str], line: int, ctx: Context) -> str:
    """Return the end of a link, ``](…)``, or all of it when its text was left to the book."""
    target = found["url"]
    url, text = _resolve(target, line, ctx)
    start = f"[{text}" if found["empty"] else ""
    return f"{start}]({url}{found['title'] or ''})"


def _resolve(target: str, line: int, ctx: Context) -> tuple[str, str]:
    """Return where a link leads and what it is called if it has no text."""
    if re.match(r"^[a-z][a-z0-9+.-]*:", target):
        return target, target
    path, _, fragment = target.partition("#")
    if not path:
        return _fragment(ctx.chapter.page, fragment, target, line, ctx)
    if label := ctx.book.labels.get(path.lower()):
        return ctx.label_url(label), _called(label)
    if path.endswith((".md", ".ipynb")) or ctx.file_path(path).removeprefix("book/") in ctx.book.pages:
        page = re.sub(r"\.(md|ipynb)$", "", ctx.file_path(path).removeprefix("book/"))
        if page not in ctx.book.pages:
            ctx.problem(line, f"links to {target!r}, and there is no such page")
            return target, target
        if fragment:
            return _fragment(page, fragment, target, line, ctx)
        return ctx.page_url(page), ctx.book.pages[page].title
    return _file(target, ctx), target


def _fragment(page: str, fragment: str, target: str, line: int, ctx: Context) -> tuple[str, str]:
    label = ctx.book.labels.get(fragment.lower())
    if label is not None:
        return ctx.label_url(label), _called(label)
    headings = ctx.book.pages[page].headings
    if fragment not in headings:
        ctx.problem(line, f"links to {target!r}, and there is no such label or heading")
        return target, fragment
    return ctx.label_url(Label(page, "heading", headings[fragment], fragment)), fragment


def _called(label: Label) -> str:
    """Return what the book calls something when a reference gives no text of its own."""
    if label.kind == "exercise":
        return f"Exercise {label.number}".strip()
    if label.kind == "math":
        return f"({label.number})"
    return label.text or label.anchor


def _titled(body: str) -> tuple[str, str]:
    """Return the text and the target of a role: ``text <target>``, or a target alone."""
    found = _TITLED.match(body)
    return (found[1], found[2].strip()) if found else ("", body.strip())


def _label(name: str, line: int, ctx: Context) -> Label | None:
    label = ctx.book.labels.get(name.lower())
    if label is None:
        ctx.problem(line, f"refers to {name!r}, and there is no such label")
    return label


def handles(*names: str) -> Callable[[Handler], Handler]:
    """Register a function for roles of these names."""

    def register(handler: Handler) -> Handler:
        ROLES.update(dict.fromkeys(names, handler))
        return handler

    return register


@handles("ref")
def ref(role: str, body: str, line: int, ctx: Context) -> str:
    """Link to a label, under its own name or the one given."""
    text, name = _titled(body)
    label = _label(name, line, ctx)
    return f"[{text or _called(label)}]({ctx.label_url(label)})" if label else text


@handles("eq")
def eq(role: str, body: str, line: int, ctx: Context) -> str:
    """Link to an equation by its number in brackets."""
    label = _label(body.strip(), line, ctx)
    return f"[({label.number})]({ctx.label_url(label)})" if label else ""


@handles("cite", "cite:t")
def citation(role: str, body: str, line: int, ctx: Context) -> str:
    """Turn a citation into authors and year, linked to the list of sources."""
    return cite(role, body, line, ctx)
