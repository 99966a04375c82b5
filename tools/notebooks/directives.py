"""One function for each directive: MyST in, Markdown that Colab renders out."""

import re
from collections.abc import Callable

from docutils.nodes import make_id
from markdown_it import MarkdownIt

from tools.notebooks.blocks import Directive
from tools.notebooks.context import Context, anchor
from tools.notebooks.inline import convert_inline
from tools.notebooks.labels import NUMBERED, terms
from tools.quiz_syntax import QuizSyntaxError, parse_quiz

__all__ = ["DIRECTIVES", "SOURCES", "details", "display_math", "quote"]

SOURCES = "\0sources\0"
"""Stands for the list of sources until the whole chapter is read."""

# A character of no meaning, in place of a dollar while Markdown is read.
DOLLAR = "\ue000"

Handler = Callable[[Directive, Context], str]
DIRECTIVES: dict[str, Handler] = {}


def handles(*names: str) -> Callable[[Handler], Handler]:
    """Register a function for directives of these names."""

    def register(handler: Handler) -> Handler:
        DIRECTIVES.update(dict.fromkeys(names, handler))
        return handler

    return register


def body(found: Directive, ctx: Context) -> str:
    """Return the converted body."""
    return ctx.convert(found.body, found.body_line, ctx)


def place(found: Directive) -> str:
    """Return an anchor line when the directive has a name, else nothing."""
    name = found.options.get("label") or found.options.get("name")
    return f"{anchor(make_id(name))}\n\n" if name else ""


_DISPLAY = re.compile(r"\$\$(.+?)\$\$", re.DOTALL)


def quote(text: str) -> str:
    """Return a blockquote; equations go on one line, since Jupyter would read the marks into them."""
    text = _DISPLAY.sub(lambda m: f"$${' '.join(m[1].split())}$$", text)
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))


def details(summary: str, text: str) -> str:
    """Return a fold; the blank lines make Colab render the Markdown within."""
    inline = MarkdownIt().renderInline(_keep_math(summary)).replace(DOLLAR, "$")
    return f"<details>\n<summary>{inline}</summary>\n\n{text}\n\n</details>"


def _keep_math(text: str) -> str:
    """Escape what Markdown would read within mathematics, and hide the dollars from no one."""
    special = re.compile(r"([\\_*`~\[\]])")
    return re.sub(r"\$([^$]+)\$", lambda m: DOLLAR + special.sub(r"\\\1", m[1]) + DOLLAR, text)


def display_math(source: str, number: str = "", name: str = "") -> str:
    """Return a displayed equation, with its number as a tag."""
    lines = [line for line in source.strip("\n").split("\n") if line.strip()]
    text = "\n".join(lines)
    # Within an aligned environment no tag may stand; around one it may.
    text = re.sub(r"\\(begin|end)\{(?:align|gather|eqnarray)\*?\}", _inner_environment, text)
    if re.search(r"\\\\|(?<!\\)&", text) and "\\begin{" not in text:
        text = f"\\begin{{aligned}}\n{text}\n\\end{{aligned}}"
    tag = f"\n\\tag{{{number}}}" if number else ""
    return (f"{anchor(name)}\n\n" if name else "") + f"$$\n{text}{tag}\n$$"


def _inner_environment(match: re.Match[str]) -> str:
    inner = "gathered" if "gather" in match[0] else "aligned"
    return f"\\{match[1]}{{{inner}}}"


ADMONITIONS = {
    name: name.capitalize()
    for name in (
        "attention",
        "caution",
        "danger",
        "error",
        "hint",
        "important",
        "note",
        "tip",
        "warning",
        "margin",
        "sidebar",
        "topic",
        "epigraph",
    )
}
ADMONITIONS |= {
    "seealso": "See also",
    "margin": "",
    "epigraph": "",
    "admonition": "",
    "sidebar": "",
    "topic": "",
}


