"""Serve the book and build it again whenever a file changes: ``python -m tools.preview``, or ``make serve``.

While somebody writes, the page is a reload behind the text. What does not build is said, and the pages of the
last build that did are still there.
"""

import argparse
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from tools import serving
from tools.build_book import ROOT, BuildError, build

__all__ = ["main", "state", "watch"]

WATCHED = ("book", "src", "tools")
# Seconds between two looks.
_PAUSE = 0.5


def state(root: Path) -> dict[str, tuple[int, int]]:
    """Return date and size of every file that pages are made of, by its path."""
    found: dict[str, tuple[int, int]] = {}
    for path in (path for name in WATCHED for path in _files(root / name)):
        try:
            looked = path.stat()
        except FileNotFoundError:  # an editor's own file, gone again
            continue
        found[path.relative_to(root).as_posix()] = looked.st_mtime_ns, looked.st_size
    return found


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        # What a build makes, and what Python, editors and version control leave, no page is made of.
        if path.name in {"_build", "__pycache__"} or path.name.startswith(".") or path.name.endswith("~"):
            continue
        if path.is_dir():
            yield from _files(path)
        else:
            yield path


def watch(
    root: Path,
    make: Callable[[], object],
    say: Callable[[str], object],
    wait: Callable[[], bool],
) -> None:
    """Build again after each change, until `wait` returns False.

    Args:
        root: the repository.
        make: builds the book, or raises `BuildError`.
        say: is called with what changed, and with how the build ended.
        wait: lets some time pass; returns whether to go on.
    """
    before = state(root)
    while wait():
        now = state(root)
        if now == before:
            continue
        changed = sorted(path for path in before.keys() | now.keys() if before.get(path) != now.get(path))
        say(f"{', '.join(changed[:3])}{' and others' if changed[3:] else ''} changed: building")
        # A change that comes while it builds differs from what was seen before it, and is built next.
        before = now
        started = time.monotonic()
        try:
            make()
        except BuildError as error:
            say(f"Not built; the pages are as they were.\n\n{error}\n")
        else:
            say(f"Built in {time.monotonic() - started:.0f} s: reload the page")


def _pause() -> bool:
    time.sleep(_PAUSE)
    return True


def main(arguments: list[str] | None = None) -> int:
    """Build, serve, and watch until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m tools.preview", description="Build, serve and watch.")
    parser.add_argument("--port", type=int, default=8000, help="where to serve on this machine; 8000")
    options = parser.parse_args(arguments)

    def say(line: str) -> None:
        print(line, flush=True)

    try:
        html = build(say=say)
    except BuildError as error:
        print(f"The book was not built.\n\n{error}", file=sys.stderr)
        return 1
    try:
        server = serving.server(html, options.port)
    except OSError as error:
        print(f"port {options.port}: {error.strerror}; name another with --port", file=sys.stderr)
        return 1
    threading.Thread(target=server.serve_forever, daemon=True).start()
    say(f"http://127.0.0.1:{server.server_port}/ shows the book; what changes is built. Ctrl-C ends it.")
    try:
        watch(ROOT, partial(build, say=say), say, _pause)
    except KeyboardInterrupt:
        server.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
