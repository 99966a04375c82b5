"""Damage that files come to: bits, cuts, other JSON, other headers of tensors, other files altogether."""

import copy
import gzip
import json
import random
import struct
from typing import Any

__all__ = ["HOSTILE", "damaged", "hostile"]

HOSTILE: tuple[str, ...] = (
    "",
    " ",
    "\x00\x1b[31m",
    "<img src=x onerror=hit()>",
    "</script><script>hit()</script>",
    "\"><svg/onload=hit()>'",
    "javascript:hit()",
    "{{constructor.constructor('hit()')()}}",
    "__proto__",
    "constructor",
    "toString",
    "\u202eabc\u2066\u200f",
    "\u0000",
    "\ufeff",
    "\ufffe",
    "e\u0301\u0323",
    "👩‍👩‍👧‍👦🐻",
    "ﷺ" * 5,
    "a" * 5000,
    "' OR 1=1 --",
    "../../etc/passwd",
    "%s%n",
    "\r\n\u2028\u2029",
    "\\u0000\\",
    "&lt;b&gt;&amp;",
    "1e999",
    "-0",
)
"""Texts that somebody may write where a word was meant."""
_VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    1,
    2,
    7,
    10**12,
    -(2**63),
    2**64,
    10**400,
    0.5,
    -0.0,
    1e-320,
    1e308,
    float("inf"),
    float("nan"),
    [],
    {},
    [[]],
    [1, "a", None],
    {"a": {"b": []}},
)
_DTYPES = ("F64", "F32", "F16", "BF16", "I64", "I32", "I8", "U8", "BOOL", "F8_E4M3", "C64", "X", "", 7, None)


def hostile(chance: random.Random) -> str:
    """Return a text of the list, or letters of any alphabet."""
    if chance.random() < 0.7:
        return chance.choice(HOSTILE)
    letters = (chance.randrange(0x20, 0x3000) for _ in range(chance.randrange(1, 12)))
    return "".join(map(chr, letters))


def _value(chance: random.Random) -> Any:
    # A copy: the next change may go into it.
    return hostile(chance) if chance.random() < 0.3 else copy.deepcopy(chance.choice(_VALUES))


def _places(tree: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [place]
    if isinstance(tree, dict | list):
        for key, inner in tree.items() if isinstance(tree, dict) else enumerate(tree):
            found += _places(inner, (*place, key))
    return found


def other_json(tree: Any, chance: random.Random) -> Any:
    """Return JSON with one to three places changed, removed, doubled or moved."""
    tree = json.loads(json.dumps(tree))
    for _ in range(chance.choice((1, 1, 2, 3))):
        *way, key = chance.choice(_places(tree)[1:] or [("",)])
        around = tree
        for step in way:
            around = around[step]
        if not isinstance(around, dict | list) or not around:
            return _value(chance)
        how = chance.randrange(6)
        if how == 0:
            del around[key]
        elif how == 1 and isinstance(around, dict):
            around[hostile(chance)] = around.pop(key)
        elif how == 2 and isinstance(around, list):
            around.append(copy.deepcopy(around[key]))
        elif how == 3 and isinstance(around[key], int) and not isinstance(around[key], bool):
            around[key] += chance.choice((-1, 1, 10, 10**6))
        else:
            around[key] = _value(chance)
    return tree


def _other_header(content: bytes, chance: random.Random) -> bytes:
    """Return a safetensors file whose header says something else of the same numbers."""
    length = struct.unpack("<Q", content[:8])[0]
    header, rest = json.loads(content[8 : 8 + length]), content[8 + length :]
    how = chance.randrange(8)
    if how == 0:
        sizes = (0, 1, length - 1, length + 1, 2**31, 2**63, 2**64 - 1, len(content))
        return struct.pack("<Q", chance.choice(sizes)) + content[8:]
    names = [name for name in header if name != "__metadata__"]
    one = header[chance.choice(names)]
    if how == 1:
        one["dtype"] = chance.choice(_DTYPES)
    elif how == 2:
        one["shape"] = chance.choice(
            ([], [1], one["shape"][::-1], [*one["shape"], 1], [10**12], [-1, -1], [2**33, 2**33], "3", None)
        )
    elif how == 3:
        first, last = one["data_offsets"]
        shift = chance.choice((-8, -1, 1, 2, 4, 10**9, -(10**9)))
        one["data_offsets"] = chance.choice(
            ([first + shift, last], [first, last + shift], [last, first], [0, 0], [], None)
        )
    elif how == 4:
        header = other_json(header, chance)
    elif how == 5:
        other = chance.choice(names)
        header[other], header[names[0]] = header[names[0]], header[other]
    elif how == 6:  # a number that is none
        at = chance.randrange(0, max(1, len(rest) - 4), 4)
        odd = chance.choice(
            (b"\x00\x00\xc0\x7f", b"\x00\x00\x80\x7f", b"\x00\x7e\x00\x7e", b"\xff\xff\xff\xff")
        )
        rest = rest[:at] + odd + rest[at + 4 :]
    else:
        header["__metadata__"] = {"format": chance.choice(("pt", "np", hostile(chance)))}
    written = json.dumps(header).encode()
    return struct.pack("<Q", len(written)) + written + rest


def _bytes(content: bytes, chance: random.Random) -> bytes:
    """Return a file with flipped bits, cut, filled up, or with a piece of it gone, doubled or foreign."""
    at = chance.randrange(len(content) + 1)
    to = min(len(content), at + chance.choice((1, 2, 8, 64, 512)))
    how = chance.randrange(9)
    if how in (0, 1) and content:
        flipped = bytearray(content)
        for _ in range(chance.choice((1, 1, 2, 8))):
            flipped[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        return bytes(flipped)
    if how == 2:
        return content[:at]
    if how == 3:
        return content + chance.randbytes(chance.choice((1, 8, 100)))
    if how == 4:
        return content[:at] + content[to:]
    if how == 5:
        return content[:to] + content[at:]
    if how == 6:
        return content[:at] + bytes(to - at) + content[to:]
    odd = (
        b"\xff",
        b"\xfe\xff",
        b"\xed\xa0\x80",
        b"\x00",
        b"\\ud800",
        b"NaN",
        b"1e999",
        b"[" * 30,
        b"\xef\xbb\xbf",
    )
    return content[:at] + chance.choice(odd) + content[to if how == 7 else at :]


_BOMB = gzip.compress(bytes(1 << 24), 9)
_FOREIGN = (
    b"",
    b"\x00" * 64,
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b"null",
    b"[]",
    b"{}",
    b'"a"',
    b"NaN",
    b"1" * 6000,
    b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
    b"\x80\x04\x95\x0f\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94.",
    b"<!doctype html><title>404</title>",
    b"\xff\xfe{\x00}\x00",
    _BOMB,
)


def damaged(content: bytes, chance: random.Random, kind: str) -> bytes:
    """Return a file's content, damaged.

    Args:
        content: as it was.
        chance: where the damage comes from.
        kind: how the file is named: ``.json`` and ``.safetensors`` are damaged in their own ways too.
    """
    how = chance.random()
    if how < 0.05:
        return chance.choice(_FOREIGN)
    if how < 0.55 and kind == ".json":
        return json.dumps(other_json(json.loads(content), chance)).encode()
    if how < 0.55 and kind == ".safetensors":
        return _other_header(content, chance)
    return _bytes(content, chance)
