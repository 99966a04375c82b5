"""Run the chapters whose outputs are out of date, side by side, before any page is read.

myst-nb takes the outputs from jupyter-cache, whose key is the code of a chapter alone. Here a chapter runs
again when what its code can see has changed, too: the modules it imports, the files these read, the packages.
"""

import json
import os
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn, JupyterCacheAbstract
from myst_nb.core.read import create_nb_reader  # type: ignore[import-untyped]
from nbclient.exceptions import CellExecutionError, CellTimeoutError
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

from tools.dependencies import Sources, digest, environment_digest
from tools.forks import Forks
from tools.kernels import Client
from tools.run_times import measured_times

__all__ = ["Ran", "run_stale"]

# Beside the outputs, so that whoever removes those removes what is known of them.
_RECORDS = "chapters.json"
# A forked kernel starts; another takes longer.
_AT_LEAST = 1.0


@dataclass
class Ran:
    """What is known of a chapter's last run."""

    text: str
    """The digest of the page."""
    code: str
    """Its cells."""
    stamp: str
    """The digest of all its outputs depend on."""
    seconds: float
    within: str = ""
    """The digest of all files and packages there were: while it stays, so does the stamp of the same code."""


def run_stale(app: Sphinx, env: Any) -> dict[str, str]:
    """Run what is out of date; return the stamp of every chapter's outputs, by page.

    Raises:
        ExtensionError: a cell failed; the message holds the cell and its error.
    """
    cache = get_cache(env.mystnb_config.execution_cache_path)
    records = _Records(Path(env.mystnb_config.execution_cache_path) / _RECORDS)
    root = Path(app.srcdir).parent
    sources, packages = Sources(root), environment_digest(root)
    within = digest(packages, sources.whole)
    stamps: dict[str, str] = {}
    stale: dict[str, tuple[Any, Ran]] = {}

    def read(path: Path, text: str) -> Any:
        reader = create_nb_reader(str(path), env.myst_config, env.mystnb_config, text)
        return reader.read(text) if reader else None

    for page in sorted(env.found_docs):
        path = Path(env.doc2path(page))
        text = path.read_text(encoding="utf-8")
        before = records.of.get(page)
        notebook = None
        if before and before.text == digest(text):
            code = before.code
        else:
            notebook = read(path, text)
            code = _code(notebook) if notebook else ""
        if before and (before.code, before.within) == (code, within):
            stamp = before.stamp
        else:
            stamp = digest(packages, sources.stamp(code)) if code else ""
        now = Ran(digest(text), code, stamp, before.seconds if before else 0.0, within)
        if code:
            stamps[page] = stamp
        if not code or (before and before.stamp == stamp):
            records.of[page] = now
            continue
        stale[page] = notebook or read(path, text), now
    if stale:
        _run(env, cache, records, stale, _expected(root, {page: ran for page, (_, ran) in stale.items()}))
    records.save()
    return stamps


def _code(notebook: Any) -> str:
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return "\n\n".join(cell.source for cell in cells)


class _Records:
    """What is known of all chapters, in one file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.of: dict[str, Ran] = {}
        if path.exists():
            known = json.loads(path.read_text(encoding="utf-8"))
            self.of = {page: Ran(**ran) for page, ran in known.items()}

    def save(self) -> None:
        """Write the file; a reader never sees half of it."""
        half = self.path.with_suffix(".half")
        # A book without a cell has no folder of outputs.
        half.parent.mkdir(parents=True, exist_ok=True)
        half.write_text(json.dumps({p: asdict(ran) for p, ran in sorted(self.of.items())}), encoding="utf-8")
        half.replace(self.path)


def _expected(root: Path, stale: dict[str, Ran]) -> dict[str, float]:
    """Return how many seconds each chapter will take: as long as last time, or as long as was measured."""
    measured = measured_times(root)
    return {
        page: max(_AT_LEAST, ran.seconds or measured.get(page, {}).get("cpu_s", 0.0))
        for page, ran in stale.items()
    }


def _workers(chapters: int) -> int:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    # A kernel with torch takes the better part of a gigabyte.
    return max(1, min(chapters, cores, 8))


def _run(
    env: Any,
    cache: JupyterCacheAbstract,
    records: _Records,
    stale: dict[str, tuple[Any, Ran]],
    expected: dict[str, float],
) -> None:
    """Run the chapters side by side, the longest first, with a line for each as it ends."""
    workers, started = _workers(len(stale)), time.monotonic()
    whole = sum(expected.values())
    print(f"\nRunning {_chapters(len(stale))}, {workers} at a time: {_spoken(whole / workers)}", flush=True)
    failed: dict[str, str] = {}
    took = 0.0
    waiting = set(stale)
    # Where all start at once nothing is won by loading for all what not all may need.
    forked = Forks.possible() and len(stale) > workers
    with Forks() if forked else nullcontext() as forks, ThreadPoolExecutor(workers) as pool:
        order = sorted(stale, key=lambda page: (-expected[page], page))
        running = {pool.submit(_execute, env, page, stale[page][0], forks): page for page in order}
        for future in as_completed(running):
            page = running[future]
            waiting.remove(page)
            if future.cancelled():
                continue
            problem = ""
            try:
                seconds = future.result()
            except (CellExecutionError, CellTimeoutError) as error:
                problem = str(error)
            except Exception as error:  # a kernel that died, or never came up
                problem = f"{type(error).__name__}: {error}"
            if problem:
                failed[page] = problem
                for other in running:
                    other.cancel()
                continue
            notebook, ran = stale[page]
            _keep(env, cache, page, notebook)
            ran.seconds = round(seconds, 1)
            records.of[page] = ran
            records.save()
            took += ran.seconds
            # As slow as it went until now: another machine, or a busy one, is seen after the first chapter.
            slower = took / (whole - sum(expected[p] for p in waiting))
            left = whole * slower / workers - (time.monotonic() - started)
            rest = f"; {_chapters(len(waiting))} left, {_spoken(left)}" if waiting else ""
            print(f"  {page}: {ran.seconds:.0f} s{rest}", flush=True)
    if failed:
        said = (
            f"a cell of {env.doc2path(page, base=True)} failed:\n\n{problem.strip()}"
            for page, problem in sorted(failed.items())
        )
        raise ExtensionError("\n\n".join(said))


def _execute(env: Any, page: str, notebook: Any, forks: Forks | None) -> float:
    """Run the chapter's cells in place; return how many seconds that took."""
    started = time.monotonic()
    Client(
        notebook,
        forks=forks,
        timeout=env.mystnb_config.execution_timeout,
        allow_errors=env.mystnb_config.execution_allow_errors,
        record_timing=False,  # which would be part of the key of the outputs
        # A busy kernel sends one print in several pieces; they are put together as they came.
        coalesce_streams=True,
        resources={"metadata": {"path": str(Path(env.doc2path(page)).parent)}},
    ).execute()
    return time.monotonic() - started


def _keep(env: Any, cache: JupyterCacheAbstract, page: str, notebook: Any) -> None:
    cache.cache_notebook_bundle(
        CacheBundleIn(notebook, env.doc2path(page), data={}), check_validity=False, overwrite=True
    )


def _chapters(count: int) -> str:
    return f"{count} chapter{'' if count == 1 else 's'}"


def _spoken(seconds: float) -> str:
    return f"about {max(1, round(seconds))} s" if seconds < 90 else f"about {round(seconds / 60)} min"
