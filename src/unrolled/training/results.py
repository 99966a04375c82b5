"""Figures for keeping: ``results/<name>.json``, all in one schema, without a folder or a name of a machine.

========== ==========================================================================
key        what
========== ==========================================================================
schema     1
name       the file's
command    what to type to get the same; with several seeds, that of the first
seeds      the seeds, in order
metrics    ``{figure: [one per seed]}``
parameters numbers the model learns
seconds    ``{"wall": [one per seed], "cpu": [one per seed]}``, training only
commit     of the code, ``+changes`` if it was edited
hardware   what computed, in words; ``processes`` of it
torch      its version; ``python`` likewise
date       UTC
curve      the first seed's, at most 100 points of training and as many of validation
tables     what a chapter draws and no single number holds, such as the points of a plane; only where given
notes      what a reader of the figures must know, or empty
========== ==========================================================================

Used from chapter 1 on.
"""

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from unrolled.inputs import not_text, read_json, user_path
from unrolled.training.curve import read_curve, thin
from unrolled.training.files import check_finite, to_json, write_json

__all__ = ["PROVENANCE", "SCHEMA", "collect_runs", "read_result", "record_result"]

PROVENANCE = ("commit", "hardware", "processes", "torch", "python", "date")
"""What a run notes of where it ran."""

SCHEMA = 1
"""The version of the form in which results are kept."""
# In the repository a link to the folder ``results``; in an installed package a copy of it.
_SHIPPED = Path(__file__).parents[1] / "results"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
_FOLDER = re.compile(r"(?:^|[\s\"'=:(])(?:/|~/|[A-Za-z]:\\+)[\w.~-]+")
_SPEED = ("tokens_per_s", "seconds", "grad_norm")


