"""Files that are whole or not there: written under another name, forced to disk, then renamed."""

import json
import os
import re
from pathlib import Path
from typing import Any

__all__ = ["sync", "write_atomically", "write_json"]

_ROW = re.compile(r"\[\n +([^][{}]*)\n +\]")


def sync(path: Path) -> None:
    """Force a file, or the names in a folder, to disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that, whenever the machine stops, the old one or the new one is there, whole."""
    temporary = path.with_name(f".{path.name}.writing")
    temporary.write_bytes(content)
    sync(temporary)
    temporary.replace(path)
    sync(path.parent)


def write_json(path: Path, content: Any) -> None:
    """Write JSON for people to read, atomically; a list of numbers or words stands on one line.

    Raises:
        ValueError: a number is not finite: JSON has no word for it.
    """
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    # No string holds a line feed of its own: JSON writes it as two characters.
    text = _ROW.sub(lambda row: "[" + re.sub(r"\n +", " ", row[1]) + "]", text)
    write_atomically(path, text.encode())
