"""Run notebooks as Colab would, and note how much processor time each took, and how long by the clock."""

import os
import platform
import resource
import tempfile
import time
from datetime import date
from importlib.metadata import version
from pathlib import Path

from tools.notebooks.execution import execute
from tools.run_times import keep_times, measured_times
from unrolled.data.fetch import OFFLINE_VARIABLE

__all__ = ["record"]


def _cpu_seconds() -> float:
    """Return the processor seconds of all kernels that have ended: the same however busy the machine is."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def record(root: Path, notebooks: dict[str, str]) -> None:
    """Run the notebooks and write their seconds into ``results/chapter_times.json``."""
    times = measured_times(root)
    for page, text in notebooks.items():
        with tempfile.TemporaryDirectory() as folder:
            before, started = _cpu_seconds(), time.perf_counter()
            # What a reader waits for who has neither network nor files: the same on every machine.
            execute(text, Path(folder), {OFFLINE_VARIABLE: "1"})
            seconds, waited = _cpu_seconds() - before, time.perf_counter() - started
        times[page] = {
            **times.get(page, {}),
            "cpu_s": round(seconds, 1),
            "wall_s": round(waited, 1),
            "hardware": f"{os.cpu_count()} CPU cores, {platform.machine()}",
            "date": date.today().isoformat(),
            "torch": version("torch"),
        }
        print(f"{page}: {seconds:.1f} s of the processor, {waited:.1f} s by the clock")
    keep_times(root, times)
