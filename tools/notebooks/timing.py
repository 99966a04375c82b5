"""Run notebooks as Colab would, and note how much processor time each took."""

import json
import os
import platform
import resource
import tempfile
from datetime import date
from importlib.metadata import version
from pathlib import Path

from tools.notebooks.execution import execute
from unrolled.data.fetch import OFFLINE_VARIABLE

__all__ = ["record"]


def _cpu_seconds() -> float:
    """Return the processor seconds of all kernels that have ended: the same however busy the machine is."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def record(root: Path, notebooks: dict[str, str]) -> None:
    """Run the notebooks and write the processor seconds into ``results/chapter_times.json``."""
    path = root / "results" / "chapter_times.json"
    times = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    for page, text in notebooks.items():
        with tempfile.TemporaryDirectory() as folder:
            before = _cpu_seconds()
            # What a reader waits for who has neither network nor files: the same on every machine.
            execute(text, Path(folder), {OFFLINE_VARIABLE: "1"})
            seconds = _cpu_seconds() - before
        times[page] = {
            **times.get(page, {}),
            "cpu_s": round(seconds, 1),
            "hardware": f"{os.cpu_count()} CPU cores, {platform.machine()}",
            "date": date.today().isoformat(),
            "torch": version("torch"),
        }
        print(f"{page}: {seconds:.1f} s")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(times, indent=2, sort_keys=True) + "\n", encoding="utf-8")
