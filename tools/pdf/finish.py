"""What Chromium leaves undone in a PDF: who wrote it, what it is about, an outline that opens, a small file.

Chromium writes every element of the page as an object in plain text, which is two thirds of the file. The
format (PDF 1.5) lets such objects be packed together; nothing is lost.
"""

import re
import struct
import zlib
from collections.abc import Mapping
from typing import Any

from .document import Document
from .values import Name, Ref

__all__ = ["finished"]

# Whoever reads one object unpacks all that are packed with it.
_TOGETHER = 200


def finished(data: bytes, information: Mapping[str, str]) -> bytes:
    """Return the PDF `data` packed, with `information` in its properties, and an outline that opens with it.

    Args:
        data: a PDF of Chromium's.
        information: properties such as Author and Subject.
    """
    document = Document(data)
    trailer = {key: document.trailer[key] for key in ("Root", "Info")}
    texts = {key: _text(text) for key, text in information.items()}
    changed = {
        trailer["Info"].number: _written({**document.get(trailer["Info"]), **texts}),
        trailer["Root"].number: _written({**document.catalog, "PageMode": Name("UseOutlines")}),
    }
    made = bytearray(b"%PDF-1.5\n%\xd3\xeb\xe9\xe1\n")
    where: dict[int, tuple[int, int, int]] = {}
    plain: list[tuple[int, bytes]] = []
    for number in sorted(document.where):
        raw, is_stream = document.raw(number)
        if not is_stream:
            plain.append((number, changed.get(number, raw)))
        elif b"/Type /ObjStm" not in raw[:200] and b"/Type /XRef" not in raw[:200]:
            where[number] = (1, len(made), 0)
            made += b"%d 0 obj\n%s\nendobj\n" % (number, raw)
    free = max(document.where) + 1
    for start in range(0, len(plain), _TOGETHER):
        objects = plain[start : start + _TOGETHER]
        where[free] = (1, len(made), 0)
        where |= {number: (2, free, index) for index, (number, _) in enumerate(objects)}
        made += _stream(free, *_together(objects))
        free += 1
    where[free] = (1, len(made), 0)
    table = b"".join(struct.pack(">BIH", *where.get(number, (0, 0, 0))) for number in range(free + 1))
    end = len(made)
    made += _stream(free, {"Type": Name("XRef"), "Size": free + 1, "W": [1, 4, 2], **trailer}, table)
    return bytes(made) + b"startxref\n%d\n%%%%EOF\n" % end


def _together(objects: list[tuple[int, bytes]]) -> tuple[dict[str, Any], bytes]:
    """Return objects as one: what is said of it, and its bytes."""
    head, body = b"", b""
    for number, raw in objects:
        head += b"%d %d " % (number, len(body))
        body += raw + b"\n"
    return {"Type": Name("ObjStm"), "N": len(objects), "First": len(head)}, head + body


def _stream(number: int, about: dict[str, Any], data: bytes) -> bytes:
    packed = zlib.compress(data, 9)
    about = {**about, "Filter": Name("FlateDecode"), "Length": len(packed)}
    return b"%d 0 obj\n%s stream\n%s\nendstream\nendobj\n" % (number, _written(about), packed)


def _text(text: str) -> bytes:
    return text.encode("ascii") if text.isascii() else b"\xfe\xff" + text.encode("utf-16-be")


def _written(value: Any) -> bytes:
    """Return a value as a PDF has it."""
    if isinstance(value, dict):
        return (
            b"<<" + b"\n".join(b"/%s %s" % (_name(key), _written(one)) for key, one in value.items()) + b">>"
        )
    if isinstance(value, list):
        return b"[" + b" ".join(map(_written, value)) + b"]"
    if isinstance(value, bytes):
        return b"<%s>" % value.hex().encode()
    if isinstance(value, Ref):
        return b"%d 0 R" % value.number
    if isinstance(value, Name):
        return b"/" + _name(value)
    if value is None or isinstance(value, bool):
        return {None: b"null", True: b"true", False: b"false"}[value]
    return str(value).encode()


def _name(name: str) -> bytes:
    return re.sub(rb"[^A-Za-z0-9_.+-]", lambda sign: b"#%02X" % sign[0][0], name.encode())
