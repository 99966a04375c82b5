"""Run notebooks as Colab would, and note how long each took."""

import json
import os
import platform
import tempfile
import time
from datetime import date
from importlib.metadata import version
from pathlib import Path

from tools.notebooks.execution import execute

__all__ = ["record"]


def record(root: Path, notebooks: dict[str, str]) -> None:
    """Run the notebooks and write the seconds into ``results/chapter_times.json``."""
    path = root / "results" / "chapter_times.json"
    times = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    for page, text in notebooks.items():
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            execute(text, Path(folder))
            seconds = time.perf_counter() - start
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