def record_result(
    name: str,
    *,
    command: str,
    seeds: Sequence[int],
    metrics: Mapping[str, Sequence[float]],
    provenance: Mapping[str, Any],
    parameters: int | None = None,
    seconds: Mapping[str, Sequence[float]] | None = None,
    curve: Sequence[Mapping[str, Any]] = (),
    tables: Mapping[str, Any] | None = None,
    notes: str = "",
    folder: Path = Path("results"),
) -> Path:
    """Write ``results/<name>.json`` and return where it is.

    Args:
        name: lower-case letters, digits, ``-`` and ``_``.
        command: what to type to get the same.
        seeds: one or more.
        metrics: for each figure one number per seed.
        provenance: what `unrolled.training.provenance.provenance` returns.
        parameters: numbers the model learns.
        seconds: ``wall`` and ``cpu``, one number per seed.
        curve: points; thinned here.
        tables: lists and dictionaries of finite numbers and strings, rounded by the caller: they ship.
        notes: what a reader must know.
        folder: the folder of results.

    Raises:
        ValueError: the name cannot be a file's, a figure has not one finite number per seed, a table holds
            one that is not finite, or something in it names a folder of this machine.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"name: expected lower-case letters, digits, - and _, got {name!r}")
    if not seeds:
        raise ValueError("seeds: expected one or more, got none")
    for figure, values in {**metrics, **(seconds or {})}.items():
        if len(values) != len(seeds) or not all(math.isfinite(value) for value in values):
            raise ValueError(
                f"{figure}: expected {len(seeds)} finite numbers, one per seed, got {list(values)}"
            )
    kept = [{k: v for k, v in point.items() if k not in _SPEED} for point in curve]
    training = thin([point for point in kept if "validation_loss" not in point])
    validation = thin([point for point in kept if "validation_loss" in point])
    result = {
        "schema": SCHEMA,
        "name": name,
        "command": command,
        "seeds": list(seeds),
        "metrics": {figure: list(values) for figure, values in metrics.items()},
        "parameters": parameters,
        "seconds": {kind: list(values) for kind, values in (seconds or {}).items()},
        **provenance,
        "curve": {"training": training, "validation": validation},
        **({"tables": dict(tables)} if tables else {}),
        "notes": notes,
    }
    check_finite("tables", tables)
    found = _FOLDER.search(to_json(name, result))
    if found:
        raise ValueError(f"a result names no folder of a machine, got {found[0].strip()!r}")
    folder = user_path("folder", folder)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    write_json(path, result)
    return path


def read_result(name: str, folder: Path = _SHIPPED) -> dict[str, Any]:
    """Return the result `record_result` wrote under this name.

    Args:
        name: of the file, without ``.json``.
        folder: those that ship with the package, unless told.

    Raises:
        ValueError: there is no such result, and the message names those there are; or the file is damaged, or
            of another schema.
    """
    folder = user_path("folder", folder)
    path = folder / f"{name}.json"
    if not _NAME.fullmatch(name) or not path.is_file():
        known = ", ".join(sorted(path.stem for path in folder.glob("*.json"))) or "(none)"
        raise ValueError(f"name: expected one of {known}, got {name!r}")
    result: dict[str, Any] = read_json(path, path.read_bytes())
    if result.get("schema") != SCHEMA:
        raise ValueError(f"{name}.json: expected schema {SCHEMA}, got {result.get('schema')!r}")
    return result


def collect_runs(folders: Sequence[Path]) -> dict[str, Any]:
    """Return the arguments of `record_result` for finished runs of one recipe that differ by seed alone.

    Raises:
        ValueError: a run is not finished, or they differ in more.
    """
    folders = [user_path("folders", folder) for folder in not_text("folders", folders, "paths")]
    if not folders:
        raise ValueError("runs: expected one folder or more, got none")
    runs = []
    for folder in folders:
        path, options, curve = (folder / name for name in ("metrics.json", "config.json", "curve.jsonl"))
        if missing := [file.name for file in (path, options, curve) if not file.exists()]:
            raise ValueError(f"{folder.name}: expected a finished run, with {' and '.join(missing)}")
        runs.append((_run_figures(path), read_json(options, options.read_bytes())))
        if not isinstance(runs[-1][1].get("options"), dict):
            raise ValueError(f"{options}: expected the options of a run")
    without_seed = [{**config, "options": {**config["options"], "seed": None}} for _, config in runs]
    if any(config != without_seed[0] for config in without_seed):
        raise ValueError("runs: expected the same recipe and options, but for the seed")
    all_metrics = [metrics for metrics, _ in runs]
    if len({metrics["seed"] for metrics in all_metrics}) < len(runs):
        raise ValueError(f"runs: expected different seeds, got {[m['seed'] for m in all_metrics]}")
    first = all_metrics[0]
    for folder, metrics in zip(folders, all_metrics, strict=True):
        if metrics["metrics"].keys() != first["metrics"].keys():
            raise ValueError(f"{folder / 'metrics.json'}: expected the figures {', '.join(first['metrics'])}")
    return {
        "command": first["command"],
        "seeds": [metrics["seed"] for metrics in all_metrics],
        "metrics": {f: [metrics["metrics"][f] for metrics in all_metrics] for f in first["metrics"]},
        "provenance": {key: first[key] for key in PROVENANCE},
        "parameters": first["parameters"],
        "seconds": {kind: [m["seconds"][kind] for m in all_metrics] for kind in ("wall", "cpu")},
        "curve": read_curve(folders[0] / "curve.jsonl"),
    }


def _run_figures(path: Path) -> dict[str, Any]:
    """Return what a run's ``metrics.json`` says."""
    metrics: dict[str, Any] = read_json(path, path.read_bytes())
    texts = {"command": str, "seed": int, "metrics": dict, "seconds": dict, "parameters": int}
    wrong = [name for name, kind in texts.items() if type(metrics.get(name)) is not kind]
    wrong += [name for name in PROVENANCE if name not in metrics]
    for name in ("metrics", "seconds"):
        figures = metrics[name] if name not in wrong else {}
        wrong += [f"{name}/{figure}" for figure, x in figures.items() if type(x) not in (int, float)]
    wrong += [
        f"seconds/{kind}"
        for kind in ("wall", "cpu")
        if "seconds" not in wrong and kind not in metrics["seconds"]
    ]
    if wrong:
        raise ValueError(f"{path}: expected the figures of a run, got none or others for {', '.join(wrong)}")
    return metrics
