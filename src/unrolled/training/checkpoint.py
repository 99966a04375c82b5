"""Checkpoints that survive a kill: safetensors for numbers in bulk, JSON for the rest, nothing pickled.

A checkpoint is a folder ``step-00000400`` with ``tensors.safetensors`` and ``state.json``. It is written
under another name, forced to disk and renamed, so under its own name it is whole. What a disk breaks later is
found by the sha256 sums in ``state.json``, and the checkpoint before is taken.
"""

import hashlib
import json
import re
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load, save
from torch import Tensor, nn

from unrolled.inputs import read_json
from unrolled.training.files import check_finite, sync, to_json, write_atomically

__all__ = [
    "CheckpointError",
    "load_checkpoint",
    "load_model",
    "load_optimizer",
    "model_tensors",
    "newest_step",
    "optimizer_tensors",
    "save_checkpoint",
]

_NAME = re.compile(r"step-(\d{8})")
_KEPT = 2


class CheckpointError(ValueError):
    """A checkpoint that is damaged, or belongs to another model."""


def model_tensors(model: nn.Module) -> dict[str, Tensor]:
    """Return parameters and persistent buffers by name, on the CPU; a shared one once, by its first name."""
    tensors: dict[str, Tensor] = {}
    seen: set[int] = set()
    for name, tensor in model.state_dict(keep_vars=True).items():
        if id(tensor) not in seen:
            seen.add(id(tensor))
            tensors[name] = tensor.detach().cpu().contiguous().clone()
    return tensors


def load_model(model: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Copy what `model_tensors` returned into a model.

    Raises:
        CheckpointError: names, shapes or types differ; the message lists them. The model is untouched then.
    """
    own: dict[str, Tensor] = {}
    seen: set[int] = set()
    for name, tensor in model.state_dict(keep_vars=True).items():
        if id(tensor) not in seen:
            seen.add(id(tensor))
            own[name] = tensor
    tensors = _of_today(model, tensors)
    troubles = [f"{name} is missing" for name in own if name not in tensors]
    troubles += [f"{name} is unknown" for name in tensors if name not in own]
    for name in own.keys() & tensors.keys():
        here, there = own[name], tensors[name]
        if here.shape != there.shape or here.dtype != there.dtype:
            want, came = f"{list(here.shape)} {here.dtype}", f"{list(there.shape)} {there.dtype}"
            troubles.append(f"{name}: expected {want}, got {came}")
    if troubles:
        raise CheckpointError("the weights belong to another model: " + "; ".join(sorted(troubles)))
    with torch.no_grad():
        for name, tensor in own.items():
            tensor.copy_(tensors[name])


def _of_today(model: nn.Module, tensors: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """Return tensors under the names of today, where the model knows former ones."""
    renamed: Callable[..., dict[str, Tensor]] | None = getattr(model, "from_former_names", None)
    return tensors if renamed is None else renamed(tensors)


def _names(optimizer: torch.optim.Optimizer, model: nn.Module) -> list[str]:
    """Return the names of the optimiser's parameters, in its own order."""
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    return [names[id(parameter)] for group in optimizer.param_groups for parameter in group["params"]]


def optimizer_tensors(optimizer: torch.optim.Optimizer, model: nn.Module) -> dict[str, Tensor]:
    """Return what the optimiser remembers of each parameter, as ``name/what``, on the CPU."""
    states = optimizer.state_dict()["state"]
    return {
        f"{name}/{what}": tensor.detach().cpu().contiguous().clone()
        for i, name in enumerate(_names(optimizer, model))
        for what, tensor in states.get(i, {}).items()
    }


def load_optimizer(optimizer: torch.optim.Optimizer, model: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Give the optimiser its memory back.

    Raises:
        CheckpointError: it remembers a parameter the model does not have.
    """
    index = {name: i for i, name in enumerate(_names(optimizer, model))}
    states: dict[int, dict[str, Tensor]] = {}
    for key, tensor in _of_today(model, tensors).items():
        name, _, what = key.rpartition("/")
        if name not in index:
            raise CheckpointError(f"the optimiser remembers {name}, which this model does not have")
        states.setdefault(index[name], {})[what] = tensor
    optimizer.load_state_dict({"state": states, "param_groups": optimizer.state_dict()["param_groups"]})


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _canonical(state: Any) -> bytes:
    return json.dumps(state, sort_keys=True, allow_nan=False).encode()


def save_checkpoint(folder: Path, step: int, tensors: Mapping[str, Tensor], state: Mapping[str, Any]) -> Path:
    """Write a checkpoint and remove all but the last two.

    Args:
        folder: where the checkpoints of a run are.
        step: how many steps have been taken.
        tensors: by name.
        state: what JSON can say; floats come back exactly.

    Raises:
        ValueError: a number of the state is not finite; the message says which. Nothing is written then.
        OSError: the disk is full, or the folder cannot be written to. Those before are as they were then.
    """
    check_finite(f"checkpoint of step {step}", state)
    final = folder / f"step-{step:08d}"
    temporary = folder / f".writing-{final.name}"
    if temporary.exists():
        shutil.rmtree(temporary)
    blob = save(dict(tensors))
    sums = {"tensors": _digest(blob), "state": _digest(_canonical(state))}
    text = to_json("state.json", {"sha256": sums, "state": state}, indent=1) + "\n"
    try:
        temporary.mkdir(parents=True)
        write_atomically(temporary / "tensors.safetensors", blob)
        write_atomically(temporary / "state.json", text.encode())
        if final.exists():  # a damaged one, or the same step of a run that was killed before it forgot it
            shutil.rmtree(final)
        temporary.rename(final)
    except OSError:
        shutil.rmtree(temporary, ignore_errors=True)  # on a full disk it would be in the way
        raise
    sync(folder)
    for old in sorted(_found(folder))[:-_KEPT]:
        shutil.rmtree(folder / f"step-{old:08d}")
    return final


def _found(folder: Path) -> list[int]:
    matches = [_NAME.fullmatch(path.name) for path in folder.glob("step-*")]
    return [int(match[1]) for match in matches if match]


def newest_step(folder: Path) -> int | None:
    """Return the step of the newest checkpoint, sound or not; None if there is none."""
    return max(_found(folder), default=None)


def _read(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    try:
        written = read_json("state.json", (folder / "state.json").read_bytes())
        sums, state = written["sha256"], written["state"]
        blob = (folder / "tensors.safetensors").read_bytes()
        sound = sums == {"tensors": _digest(blob), "state": _digest(_canonical(state))}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{type(error).__name__}: {error}") from error
    if not sound:
        raise CheckpointError("its sha256 sums do not agree with what was written")
    return load(blob), state


def load_checkpoint(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """Return tensors and state of the newest sound checkpoint; None if there has never been one.

    A damaged one is reported on standard error, and the one before it is taken.

    Raises:
        CheckpointError: there are checkpoints, and all are damaged.
    """
    steps = sorted(_found(folder), reverse=True)
    for step in steps:
        path = folder / f"step-{step:08d}"
        try:
            return _read(path)
        except CheckpointError as error:
            print(f"checkpoint {path.name} is damaged ({error}): trying the one before", file=sys.stderr)
    if steps:
        raise CheckpointError(
            f"all {len(steps)} checkpoints in {folder} are damaged: start in another folder"
        )
    return None
