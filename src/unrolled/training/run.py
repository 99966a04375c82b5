"""A run and its folder: what was asked for, how it went, what came out.

::

    config.json        the recipe's name and all its options
    curve.jsonl        loss by step, written as it goes
    checkpoints/       the last two
    model.safetensors  the trained weights
    metrics.json       figures, command, seed, commit, hardware, date
"""

import shlex
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load, save

from unrolled.data.fetch import DataError
from unrolled.inputs import read_json, user_path
from unrolled.training.checkpoint import CheckpointError, load_model, model_tensors, newest_step
from unrolled.training.distributed import Workers
from unrolled.training.files import check_finite, write_atomically, write_json
from unrolled.training.loop import Trainer
from unrolled.training.options import from_dict
from unrolled.training.progress import Progress
from unrolled.training.provenance import provenance
from unrolled.training.recipe import Recipe
from unrolled.training.recipes import recipes
from unrolled.training.task import Task

__all__ = ["Run", "RunError", "evaluate_task", "open_run", "run_recipe"]


class RunError(ValueError):
    """A run folder that cannot be used as asked."""


@dataclass(frozen=True)
class Run:
    """A finished run: its recipe, and its task with the trained model."""

    folder: Path
    recipe: Recipe
    task: Task[Any]
    metrics: dict[str, Any]


def _read_config(folder: Path) -> Recipe | None:
    path = folder / "config.json"
    if not path.exists():
        return None
    try:
        config = read_json(path, path.read_bytes())
        name, options = config["recipe"], config["options"]
        if not isinstance(options, dict):
            raise TypeError(f"options are {type(options).__name__}")
    except (ValueError, KeyError, TypeError) as error:
        raise RunError(f"{path}: expected a recipe and its options ({error!r})") from error
    known = recipes()
    if not isinstance(name, str) or name not in known:
        raise RunError(f"{path}: a run of the recipe {name!r}; known are {', '.join(known)}")
    try:
        return from_dict(known[name], options)
    except ValueError as error:
        raise RunError(f"{path}: {error}") from error


def _read_metrics(path: Path) -> dict[str, Any]:
    try:
        metrics: dict[str, Any] = read_json(path, path.read_bytes())
        if not all(type(figure) in (int, float) for figure in dict(metrics["metrics"]).values()):
            raise TypeError("a figure is not a number")
    except (ValueError, KeyError, TypeError) as error:
        raise RunError(f"{path}: expected the figures of a run ({error!r})") from error
    return metrics


def _prepare(recipe: Recipe, folder: Path, resume: bool) -> None:
    """Refuse a folder that holds something else; write the configuration into a new one."""
    if folder.exists() and not folder.is_dir():
        raise RunError(f"{folder}: expected a folder, got a file")
    there = _read_config(folder)
    if there is not None:
        if there.name != recipe.name:
            raise RunError(
                f"{folder} holds a run of {there.name!r}, not of {recipe.name!r}: name another folder"
            )
        if not resume:
            raise RunError(
                f"{folder} holds a run already: continue it with --resume, name another folder, or remove it"
            )
        old, new = there.config(), recipe.config()
        changed = [f"{name} was {old[name]!r}, now {new[name]!r}" for name in old if old[name] != new[name]]
        if changed:
            raise RunError(
                f"{folder}: a run is resumed with the options it began with; {'; '.join(changed)}. For a new "
                f"run name another folder, or remove this one"
            )
        return
    # A kill before config.json was whole may leave its beginning.
    strange = (
        [path.name for path in folder.iterdir() if path.name != ".config.json.writing"]
        if folder.exists()
        else []
    )
    if strange:
        raise RunError(f"{folder}: expected a new or empty folder, found {', '.join(sorted(strange)[:5])}")
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "config.json", {"recipe": recipe.name, "options": recipe.config()})


def _forget_a_failed_start(folder: Path) -> None:
    """Remove what a run left that ended before its first checkpoint: it would only be in the way."""
    if newest_step(folder / "checkpoints") is not None or (folder / "model.safetensors").exists():
        return
    with suppress(OSError):  # a folder that cannot be changed: what ended the run says so
        for name in ("config.json", "curve.jsonl"):
            (folder / name).unlink(missing_ok=True)
        shutil.rmtree(folder / "checkpoints", ignore_errors=True)
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def evaluate_task(task: Task[Any], recipe: Recipe) -> dict[str, float]:
    """Return the figures of the task's model, in evaluation mode; the same whenever it is asked.

    Raises:
        ModuleNotFoundError: what the recipe is measured with is not installed.
        ValueError: a figure is not finite; the message says which.
    """
    recipe.check_installed()
    torch.manual_seed(recipe.seed)
    was_training = task.model.training
    task.model.eval()
    with torch.no_grad():
        figures = {name: float(value) for name, value in task.evaluate(task.model).items()}
    task.model.train(was_training)
    check_finite(f"figures of {recipe.name}", figures)
    return figures


