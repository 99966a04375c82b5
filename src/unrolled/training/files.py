"""Files that are whole or not there: written under another name, forced to disk, then renamed."""

import json
import math
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

__all__ = ["check_finite", "naming", "sync", "to_json", "write_atomically", "write_json"]

_ROW = re.compile(r"\[\n +([^][{}]*)\n +\]")


def check_finite(what: str, content: Any) -> None:
    """Raise unless all floats in dictionaries, lists and tuples are finite.

    Raises:
        ValueError: one is not; the message says `what` it is part of, and where it stands there.
    """
    for place, number in _numbers(content):
        if not math.isfinite(number):
            raise ValueError(f"{what}: expected finite numbers, got {number} for {place}")


def to_json(what: str, content: Any, indent: int | None = None) -> str:
    """Return measured numbers as JSON.

    Args:
        what: what they are, for the message.
        content: dictionaries, lists, numbers and strings.
        indent: as of `json.dumps`.

    Raises:
        ValueError: a number is not finite: JSON has no word for it. The message says which.
    """
    check_finite(what, content)
    return json.dumps(content, indent=indent, ensure_ascii=False, allow_nan=False)


def _numbers(content: Any, place: str = "") -> Iterator[tuple[str, float]]:
    """Yield every float with the names and places that lead to it, such as ``metrics/loss``."""
    if isinstance(content, float):
        yield place, content
    elif isinstance(content, dict | list | tuple):
        for key, inner in content.items() if isinstance(content, dict) else enumerate(content):
            yield from _numbers(inner, f"{place}/{key}".lstrip("/"))


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Let an error of the system say which file it was about: a full disk does not."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(path)
        raise


def sync(path: Path) -> None:
    """Force a file, or the names in a folder, to disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that, whenever the machine stops, the old one or the new one is there, whole.

    Raises:
        OSError: the disk is full, or the folder cannot be written to; the message names the file. The old one
            is there then, and nothing of the new one.
    """
    temporary = path.with_name(f".{path.name}.writing")
    with naming(path):
        try:
            temporary.write_bytes(content)
            sync(temporary)
            temporary.replace(path)
        except BaseException:
            with suppress(OSError):  # where it cannot be removed, the first error is the one to hear of
                temporary.unlink(missing_ok=True)
            raise
        sync(path.parent)


def write_json(path: Path, content: Any) -> None:
    """Write JSON for people to read, atomically; a list of numbers or words stands on one line.

    Raises:
        ValueError: a number is not finite: JSON has no word for it.
    """
    text = to_json(path.name, content, indent=2) + "\n"
    # No string holds a line feed of its own: JSON writes it as two characters.
    text = _ROW.sub(lambda row: "[" + re.sub(r"\n +", " ", row[1]) + "]", text)
    write_atomically(path, text.encode())
