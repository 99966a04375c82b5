"""Where a figure comes from: which commit, on what, when. Nothing that names the machine or its folders."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import torch

__all__ = ["commit", "hardware", "provenance"]


def commit(folder: Path | None = None) -> str | None:
    """Return the git commit of the code, with ``+changes`` where files differ from it; None without git."""
    where = Path(__file__).parent if folder is None else folder

    def git(*arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments],
            cwd=where,
            capture_output=True,
            text=True,
            check=True,
            stdin=subprocess.DEVNULL,
        )
        return done.stdout.strip()

    try:
        # An installed package may lie inside some other repository: then this file is not tracked there.
        if folder is None:
            git("ls-files", "--error-unmatch", Path(__file__).name)
        changed = git("status", "--porcelain", "--untracked-files=no")
        return git("rev-parse", "HEAD") + ("+changes" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def hardware(device: torch.device) -> str:
    """Return in words what computed: the processor and its cores, or the GPU."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    threads = torch.get_num_threads()
    return f"{_processor()}, {os.cpu_count()} cores, {threads} thread{'s' * (threads != 1)} used"


def provenance(device: torch.device, processes: int = 1) -> dict[str, str | int | None]:
    """Return commit, hardware, number of processes, versions and date (UTC), for a run's metrics."""
    return {
        "commit": commit(),
        "hardware": hardware(device),
        "processes": processes,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
