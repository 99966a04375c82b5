"""The values of a PDF: numbers, strings, names, lists, dictionaries, and pointers to objects."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .site import PdfError

__all__ = ["Name", "Ref", "Word", "tokens", "value", "words"]

_SPACE = rb"(?:[\0\t\n\f\r ]|%[^\r\n]*)*"
_TOKEN = re.compile(
    _SPACE
    + rb"(?:(?P<ref>\d+ \d+ R\b)|(?P<number>[+-]?(?:\d+\.?\d*|\.\d+))|/(?P<name>[^\0\t\n\f\r ()<>\[\]{}/%]*)"
    rb"|(?P<mark><<|>>|[\[\]])|<(?P<hex>[0-9A-Fa-f\s]*)>|(?P<text>\()|(?P<word>[A-Za-z'\"*]+))"
)
_ESCAPE = re.compile(rb"\\([0-7]{1,3}|\r\n|[\s\S])")
_CONTROL = {
    b"n": b"\n",
    b"r": b"\r",
    b"t": b"\t",
    b"b": b"\b",
    b"f": b"\f",
    b"\n": b"",
    b"\r": b"",
    b"\r\n": b"",
}


class Name(str):
    """A name of the PDF, without its slash."""


class Word(str):
    """An operator, or a word of the format."""


@dataclass(frozen=True)
class Ref:
    """Points to an object by its number."""

    number: int


def tokens(data: bytes, at: int = 0) -> Iterator[tuple[Any, int]]:
    """Yield the values of `data` from `at` on, each with where it ends: marks and operators as a `Word`."""
    while found := _TOKEN.match(data, at):
        at = found.end()
        kind, value = str(found.lastgroup), found[str(found.lastgroup)]
        if kind == "text":
            value, at = _string(data, at)
            yield value, at
        elif kind == "ref":
            yield Ref(int(value.split()[0])), at
        elif kind == "number":
            yield (float(value) if b"." in value else int(value)), at
        elif kind == "name":
            yield (
                Name(
                    re.sub(rb"#([0-9A-Fa-f]{2})", lambda hex_: bytes.fromhex(hex_[1].decode()), value).decode(
                        "utf-8", "replace"
                    )
                ),
                at,
            )
        elif kind == "hex":
            digits = b"".join(value.split()).decode()
            yield bytes.fromhex(digits + "0" * (len(digits) % 2)), at
        else:
            yield Word(value.decode()), at


def _string(data: bytes, at: int) -> tuple[bytes, int]:
    """Return a string in round brackets, and where it ends; `at` is behind the first one."""
    depth, end = 1, at
    while depth:
        end = min(found for sign in (b"(", b")", b"\\") if (found := data.find(sign, end)) >= 0)
        depth += {40: 1, 41: -1}.get(data[end], 0)
        end += 2 if data[end] == 92 else 1

    def plain(escape: re.Match[bytes]) -> bytes:
        code = escape[1]
        return bytes([int(code, 8) & 255]) if code.isdigit() else _CONTROL.get(code, code)

    return _ESCAPE.sub(plain, data[at : end - 1]), end


def value(data: bytes, at: int = 0) -> tuple[Any, int]:
    """Return the value that begins at `at`, with all that is in it, and where it ends."""
    stack: list[list[Any]] = [[]]
    for token, end in tokens(data, at):
        if token in ("<<", "[") and isinstance(token, Word):
            stack.append([])
            continue
        if token in (">>", "]") and isinstance(token, Word):
            inner = stack.pop()
            token = inner if token == "]" else dict(zip(inner[::2], inner[1::2], strict=True))
        elif isinstance(token, Word):
            token = {"true": True, "false": False, "null": None}.get(token, token)
        stack[-1].append(token)
        if len(stack) == 1:
            return token, end
    raise PdfError(f"expected a value of a PDF at byte {at}, found {data[at : at + 40]!r}")


def words(text: bytes) -> str:
    """Return a string of the PDF as text."""
    return text.decode("utf-16") if text.startswith((b"\xfe\xff", b"\xff\xfe")) else text.decode("latin-1")