@handles(*ADMONITIONS)
def admonition(found: Directive, ctx: Context) -> str:
    """Turn an admonition into a blockquote under a bold title; one that is folded into a fold."""
    takes_title = found.name in ("admonition", "sidebar", "topic")
    title = convert_inline(found.argument, found.line, ctx) if takes_title else ADMONITIONS[found.name]
    text = body(found, ctx)
    if found.argument and not takes_title:  # text that begins on the first line
        text = "\n\n".join(part for part in (convert_inline(found.argument, found.line, ctx), text) if part)
    if "dropdown" in found.options.get("class", "").split():
        return place(found) + details(title or "More", text)
    return place(found) + quote("\n\n".join(part for part in (f"**{title}**" if title else "", text) if part))


@handles("dropdown")
def dropdown(found: Directive, ctx: Context) -> str:
    """Turn a fold into ``<details>``."""
    return place(found) + details(convert_inline(found.argument, found.line, ctx) or "More", body(found, ctx))


@handles("figure", "image")
def figure(found: Directive, ctx: Context) -> str:
    """Turn a figure into an image by its public address, its caption beneath."""
    target = found.argument
    url = target if "://" in target else ctx.address.raw_url(ctx.file_path(target))
    alt = found.options.get("alt", "")
    if not alt:
        ctx.problem(found.line, f"{{{found.name}}} {target}: expected an :alt: text, got none")
    image = f"![{alt}]({url})"
    if not found.body.strip():
        return place(found) + image
    number = ctx.book.pages[ctx.chapter.page].numbers.get(found.line)
    label = f"**Fig. {number}.** " if number and found.name == "figure" else ""
    return f"{place(found)}{image}\n\n{label}{body(found, ctx)}"


@handles("math")
def math(found: Directive, ctx: Context) -> str:
    """Turn an equation into ``$$ … $$``, with a tag if it has a label."""
    name = found.options.get("label") or found.options.get("name", "")
    source = "\n".join(part for part in (found.argument, found.body) if part)
    number = ctx.book.pages[ctx.chapter.page].numbers.get(found.line, "") if name else ""
    return display_math(source, number, f"equation-{make_id(name)}" if name else "")


@handles("exercise", "exercise-start")
def exercise(found: Directive, ctx: Context) -> str:
    """Turn an exercise into a heading with its number, its text beneath."""
    number = ctx.book.pages[ctx.chapter.page].numbers.get(found.line, "")
    title = convert_inline(found.argument, found.line, ctx)
    # sphinx-exercise takes the title with or without brackets.
    title = title[1:-1] if title.startswith("(") and title.endswith(")") else title
    words = " — ".join(part for part in (f"Exercise {number}".strip(), title) if part)
    heading = f"{'#' * min(ctx.level + 1, 6)} {words}"
    return f"{place(found)}{heading}\n\n{body(found, ctx)}".rstrip()


@handles("quiz")
def quiz(found: Directive, ctx: Context) -> str:
    """Turn a quiz into its question and a fold for every choice."""
    try:
        read = parse_quiz(found.body, found.options.get("label"))
    except QuizSyntaxError as error:
        ctx.problem(found.line, str(error))
        return ""
    parts = [anchor(make_id(read.label)), f"**Question.** {ctx.convert(read.question, found.body_line, ctx)}"]
    for choice in read.choices:
        verdict = "**Right.**" if choice.right else "**No.**"
        text = convert_inline(choice.text, found.line, ctx)
        parts.append(details(text, f"{verdict} {convert_inline(choice.feedback, found.line, ctx)}"))
    return "\n\n".join(parts)


@handles("chapter-facts")
def chapter_facts(found: Directive, ctx: Context) -> str:
    """Say how long the chapter runs, and where that was measured."""
    said = [
        f"{_spoken(float(ctx.facts[key]))} on {where}"
        for key, where in (("cpu_s", "a CPU"), ("gpu_s", "a GPU"))
        if key in ctx.facts
    ]
    about = ", ".join(str(ctx.facts[key]) for key in ("hardware", "date") if key in ctx.facts)
    return f"*Runs in about {', '.join(said)}{f' ({about})' if about else ''}.*" if said else ""


