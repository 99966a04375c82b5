"""Reads a PDF as Chromium writes it, and as `finish` packs it: no encryption, no filters but the usual one.

It serves to find on which page a heading came to stand, and the tests to see what the file holds.
"""

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import unquote

from .site import PdfError
from .values import Ref, tokens, value, words

__all__ = ["Document", "Heading", "Link", "Stream"]


@dataclass(frozen=True)
class Stream:
    """A dictionary and the bytes that belong to it."""

    about: dict[str, Any]
    packed: bytes

    @property
    def data(self) -> bytes:
        """The bytes, unpacked."""
        return zlib.decompress(self.packed) if self.about.get("Filter") == "FlateDecode" else self.packed


@dataclass(frozen=True)
class Heading:
    """An entry of the outline: how deep it lies, from 0, its words, and its page, from 1."""

    depth: int
    title: str
    page: int


@dataclass(frozen=True)
class Link:
    """A link on a page, counted from 1: within the document to a place, else to an address."""

    page: int
    place: str | None
    address: str | None


class Document:
    """A PDF that Chromium has written.

    Args:
        data: the file.

    Raises:
        PdfError: it is none, or one of another kind.
    """

    def __init__(self, data: bytes) -> None:
        self.data = data
        start = re.search(rb"startxref\s+(\d+)\s+%%EOF\s*\Z", data)
        if not data.startswith(b"%PDF-") or start is None:
            raise PdfError(f"expected a PDF from its head to its end, got {data[:20]!r} … {data[-20:]!r}")
        # Where an object begins; or the object that it is packed into, and its place there.
        self.where: dict[int, int | tuple[int, int]] = {}
        self._read: dict[int, Any] = {}
        self._packs: dict[int, list[bytes]] = {}
        at = int(start[1])
        self.trailer = self._table(at) if data.startswith(b"xref", at) else self._packed_table(at)
        if "Prev" in self.trailer:
            raise PdfError("expected a PDF as Chromium writes it, got one that somebody has added to")

    def _table(self, at: int) -> dict[str, Any]:
        """Read the table of objects, and return what stands beneath it."""
        at += 4
        while head := re.compile(rb"\s*(\d+) (\d+)\s*\n").match(self.data, at):
            at = head.end()
            for number in range(int(head[1]), int(head[1]) + int(head[2])):
                if self.data[at + 17 : at + 18] == b"n":
                    self.where[number] = int(self.data[at : at + 10])
                at += 20
        return dict(value(self.data, self.data.index(b"trailer", at) + 7)[0])

    def _packed_table(self, at: int) -> dict[str, Any]:
        """Read a table that is an object itself, and return what it says beside."""
        table = self._object(at)
        if not isinstance(table, Stream) or table.about.get("W") != [1, 4, 2] or "Index" in table.about:
            raise PdfError(f"expected a table of objects at byte {at}, found {self.data[at : at + 40]!r}")
        for number, (kind, place, index) in enumerate(struct.iter_unpack(">BIH", table.data)):
            if kind:
                self.where[number] = place if kind == 1 else (place, index)
        return table.about

    def get(self, what: Any) -> Any:
        """Return what `what` points to, or itself where it points to nothing."""
        while isinstance(what, Ref):
            if what.number not in self._read:
                where = self.where[what.number]
                self._read[what.number] = (
                    value(self._unpacked(*where))[0] if isinstance(where, tuple) else self._object(where)
                )
            what = self._read[what.number]
        return what

    def _object(self, at: int) -> Any:
        found, end = value(self.data, self.data.index(b"obj", at) + 3)
        stream = re.compile(rb"\s*stream\r?\n").match(self.data, end)
        if stream is None:
            return found
        return Stream(found, self.data[stream.end() : stream.end() + self.get(found["Length"])])

    def _unpacked(self, pack: int, index: int) -> bytes:
        """Return from where on an object stands that is packed into another."""
        if pack not in self._packs:
            stream = self.get(Ref(pack))
            head, first = stream.data[: stream.about["First"]], stream.about["First"]
            offsets = [int(offset) for offset in head.split()[1::2]]
            ends = [*offsets[1:], len(stream.data) - first]
            self._packs[pack] = [
                stream.data[first + a : first + b] for a, b in zip(offsets, ends, strict=True)
            ]
        return self._packs[pack][index]

    def raw(self, number: int) -> tuple[bytes, bool]:
        """Return an object as it is written, and whether a stream belongs to it."""
        where = self.where[number]
        if isinstance(where, tuple):
            return self._unpacked(*where), False
        at = self.data.index(b"obj", where) + 3
        found, end = value(self.data, at)
        stream = re.compile(rb"\s*stream\r?\n").match(self.data, end)
        if stream is not None:
            end = self.data.index(b"endstream", stream.end() + self.get(found["Length"])) + len(b"endstream")
        return self.data[at:end].strip(), stream is not None

    @cached_property
    def catalog(self) -> dict[str, Any]:
        """What the PDF says of itself as a whole."""
        return dict(self.get(self.trailer["Root"]))

    @cached_property
    def information(self) -> dict[str, str]:
        """Title and the like."""
        return {name: words(text) for name, text in self.get(self.trailer["Info"]).items()}

    @cached_property
    def pages(self) -> list[dict[str, Any]]:
        """The pages, in order."""
        return [self.get(one) for one in self._page_refs]

    @cached_property
    def _page_refs(self) -> list[Ref]:
        def below(node: Ref) -> Iterator[Ref]:
            kids = self.get(node).get("Kids")
            if kids is None:
                yield node
            for kid in self.get(kids) or []:
                yield from below(kid)

        return list(below(self.catalog["Pages"]))

    @cached_property
    def _numbers(self) -> dict[Ref, int]:
        return {ref: number for number, ref in enumerate(self._page_refs, 1)}

    @cached_property
    def places(self) -> dict[str, int]:
        """What links within the document lead to: the id of each, and its page, from 1."""
        named = self.get(self.catalog.get("Dests")) or {}
        return {unquote(name): self._numbers[self.get(place)[0]] for name, place in named.items()}

    @property
    def outline(self) -> Iterator[Heading]:
        """The headings that a reader may open beside the pages."""
        top = self.get(self.catalog.get("Outlines"))
        if top:
            yield from self._below(top, 0)

    def _below(self, node: dict[str, Any], depth: int) -> Iterator[Heading]:
        at = node.get("First")
        while at is not None:
            entry = self.get(at)
            yield Heading(depth, words(entry["Title"]), self._numbers[self.get(entry["Dest"])[0]])
            yield from self._below(entry, depth + 1)
            at = entry.get("Next")

    @property
    def links(self) -> Iterator[Link]:
        """The links of all pages."""
        for number, page in enumerate(self.pages, 1):
            for annotation in map(self.get, self.get(page.get("Annots")) or []):
                if annotation.get("Subtype") != "Link":
                    continue
                action = self.get(annotation.get("A")) or {}
                place, address = annotation.get("Dest"), action.get("URI")
                yield Link(
                    number,
                    None if place is None else unquote(place),
                    None if address is None else words(address),
                )

    def content(self, page: int) -> list[Any]:
        """Return what is drawn on a page, from 1: numbers, strings, names, and operators as words."""
        return self.tokens_of(self.get(self.pages[page - 1]["Contents"]))

    @staticmethod
    def tokens_of(stream: Stream) -> list[Any]:
        """Return what a stream of drawing commands holds, as `content` does."""
        return [token for token, _ in tokens(stream.data)]
