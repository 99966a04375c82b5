"""Training runs that are killed, whose disk fills up, and whose folder goes read-only.

Each is the tiniest reversal, `unrolled train` in a process of its own, and each is continued until it is
finished: then figures, curve and weights are held against those of a run that nobody disturbed, bit by bit.
"""

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from unrolled.training.checkpoint import CheckpointError, load_checkpoint
from unrolled.training.curve import read_curve

__all__ = ["EVERY", "Killed", "command", "disks", "kill_runs", "kills", "lost", "outcome", "whole_run"]

EVERY = 7
"""Steps from checkpoint to checkpoint."""
_OPTIONS = f"--checkpoint-every={EVERY} --log-every=1 --validate-every=100 --batch=4 --d-hidden=8 --longest=4"
_ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
# What differs between two runs of the same numbers: speeds and dates.
_FIGURES = ("metrics", "steps", "best_validation_loss", "best_step", "parameters")
_SPEEDS = ("tokens_per_s", "seconds")
Killed = dict[str, Any]


def command(folder: Path, steps: int) -> list[str]:
    """Return what trains in a folder, from its last checkpoint where there is one."""
    words = f"-m unrolled train reversal {_OPTIONS} --epoch=7 --device=cpu --quiet --resume".split()
    return [sys.executable, *words, f"--steps={steps}", "--folder", str(folder)]


def outcome(folder: Path) -> tuple[dict[str, Any], list[dict[str, Any]], bytes]:
    """Return all that a finished run has computed: figures, curve, weights."""
    metrics = json.loads((folder / "metrics.json").read_bytes())
    curve = [
        {name: value for name, value in point.items() if name not in _SPEEDS}
        for point in read_curve(folder / "curve.jsonl")
    ]
    return {name: metrics[name] for name in _FIGURES}, curve, (folder / "model.safetensors").read_bytes()


def whole_run(folder: Path, steps: int) -> tuple[dict[str, Any], list[dict[str, Any]], bytes]:
    """Train without any disturbance and return the outcome."""
    subprocess.run(command(folder, steps), env=_ENVIRONMENT, capture_output=True, check=True)
    return outcome(folder)


def lost(folder: Path) -> Killed:
    """Return how far a run was, how much of it is kept, and whether a checkpoint is damaged."""
    curve = folder / "curve.jsonl"
    seen = max((point["step"] for point in read_curve(curve)), default=0) if curve.exists() else 0
    checkpoints = folder / "checkpoints"
    writing = checkpoints.is_dir() and any(checkpoints.glob(".writing-*"))
    damaged = False
    found = None
    said = _Said()
    try:
        with contextlib.redirect_stderr(said):
            found = load_checkpoint(checkpoints)
    except CheckpointError:
        damaged = True
    return {
        "seen": seen,
        "kept": found[1]["step"] if found else 0,
        "writing": writing,
        "damaged": damaged or said.anything,
    }


class _Said:
    """A standard error that remembers only whether anything was said."""

    anything = False

    def write(self, text: str) -> int:
        self.anything = self.anything or bool(text.strip())
        return len(text)

    def flush(self) -> None:
        """Do nothing."""


