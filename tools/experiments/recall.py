"""How many pairs layers remember: softmax, linear attention with norm and without, gates, delta rule, LSTMs.

Missing runs are trained under ``runs``; what comes out is ``results/recall.json``.
"""

from dataclasses import replace
from pathlib import Path

from tools.experiments.trial import Trial
from unrolled.training.distributed import workers
from unrolled.training.recipes.recall import Layer, PairRecall
from unrolled.training.results import collect_runs, record_result
from unrolled.training.run import run_recipe

__all__ = ["CASES", "SEEDS", "TRIALS", "measure", "train"]

ROOT = Path(__file__).resolve().parents[2]
TRIALS = [Trial("recall-delta", PairRecall(layer="delta", pairs=32), notes="The delta rule, 32 pairs.")]
SEEDS = (0, 1, 2)
_LAYERS: tuple[Layer, ...] = ("softmax", "linear", "linear_norm", "gated", "delta", "delta_no_silu", "lstm")


_NOTES = (
    "Share of queries that get the right one of 32 values, over 500 new sequences; each figure is a model of "
    "its own, trained for 300 steps. d_head 16, so a state of 256 numbers, unless told; an LSTM of 16 units "
    "has as many parameters, one of 128 a state of as many numbers. Written twice: each of 16 keys, and its "
    "last value counts. Separate tokens: 8 pairs. No positions are added anywhere. Plain: no feature map, so "
    "weights may be negative."
)


def _cases() -> dict[str, PairRecall]:
    """Return what is trained, by the name of its figure."""
    cases = {
        f"{layer}, {pairs} pairs": PairRecall(layer=layer, pairs=pairs)
        for pairs in (32, 16, 8, 4)
        for layer in _LAYERS
    }
    for pairs in (32, 16, 8, 4):
        cases[f"linear_plain, {pairs} pairs"] = PairRecall(layer="linear_plain", pairs=pairs)
    cases["gated_plain, 32 pairs"] = PairRecall(layer="gated_plain", pairs=32)
    cases["linear_plain, d_head 8"] = PairRecall(layer="linear_plain", pairs=32, d_head=8)
    sized: tuple[Layer, ...] = ("linear_norm", "delta")
    for layer in sized:
        for d_head in (8, 32, 64):
            cases[f"{layer}, d_head {d_head}"] = PairRecall(layer=layer, pairs=32, d_head=d_head)
    twice: tuple[Layer, ...] = (
        "softmax",
        "linear_norm",
        "linear_plain",
        "gated",
        "gated_plain",
        "delta",
        "gated_delta",
    )
    for layer in twice:
        cases[f"{layer}, written twice"] = PairRecall(layer=layer, pairs=16, writes=2)
    for pairs in (4, 32):
        cases[f"lstm of 128, {pairs} pairs"] = PairRecall(layer="lstm", pairs=pairs, d_head=128)
    apart: tuple[Layer, ...] = ("softmax", "delta")
    for layer in apart:
        for shift in (False, True):
            name = f"{layer}, separate tokens{', shifted' if shift else ''}"
            cases[name] = PairRecall(layer=layer, pairs=8, separate=True, shift=shift)
    return cases


CASES = _cases()


def train(case: str, seed: int, runs: Path = Path("runs")) -> Path:
    """Train one case from one seed, unless that is done, and return the run's folder."""
    named = {trial.recipe: trial.result for trial in TRIALS}
    name = named.get(CASES[case], f"recall-{case.replace(', ', '-').replace(' ', '-')}")
    folder = runs / f"{name}-{seed}"
    if not (folder / "metrics.json").exists():
        with workers("cpu") as alone:
            run_recipe(replace(CASES[case], seed=seed), folder, alone, resume=True)
    return folder


def measure() -> None:
    """Train what is missing and write the result."""
    collected = {case: collect_runs([train(case, seed) for seed in SEEDS]) for case in CASES}
    first = next(iter(collected.values()))
    seconds = {
        kind: [round(sum(c["seconds"][kind][i] for c in collected.values()), 1) for i in range(len(SEEDS))]
        for kind in ("wall", "cpu")
    }
    record_result(
        "recall",
        command="python -m tools.experiments recall",
        seeds=SEEDS,
        metrics={case: c["metrics"]["accuracy"] for case, c in collected.items()},
        provenance=first["provenance"],
        seconds=seconds,
        tables={"parameters": {case: c["parameters"] for case, c in collected.items()}},
        notes=_NOTES,
        folder=ROOT / "results",
    )
