"""How far do rotary positions carry once they are stretched? The model of chapter 7, asked again."""

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter, process_time

import torch
from torch import Tensor, nn

from tools.experiments.briefly import with_attention
from tools.experiments.trial import Trial
from unrolled.data.batches import crops
from unrolled.data.seeds import seeded
from unrolled.nn import GPT, LinearScaling, Llama3Scaling, NTKScaling, Rotary, YarnScaling
from unrolled.nn.stretched import FrequencyRule
from unrolled.training.distributed import choose_device, workers
from unrolled.training.loss import cross_entropy
from unrolled.training.provenance import provenance
from unrolled.training.recipes.lm_positions import LmPositions, LmPositionsTask
from unrolled.training.results import record_result
from unrolled.training.run import open_run, run_recipe

__all__ = ["RULES", "TRIALS", "further", "measure", "stretched"]

TRIALS: list[Trial] = []
SEEDS = (0, 1, 2)
RECIPE = LmPositions(positions="rotary")
LONG = 8 * RECIPE.length
RULES: dict[str, FrequencyRule | None] = {
    "bare": None,
    "linear": LinearScaling(8),
    "NTK": NTKScaling(8),
    "YaRN": YarnScaling(8, RECIPE.length),
    "Llama 3": Llama3Scaling(8, RECIPE.length),
}
FURTHER = 60  # steps of training at the new length
RATE = 1e-3
EACH = 16  # positions whose mean loss is a point of a curve


def stretched(model: GPT, rule: FrequencyRule | None) -> GPT:
    """Return a copy of a rotary model whose frequencies went through `rule`; its weights are the same."""
    c = model.config
    turned = Rotary(c.d_model // c.n_heads, c.max_len, c.rotary_base, scaling=rule)
    return with_attention(model, c.parts(), positions=turned)


def further(model: GPT, words: Tensor, seed: int, steps: int = FURTHER) -> GPT:
    """Return a copy that was trained on, with texts as long as those it is asked."""
    model = copy.deepcopy(model).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE)
    chance = seeded("stretch", seed)
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = RATE * (1 - step / steps)
        tokens, answers = crops(words, 4, LONG, chance)
        loss, count = cross_entropy(model(tokens), answers)
        optimizer.zero_grad()
        (loss / count).backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    return model.eval()


def measure(
    recipe: LmPositions = RECIPE,
    steps: int = FURTHER,
    seeds: Sequence[int] = SEEDS,
    folder: Path | None = None,
    runs: Path = Path("runs"),
) -> None:
    """Write ``results/stretch.json``: perplexities at once, and after some steps at the new length."""
    where = provenance(torch.device("cpu"))
    metrics: dict[str, list[float]] = {}
    curves: dict[str, list[list[float]]] = {}
    seconds: dict[str, list[float]] = {"wall": [], "cpu": []}
    for seed in seeds:
        began = perf_counter(), process_time()
        place = runs / f"stretch-{seed}"
        with workers("cpu") as alone:
            run_recipe(replace(recipe, seed=seed), place, alone, resume=True)
        task = open_run(place, choose_device("cpu")).task
        assert isinstance(task, LmPositionsTask)
        assert isinstance(task.model, GPT)
        for name, rule in RULES.items():
            at_once = stretched(task.model, rule)
            models: Mapping[str, GPT] = {
                "at once": at_once,
                "after": further(at_once, task.words["train"], seed, steps),
            }
            for when, model in models.items():
                with torch.no_grad():
                    losses = task.losses(model)
                    figures = task.evaluate(model)
                for figure, value in figures.items():
                    metrics.setdefault(f"{name}, {when}, {figure}", []).append(value)
                points = [round(math.exp(float(part.mean())), 4) for part in torch.split(losses, EACH)]
                curves.setdefault(f"{name}, {when}", []).append(points)
            print(
                seed,
                name,
                {k: round(v[-1], 2) for k, v in metrics.items() if k.startswith(name) and "256" in k},
            )
        seconds["wall"].append(perf_counter() - began[0])
        seconds["cpu"].append(process_time() - began[1])
    record_result(
        "stretch",
        command="python -m tools.experiments stretch",
        seeds=seeds,
        metrics=metrics,
        provenance=where,
        seconds=seconds,
        tables={"curves": curves, "points": [EACH * n + EACH // 2 for n in range(LONG // EACH)]},
        notes=f"Chapter 7's rotary model, trained on {recipe.length} words, asked in texts of {LONG}: "
        f"perplexity at once, and after {steps} steps of four such texts, AdamW from {RATE} down to 0. All "
        f"rules stretch eightfold. Curves: perplexity of every {EACH} positions, of each seed.",
        folder=Path(__file__).resolve().parents[2] / "results" if folder is None else folder,
    )
