"""Run experiments and record their results: ``python -m tools.experiments NAME … [--only RESULT]``."""

import argparse
import dataclasses
import importlib
import json
import os
import pkgutil
import sys
from pathlib import Path
from types import ModuleType

# Before torch loads: OpenMP's waiting threads spin by default, and starve others where a core is busy.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch

import tools.experiments as here
from tools.experiments.trial import Trial
from unrolled.training.distributed import choose_device, workers
from unrolled.training.provenance import commit
from unrolled.training.results import collect_runs, record_result
from unrolled.training.run import open_run, run_recipe
from unrolled.training.stored import FOLDER, store_run

__all__ = ["experiments", "run_trial"]

ROOT = Path(__file__).resolve().parents[2]


def experiments() -> dict[str, ModuleType]:
    """Return the experiments by name: every module beside this one that has ``TRIALS``."""
    names = sorted(info.name for info in pkgutil.iter_modules(here.__path__))
    modules = {
        name: importlib.import_module(f"tools.experiments.{name}") for name in names if name != "__main__"
    }
    return {name: module for name, module in modules.items() if hasattr(module, "TRIALS")}


def run_trial(
    trial: Trial,
    runs: Path,
    *,
    device: str | None = None,
    data: Path | None = None,
    results: Path = ROOT / "results",
    weights: Path = FOLDER,
) -> None:
    """Train every seed of a trial that is not trained yet, record the result, store its weights."""
    folders = [runs / f"{trial.result}-{seed}" for seed in trial.seeds]
    for seed, folder in zip(trial.seeds, folders, strict=True):
        if not (folder / "metrics.json").exists():
            print(f"{trial.result}, seed {seed}", flush=True)
            with workers(device) as alone:
                run_recipe(
                    dataclasses.replace(trial.recipe, seed=seed), folder, alone, resume=True, data=data
                )
    collected = collect_runs(folders)
    first = dataclasses.replace(trial.recipe, seed=trial.seeds[0])
    trained = json.loads((folders[0] / "config.json").read_bytes())["options"]
    if trained != first.config():
        raise ValueError(f"{folders[0].name}: expected a run of {first.command()}, got other options")
    # A default may have changed since it was trained: what to type today is what counts.
    record_result(
        trial.result, **{**collected, "command": first.command()}, notes=trial.notes, folder=results
    )
    if trial.store is not None or trial.after is not None:
        run = open_run(folders[trial.seeds.index(trial.store_seed)], choose_device(device), data)
        if trial.after is not None:
            trial.after(run, results)
        if trial.store is not None:  # last: the model is rounded in place
            store_run(run, trial.store, trial.result, weights, smaller=trial.smaller)


def main(arguments: list[str] | None = None) -> int:
    """Run the experiments that were named."""
    known = experiments()
    parser = argparse.ArgumentParser(prog="python -m tools.experiments", description=__doc__)
    parser.add_argument("names", nargs="+", choices=known, metavar="NAME", help=", ".join(known))
    parser.add_argument("--only", action="append", metavar="RESULT", help="only these results (repeatable)")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="where runs are kept (default: runs)")
    parser.add_argument("--device", help="cpu or cuda (default: a GPU if there is one)")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="where public data sets are")
    options = parser.parse_args(arguments)
    if (commit() or "").endswith("+changes"):
        print("commit first: a result says which commit it came from", file=sys.stderr)
        return 1
    # The models are small: a second thread would wait more than it computes.
    torch.set_num_threads(1)
    for name in options.names:
        for trial in known[name].TRIALS:
            if options.only is None or trial.result in options.only:
                run_trial(trial, options.runs, device=options.device, data=options.data)
        measure = getattr(known[name], "measure", None)
        if measure is not None and options.only is None:
            measure()
    return 0


if __name__ == "__main__":
    sys.exit(main())
