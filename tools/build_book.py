"""Build the book, or another edition of it: ``python -m tools.build_book --edition handout``.

Warnings are errors. The extension ``course`` runs the chapters whose outputs are out of date, and reads and
writes the pages that are. New pages are made beside the old ones, which stay until the new ones are whole.
"""

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

if sys.platform != "win32":
    import fcntl

__all__ = ["FOLDERS", "BuildError", "build", "environment", "tidy"]

ROOT = Path(__file__).resolve().parent.parent
# The editions, and the folder within _build of each: what they are stands in book/_ext/course/editions.
FOLDERS = {"book": "html", "handout": "handout", "solutions": "solutions", "slides": "slides"}
# What a page's address may be followed by, and what is no file of ours.
_REFERENCE = re.compile(r"""(?:src|href)="([^"#?]+)|url\(["']?([^"')#?]+)""")
_FAILED = re.compile(r"^a cell of \S+ failed:\n\n.*", re.MULTILINE | re.DOTALL)
# A line of the extension on the chapters that run.
_PROGRESS = re.compile(r"^Running \d+ chapter|^  \S+: \d+ s\b")
# Matrices are multiplied as every processor of the last ten years can: last digits, which training makes
# larger, are then the same on many machines. Ignored where there are no such instructions.
SAME_DIGITS = {
    "ATEN_CPU_CAPABILITY": "avx2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
}
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


class BuildError(RuntimeError):
    """The book was not built; the message says which page and why."""


def environment(root: Path, build: Path) -> dict[str, str]:
    """Return the environment cells run in: quiet threads, fixed hashes, nothing from the home folder."""
    paths = [str(root), str(root / "src"), os.environ.get("PYTHONPATH", "")]
    inherited = {key: value for key, value in os.environ.items() if key != "SOURCE_DATE_EPOCH"}
    return {
        # Not SOURCE_DATE_EPOCH: Sphinx would write its year over the year of the copyright.
        **inherited,
        "UNROLLED_BOOK": "1",
        # The pages show what every machine has, also where the public data sets lie in a cache.
        "UNROLLED_OFFLINE": "1",
        "OMP_NUM_THREADS": "1",
        "OMP_WAIT_POLICY": "PASSIVE",
        "PYTHONHASHSEED": "0",
        **SAME_DIGITS,
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "PYTHONDONTWRITEBYTECODE": "1",
        "MPLCONFIGDIR": str(build / "matplotlib"),
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "IPYTHONDIR": str(build / "ipython"),
        # Debuggers in a kernel warn on frozen modules; the book debugs nothing.
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }


def build(
    root: Path = ROOT,
    output: Path | None = None,
    say: Callable[[str], object] = lambda line: None,
    edition: str = "book",
) -> Path:
    """Build the book of the repository at `root`; return the folder of its pages.

    Args:
        root: the repository.
        output: where ``_build`` is made; the book's own folder unless told.
        say: is called with a line whenever a chapter has run.
        edition: one of `FOLDERS`; all share the outputs of the cells and what was read.

    Raises:
        ValueError: there is no such edition.
        BuildError: Jupyter Book refused; the message carries what it said. The old pages are still there.
    """
    made = (output or root / "book").resolve() / "_build"
    if edition not in FOLDERS:
        raise ValueError(f"edition: expected one of {', '.join(FOLDERS)}, got {edition!r}")
    html = made / FOLDERS[edition]
    new = html.with_name(f"{html.name}-new")
    made.mkdir(parents=True, exist_ok=True)
    with alone(made / "lock"):
        _start_from(html, new)
        _jupyter_book(root, new, say, edition)
        _put(new, html)
    return html


def _state(html: Path) -> Path:
    """Return the file in which the extension remembers what these pages were made of."""
    return html.parent / ".doctrees" / f"{html.name}.json"


def _start_from(old: Path, new: Path) -> None:
    """Lay the old pages where the new ones are made: most of them stay as they are."""
    before = old.with_name(f"{old.name}-old")
    if before.exists() and not old.exists():
        before.rename(old)  # a build ended between the two steps of `_put`
    for folder in (new, before):
        shutil.rmtree(folder, ignore_errors=True)
    _state(new).unlink(missing_ok=True)
    if old.is_dir() and _state(old).exists():
        shutil.copytree(old, new)
        shutil.copyfile(_state(old), _state(new))


