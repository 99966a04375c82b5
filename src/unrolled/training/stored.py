"""Trained weights that ship with the package: what the chapters and the playground show needs no training.

Each is one safetensors file in ``unrolled/weights``, in half precision. Its header says which recipe it was
trained with, under which result its figures stand, and what the rounded weights reach.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from unrolled.training.checkpoint import load_model, model_tensors
from unrolled.training.files import write_atomically
from unrolled.training.options import from_dict
from unrolled.training.recipe import Recipe
from unrolled.training.recipes import recipes
from unrolled.training.run import Run, evaluate_task

__all__ = ["FOLDER", "Stored", "store_run", "stored", "stored_names"]

FOLDER = Path(__file__).parents[1] / "weights"


@dataclass(frozen=True)
class Stored:
    """A trained model of the package.

    Attributes:
        name: the file's.
        recipe: what it was trained with.
        model: in evaluation mode, on the CPU, in float32.
        result: the name of its figures in ``results/``.
        figures: what the stored, rounded weights reach.
    """

    name: str
    recipe: Recipe
    model: nn.Module
    result: str
    figures: dict[str, float]


def stored_names(folder: Path = FOLDER) -> list[str]:
    """Return the names of all stored weights, sorted."""
    return sorted(path.stem for path in folder.glob("*.safetensors"))


def stored(name: str, folder: Path = FOLDER) -> Stored:
    """Return a trained model of the package by its name; nothing is downloaded, and no data is made.

    Args:
        name: one of `stored_names`.
        folder: where the files are.

    Raises:
        ValueError: there is no such file, or it is none of ours; the message names those there are.
    """
    known = stored_names(folder)
    if name not in known:
        raise ValueError(f"name: expected one of {', '.join(known) or '(none stored)'}, got {name!r}")
    try:
        with safe_open(folder / f"{name}.safetensors", "pt") as file:
            about = file.metadata() or {}
            tensors = {key: _widened(file.get_tensor(key)) for key in file.keys()}  # noqa: SIM118
        recipe = from_dict(recipes()[about["recipe"]], json.loads(about["options"]))
        figures = json.loads(about["figures"])
        result = about["result"]
    except (SafetensorError, KeyError, ValueError) as error:
        raise ValueError(f"{name}.safetensors: no weights of this package ({error!r})") from error
    # The first weights are overwritten; whoever loads a model does not want their random numbers moved.
    with torch.random.fork_rng(devices=[]):
        model = recipe.model()
    load_model(model, tensors)
    return Stored(name, recipe, model.eval(), result, figures)


def store_run(run: Run, name: str, result: str, folder: Path = FOLDER) -> Path:
    """Write the weights of a finished run, halved in precision, and what they still reach; return the file.

    Args:
        run: what `unrolled.training.run.open_run` returned. Its model is rounded in place.
        name: lower-case letters, digits and ``-``.
        result: under which name the run's figures were recorded.
        folder: where the file goes.
    """
    tensors = {key: _halved(tensor) for key, tensor in model_tensors(run.task.model).items()}
    load_model(run.task.model, {key: _widened(tensor) for key, tensor in tensors.items()})
    about = {
        "recipe": run.recipe.name,
        "options": json.dumps(run.recipe.config()),
        "result": result,
        "figures": json.dumps(evaluate_task(run.task, run.recipe)),
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.safetensors"
    write_atomically(path, save(tensors, about))
    return path


def _halved(tensor: Tensor) -> Tensor:
    return tensor.half() if tensor.is_floating_point() else tensor


def _widened(tensor: Tensor) -> Tensor:
    return tensor.float() if tensor.is_floating_point() else tensor