def _kill(folder: Path, steps: int, seconds: float, *, from_start: bool) -> Killed | None:
    """Send SIGKILL some seconds after the process began, or after its first step; None if it was faster."""
    curve = folder / "curve.jsonl"
    size = curve.stat().st_size if curve.exists() else 0
    # A file and no pipe: nobody reads while it runs.
    with subprocess.Popen(
        command(folder, steps), env=_ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        while not from_start and process.poll() is None:
            # A continued run cuts the curve to what its checkpoint knew; with the first step it grows.
            before, size = size, curve.stat().st_size if curve.exists() else 0
            if size > before:
                break
            time.sleep(0.002)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
        process.send_signal(signal.SIGKILL)
    return None if process.returncode == 0 else {"code": process.returncode, **lost(folder)}


def kill_runs(folder: Path, n: int, steps: int, seed: int) -> Iterator[tuple[Killed | None, str]]:
    """Kill `n` times at moments drawn from a seed; yield what is left after each, and at last the outcomes.

    A run that is finished before all kills are made is compared, and another one begins.
    """
    chance = random.Random(f"kills-{seed}")
    whole = whole_run(folder / "whole", steps)
    made, run, kept = 0, 0, 0
    while made < n:
        at = folder / f"run-{run}"
        from_start = chance.random() < 0.2
        left = _kill(at, steps, chance.uniform(0, 4.0 if from_start else 1.0), from_start=from_start)
        if left is None:
            yield None, "equal" if outcome(at) == whole else "differs"
            run, kept = run + 1, 0
            continue
        made += 1
        forwards = left["kept"] >= kept
        kept = left["kept"]
        yield left, "forwards" if forwards else "backwards"
    at = folder / f"run-{run}"
    subprocess.run(command(at, steps), env=_ENVIRONMENT, capture_output=True, check=True)
    yield None, "equal" if outcome(at) == whole else "differs"


def kills(folder: Path, n: int = 50, steps: int = 1500, seed: int = 0) -> dict[str, Any]:
    """Return the figures of `n` kills."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    left: list[Killed] = []
    runs: list[str] = []
    backwards = 0
    for one, how in kill_runs(folder, n, steps, seed):
        print(f"kill {len(left) + (one is not None)}: {one if one else 'finished'}, {how}", flush=True)
        if one is None:
            runs.append(how)
        else:
            left.append(one)
            backwards += how == "backwards"
    return {
        "kills": len(left),
        "kills that were not SIGKILL's": sum(one["code"] != -signal.SIGKILL for one in left),
        "kills, before the first checkpoint": sum(not one["kept"] for one in left),
        "kills, while a checkpoint was written": sum(one["writing"] for one in left),
        "kills, runs that were finished": len(runs),
        "kills, runs that ended otherwise": runs.count("differs"),
        "kills, damaged checkpoints": sum(one["damaged"] for one in left),
        "kills, checkpoints lost": backwards,
        "kills, most steps to take again": max(one["seen"] - one["kept"] for one in left),
    }


def _mount(*words: str) -> None:
    subprocess.run(["mount", *words], check=True, capture_output=True)


@contextlib.contextmanager
def _small_disk(at: Path, size: int) -> Iterator[None]:
    at.mkdir(parents=True, exist_ok=True)
    _mount("-t", "tmpfs", "-o", f"size={size}k", "tmpfs", str(at))
    try:
        yield
    finally:
        subprocess.run(["umount", str(at)], check=True)


def _tried(folder: Path, steps: int) -> tuple[int, str]:
    done = subprocess.run(
        command(folder, steps), env=_ENVIRONMENT, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stderr.strip()


def _told(code: int, said: str, what: str) -> bool:
    """Tell whether a run ended with one line that says what is wrong, where, and what is kept."""
    return (
        code == 1
        and said.count("\n") == 0
        and said.startswith("unrolled: ")
        and what in said
        and ("--resume continues from step" in said or "no checkpoint had been saved" in said)
    )


def _full(at: Path, steps: int, chance: random.Random, whole: Any) -> dict[str, bool]:
    """Train on a disk that is full at some step; give it room, and go on."""
    with _small_disk(at, chance.randrange(60, 340, 4)):
        code, said = _tried(at / "run", steps)
        left = lost(at / "run")
        print(f"full disk: {code}, {said}, {left}", flush=True)
        _mount("-o", "remount,size=64m", str(at))
        again, _ = _tried(at / "run", steps)
        return {
            "told": _told(code, said, "No space left on device"),
            "whole": not left["damaged"] and left["seen"] - left["kept"] <= EVERY,
            "equal": again == 0 and outcome(at / "run") == whole,
        }


def _read_only(at: Path, steps: int, chance: random.Random, whole: Any, *, running: bool) -> dict[str, bool]:
    """Turn the folder read-only while a run writes to it, or between a kill and its continuation."""
    shutil.rmtree(at, ignore_errors=True)
    with contextlib.ExitStack() as stack:
        if running:
            at.mkdir(parents=True)
            code, said = _made_immutable(at / "run", steps, chance.uniform(0, 1.5))
            what = "Operation not permitted"
        else:
            stack.enter_context(_small_disk(at, 65536))
            _kill(at / "run", steps, chance.uniform(0, 1.5), from_start=False)
            _mount("-o", "remount,ro", str(at))
            code, said = _tried(at / "run", steps)
            _mount("-o", "remount,rw", str(at))
            what = "Read-only file system"
        left = lost(at / "run")
        print(f"read-only: {code}, {said}, {left}", flush=True)
        again, _ = _tried(at / "run", steps)
        return {
            "told": _told(code, said, what),
            "whole": not left["damaged"] and left["seen"] - left["kept"] <= EVERY,
            "equal": again == 0 and outcome(at / "run") == whole,
        }


def _made_immutable(folder: Path, steps: int, seconds: float) -> tuple[int, str]:
    """Forbid new names in a run's folder and that of its checkpoints, to root too, at some moment."""
    places = [str(folder), str(folder / "checkpoints")]
    with subprocess.Popen(
        command(folder, steps), env=_ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        while not list(folder.glob("checkpoints/step-*")) and process.poll() is None:
            time.sleep(0.002)
        time.sleep(seconds)
        try:
            subprocess.run(["chattr", "+i", *places], check=True)
            _, said = process.communicate()
        finally:
            subprocess.run(["chattr", "-i", *places], check=True)
    return process.returncode, said.strip()


def disks(folder: Path, n: int = 5, steps: int = 1500, seed: int = 0) -> dict[str, Any]:
    """Return the figures of full disks and of folders gone read-only; needs Linux, and root to mount.

    Raises:
        PermissionError: whoever runs it may not mount.
    """
    if not hasattr(os, "geteuid") or os.geteuid():
        raise PermissionError("expected root, who may mount a disk of 100 kB and fill it")
    shutil.rmtree(folder, ignore_errors=True)
    chance = random.Random(f"disks-{seed}")
    whole = whole_run(folder / "whole", steps)
    full = [_full(folder / f"full-{i}", steps, chance, whole) for i in range(n)]
    locked = [
        _read_only(folder / f"locked-{i}", steps, chance, whole, running=i % 2 == 0) for i in range(2 * n)
    ]
    figures = {}
    for name, all_of in (("full disks", full), ("folders gone read-only", locked)):
        figures[name] = len(all_of)
        figures[f"{name}, not told in one line"] = sum(not one["told"] for one in all_of)
        figures[f"{name}, checkpoints lost or damaged"] = sum(not one["whole"] for one in all_of)
        figures[f"{name}, runs that ended otherwise"] = sum(not one["equal"] for one in all_of)
    return figures
