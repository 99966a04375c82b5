"""Which parts of today's block earn their place? Small GPTs of the tales, one part changed at a time."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from tools.experiments.briefly import learn, with_attention
from tools.experiments.trial import Trial
from unrolled.costs.measured import fastest
from unrolled.data.seeds import seeded
from unrolled.data.tales import PIECES, pieces, split, tales
from unrolled.nn import (
    GPT,
    GatedFeedForward,
    GPTConfig,
    HeadParts,
    LatentAttention,
    LlamaConfig,
    MixtureOfExperts,
    RMSNorm,
    Rotary,
    SlidingWindow,
    each_head,
)
from unrolled.nn.feedforward import FeedForward
from unrolled.nn.parts import Parts, output_norm
from unrolled.training.loss import cross_entropy
from unrolled.training.provenance import provenance
from unrolled.training.recipes.gpt import mean_loss
from unrolled.training.recipes.gpt_tales import bits_per_byte
from unrolled.training.results import record_result

__all__ = ["CASES", "TRIALS", "Case", "build", "measure", "train"]

TRIALS: list[Trial] = []
SEEDS = (0, 1, 2)
D_MODEL, N_HEADS, N_LAYERS, BLOCK, BATCH = 128, 4, 4, 128, 16
STEPS = 400
RATE, FAST = 1e-3, 3e-3
WINDOW, KEPT = 32, 4
EVERY = 20  # steps whose mean loss is a point of a curve
BASE = "GPT-2's block"


@dataclass(frozen=True)
class Case:
    """A configuration without its `d_ff`, what its parts become, and at which learning rate it learns."""

    config: GPTConfig
    change: Callable[[Parts], Parts] = lambda parts: parts
    rate: float = RATE


def _gpt(**choices: Any) -> GPTConfig:
    return GPTConfig(
        vocab_size=PIECES, max_len=BLOCK, d_model=D_MODEL, n_heads=N_HEADS, n_layers=N_LAYERS, **choices
    )


def _llama(**choices: Any) -> LlamaConfig:
    return LlamaConfig(
        vocab_size=PIECES,
        max_len=BLOCK,
        d_model=D_MODEL,
        n_heads=N_HEADS,
        n_layers=N_LAYERS,
        n_kv_heads=2,
        **choices,
    )


def _attention(**options: Any) -> Callable[[Parts], Parts]:
    return lambda parts: replace(parts, attention=partial(parts.attention, **options))


def _latent(parts: Parts) -> Parts:
    turned = Rotary(16, BLOCK)
    return replace(parts, attention=partial(LatentAttention, d_latent=48, positions=turned))


def _experts(parts: Parts) -> Parts:
    def mixture(d_model: int, d_ff: int) -> nn.Module:
        expert = partial(FeedForward, activation="gelu_tanh")
        return MixtureOfExperts(d_model, d_ff // 2, n_experts=8, top_k=2, expert=expert)

    return replace(parts, feedforward=mixture)


_CHANGES: dict[str, Case] = {
    BASE: Case(_gpt()),
    "root-mean-square norms": Case(_gpt(), lambda parts: replace(parts, norm=RMSNorm)),
    "gated feed-forward": Case(
        _gpt(), lambda parts: replace(parts, feedforward=partial(GatedFeedForward, bias=True))
    ),
    "rotary positions": Case(_gpt(positions="rotary")),
    "no biases": Case(_gpt(bias=False)),
    "one head of keys and values": Case(_gpt(n_kv_heads=1)),
    "query and key norm": Case(_gpt(), _attention(parts=HeadParts(norm=partial(each_head, RMSNorm)))),
    "output norm": Case(_gpt(), lambda parts: replace(parts, residual=output_norm)),
    "window of 32": Case(_gpt(), _attention(mask_rule=SlidingWindow(WINDOW))),
    "learned sink": Case(_gpt(), _attention(parts=HeadParts(sinks=torch.zeros))),
    "eight experts, two asked": Case(_gpt(), _experts),
    "latent attention": Case(_gpt(positions="none"), _latent),
    "all of Llama's": Case(_llama()),
    "all of Qwen 3's": Case(_llama(head_norm="each")),
}
_FAST = (BASE, "gated feed-forward", "all of Llama's", "all of Qwen 3's")
CASES = _CHANGES | {f"{name}, fast": replace(_CHANGES[name], rate=FAST) for name in _FAST}


def _with_width(case: Case, d_ff: int, max_len: int = BLOCK) -> GPT:
    config = replace(case.config, d_ff=d_ff, max_len=max_len)
    return GPT(config, case.change(config.parts()))


def active(model: GPT) -> int:
    """Return the parameters one token goes through: of experts those that are asked."""
    idle = sum(
        (len(part.experts) - part.top_k) * sum(p.numel() for p in part.experts[0].parameters())
        for part in model.modules()
        if isinstance(part, MixtureOfExperts)
    )
    return sum(p.numel() for p in model.parameters()) - idle


def build(name: str, seed: int = 0) -> GPT:
    """Return the model of a case, with such a `d_ff` that a token passes as many parameters as in `BASE`."""
    goal, low, high = (
        active(_with_width(c, w)) for c, w in ((CASES[BASE], 512), (CASES[name], 64), (CASES[name], 128))
    )
    width = round(64 + 64 * (goal - low) / (high - low))
    torch.manual_seed(seed)
    return _with_width(CASES[name], width - width % 2)  # the experts' are halved


def train(name: str, text: Tensor, seed: int, steps: int = STEPS) -> tuple[GPT, list[float]]:
    """Return the model of a case, trained, and its mean loss in nats over every `EVERY` steps.

    For one seed all cases read the same tokens in the same order.
    """
    model = build(name, seed)
    chance = seeded("today", seed)
    losses = learn(model, text, chance, batch=BATCH, steps=steps, rate=CASES[name].rate)
    return model, [statistics.fmean(losses[i : i + EVERY]) for i in range(0, steps, EVERY)]


# As many positions in sight, with and without first ones that stay.
VIEWS = {
    "all in sight": None,
    "window of 32": SlidingWindow(WINDOW),
    "window of 31 and the first": SlidingWindow(WINDOW - 1, 1),
    "window of 28 and the first 4": SlidingWindow(WINDOW - KEPT, KEPT),
}
SEEN = (BASE, "rotary positions", "learned sink")


def evaluate(name: str, model: GPT, held: Tensor, text: str) -> dict[str, float]:
    """Return what a trained model achieves on the held-out text, as it is and with other views of it."""
    loss = mean_loss(model, held, batch=16)
    found = {"loss": loss, "bits per byte": bits_per_byte(loss, len(held), text)}
    if name in SEEN:
        parts = CASES[name].change(model.config.parts())
        for view, rule in VIEWS.items():
            seen = with_attention(model, parts, mask_rule=rule)
            found[f"loss, {view}"] = mean_loss(seen, held, batch=16)
    return found


def table(name: str) -> dict[str, float]:
    """Return what does not depend on the seed: sizes, operations, and what the cache keeps."""
    model = build(name)
    tokens = torch.zeros(1, BLOCK, dtype=torch.long)
    cache = model.new_cache()
    with torch.no_grad():
        with FlopCounterMode(display=False) as counter:
            model(tokens)
        model(tokens, cache=cache)
    held = [sum(part.numel() for part in layer.held()) for layer in cache.layers]
    return {
        "parameters": sum(p.numel() for p in model.parameters()),
        "active parameters": active(model),
        "operations per token": 3 * counter.get_total_flops() // BLOCK,  # forward, and twice as many back
        "numbers in the cache": sum(held),
        "rate": CASES[name].rate,
    }


def speed(names: Sequence[str], rounds: int = 7) -> dict[str, float]:
    """Return the processor's seconds of a training step beside those of `BASE`, the least of some rounds."""
    tokens = torch.zeros(BATCH, BLOCK, dtype=torch.long).random_(PIECES, generator=seeded("today", "speed"))

    def step(model: GPT) -> None:
        with torch.autocast("cpu", torch.bfloat16):
            loss, count = cross_entropy(model(tokens).float(), tokens)
        (loss / count).backward()  # type: ignore[no-untyped-call]

    seconds = fastest({name: partial(step, build(name)) for name in names}, rounds, process_time)
    return {name: value / seconds[BASE] for name, value in seconds.items()}