def _put(new: Path, old: Path) -> None:
    """Put the new pages in the place of the old ones, in two renames."""
    before = old.with_name(f"{old.name}-old")
    with uninterrupted():
        _exchange(new, old, before)
    shutil.rmtree(before, ignore_errors=True)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Let who asks this process to stop wait for the end of the context."""
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _exchange(new: Path, old: Path, before: Path) -> None:
    # Were this to end in the middle, nothing would be known of the pages, and all be made again.
    _state(old).unlink(missing_ok=True)
    if old.exists():
        old.rename(before)
    new.rename(old)
    if _state(new).exists():
        _state(new).rename(_state(old))


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Wait until no other build uses the folder: tests and `make book` may run side by side."""
    with lock.open("w") as file:
        if sys.platform != "win32":
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


# What `jupyter-book build -n -W --keep-going` does, with the pages in a folder of any name.
_BUILD = """
import sys
from jupyter_book.sphinx import build_sphinx

book, html, edition = sys.argv[1:]
overrides = {
    "external_toc_path": f"{book}/_toc.yml", "latex_individualpages": False, "nitpicky": True,
    "course_edition": edition,
}
done = build_sphinx(
    book, html, noconfig=True, path_config=f"{book}/_config.yml", confoverrides=overrides,
    warningiserror=True, keep_going=True,
)
sys.exit(0 if done == 0 else 1)
"""


def _jupyter_book(root: Path, html: Path, say: Callable[[str], object], edition: str) -> None:
    said: list[str] = []
    with subprocess.Popen(
        [sys.executable, "-c", _BUILD, str(root / "book"), str(html), edition],
        cwd=root,
        env=environment(root, html.parent),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
    ) as running:
        assert running.stdout is not None
        try:
            for line in running.stdout:
                said.append(line)
                if _PROGRESS.match(line):
                    say(line.rstrip("\n"))
        except BaseException:
            running.terminate()  # kernels end with it
            raise
    if running.returncode != 0:
        raise BuildError(explain("".join(said)))


def explain(said: str) -> str:
    """Return what went wrong: the failed cell if there is one, else the warnings and errors of the build."""
    said = _ANSI.sub("", said)
    if failed := _FAILED.search(said):
        return failed[0].strip()
    lines = [line for line in said.splitlines() if line.strip() and "IPKernelApp" not in line]
    telling = [line for line in lines if re.search(r"\b(?:WARNING|ERROR|CRITICAL):?\s", line)]
    return "\n".join(telling or lines[-25:])


def tidy(html: Path) -> None:
    """Remove what Sphinx copies and no page asks for, and its notes on how it was called."""
    for name in (".buildinfo", ".nojekyll", "objects.inv", "reports", "_sphinx_design_static"):
        path = html / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    # GitHub Pages serves folders that begin with an underscore only where this file stands.
    (html / ".nojekyll").touch()
    wanted: set[Path] = set()
    found = {path.resolve() for path in html.rglob("*.html")}
    while found:
        wanted |= found
        found = {other for path in found for other in _referenced(path)} - wanted
    for path in sorted((html / "_static").rglob("*"), reverse=True):
        # A licence stays beside what it covers.
        if path.is_file() and path.resolve() not in wanted and "LICENSE" not in path.name:
            path.unlink()
        elif path.is_dir() and not any(path.iterdir()):
            path.rmdir()


def _referenced(path: Path) -> Iterator[Path]:
    if path.suffix not in {".html", ".css"}:
        return
    for match in _REFERENCE.finditer(path.read_text(encoding="utf-8")):
        address = str(match[1] or match[2])
        # A whole picture may stand in an address, which is then too long for the name of a file.
        if "://" not in address and not address.startswith("data:") and (path.parent / address).is_file():
            yield (path.parent / address).resolve()


def main(arguments: list[str] | None = None) -> int:
    """Build, and say where to open the book."""
    parser = argparse.ArgumentParser(prog="python -m tools.build_book", description="Build the book.")
    parser.add_argument("--output", type=Path, help="make _build in this folder instead of book/")
    parser.add_argument("--edition", choices=FOLDERS, default="book", help="which edition (default: book)")
    options = parser.parse_args(arguments)
    started = time.monotonic()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        html = build(output=options.output, say=lambda line: print(line, flush=True), edition=options.edition)
    except BuildError as error:
        print(f"Could not build the {options.edition}.\n\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"Stopped. No page of the {options.edition} is half made.", file=sys.stderr)
        return 130
    spent = time.monotonic() - started
    print(f"Built the {options.edition} in {spent:.0f} s. Open {(html / 'index.html').as_uri()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