def _spoken(seconds: float) -> str:
    return f"{max(1, round(seconds))} s" if seconds < 90 else f"{round(seconds / 60)} min"


@handles("bibliography")
def bibliography(found: Directive, ctx: Context) -> str:
    """Leave the place of the sources."""
    return SOURCES


@handles("tableofcontents", "contents", "index")
def nothing(found: Directive, ctx: Context) -> str:
    """Drop what serves the book's pages alone."""
    return ""


@handles("glossary")
def glossary(found: Directive, ctx: Context) -> str:
    """Turn a glossary into a list."""
    return "\n".join(
        "- "
        + "".join(anchor(f"term-{make_id(name)}") for name in names)
        + f"**{', '.join(names)}**: "
        + convert_inline(said.replace("\n", " "), found.line, ctx)
        for names, said in terms(found.body)
    )


def caption(found: Directive, ctx: Context) -> str:
    """Return the bold caption of a table, with its number."""
    number = ctx.book.pages[ctx.chapter.page].numbers.get(found.line)
    words = (
        f"{NUMBERED[found.name]} {number}." if number else "",
        convert_inline(found.argument, found.line, ctx),
    )
    text = " ".join(word for word in words if word)
    return f"**{text}**\n\n" if text else ""


@handles("table")
def table(found: Directive, ctx: Context) -> str:
    """Turn a table with a caption into a caption and a table."""
    return place(found) + caption(found, ctx) + body(found, ctx)


@handles("list-table")
def list_table(found: Directive, ctx: Context) -> str:
    """Turn a list of lists into a Markdown table."""
    rows: list[list[str]] = []
    for line in found.body.split("\n"):
        if row := re.match(r"^[*-]\s+[*-]\s*(.*)$", line):
            rows.append([row[1]])
        elif (cell := re.match(r"^\s+[*-]\s*(.*)$", line)) and rows:
            rows[-1].append(cell[1])
        elif line.strip() and rows:
            rows[-1][-1] += f" {line.strip()}"
    if not rows or len({len(row) for row in rows}) != 1:
        widths = [len(row) for row in rows]
        ctx.problem(found.line, f"{{list-table}}: expected rows of one length, got {widths}")
        return ""
    # Markdown knows no table without a header row.
    if int(found.options.get("header-rows") or 0) == 0:
        rows.insert(0, [""] * len(rows[0]))
    rows.insert(1, ["---"] * len(rows[0]))
    text = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return place(found) + caption(found, ctx) + convert_inline(text, found.body_line, ctx)


@handles("code", "code-block", "sourcecode")
def code(found: Directive, ctx: Context) -> str:
    """Turn a code block into a fence."""
    language = found.argument or found.options.get("language", "")
    title = convert_inline(found.options.get("caption", ""), found.line, ctx)
    return (f"*{title}*\n\n" if title else "") + f"```{language}\n{found.body}\n```"


@handles("div", "container", "tab-set")
def content(found: Directive, ctx: Context) -> str:
    """Keep what a layout holds."""
    return body(found, ctx)


@handles("tab-item")
def tab_item(found: Directive, ctx: Context) -> str:
    """Turn a tab into its title and its content."""
    return f"**{convert_inline(found.argument, found.line, ctx)}**\n\n{body(found, ctx)}"


@handles("raw")
def raw(found: Directive, ctx: Context) -> str:
    """Keep HTML, drop what is for other formats."""
    return found.body if "html" in found.argument.split() else ""


@handles("exercise-end")
def exercise_end(found: Directive, ctx: Context) -> str:
    """Drop the end of an exercise that has cells of its own."""
    return ""
