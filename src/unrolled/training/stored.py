"""Trained weights that ship with the package: what the chapters and the playground show needs no training.

Each is one safetensors file in ``unrolled/weights``, in half precision or in 8 bits. Its header says which
recipe it was trained with, under which result its figures stand, and what the rounded weights reach. Beside
them lies ``sha256.txt``, as ``sha256sum`` writes it: a file that has changed by a bit is refused.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from unrolled.inputs import user_path
from unrolled.training.checkpoint import load_model, model_tensors
from unrolled.training.eight_bits import from_eight_bits
from unrolled.training.files import write_atomically
from unrolled.training.options import from_dict
from unrolled.training.recipe import Recipe
from unrolled.training.recipes import recipes
from unrolled.training.run import Run, evaluate_task

__all__ = ["FOLDER", "Stored", "store_run", "stored", "stored_names"]

FOLDER = Path(__file__).parents[1] / "weights"
"""Where the weights lie that come with the package."""
_SUMS = "sha256.txt"
Smaller = Callable[[Mapping[str, Tensor]], dict[str, Tensor]]


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
    """Return the names of all stored weights, sorted.

    Example:
        >>> from unrolled.training.stored import stored_names
        >>> "three-bears" in stored_names()
        True
    """
    return sorted(path.stem for path in user_path("folder", folder).glob("*.safetensors"))


def stored(name: str, folder: Path = FOLDER) -> Stored:
    """Return a trained model of the package by its name; nothing is downloaded, and no data is made.

    Args:
        name: one of `stored_names`.
        folder: where the files are.

    Raises:
        ValueError: there is no such file, and the message names those there are; or it is damaged, or not one
            of ours.

    Example:
        >>> from unrolled.training.stored import stored
        >>> type(stored("three-bears").model).__name__
        'Transformer'
    """
    folder = user_path("folder", folder)
    known = stored_names(folder)
    if name not in known:
        raise ValueError(f"name: expected one of {', '.join(known) or '(none stored)'}, got {name!r}")
    path = folder / f"{name}.safetensors"
    try:
        if (got := hashlib.sha256(path.read_bytes()).hexdigest()) != (due := _sums(folder).get(path.name)):
            raise ValueError(f"{_SUMS} says sha256 {due}, it has {got}")
        with safe_open(path, "pt") as file:
            about = file.metadata() or {}
            tensors = from_eight_bits({key: file.get_tensor(key) for key in file.keys()})  # noqa: SIM118
        recipe = from_dict(recipes()[about["recipe"]], json.loads(about["options"]))
        figures = json.loads(about["figures"])
        result = about["result"]
        # The first weights are overwritten; whoever loads a model does not want their random numbers moved.
        with torch.random.fork_rng(devices=[]):
            model = recipe.model()
        load_model(model, tensors)
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path.name}: expected weights of this package ({error!r})") from error
    return Stored(name, recipe, model.eval(), result, figures)


def store_run(
    run: Run, name: str, result: str, folder: Path = FOLDER, *, smaller: Smaller | None = None
) -> Path:
    """Write the weights of a finished run, rounded, and what they still reach; return the file.

    Args:
        run: what `unrolled.training.run.open_run` returned. Its model is rounded in place.
        name: lower-case letters, digits and ``-``.
        result: under which name the run's figures were recorded.
        folder: where the file goes.
        smaller: how they are rounded: `to_eight_bits`, or to half precision unless given.
    """
    tensors = (smaller or _halved)(model_tensors(run.task.model))
    load_model(run.task.model, from_eight_bits(tensors))
    about = {
        "recipe": run.recipe.name,
        "options": json.dumps(run.recipe.config()),
        "result": result,
        "figures": json.dumps(evaluate_task(run.task, run.recipe)),
    }
    folder = user_path("folder", folder)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.safetensors"
    content = save(tensors, about)
    write_atomically(path, content)
    sums = {**_sums(folder), path.name: hashlib.sha256(content).hexdigest()}
    write_atomically(folder / _SUMS, "".join(f"{sums[file]}  {file}\n" for file in sorted(sums)).encode())
    return path


def _sums(folder: Path) -> dict[str, str]:
    """Return the sha256 sums of a folder's files by name, as ``sha256sum`` writes them."""
    path = folder / _SUMS
    lines = path.read_bytes().decode(errors="replace").splitlines() if path.exists() else []
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines)}


def _halved(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in tensors.items()}
