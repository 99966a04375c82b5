"""What this machine takes for what chapter 13 counts: peaks, layers, memory, prefill and decode.

All of it on one thread, each time the least of several rounds in which every contestant ran once.
"""

import os
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import linear, scaled_dot_product_attention

from benchmarks.memory import allocated_peak
from unrolled.costs import Hardware, operations, traffic
from unrolled.costs.measured import fastest, measured
from unrolled.costs.ours import gpt_sizes
from unrolled.nn import GPT, GPTConfig
from unrolled.training.provenance import provenance
from unrolled.training.results import record_result

__all__ = ["TRIALS", "decoding", "layers", "measure", "memory", "roofline"]

TRIALS: list[Any] = []

WIDTH, HEADS = 256, 4
LENGTHS = (64, 128, 256, 512, 1024, 2048, 4096, 8192)
ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
BATCHES = (1, 2, 4, 8, 16, 32, 64)
WRITER = GPTConfig(vocab_size=4096, max_len=512, d_model=512, n_heads=8, n_layers=6)
CONTEXT = 256

NOTES = (
    "One thread, float32, no gradients. Times are processor seconds, the least of several rounds, "
    "each of which ran every contestant once; the loads before and after count this process, too. "
    "Peak: a product of two 1024 x 1024 matrices. Bandwidth: reading two tensors of 128 MiB for a "
    "dot product. 'roofline': a linear layer from 8192 to 4096 (128 MiB) of so many rows; "
    "operations over the bytes of weights, rows and results, and 10^9 operations a second. 'layers': "
    f"milliseconds of one layer of {WIDTH} components, one sequence: nn.RNN, nn.Conv1d of width 3, the "
    f"four projections of attention, and its pairs in {HEADS} heads, fused and explicit, the least with "
    "three sets of tensors. 'memory': the "
    "most MiB allocated at once for the pairs, inputs left out. 'decoding': a GPT of 6 blocks of 512 "
    f"with 4,096 words: milliseconds of a prefill of {CONTEXT} tokens and of one step at that context, "
    "by batch; 'at least' is the roofline's time from counted operations and bytes and the peaks of "
    "this file."
)


