"""How long `import unrolled.nn` takes beside `import torch`, each in a fresh process."""

import subprocess
import sys
from collections.abc import Iterator

from benchmarks.timing import Race, Row, Spread, Timer, verdict

__all__ = ["measure"]

# Timed inside the process: the start of Python itself belongs to neither.
CODE = "import time; now = time.{clock}; start = now(); import {module}; print(now() - start)"
CONTESTANTS = {"ours": "unrolled.nn", "again": "unrolled.nn", "torch": "torch"}


def measure(timer: Timer, most: int = 15) -> Iterator[Row]:
    """At most `most` rounds, since each takes seconds."""
    clock = {"wall": "perf_counter", "cpu": "process_time"}[timer.clock]
    times: dict[str, list[float]] = {name: [] for name in CONTESTANTS}
    for i in range(min(timer.pairs, most) + 1):
        for name, module in CONTESTANTS.items():
            command = [sys.executable, "-c", CODE.format(clock=clock, module=module)]
            out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            if i:  # the first round fills the file cache
                times[name].append(float(out))
    row = Race(times).row("import unrolled.nn", "torch")
    ratio = Spread.of([ours / torch for ours, torch in zip(times["ours"], times["torch"], strict=True)])
    yield Row(
        row.case,
        "import torch",
        row.unit,
        row.ours,
        row.theirs,
        ratio,
        row.noise,
        "≤ 1.05",
        verdict(ratio, at_most=1.05),
    )
