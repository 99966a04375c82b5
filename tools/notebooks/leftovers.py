"""What must not stand in a notebook: MyST that Colab would show as it is written."""

import re
from collections.abc import Iterator

from markdown_it import MarkdownIt

__all__ = ["find_leftovers"]

_ALWAYS = {
    "a directive": re.compile(r"^[\s>]*(?:`{3,}|~{3,}|:{3,})\s*\{[^}\s]+\}.*$"),
    "a colon fence": re.compile(r"^[\s>]*:{3,}.*$"),
}
_IN_TEXT = {
    "a role": re.compile(r"\{[A-Za-z][\w:.+-]*\}`[^`]*`?"),
    "a target": re.compile(r"^[\s>]*\([\w:. -]+\)=\s*$"),
    "a cell break": re.compile(r"^\+\+\+.*$"),
    "a comment": re.compile(r"^\s{0,3}%.*$"),
    "a substitution": re.compile(r"\{\{.*?\}\}"),
    "a footnote": re.compile(r"\[\^[^\]\s]+\]"),
    "an attribute line": re.compile(r"^[\s>]*\{[.#][^}]*\}\s*$"),
    "a link of the book's": re.compile(r"<(?:project|path|inv|doc):[^>]*>"),
}
_CODE_SPAN = re.compile(r"(?<!\})(?<!`)(`+)(?!`)(?:(?!\1).)+?\1(?!`)")
_PLAIN = MarkdownIt()
_MATH = re.compile(r"\$\$.*?\$\$|\$[^$\n]+\$", re.DOTALL)


def find_leftovers(source: str) -> Iterator[tuple[int, str, str]]:
    """Yield the line within a Markdown cell, from zero, what was left over there, and its text.

    Code is left alone, except that a fence must not name a directive.
    """
    lines = source.split("\n")
    code = _code_lines(source)
    # Same length and line breaks, so that places stay what they are.
    text = _MATH.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), source).split("\n")
    for number, line in enumerate(lines):
        shown = _CODE_SPAN.sub(lambda m: " " * len(m[0]), text[number])
        patterns = _ALWAYS if number in code else {**_ALWAYS, **_IN_TEXT}
        for name, pattern in patterns.items():
            if found := pattern.search(line if name == "a directive" else shown):
                yield number, name, found[0].strip()
                break


def _code_lines(source: str) -> set[int]:
    """Return the numbers of the lines that lie in code."""
    inside: set[int] = set()
    for token in _PLAIN.parse(source):
        if token.type in ("fence", "code_block") and token.map:
            inside.update(range(*token.map))
    return inside
