"""How long a chapter runs, as it was measured, in words: for its page and for its notebook."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

__all__ = ["TIMES", "keep_times", "measured_times", "run_clock", "run_time"]

# From the root of the repository.
TIMES = "results/chapter_times.json"


def measured_times(root: Path) -> dict[str, dict[str, Any]]:
    """Return what was measured of each chapter of the repository at `root`, by page."""
    path = root / TIMES
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def keep_times(root: Path, times: Mapping[str, Mapping[str, Any]]) -> None:
    """Write what was measured of each chapter."""
    path = root / TIMES
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(times, indent=2, sort_keys=True) + "\n", encoding="utf-8")


class Say(Protocol):
    """Words with what belongs into them, as `tools.words.Words` says them."""

    def __call__(self, key: str, **given: object) -> str: ...


# What notebooks say: their words stand in `tools.notebooks`, in English.
_ENGLISH = {
    "seconds": "{count} s",
    "minutes": "{count} min",
    "range": "{low} to {high}",
    "on_cpu": "{time} on a CPU",
    "on_gpu": "{time} on a GPU",
    "measured": "{time} (one fast machine: {machine}; a busier or slower one takes longer)",
    "measured_both": "{time} (processor time and waiting time, on one fast machine: {machine}; "
    "a busier or slower one takes longer)",
}


def _english(key: str, **given: object) -> str:
    return _ENGLISH[key.removeprefix("running.")].format(**given)


def run_time(entry: Mapping[str, Any], say: Say = _english) -> str:
    """Return what ``results/chapter_times.json`` says of a chapter, such as "9 to 14 s on a CPU (…)".

    A range goes from the time of the processor to that by the clock, which is longer on a busy machine.

    Args:
        entry: of the chapter.
        say: the words to say it in.

    Raises:
        ValueError: nothing was measured.
    """
    said = []
    if cpu := _seconds(entry, "cpu_s", "wall_s"):
        said.append(say("running.on_cpu", time=_range(cpu, say)))
    if gpu := _seconds(entry, "gpu_s"):
        said.append(say("running.on_gpu", time=_range(gpu, say)))
    if not said:
        raise ValueError(f"chapter_times.json: expected cpu_s or gpu_s, got {sorted(entry)}")
    about = ", ".join(str(entry[key]) for key in ("hardware", "date") if key in entry)
    time = ", ".join(said)
    if not about:
        return time
    if "wall_s" in entry:
        return say("running.measured_both", time=time, machine=about)
    return say("running.measured", time=time, machine=about)


def run_clock(entry: Mapping[str, Any], say: Say = _english) -> str:
    """Return how long a chapter ran where it was measured, in short: "9 to 14 s"."""
    kinds = (_seconds(entry, "cpu_s", "wall_s"), _seconds(entry, "gpu_s"))
    return ", ".join(_range(seconds, say) for seconds in kinds if seconds)


def _seconds(entry: Mapping[str, Any], first: str, *others: str) -> list[float]:
    """Return what was measured, or nothing where the first is missing."""
    return [entry[key] for key in (first, *others) if key in entry] if first in entry else []


def _range(seconds: list[float], say: Say) -> str:
    low, high = (_rounded(number) for number in (min(seconds), max(seconds)))
    if low == high:
        return _spoken(low, say)
    one_unit = low[1] == high[1]
    return say("running.range", low=low[0] if one_unit else _spoken(low, say), high=_spoken(high, say))


def _rounded(seconds: float) -> tuple[int, bool]:
    """Return a number of seconds or of minutes, and whether these are minutes."""
    return (round(seconds / 60), True) if seconds >= 90 else (max(1, round(seconds)), False)


def _spoken(rounded: tuple[int, bool], say: Say) -> str:
    number, are_minutes = rounded
    return say("running.minutes", count=number) if are_minutes else say("running.seconds", count=number)