def explicit(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Form all scores, then all weights, then the contexts."""
    scores = query @ key.transpose(-2, -1) * query.shape[-1] ** -0.5
    return torch.softmax(scores, dim=-1) @ value


def least(runs: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Return the least processor seconds of each: others may use this machine too."""
    return fastest(runs, rounds, time.process_time)


def roofline(n_in: int = 8192, n_out: int = 4096, rows: tuple[int, ...] = ROWS) -> list[list[float]]:
    """Return rows, operations per byte and 10⁹ operations per second of a linear layer for so many rows."""
    weight = torch.randn(n_out, n_in)
    inputs = {n: torch.randn(n, n_in) for n in rows}
    took = least({str(n): partial(linear, x, weight) for n, x in inputs.items()}, rounds=5)
    points = []
    for n in rows:
        counted, moved = 2 * n_out * n_in * n, 4 * (n_out * n_in + n_in * n + n_out * n)
        points.append([n, round(counted / moved, 3), round(counted / took[str(n)] / 1e9, 2)])
    return points


def layers(lengths: tuple[int, ...] = LENGTHS, d: int = WIDTH, n_heads: int = HEADS) -> dict[str, Any]:
    """Return the milliseconds of each kind of layer at each length, the least with three sets of tensors.

    Where tensors lie in memory may cost a layer a quarter of its time.
    """
    found: dict[str, Any] = {"length": list(lengths)}
    for length in lengths:
        sets = [_layers(length, d, n_heads) for _ in range(3)]
        for name in sets[0]:
            found.setdefault(name, []).append(round(1e3 * min(one[name] for one in sets), 4))
    return found


def _layers(length: int, d: int, n_heads: int) -> dict[str, float]:
    rnn, conv = nn.RNN(d, d, batch_first=True), nn.Conv1d(d, d, 3, padding=1)
    qkv, out = nn.Linear(d, 3 * d), nn.Linear(d, d)
    x = torch.randn(1, length, d)
    query, key, value = torch.randn(3, 1, n_heads, length, d // n_heads)
    runs: dict[str, Callable[[], object]] = {
        "RNN": partial(rnn, x),
        "convolution": partial(conv, x.transpose(1, 2).contiguous()),
        "projections": partial(_both, qkv, out, x),
        "pairs, fused": partial(scaled_dot_product_attention, query, key, value),
        "pairs, explicit": partial(explicit, query, key, value),
    }
    return least(runs, rounds=max(2, min(15, 10_000 // length)))


def _both(qkv: nn.Linear, out: nn.Linear, x: Tensor) -> None:
    qkv(x), out(x)


def memory(lengths: tuple[int, ...] = LENGTHS, d: int = WIDTH, n_heads: int = HEADS) -> dict[str, Any]:
    """Return the MiB that the pairs take at each length beyond queries, keys and values."""
    found: dict[str, Any] = {"length": list(lengths), "fused": [], "explicit": []}
    for length in lengths:
        query, key, value = torch.randn(3, 1, n_heads, length, d // n_heads)
        for name, run in (("fused", scaled_dot_product_attention), ("explicit", explicit)):
            peak = allocated_peak(partial(run, query, key, value))
            found[name].append(round(peak / 2**20, 3))
    return found


def decoding(machine: Hardware, config: GPTConfig = WRITER, context: int = CONTEXT) -> dict[str, Any]:
    """Return milliseconds of a prefill and of a step by batch, measured and at least."""
    model, s = GPT(config).eval(), gpt_sizes(config)
    prompt = torch.randint(config.vocab_size, (1, context))
    prefill = least({"": lambda: model(prompt, cache=model.new_cache(context))}, rounds=5)[""]
    found: dict[str, Any] = {
        "prefill": round(1e3 * prefill, 3),
        "prefill, at least": round(1e3 * _least(machine, s, context, 1, "prefill"), 3),
        "batch": list(BATCHES),
        "step": [],
        "step, at least": [],
    }
    steps: dict[str, Callable[[], object]] = {}
    for batch in BATCHES:
        cache = model.new_cache(context)
        tokens = torch.randint(config.vocab_size, (batch, context))
        model(tokens[:, :-1], cache=cache)

        def step(cache: Any = cache, newest: Tensor = tokens[:, -1:]) -> None:
            for layer in cache.layers:
                layer.length = context - 1  # the same step again
            model(newest, cache=cache)

        steps[str(batch)] = step
    for name, seconds in least(steps, rounds=10).items():
        found["step"].append(round(1e3 * seconds, 3))
        found["step, at least"].append(round(1e3 * _least(machine, s, context, int(name), "decode"), 3))
    return found


def _least(machine: Hardware, s: Any, length: int, batch: int, phase: Any) -> float:
    counted = operations(s, length, batch, phase).total
    return machine.seconds(counted, traffic(s, length, batch, phase, bits=32))


@torch.no_grad()
def measure() -> None:
    """Record ``machine``."""
    torch.manual_seed(0)
    load = os.getloadavg()[0]
    machine = measured(rounds=20, clock=time.process_time)
    half = measured(rounds=20, clock=time.process_time, dtype=torch.bfloat16)
    tables = {
        "roofline": roofline(),
        "layers": layers(),
        "memory": memory(),
        "decoding": decoding(machine),
    }
    record_result(
        "machine",
        command="python -m tools.experiments machine",
        seeds=[0],
        metrics={
            "float32, 10^9 operations/s": [round(machine.peak / 1e9, 2)],
            "bfloat16, 10^9 operations/s": [round(half.peak / 1e9, 2)],
            "bandwidth, 10^9 bytes/s": [round(machine.bandwidth / 1e9, 2)],
            "load before": [round(load, 2)],
            "load after": [round(os.getloadavg()[0], 2)],
        },
        provenance=provenance(torch.device("cpu")),
        tables=tables,
        notes=NOTES,
    )
