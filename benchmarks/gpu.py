"""GPT-2's 124 M shape on a GPU, bf16 and compiled, beside Hugging Face's and the card's own matrix rate."""

from collections.abc import Callable, Iterator
from typing import cast

import torch
from torch import nn

from benchmarks.gpt import Sizes, ours, step, theirs
from benchmarks.timing import Row, Spread, Timer, verdict

__all__ = ["GPT2", "flops_per_token", "matrix_rate", "measure"]

# The vocabulary is filled up to a multiple of 64 for both, as is usual: odd sizes slow the last product down.
GPT2 = Sizes(12, 12, 768, 1024, 16, vocab_size=50304)


def flops_per_token(model: nn.Module, s: Sizes) -> float:
    """Return the operations of forward and backward: 6 for every weight that multiplies, and attention's.

    The causal half that is not computed is counted, as is the custom (Chowdhery et al., PaLM, 2022, app. B).
    """
    n_positions = s.length * s.d_model
    n_weights = sum(weight.numel() for weight in model.parameters()) - n_positions
    return 6.0 * n_weights + 12.0 * s.n_layers * s.d_model * s.length


def matrix_rate(device: torch.device, size: int = 8192, repeats: int = 30) -> float:
    """Return the operations per second of one large bf16 product, measured."""
    a = torch.randn(size, size, device=device, dtype=torch.bfloat16)
    b = torch.randn(size, size, device=device, dtype=torch.bfloat16)
    race = Timer(repeats).race(_synchronised(lambda: a @ b, device))
    return 2.0 * size**3 / Spread.of(race.times["ours"]).median


def measure(
    timer: Timer, s: Sizes = GPT2, device: torch.device | None = None, compiled: bool = True, size: int = 8192
) -> Iterator[Row]:
    """Training steps, forward to optimizer; nothing without a GPU, unless a device is given."""
    if device is None:
        if not torch.cuda.is_available():
            return
        device = torch.device("cuda")
    torch.set_float32_matmul_precision("high")
    torch.manual_seed(0)
    tokens = torch.randint(s.vocab_size, (s.batch, s.length + 1), device=device)
    steps: dict[str, Callable[[], None]] = {}
    flops = 0.0
    for name, build in (("ours", ours), ("GPT2LMHeadModel_compiled", theirs)):
        model: nn.Module = build(s)
        model.to(device)
        flops = flops or flops_per_token(model, s)
        steps[name] = _synchronised(
            step(cast(nn.Module, torch.compile(model)) if compiled else model, tokens, True), device
        )
    work = s.batch * s.length
    mine = steps.pop("ours")
    race = timer.race(mine, **steps)
    name = f"GPT-2 124M step, bf16, compiled, batch {s.batch} x {s.length}"
    row = race.row(name, "GPT2LMHeadModel_compiled", at_least=1.0, work=work)
    yield row
    rate = matrix_rate(device, size)
    reached = row.ours * flops
    share = Spread.of([work / seconds * flops / rate for seconds in race.times["ours"]])
    yield Row(
        f"{name}, share of the matrix rate",
        f"bf16 product of {size} x {size}",
        "TFLOP/s",
        reached / 1e12,
        rate / 1e12,
        share,
        row.noise,
        "≥ 0.45",
        verdict(share, at_least=0.45),
    )


def _synchronised(run: Callable[[], object], device: torch.device) -> Callable[[], None]:
    """Wait for the device before the clock is read again."""

    def waited() -> None:
        run()
        if device.type == "cuda":
            torch.cuda.synchronize(device)

    return waited
