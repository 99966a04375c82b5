"""What an all-reduce costs between two processes of this machine, and what a second process brings.

``python -m tools.experiments all_reduce`` writes ``results/all-reduce.json``. Chapter 14 reads it: a time
that is taken while a page is built would be another one in each build.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
import torch.distributed as dist
from torch.nn.functional import cross_entropy
from torch.nn.parallel import DistributedDataParallel

from tools.experiments.trial import Trial
from unrolled.nn import GPT, GPTConfig
from unrolled.training.distributed import Workers, choose_device, workers
from unrolled.training.launch import torchrun
from unrolled.training.provenance import provenance
from unrolled.training.results import record_result

__all__ = ["BYTES", "CONFIG", "ROWS", "TRIALS", "figures", "measure"]

ROOT = Path(__file__).resolve().parents[2]
TRIALS: list[Trial] = []
BYTES = [4 * 16**power for power in range(1, 7)]
"""Of the tensors that are reduced: 64 bytes to 64 MB."""
CONFIG = GPTConfig(vocab_size=128, max_len=64, d_model=128, n_heads=4, n_layers=4)
ROWS = 32
_REPEATS = 15
_SEEDS = (0, 1, 2)


def _seconds(run: Callable[[], object], repeats: int) -> list[float]:
    run()
    taken = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        taken.append(time.perf_counter() - start)
    return taken


def _step(together: Workers, seed: int) -> tuple[Callable[[], None], int]:
    """Return one training step of a small GPT, and how many parameters it has."""
    torch.manual_seed(seed)
    model = GPT(CONFIG)
    trained = DistributedDataParallel(model) if together.size > 1 else model
    optimizer = torch.optim.AdamW(trained.parameters(), lr=1e-3, fused=True)
    tokens = torch.randint(CONFIG.vocab_size, (ROWS, CONFIG.max_len + 1))[together.rank :: together.size]

    def step() -> None:
        logits = trained(tokens[:, :-1])
        loss = cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    return step, sum(p.numel() for p in model.parameters())


def figures(together: Workers, seed: int) -> dict[str, float]:
    """Return the seconds of all-reduces of each size, and of a training step: the shortest of some."""
    taken: dict[str, float] = {}
    for size in BYTES if together.size > 1 else []:
        numbers = torch.zeros(size // 4)
        reduce = partial(dist.all_reduce, numbers)
        taken[f"all-reduce of {size} bytes"] = min(_seconds(reduce, _REPEATS))
    step, _ = _step(together, seed)
    taken["step"] = min(_seconds(step, _REPEATS))
    return taken


def measure() -> None:
    """Measure with one process and with two, three times each, and write the result."""
    measured: dict[str, list[float]] = {}
    for seed in _SEEDS:
        measured.setdefault("load before", []).append(round(os.getloadavg()[0], 2))
        for processes in (1, 2):
            words = ["-m", "tools.experiments.all_reduce", str(seed)]
            printed = torchrun(words, processes, folder=ROOT)
            for name, seconds in json.loads(printed).items():
                measured.setdefault(f"{name}, {processes} processes, ms", []).append(round(1e3 * seconds, 4))
    tokens = ROWS * CONFIG.max_len
    for processes in (1, 2):
        steps = measured[f"step, {processes} processes, ms"]
        measured[f"tokens per second, {processes} processes"] = [round(1e3 * tokens / ms, 1) for ms in steps]
    largest = measured[f"all-reduce of {BYTES[-1]} bytes, 2 processes, ms"]
    # With two processes each sends 2 (N - 1) / N = 1 times the bytes.
    measured["bytes per second"] = [round(BYTES[-1] / (ms / 1e3)) for ms in largest]
    _, parameters = _step(Workers(0, 1, choose_device("cpu")), 0)
    record_result(
        "all-reduce",
        command="python -m tools.experiments all_reduce",
        seeds=_SEEDS,
        metrics=measured,
        provenance=provenance(choose_device("cpu"), 2),
        parameters=parameters,
        notes="Gloo over the loopback interface, one thread a process. Each time is the shortest of "
        f"{_REPEATS}; three launches, one after another. The step is that of a GPT with {parameters:,} "
        f"parameters and {ROWS} x {CONFIG.max_len} tokens over all processes together. The loads before "
        "say whether other programs were at work. No GPU was measured.",
        folder=ROOT / "results",
    )


if __name__ == "__main__":
    torch.set_num_threads(1)
    with workers("cpu") as all_of_them:
        found = figures(all_of_them, int(sys.argv[1]))
        if all_of_them.first:
            print(json.dumps(found))
