"""Run the benchmarks: ``python -m benchmarks [--only attention,gpt] [--pairs 30] [--threads 2]``."""

import argparse
import os
import sys
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

# OpenMP's waiting threads spin by default, and starve each other where a core is busy. Before torch loads.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch

from benchmarks import report
from benchmarks.timing import CLOCKS, Timer

GROUPS = {
    "attention": "benchmarks.attention",
    "memory": "benchmarks.memory",
    "gpt": "benchmarks.gpt",
    "generate": "benchmarks.generate",
    "costs": "benchmarks.costs",
    "seq2seq": "benchmarks.seq2seq",
    "today": "benchmarks.today",
    "linear": "benchmarks.linear",
    "import": "benchmarks.imports",
    "gpu": "benchmarks.gpu",
}


def main(arguments: list[str]) -> int:
    """Run the groups that are asked for, print their rows as they come, and write the results."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", default=",".join(GROUPS), help="groups, joined by commas (default: all)")
    parser.add_argument("--pairs", type=int, default=30, help="rounds of each comparison (default: 30)")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="torch threads, for both sides")
    parser.add_argument("--clock", choices=CLOCKS, default="wall", help="cpu: for a machine others use too")
    parser.add_argument("--out", type=Path, default=report.ROOT / "results", help="folder of the results")
    options = parser.parse_args(arguments)
    groups = options.only.split(",")
    unknown = [group for group in groups if group not in GROUPS]
    if unknown:
        parser.error(f"--only: expected some of {', '.join(GROUPS)}, got {', '.join(unknown)}")
    if options.pairs < 1 or options.threads < 1:
        parser.error("--pairs and --threads: expected at least 1")
    torch.set_num_threads(options.threads)
    timer = Timer(options.pairs, options.clock)
    shown = (
        f"--only {','.join(groups)} --pairs {timer.pairs} --threads {options.threads} --clock {timer.clock}"
    )
    print(f"{report.machine()}, {shown}", flush=True)
    for group in groups:
        if group == "gpu" and not torch.cuda.is_available():
            print("gpu: skipped, no GPU at hand")
            continue
        before, rows = os.getloadavg()[0], []
        for row in import_module(GROUPS[group]).measure(timer):
            print(report.describe(row), flush=True)
            rows.append(row)
        run = {
            "date": datetime.now(UTC).strftime("%Y-%m-%d"),
            "commit": report.commit(),
            "command": f"python -m benchmarks {shown}",
            "machine": report.machine(),
            "threads": options.threads,
            "pairs": timer.pairs,
            "clock": timer.clock,
            "load": [round(before, 1), round(os.getloadavg()[0], 1)],
        }
        report.update(options.out, group, run, rows)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
