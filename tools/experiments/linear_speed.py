"""From how many positions is linear attention in chunks faster than the fused softmax, on this machine?"""

import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch.nn.functional import scaled_dot_product_attention

from tools.experiments.trial import Trial
from unrolled.costs.measured import fastest
from unrolled.nn import delta_rule, linear_attention
from unrolled.training.provenance import provenance
from unrolled.training.results import record_result

__all__ = ["LENGTHS", "TRIALS", "measure", "times"]

TRIALS: list[Trial] = []
LENGTHS = (128, 256, 512, 1024, 2048, 4096, 8192)


@torch.no_grad()
def times(lengths: tuple[int, ...] = LENGTHS, rounds: int = 7) -> dict[str, list[float]]:
    """Return milliseconds of one forward pass by length, one sequence, 4 heads of 64: the least of rounds."""
    found: dict[str, list[float]] = {
        "softmax, fused": [],
        "linear, chunks of 64": [],
        "delta, chunks of 64": [],
    }
    for length in lengths:
        query, key, value = torch.randn(3, 1, 4, length, 64).unbind()
        key = torch.nn.functional.normalize(key, dim=-1)
        beta = torch.rand(1, 4, length)
        runs: dict[str, Callable[[], object]] = {
            "softmax, fused": partial(scaled_dot_product_attention, query, key, value, is_causal=True),
            "linear, chunks of 64": partial(linear_attention, query, key, value, chunk=64),
            "delta, chunks of 64": partial(delta_rule, query, key, value, beta, chunk=64),
        }
        for name, seconds in fastest(runs, rounds, time.process_time).items():
            found[name].append(round(1e3 * seconds, 3))
    return found


def measure() -> None:
    """Record ``linear-speed``."""
    torch.manual_seed(0)
    load = os.getloadavg()[0]
    found = times()
    record_result(
        "linear-speed",
        command="python -m tools.experiments linear_speed",
        seeds=[0],
        metrics={"load before": [round(load, 2)], "load after": [round(os.getloadavg()[0], 2)]},
        provenance=provenance(torch.device("cpu")),
        tables={"length": list(LENGTHS), **found},
        notes="Milliseconds of processor time of a forward pass, float32, one thread, one sequence, 4 heads "
        "of 64, causal; the least of 7 rounds in which every contestant ran once. The loads before and after "
        "count this process, too.",
        folder=Path(__file__).resolve().parents[2] / "results",
    )
