"""One function for each directive: MyST in, Markdown that Colab renders out."""

import re
from collections.abc import Callable

from docutils.nodes import make_id
from markdown_it import MarkdownIt

from tools.notebooks.blocks import Directive
from tools.notebooks.context import Context, anchor
from tools.notebooks.inline import convert_inline
from tools.quiz_syntax import Quiz, QuizSyntaxError, parse_quiz
from tools.run_times import run_time

__all__ = ["DIRECTIVES", "SOURCES", "Handler", "details", "display_math", "dropdown", "quiz_parts", "quote"]

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


@handles("note", "warning")
def admonition(found: Directive, ctx: Context) -> str:
    """Turn an admonition into a blockquote under a bold title."""
    first = convert_inline(found.argument, found.line, ctx)  # text that begins on the first line
    parts = (f"**{found.name.capitalize()}**", first, body(found, ctx))
    return place(found) + quote("\n\n".join(part for part in parts if part))


@handles("dropdown")
def dropdown(found: Directive, ctx: Context) -> str:
    """Turn a fold into ``<details>``."""
    return place(found) + details(convert_inline(found.argument, found.line, ctx) or "More", body(found, ctx))


@handles("math")
def math(found: Directive, ctx: Context) -> str:
    """Turn an equation into ``$$ … $$``, with a tag if it has a label."""
    name = found.options.get("label") or found.options.get("name", "")
    source = "\n".join(part for part in (found.argument, found.body) if part)
    number = ctx.book.pages[ctx.chapter.page].numbers.get(found.line, "") if name else ""
    return display_math(source, number, f"equation-{make_id(name)}" if name else "")


@handles("exercise")
def exercise(found: Directive, ctx: Context) -> str:
    """Turn an exercise into a heading with its number, its text beneath."""
    number = ctx.book.pages[ctx.chapter.page].numbers.get(found.line, "")
    title = convert_inline(found.argument, found.line, ctx)
    # sphinx-exercise takes the title with or without brackets.
    title = title[1:-1] if title.startswith("(") and title.endswith(")") else title
    words = " — ".join(part for part in (f"Exercise {number}".strip(), title) if part)
    heading = f"{'#' * min(ctx.level + 1, 6)} {words}"
    return f"{place(found)}{heading}\n\n{body(found, ctx)}".rstrip()


def quiz_parts(found: Directive, ctx: Context) -> tuple[Quiz | None, str]:
    """Return what a quiz spells, and its question; None, and a problem noted, if it spells none."""
    try:
        read = parse_quiz(found.body, found.options.get("label"))
    except QuizSyntaxError as error:
        ctx.problem(found.line, str(error))
        return None, ""
    return read, f"**Question.** {ctx.convert(read.question, found.body_line, ctx)}"


@handles("quiz")
def quiz(found: Directive, ctx: Context) -> str:
    """Turn a quiz into its question and a fold for every choice."""
    read, question = quiz_parts(found, ctx)
    if read is None:
        return ""
    parts = [anchor(make_id(read.label)), question]
    for choice in read.choices:
        verdict = "**Right.**" if choice.right else "**No.**"
        text = convert_inline(choice.text, found.line, ctx)
        parts.append(details(text, f"{verdict} {convert_inline(choice.feedback, found.line, ctx)}"))
    return "\n\n".join(parts)


@handles("chapter-facts")
def chapter_facts(found: Directive, ctx: Context) -> str:
    """Say how long the chapter runs, and where that was measured."""
    return f"*Runs in {run_time(ctx.facts)}.*" if ctx.facts else ""


@handles("bibliography")
def bibliography(found: Directive, ctx: Context) -> str:
    """Leave the place of the sources."""
    return SOURCES
