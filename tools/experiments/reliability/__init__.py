"""What the course survives: damaged files, hostile inputs, kills, full disks and folders gone read-only.

``python -m tools.experiments reliability`` does all of it and writes ``results/reliability.json``. It goes
part by part and keeps each in ``runs/reliability``: stopped at any moment, it goes on with the part it was
in. `part` does a single one.
"""

import json
import shutil
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch

from unrolled.training.files import write_json
from unrolled.training.provenance import provenance
from unrolled.training.results import record_result

__all__ = ["EVENTS", "INPUTS", "TRIALS", "measure", "part", "parts"]

ROOT = Path(__file__).resolve().parents[3]
TRIALS: list[Any] = []
SEED = 0
INPUTS = 10_000
"""How many damaged files each reader gets, and how many inputs each widget."""
EVENTS = 2_500
"""How many of a widget's inputs are events in a page; the others are arguments."""
_KEPT = Path("runs", "reliability")
_NOTES = (
    "Readers: {inputs:,} damaged files each (flipped bits, cuts, other JSON, other headers of tensors, other "
    "files); each is read as what it holds, held against an independent reading, or refused by the "
    "documented error with the file's name. Where no checksum is kept, a changed number is another number of "
    "that file, and 'as the file says' counts it. Widgets: hostile arguments in Python, and in pages of "
    "headless Chromium keys, clicks, drags, texts and links fired as events of the page's own script. Kills: "
    "the tiniest reversal by `unrolled train` in processes of their own, SIGKILL at moments from the seed. "
    "Full disks are tmpfs of 60 to 340 kB. Folders gone read-only are file systems mounted anew without "
    "write access between a kill and its continuation, and folders made immutable (chattr +i) while a run "
    "wrote. No disk was broken and no machine lost its power."
)


def _reader(name: str) -> dict[str, Any]:
    from tools.experiments.reliability.readers import check, readers

    verdict = check(name, readers()[name], INPUTS, SEED)
    return {"inputs": sum(verdict.answers.values()), "failures": len(verdict.failures), **verdict.answers}


def _page_reader() -> dict[str, Any]:
    from tools.experiments.reliability.page_files import check_page_reader
    from tools.experiments.reliability.pages import chromium

    with chromium() as opened:
        verdict = check_page_reader(opened, INPUTS, SEED)
    return {"inputs": sum(verdict.answers.values()), "failures": len(verdict.failures), **verdict.answers}


def _widget(name: str) -> dict[str, Any]:
    from tools.experiments.reliability.arguments import check_arguments
    from tools.experiments.reliability.pages import check_pages, chromium

    # What `explore` is given is a function, and its outcomes are computed beforehand: it has events alone.
    n = 0 if name.startswith("explore") else INPUTS - EVENTS
    arguments, made = check_arguments(name, n, SEED) if n else (None, [])
    with chromium() as opened:
        pages = check_pages(opened, name, made, INPUTS - n, SEED)
    return {
        "inputs": INPUTS,
        "arguments": n,
        "events": sum(pages.answers.values()),
        "failures": len(pages.failures) + (len(arguments.failures) if arguments else 0),
        **(arguments.answers if arguments else {}),
        **pages.answers,
    }


def _kills() -> dict[str, Any]:
    from tools.experiments.reliability.kills import kills

    return kills(_KEPT / "of-kills", seed=SEED)


def _disks() -> dict[str, Any]:
    from tools.experiments.reliability.kills import disks

    return disks(_KEPT.resolve() / "of-disks", seed=SEED)


def parts() -> dict[str, Callable[[], dict[str, Any]]]:
    """Return all parts by name, in the order in which they are done."""
    from tests.widgets.every import WIDGETS
    from tools.experiments.reliability.readers import readers

    return {
        "kills": _kills,
        "disks": _disks,
        **{f"reader: {name}": partial(_reader, name) for name in readers()},
        "reader: weights in the page": _page_reader,
        **{f"widget: {name}": partial(_widget, name) for name in WIDGETS},
    }


def part(name: str) -> dict[str, Any]:
    """Return the figures of a part: those that are kept, or else it is done now."""
    kept = _KEPT / f"{''.join(letter if letter.isalnum() else '-' for letter in name)}.json"
    if kept.exists():
        found: dict[str, Any] = json.loads(kept.read_bytes())
        return found
    print(name, flush=True)
    where = provenance(torch.device("cpu"))  # of the code that is loaded, not of what it becomes meanwhile
    began = time.perf_counter(), time.process_time()
    figures = parts()[name]()
    found = {
        "figures": figures,
        "commit": where["commit"],
        "seconds": {
            "wall": round(time.perf_counter() - began[0], 1),
            "cpu": round(time.process_time() - began[1], 1),
        },
    }
    kept.parent.mkdir(parents=True, exist_ok=True)
    write_json(kept, found)
    print(name, figures, flush=True)
    return found


def measure() -> None:
    """Write ``results/reliability.json``."""
    done = {name: part(name) for name in parts()}
    of = {
        kind: {name.partition(": ")[2]: one["figures"] for name, one in done.items() if name.startswith(kind)}
        for kind in ("reader: ", "widget: ")
    }
    metrics = {**done["kills"]["figures"], **done["disks"]["figures"]}
    for kind, word in (("reader: ", "readers"), ("widget: ", "widgets")):
        all_of = list(of[kind].values())
        metrics[word] = len(all_of)
        metrics[f"{word}, inputs"] = sum(one["inputs"] for one in all_of)
        metrics[f"{word}, fewest inputs to one"] = min((one["inputs"] for one in all_of), default=0)
        metrics[f"{word}, failures"] = sum(one["failures"] for one in all_of)
    record_result(
        "reliability",
        command="python -m tools.experiments reliability",
        seeds=[SEED],
        metrics={name: [value] for name, value in metrics.items()},
        provenance=provenance(torch.device("cpu")),
        tables={
            "readers": of["reader: "],
            "widgets": of["widget: "],
            "commits": {name: one["commit"] for name, one in done.items()},
            "seconds": {name: one["seconds"] for name, one in done.items()},
        },
        notes=_NOTES.format(inputs=INPUTS),
        folder=ROOT / "results",
    )
    for folder in ("of-kills", "of-disks"):
        shutil.rmtree(_KEPT / folder, ignore_errors=True)