def trained(name: str, seed: int, text: Tensor, folder: Path, steps: int = STEPS) -> dict[str, Any]:
    """Return a model's weights and curve from `folder`, where they are put as soon as it is trained."""
    path = folder / f"{name.replace(' ', '-')}-{seed}.pt"
    if not path.exists():
        wall, cpu = perf_counter(), process_time()
        model, curve = train(name, text, seed, steps)
        took = {"wall": perf_counter() - wall, "cpu": process_time() - cpu}
        folder.mkdir(parents=True, exist_ok=True)
        torch.save(
            {"weights": model.state_dict(), "curve": curve, "seconds": took}, path.with_suffix(".part")
        )
        path.with_suffix(".part").replace(path)
        print(name, seed, f"{curve[-1]:.3f}", f"{took['cpu']:.0f} s", flush=True)
    found: dict[str, Any] = torch.load(path, weights_only=True)
    return found


def measure(
    books: Sequence[str] | None = None,
    steps: int = STEPS,
    seeds: Sequence[int] = SEEDS,
    folder: Path | None = None,
    runs: Path = Path("runs/today"),
) -> None:
    """Write ``results/today.json``: of each case and seed the held-out loss, the curve, sizes and speed."""
    where = provenance(torch.device("cpu"))
    read, held = ("\n\n".join(part) for part in split(tales() if books is None else books))
    cut = pieces()
    text, rest = (torch.tensor(cut.encode(part)) for part in (read, held))
    metrics: dict[str, list[float]] = {}
    curves: dict[str, list[list[float]]] = {}
    seconds: dict[str, list[float]] = {"wall": [0.0] * len(seeds), "cpu": [0.0] * len(seeds)}
    for n, seed in enumerate(seeds):
        for name in CASES:
            run = trained(name, seed, text, runs, steps)
            model = build(name)
            model.load_state_dict(run["weights"])
            for key, value in evaluate(name, model.eval(), rest, held).items():
                metrics.setdefault(f"{name}, {key}", []).append(value)
            curves.setdefault(name, []).append([round(loss, 4) for loss in run["curve"]])
            for clock, total in seconds.items():
                total[n] += run["seconds"][clock]
    faster = speed(list(_CHANGES))
    tables = {name: table(name) for name in CASES}
    for name, ratio in faster.items():
        tables[name]["seconds of a step"] = round(ratio, 3)
    record_result(
        "today",
        command="python -m tools.experiments today",
        seeds=seeds,
        metrics=metrics,
        provenance=where,
        seconds=seconds,
        tables={
            "cases": tables,
            "curves": curves,
            "points": [EVERY * (n + 1) for n in range(steps // EVERY)],
        },
        notes=f"Eighteen books of tales in {PIECES:,} pieces, the last twentieth of each held out. GPTs of "
        f"{N_LAYERS} blocks of {D_MODEL} with {N_HEADS} heads, {steps} steps of {BATCH} texts of {BLOCK} "
        f"tokens, AdamW with one cycle to {RATE} (fast: {FAST}), bf16. For one seed all cases read the same "
        "tokens in the same order, and d_ff is such that a token passes as many parameters. Curves: mean "
        f"training loss in nats of every {EVERY} steps, of each seed. Seconds of a step: beside the first "
        "case, one thread, the least of some rounds. Operations: forward and backward, those of masked pairs "
        "included.",
        folder=Path(__file__).resolve().parents[2] / "results" if folder is None else folder,
    )
