"""Paired times: every contestant once per round, so that what disturbs the machine disturbs all of them."""

import gc
import math
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["CLOCKS", "Race", "Row", "Spread", "Timer", "verdict"]

CLOCKS: dict[str, Callable[[], float]] = {"wall": time.perf_counter, "cpu": time.process_time}


@dataclass(frozen=True)
class Spread:
    """A median and the interval that holds the true one 19 times in 20, from the ranks of the sample."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, sample: list[float]) -> "Spread":
        ordered, n = sorted(sample), len(sample)
        reach = 0.98 * math.sqrt(n)  # 1.96 standard deviations of a binomial with p = 1/2
        low, high = math.floor((n - 1) / 2 - reach), math.ceil((n - 1) / 2 + reach)
        return cls(statistics.median(ordered), ordered[max(low, 0)], ordered[min(high, n - 1)])


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    case: str
    reference: str
    unit: str
    ours: float
    theirs: float
    ratio: Spread
    noise: Spread | None
    """The same ratio for a second copy of ours; None for what is counted and not timed."""
    target: str = ""
    verdict: str = ""


def verdict(ratio: Spread, at_least: float | None = None, at_most: float | None = None) -> str:
    """Say whether a target was met, missed, or lies within the interval of the measured ratio."""
    if at_least is not None:
        met, near = ratio.median >= at_least, ratio.high >= at_least
    elif at_most is not None:
        met, near = ratio.median <= at_most, ratio.low <= at_most
    else:
        return ""
    return "met" if met else "within the noise" if near else "missed"


class Race:
    """The times of some rounds, in seconds; the second copy of ours is called ``again``."""

    def __init__(self, times: dict[str, list[float]]) -> None:
        self.times = times

    def _ratio(self, name: str) -> Spread:
        pairs = zip(self.times[name], self.times["ours"], strict=True)
        return Spread.of([theirs / ours for theirs, ours in pairs])

    def row(
        self, case: str, *references: str, at_least: float | None = None, work: float | None = None
    ) -> Row:
        """Compare ours with the fastest of `references`: how many times as fast it is.

        Args:
            case: what was timed.
            *references: contestants of this race; the one with the lowest median counts.
            at_least: the ratio to reach.
            work: tokens of one call, to show tokens/s instead of ms.
        """
        best = min(references, key=lambda name: statistics.median(self.times[name]))
        ours, theirs = statistics.median(self.times["ours"]), statistics.median(self.times[best])
        ratio = self._ratio(best)
        return Row(
            case,
            best,
            "ms" if work is None else "tokens/s",
            ours * 1e3 if work is None else work / ours,
            theirs * 1e3 if work is None else work / theirs,
            ratio,
            self._ratio("again"),
            "" if at_least is None else f"≥ {at_least:.2f}",
            verdict(ratio, at_least),
        )


@dataclass(frozen=True)
class Timer:
    """How to time: so many rounds, by this clock.

    Attributes:
        pairs: rounds; in each, every contestant runs once, and a different one first.
        clock: ``wall``, or ``cpu``, the processor's time of this process in all its threads: the better one
            where other processes want the same cores.
    """

    pairs: int = 30
    clock: str = "wall"

    def race(self, ours: Callable[[], object], **theirs: Callable[[], object]) -> Race:
        """Time `ours`, a second copy of it, and `theirs`."""
        contestants = [("ours", ours), ("again", ours), *theirs.items()]
        times: dict[str, list[float]] = {name: [] for name, _ in contestants}
        now = CLOCKS[self.clock]
        for _ in range(3):
            for _, run in contestants:
                run()
        gc.collect()
        gc.disable()
        try:
            for i in range(self.pairs):
                first = i % len(contestants)
                for name, run in contestants[first:] + contestants[:first]:
                    start = now()
                    run()
                    times[name].append(now() - start)
        finally:
            gc.enable()
        return Race(times)
