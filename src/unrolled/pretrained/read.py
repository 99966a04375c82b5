"""Hugging Face's configuration and weights from wherever they are: a folder, a file, the hub, a model."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from unrolled.inputs import read_json, user_path
from unrolled.pretrained.errors import WeightsError
from unrolled.pretrained.states import State

__all__ = ["read"]

_WANTED = ["config.json", "model*.safetensors*", "tokenizer.json"]
_PICKLES = {".bin", ".pt", ".pth", ".ckpt", ".pkl"}
_LFS = b"version https://git-lfs.github.com/spec/"


def read(source: str | Path | nn.Module) -> tuple[Mapping[str, Any], State]:
    """Return the configuration and the weights of `source`; for the errors see `load_gpt2`."""
    if isinstance(source, nn.Module):
        return _read_model(source)
    path = user_path("source", source)
    if path.suffix in _PICKLES:
        raise WeightsError(
            f"{path.name}: expected safetensors; a pickle can run code when opened, so it is refused"
        )
    if not path.exists():
        if not (isinstance(source, str) and re.fullmatch(r"\w[\w.-]*(/[\w.-]+)?", source)):
            raise FileNotFoundError(
                f"{path}: no such file or folder; expected a folder with config.json and model.safetensors"
            )
        path = _fetch(source)
    if path.is_dir():
        folder, files = path, _weight_files(path)
    elif path.suffix == ".safetensors":
        folder, files = path.parent, [path]
    else:
        raise WeightsError(f"{path}: expected a folder or a .safetensors file, got a {path.suffix} file")
    if not (folder / "config.json").is_file():
        raise FileNotFoundError(
            f"{folder / 'config.json'}: no such file; expected config.json beside model.safetensors"
        )
    config = _load_json(folder / "config.json")  # before gigabytes of weights
    state: dict[str, Tensor] = {}
    for file in files:
        for name, tensor in _load_file(file).items():
            if name in state and not torch.equal(state[name], tensor):
                raise WeightsError(f"{file}: holds another {name} than the file before it")
            state[name] = tensor
    return config, state


def _read_model(model: nn.Module) -> tuple[Mapping[str, Any], State]:
    config: Any = getattr(model, "config", None)
    if not hasattr(config, "to_dict"):
        raise WeightsError(f"expected a transformers model, got {type(model).__name__}")
    state = model.state_dict()
    if meta := [name for name, tensor in state.items() if tensor.is_meta]:
        raise WeightsError(f"{meta[0]}: expected a model with weights, got one on the meta device")
    _check_unchanged(model, config)
    return config.to_dict(), state


def _check_unchanged(model: nn.Module, config: Any) -> None:
    """Raise if a module of `model` is not what its configuration builds: another eps, dropout, activation."""
    try:
        with torch.device("meta"):  # shapes and settings, without numbers and without a draw
            twin = type(model)(config)
    except Exception as error:
        raise WeightsError(
            f"{type(model).__name__}: expected a model that its configuration builds, got {error}"
        ) from error
    ours = {name: f"{type(part).__name__}({part.extra_repr()})" for name, part in twin.named_modules()}
    for name, part in model.named_modules():
        got = f"{type(part).__name__}({part.extra_repr()})"
        if name in ours and got != ours[name]:
            raise WeightsError(f"{name}: expected {ours[name]}, as the configuration says, got {got}")


def _load_file(file: Path) -> dict[str, Tensor]:
    if not file.is_file():
        raise FileNotFoundError(f"{file}: no such file; expected config.json beside model.safetensors")
    try:
        from safetensors import SafetensorError
        from safetensors.torch import load_file
    except ImportError as error:
        raise ImportError("reading weights needs safetensors: pip install safetensors") from error
    _check_content(file)
    try:
        return load_file(file)
    except SafetensorError as error:
        raise WeightsError(
            f"{file}: expected a whole safetensors file, got {file.stat().st_size} bytes that are not one "
            f"({error}); copy or download it again"
        ) from error


def _load_json(file: Path) -> dict[str, Any]:
    _check_content(file)
    try:
        content: dict[str, Any] = read_json(file, file.read_bytes())
    except ValueError as error:
        raise WeightsError(str(error)) from error
    return content


def _check_content(file: Path) -> None:
    """Raise for what stands where a file should be: nothing, or the address that git-lfs keeps of it."""
    with file.open("rb") as opened:
        start = opened.read(len(_LFS))
    if not start:
        raise WeightsError(f"{file}: expected a file with content, got an empty one; download it again")
    if start == _LFS:
        raise WeightsError(f"{file}: expected the file itself, got a git-lfs pointer to it; run git lfs pull")


def _weight_files(folder: Path) -> list[Path]:
    """Return the safetensors files of a folder: one, or the several an index lists."""
    whole, index = folder / "model.safetensors", folder / "model.safetensors.index.json"
    if whole.is_file() or not index.is_file():
        pickles = sorted(file.name for file in folder.iterdir() if file.suffix in _PICKLES)
        if pickles and not whole.is_file():
            raise WeightsError(
                f"{folder}: expected model.safetensors, found {', '.join(pickles)}; a pickle can run code "
                "when opened, so it is refused"
            )
        return [whole]
    listed = _load_json(index).get("weight_map")
    if (
        not isinstance(listed, dict)
        or not listed
        or not all(isinstance(name, str) for name in listed.values())
    ):
        raise WeightsError(f"{index}: expected weight_map, an object of file names, got {listed!r:.60}")
    names = sorted(set(listed.values()))
    for name in names:
        if Path(name).name != name or Path(name).suffix != ".safetensors":
            raise WeightsError(f"{index}: expected names of .safetensors files in its folder, got {name!r}")
        if not (folder / name).is_file():
            raise FileNotFoundError(f"{folder / name}: no such file, though {index.name} lists it")
    return [folder / name for name in names]


def _fetch(name: str) -> Path:
    """Bring a model from the hub into its cache, or say why that is not possible."""
    try:
        from huggingface_hub import snapshot_download
    except ImportError as error:
        raise FileNotFoundError(
            f"{name}: no such file or folder; to fetch it from the hub, pip install huggingface_hub"
        ) from error
    try:
        return Path(snapshot_download(name, allow_patterns=_WANTED))
    except Exception as error:  # The hub's client raises a dozen kinds, none of which says what to do.
        raise FileNotFoundError(
            f"{name}: no such file or folder, and the hub could not give it ({type(error).__name__}). "
            "Offline? Copy config.json and model.safetensors into a folder and name that folder"
        ) from error
