"""What this machine can do, measured; taught in chapter 13.

Apart from the rest of `unrolled.costs`, which needs no torch.
"""

import time
from collections.abc import Callable, Mapping

import torch

from unrolled.costs.hardware import Hardware
from unrolled.costs.whole import whole

__all__ = ["fastest", "measured"]


def fastest(
    runs: Mapping[str, Callable[[], object]],
    rounds: int = 5,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, float]:
    """Return the least seconds of each run, all of them once in every round.

    What disturbs the machine then disturbs all alike, and the least of several times is the one it disturbed
    least. Each runs once before the clock is read.

    Args:
        runs: what to time, by name.
        rounds: how often.
        clock: returns seconds; `time.process_time` for one thread on a machine that others use too.

    Raises:
        TypeError: `rounds` is not an integer.
        ValueError: it is not positive.
    """
    whole(rounds=rounds)
    for run in runs.values():
        run()
    least = dict.fromkeys(runs, float("inf"))
    for _ in range(rounds):
        for name, run in runs.items():
            start = clock()
            run()
            least[name] = min(least[name], clock() - start)
    return least


def measured(
    size: int = 1024,
    numbers: int = 2**25,
    rounds: int = 5,
    clock: Callable[[], float] = time.perf_counter,
    dtype: torch.dtype = torch.float32,
) -> Hardware:
    """Return this machine's peak and bandwidth, with as many threads as torch uses.

    The peak is that of a product of two square matrices, the bandwidth that of reading two tensors larger
    than the caches, for a dot product.

    Args:
        size: rows of the matrices.
        numbers: of each tensor, float32.
        rounds: the best of so many.
        clock: see `fastest`.
        dtype: of the matrices.

    Raises:
        TypeError: a number is not an integer.
        ValueError: it is not positive.
    """
    whole(size=size, numbers=numbers)
    a, one, other = torch.randn(size, size).to(dtype), torch.ones(numbers), torch.ones(numbers)
    took = fastest({"product": lambda: a @ a, "dot": lambda: torch.dot(one, other)}, rounds, clock)
    return Hardware(2 * size**3 / took["product"], 2 * one.nbytes / took["dot"])