def run_recipe(
    recipe: Recipe,
    folder: Path,
    workers: Workers,
    *,
    resume: bool = False,
    data: Path | None = None,
    quiet: bool = False,
) -> dict[str, Any]:
    """Train a recipe, evaluate it, and leave everything in the run folder; return what is in metrics.json.

    Args:
        recipe: what to train.
        folder: new or empty, or with `resume` one that holds a run of the same options.
        workers: who trains.
        resume: continue from the last checkpoint; a run that has none begins.
        data: where public data sets are.
        quiet: show no progress.

    Raises:
        RunError: the folder holds something else, or a run of other options.
        CheckpointError: its checkpoints are damaged.
        FloatingPointError: the loss left the numbers.
        ModuleNotFoundError: what the recipe is measured with is not installed.
        OSError: the disk is full, or the folder cannot be written to.

    Whatever ends a run before its first checkpoint, its folder is free again.
    """
    folder = user_path("folder", folder)
    recipe.check_installed()
    if workers.first:
        _prepare(recipe, folder, resume)
    workers.wait()  # nobody looks into the folder while it is being made
    try:
        torch.manual_seed(recipe.seed)
        task = recipe.task(data)
        trainer = Trainer(recipe, task, folder, workers)
        if workers.first and not quiet:
            trainer.progress = Progress(recipe.steps, trainer.state.step)
        trainer.train()
    except BaseException:
        if workers.first:
            _forget_a_failed_start(folder)
        raise
    metrics: dict[str, Any] = {}
    if workers.first:
        state = trainer.state
        write_atomically(folder / "model.safetensors", save(model_tensors(task.model)))
        metrics = {
            "recipe": recipe.name,
            "command": recipe.command(),
            "seed": recipe.seed,
            "metrics": evaluate_task(task, recipe),
            "parameters": sum(p.numel() for p in task.model.parameters()),
            "steps": state.step,
            "best_validation_loss": state.best_loss,
            "best_step": state.best_step if state.best_loss is not None else None,
            "seconds": {"wall": round(state.seconds, 2), "cpu": round(state.cpu_seconds, 2)},
            **provenance(workers.device, workers.size),
        }
        write_json(folder / "metrics.json", metrics)
    workers.wait()
    return metrics


def open_run(folder: Path, device: torch.device, data: Path | None = None) -> Run:
    """Return a finished run with its trained model.

    Raises:
        RunError: the folder holds no finished run, or its weights do not fit.
    """
    folder = user_path("folder", folder)
    recipe = _read_config(folder)
    if recipe is None:
        raise RunError(f"{folder}: expected a run folder, with config.json in it")
    weights = folder / "model.safetensors"
    if not weights.exists() or not (folder / "metrics.json").exists():
        where = f" --folder {shlex.quote(str(folder))}" + (
            f" --data {shlex.quote(str(data))}" if data else ""
        )
        raise RunError(
            f"{folder}: the run is not finished; continue it with: {recipe.command()}{where} --resume"
        )
    metrics = _read_metrics(folder / "metrics.json")
    torch.manual_seed(recipe.seed)
    try:
        task = recipe.task(data)
    except (ValueError, RuntimeError, MemoryError) as error:
        if isinstance(error, DataError):
            raise
        raise RunError(f"{folder / 'config.json'}: no model can be made of its options ({error})") from error
    try:
        load_model(task.model, load(weights.read_bytes()))
        for name, parameter in task.model.named_parameters():
            if not parameter.isfinite().all():
                raise CheckpointError(f"{name}: expected finite numbers, got some that are not")
    except CheckpointError as error:
        raise RunError(f"{weights}: {error}") from error
    except Exception as error:  # safetensors raises a class of its own for a file that is none
        raise RunError(
            f"{weights}: expected a whole safetensors file, got one that cannot be read ({error})"
        ) from error
    task.model.to(device).eval()
    return Run(folder, recipe, task, metrics)
