"""The table, as text, as JSON and as Markdown; each group with the machine, commit and date of its run."""

import json
import os
import platform
import subprocess
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from benchmarks.timing import Row
from unrolled.training.files import to_json

__all__ = ["ROOT", "commit", "describe", "machine", "markdown", "update"]

ROOT = Path(__file__).parents[1]
HEADER = ("case", "beside", "ours", "theirs", "unit", "ratio", "ours again", "target", "")
INTRODUCTION = """\
# Benchmarks

Made by `python -m benchmarks`. A ratio is how many times as fast ours is (for memory and import: how much of
theirs it takes), the median over rounds in which each ran once; in brackets the interval that holds the
median 19 times in 20. *Ours again* is the same for a second copy of ours: the noise of that run. Of each
group there is the latest run of every machine: a ratio depends on the processor, too.
"""


def machine() -> dict[str, Any]:
    """Return what the figures depend on; no names and no paths."""
    cpu, info = platform.machine(), Path("/proc/cpuinfo")
    if info.exists():
        fields = (line.partition(":") for line in info.read_text().splitlines())
        cpu = next((value.strip() for key, _, value in fields if key.strip() == "model name"), cpu)
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    versions = {"python": platform.python_version(), "torch": torch.__version__}
    return {"cpu": cpu, "cores": os.cpu_count(), "gpu": gpu, **versions}


def commit() -> str:
    """Return the short commit, with a + when the package differs from it; unknown outside a checkout."""
    git = ["git", "-C", str(ROOT)]
    try:
        head = subprocess.run(
            [*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True
        )
        changed = subprocess.run(
            [*git, "status", "--porcelain", "src/unrolled"], capture_output=True, text=True
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return head.stdout.strip() + ("+" if changed.stdout.strip() else "")


def _number(x: float) -> str:
    return f"{x:,.0f}" if x >= 1000 else f"{x:.3g}"


def cells(row: dict[str, Any]) -> tuple[str, ...]:
    """Return the cells of one line."""
    ratio, noise = row["ratio"], row["noise"]
    again = "" if noise is None else f"{noise['median']:.2f} ({noise['low']:.2f}–{noise['high']:.2f})"
    spread = f"{ratio['median']:.2f}"
    if noise is not None:
        spread += f" ({ratio['low']:.2f}–{ratio['high']:.2f})"
    numbers = _number(row["ours"]), _number(row["theirs"])
    return row["case"], row["reference"], *numbers, row["unit"], spread, again, row["target"], row["verdict"]


def describe(row: Row) -> str:
    """Return one line of the table as it is printed while the benchmarks run."""
    case, reference, ours, theirs, unit, ratio, again, target, said = cells(asdict(row))
    text = f"{case:64} {ours:>8} {unit:8} {reference} {theirs}: {ratio}"
    return text + (f", again {again}" if again else "") + (f", target {target}: {said}" if target else "")


def markdown(results: dict[str, Any]) -> str:
    """Return the whole file of results as Markdown."""
    parts = [INTRODUCTION]
    for group, runs in results.items():
        parts.append(f"## {group}\n")
        for run in runs:
            parts.append(f"{_provenance(run)}\n")
            lines = [HEADER, ("---",) * len(HEADER), *(cells(row) for row in run["rows"])]
            parts.append("\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n")
    return "\n".join(parts)


def _provenance(run: dict[str, Any]) -> str:
    m = run["machine"]
    return (
        f"{run['date']}, commit {run['commit']}, `{run['command']}`: {m['cpu']}, {m['cores']} cores, "
        + (f"{m['gpu']}, " if m["gpu"] else "")
        + f"Python {m['python']}, torch {m['torch']}; {run['threads']} thread(s), {run['pairs']} rounds, "
        f"{run['clock']} clock, load {run['load'][0]} before and {run['load'][1]} after."
    )


def _hardware(run: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(run["machine"][key] for key in ("cpu", "cores", "gpu"))


def update(folder: Path, group: str, run: dict[str, Any], rows: Iterable[Row]) -> None:
    """Write one group's rows into the results, beside what other groups and other machines left there."""
    path = folder / "benchmarks.json"
    results = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    others = [other for other in results.get(group, []) if _hardware(other) != _hardware(run)]
    results[group] = [*others, run | {"rows": [asdict(row) for row in rows]}]
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(to_json(path.name, results, indent=1) + "\n", encoding="utf-8")
    path.with_suffix(".md").write_text(markdown(results), encoding="utf-8")
