"""The curve of a run, one JSON object a line, written as it goes."""

import os
from pathlib import Path
from typing import Any

from unrolled.inputs import read_json, user_path
from unrolled.training.files import naming, to_json

__all__ = ["Curve", "read_curve", "thin"]


class Curve:
    """A file that grows by a line at a time, and that can be cut back to where a checkpoint knew it.

    Args:
        path: the file; made if it is not there.
        position: how many of its bytes to keep. The rest are lines of steps that will be taken again.

    Raises:
        ValueError: the file is shorter than `position`.
    """

    def __init__(self, path: Path, position: int = 0) -> None:
        self._path = path
        self._file = path.open("ab")
        if self._file.tell() < position:
            length = self._file.tell()
            self._file.close()
            raise ValueError(f"{path.name}: expected {position} bytes or more, got {length}: it was cut")
        self._file.truncate(position)

    def add(self, **point: Any) -> None:
        """Add a line; it reaches the file at once.

        Raises:
            ValueError: a number is not finite; the message says which.
            OSError: the disk is full; the message names the file.
        """
        line = to_json(f"step {point.get('step')} of the curve", point).encode() + b"\n"
        with naming(self._path):
            self._file.write(line)
            self._file.flush()

    def position(self) -> int:
        """Force the file to disk and return its length in bytes."""
        with naming(self._path):
            self._file.flush()
            os.fsync(self._file.fileno())
            return self._file.seek(0, os.SEEK_END)

    def close(self) -> None:
        """Force what is written to disk and let go of the file."""
        with naming(self._path):
            try:
                self.position()
            finally:
                self._file.close()


def read_curve(path: Path) -> list[dict[str, Any]]:
    """Return the points of a curve; a last line that a kill cut short is left out.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a line is not a point; the message names the file and the line.
    """
    path = user_path("path", path)
    lines = path.read_bytes().split(b"\n")[:-1]
    return [read_json(f"{path}, line {n}", line) for n, line in enumerate(lines, start=1)]


def thin(points: list[dict[str, Any]], at_most: int = 100) -> list[dict[str, Any]]:
    """Return at most that many of the points, evenly spread, the first and the last among them.

    Raises:
        ValueError: `at_most` is below 2.
    """
    if at_most < 2:
        raise ValueError(f"at_most: expected 2 points or more, got {at_most}")
    if len(points) <= at_most:
        return list(points)
    return [points[round(i * (len(points) - 1) / (at_most - 1))] for i in range(at_most)]
