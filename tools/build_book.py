"""Build the book: ``python -m tools.build_book``.

Warnings are errors. Cells run once and are kept in a cache, which is emptied when anything a cell can see
has changed: the package, the results, or the environment. The pages themselves are written afresh every
time, so that two builds of one commit are the same files.
"""

import argparse
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import distributions
from pathlib import Path

if sys.platform != "win32":
    import fcntl

__all__ = ["BuildError", "build", "execution_stamp"]

ROOT = Path(__file__).resolve().parent.parent
# What a page's address may be followed by, and what is no file of ours.
_REFERENCE = re.compile(r"""(?:src|href)="([^"#?]+)|url\(["']?([^"')#?]+)""")
_CELL = "An error occurred while executing the following cell:"
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


class BuildError(RuntimeError):
    """The book was not built; the message says which page and why."""


def execution_stamp(root: Path) -> str:
    """Return a digest of all that the outputs of the cells depend on, apart from the cells."""
    digest = hashlib.sha256()
    for path in _inputs(root):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    packages = sorted({f"{d.metadata['Name']}=={d.version}" for d in distributions()})
    digest.update("\n".join([platform.python_version(), platform.machine(), *packages]).encode())
    return digest.hexdigest()


def _inputs(root: Path) -> Iterator[Path]:
    yield from (path for path in [root / "requirements.lock"] if path.exists())
    for folder in ("src", "results"):
        for path in sorted((root / folder).rglob("*")):
            generated = "__pycache__" in path.parts or any(p.endswith(".egg-info") for p in path.parts)
            # Measured run times stand on the page but are seen by no cell.
            if path.is_file() and not generated and path.name != "chapter_times.json":
                yield path


def forget_stale_outputs(root: Path, build: Path) -> bool:
    """Empty the cache of outputs if it was filled by another state; return whether it was."""
    stamp, cache = build / "execution-stamp", build / ".jupyter_cache"
    now = execution_stamp(root)
    if stamp.exists() and stamp.read_text() == now:
        return False
    shutil.rmtree(cache, ignore_errors=True)
    build.mkdir(parents=True, exist_ok=True)
    stamp.write_text(now)
    return True


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
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "PYTHONDONTWRITEBYTECODE": "1",
        "MPLCONFIGDIR": str(build / "matplotlib"),
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "IPYTHONDIR": str(build / "ipython"),
        # Debuggers in a kernel warn on frozen modules; the book debugs nothing.
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }


def build(root: Path = ROOT, output: Path | None = None) -> Path:
    """Build the book of the repository at `root`; return the folder of its pages.

    Args:
        root: the repository.
        output: where ``_build`` is made; the book's own folder unless told.

    Raises:
        BuildError: Jupyter Book refused; the message carries what it said.
    """
    made = (output or root / "book").resolve() / "_build"
    html = made / "html"
    made.mkdir(parents=True, exist_ok=True)
    with alone(made / "lock"):
        forget_stale_outputs(root, made)
        shutil.rmtree(html, ignore_errors=True)
        _jupyter_book(root, made)
        tidy(html)
    return html


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Wait until no other build uses the folder: tests and `make book` may run side by side."""
    with lock.open("w") as file:
        if sys.platform != "win32":
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _jupyter_book(root: Path, made: Path) -> None:
    jupyter_book = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()", "build"]
    done = subprocess.run(
        [
            *jupyter_book,
            str(root / "book"),
            "--path-output",
            str(made.parent),
            "--all",
            "-n",
            "-W",
            "--keep-going",
        ],
        cwd=root,
        env=environment(root, made),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise BuildError(explain(done.stdout + done.stderr))


def explain(said: str) -> str:
    """Return what went wrong: the failed cell if there is one, else the warnings and errors of the build."""
    said = _ANSI.sub("", said)
    failed = re.search(r"^(.*): WARNING: Executing notebook failed", said, re.MULTILINE)
    if failed and _CELL in said:
        # Twice in the log: once with the library's frames before it, once as the cause of another error.
        cell, _, _ = said.partition(_CELL)[2].partition("\n\nThe above exception")
        return f"a cell of {failed[1]} failed:\n\n{cell.strip()}"
    lines = [line for line in said.splitlines() if line.strip() and "IPKernelApp" not in line]
    telling = [line for line in lines if re.search(r"\b(?:WARNING|ERROR|CRITICAL):?\s", line)]
    if telling:
        return "\n".join(telling)
    # Jupyter Book wraps what Sphinx raised in errors of its own; the first is the one that tells.
    first, _, _ = "\n".join(lines).partition("The above exception was the direct cause")
    return "\n".join(first.splitlines()[-25:])


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
        other = path.parent / (match[1] or match[2])
        if "://" not in str(match[0]) and other.is_file():
            yield other.resolve()


def main(arguments: list[str] | None = None) -> int:
    """Build, and say where to open the book."""
    parser = argparse.ArgumentParser(prog="python -m tools.build_book", description="Build the book.")
    parser.add_argument("--output", type=Path, help="make _build in this folder instead of book/")
    options = parser.parse_args(arguments)
    started = time.monotonic()
    try:
        html = build(output=options.output)
    except BuildError as error:
        print(f"The book was not built.\n\n{error}", file=sys.stderr)
        return 1
    print(
        f"The book is built, in {time.monotonic() - started:.0f} s. Open it: {(html / 'index.html').as_uri()}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
