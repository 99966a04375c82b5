"""The block level: where a text holds a directive, an equation, a target, a comment, a note."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

from docutils.parsers.rst.states import MarkupError
from markdown_it.token import Token
from myst_parser.parsers.directives import parse_directive_text

from tools.notebooks.source import parser

__all__ = ["Block", "Directive", "blocks", "directive"]

_NAME = re.compile(r"^\{([^\s}]+)\}\s*(.*)$", re.DOTALL)
# Quotes and list markers that stand before a nested block on its first line.
_PREFIX = re.compile(r"^(?:[ \t>]|[-*+][ \t]|\d+[.)][ \t])*")


@dataclass(frozen=True)
class Block:
    """One block that plain Markdown does not know, or that must stay as it is."""

    kind: str
    start: int
    """First line within the text, from zero."""
    stop: int
    prefix: str
    """What stands before the block on its first line when it is nested in a list or a quote."""
    token: Token

    @property
    def indent(self) -> str:
        """What stands before every further line of a nested block."""
        return "".join(mark if mark in "> \t" else " " for mark in self.prefix)


@dataclass(frozen=True)
class Directive:
    """A directive with its options read; `body_line` is the line of the file its body starts on."""

    name: str
    argument: str
    options: dict[str, str]
    body: str
    line: int
    body_line: int


class _AnyOption(dict[str, Any]):
    def __missing__(self, name: str) -> Any:
        return lambda value: value or ""


class _AnyDirective:
    required_arguments = 0
    optional_arguments = 1
    final_argument_whitespace = True
    has_content = True
    option_spec: ClassVar[dict[str, Any]] = _AnyOption(any=str)


_KINDS = {
    "math_block": "math",
    "math_block_label": "math",
    "amsmath": "amsmath",
    "myst_target": "target",
    "myst_line_comment": "comment",
    "heading_open": "heading",
    "footnote_reference_open": "note",
    "dl_open": "definitions",
    "code_block": "verbatim",
    "html_block": "html",
}


def _kind(token: Token) -> str | None:
    if token.type in ("fence", "colon_fence"):
        return "directive" if _NAME.match(token.info) else "verbatim"
    return _KINDS.get(token.type)


@lru_cache(maxsize=4096)
def _tokens(text: str) -> tuple[Token, ...]:
    """Return the tokens of a text: the book's index and the chapter itself ask, and nobody writes in them."""
    return tuple(parser().parse(text))


def blocks(text: str) -> Iterator[Block]:
    """Yield the special blocks of `text` in order; none lies within another."""
    lines = text.split("\n")
    done = 0
    for token in _tokens(text):
        kind = _kind(token)
        if kind is None or token.map is None or token.map[0] < done:
            continue
        start, stop = token.map
        while stop > start + 1 and not lines[stop - 1].strip(" \t>") and kind != "verbatim":
            stop -= 1
        prefix = _PREFIX.match(lines[start]) if token.level else None
        done = stop
        yield Block(kind, start, stop, prefix[0] if prefix else "", token)


def directive(block: Block, line: int) -> Directive:
    """Read the directive of a block that begins on `line` of its file.

    Raises:
        ValueError: its options cannot be read.
    """
    head = _NAME.match(block.token.info)
    assert head is not None
    name, argument = head[1], head[2].strip()
    try:
        read = parse_directive_text(_AnyDirective, argument, block.token.content)
    except MarkupError as error:
        raise ValueError(f"{{{name}}}: {error}") from error
    if read.warnings:
        raise ValueError(f"{{{name}}}: {read.warnings[0].msg}")
    body = "\n".join(read.body)
    skipped = len(body) - len(body.lstrip("\n"))
    return Directive(
        name, argument, dict(read.options), body.strip("\n"), line, line + 1 + read.body_offset + skipped
    )
