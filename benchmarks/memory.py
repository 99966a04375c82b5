"""What a causal forward of one attention layer takes beyond its weights and its input.

Each form runs in a process of its own. Two figures, both of which leave out weights and input:

- *allocated*: the peak of what torch's allocator hands out, from the events of `torch.profiler`. Exact, and
  the same in every run.
- *resident*: how far the process itself grows (VmHWM, Linux only), the matrix library's scratch included.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import torch
from torch.profiler import ProfilerActivity, profile

from benchmarks.explicit import explicit
from benchmarks.timing import Row, Spread, Timer, verdict
from unrolled.nn import MultiHeadAttention, causal_mask

__all__ = ["allocated_peak", "measure"]

MIB = 2**20
LENGTHS = (2048, 4096, 8192)
D_MODEL, N_HEADS = 512, 8
STATUS, REFS = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def measure(
    timer: Timer, lengths: tuple[int, ...] = LENGTHS, d_model: int = D_MODEL, n_heads: int = N_HEADS
) -> Iterator[Row]:
    """Ours at each length, beside the explicit form at the shortest; `timer` counts for nothing here."""
    del timer
    shortest = lengths[0]
    peaks = {length: _run("fused", length, d_model, n_heads) for length in lengths}
    full = _run("explicit", shortest, d_model, n_heads)
    for figure in full:
        ours, theirs = peaks[shortest][figure], full[figure]
        yield _row(
            f"causal forward T={shortest} D={d_model}, {figure}", "explicit", ours, theirs, at_most=25.0
        )
        for length in lengths[1:]:
            linear = peaks[shortest][figure] * length / shortest
            yield _row(
                f"causal forward T={length} D={d_model}, {figure}",
                f"linear from T={shortest}",
                peaks[length][figure],
                linear,
                at_most=1.05 * linear,
            )


def _row(case: str, reference: str, ours: float, theirs: float, at_most: float) -> Row:
    ratio, limit = Spread(*[ours / theirs] * 3), at_most
    return Row(
        case,
        reference,
        "MiB",
        ours,
        theirs,
        ratio,
        None,
        f"≤ {limit:.0f} MiB",
        verdict(Spread(ours, ours, ours), at_most=limit),
    )


def _run(form: str, length: int, d_model: int, n_heads: int) -> dict[str, float]:
    sizes = [str(size) for size in (length, d_model, n_heads, torch.get_num_threads())]
    command = [sys.executable, "-m", "benchmarks.memory", form, *sizes]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    peaks: dict[str, float] = json.loads(done.stdout)
    return peaks


def allocated_peak(run: object) -> float:
    """Return the most bytes that were allocated at once while `run()` ran, its result included."""
    assert callable(run)
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        kept = run()
    assert profiler.profiler is not None
    results = profiler.profiler.kineto_results
    assert results is not None
    events = [event for event in results.events() if event.name() == "[memory]"]
    del kept
    held = most = 0
    for event in sorted(events, key=lambda event: event.start_ns()):
        held += event.nbytes()
        most = max(most, held)
    return most


def _status(field: str) -> int:
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) * 1024


def _child(form: str, length: int, d_model: int, n_heads: int, threads: int) -> dict[str, float]:
    torch.set_num_threads(threads)
    layer = MultiHeadAttention(d_model, n_heads).eval()

    def forward(x: torch.Tensor) -> torch.Tensor:
        if form == "explicit":
            return explicit(layer, x, causal_mask(x.shape[1]))
        out: torch.Tensor = layer(x, causal=True)
        return out

    with torch.no_grad():
        forward(torch.randn(1, 64, d_model))  # libraries loaded, buffers of their own made
        x = torch.randn(1, length, d_model)
        peaks = {}
        if REFS.exists():
            REFS.write_text("5")  # the high-water mark falls to what is resident now
            before = _status("VmRSS")
            forward(x)
            peaks["resident"] = (_status("VmHWM") - before) / MIB
        peaks["allocated"] = allocated_peak(lambda: forward(x)) / MIB
    return peaks


if __name__ == "__main__":
    form, *sizes = sys.argv[1:]
    length, d_model, n_heads, threads = map(int, sizes)
    print(json.dumps(_child(form, length, d_model, n_heads, threads)))
