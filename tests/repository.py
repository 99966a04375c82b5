"""The files of the repository as they are now, committed or not yet, as a clone would hold them."""

import os
import shutil
import subprocess
from pathlib import Path

__all__ = ["ROOT", "copy_repository", "tracked"]

ROOT = Path(__file__).parents[1]


def tracked() -> list[str]:
    """Return the files that the repository has, or will have: links too."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    said = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [name for name in said.splitlines() if os.path.lexists(ROOT / name)]


def copy_repository(to: Path) -> None:
    """Copy all of them to the folder `to`; links stay links."""
    for name in tracked():
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, to / name, follow_symlinks=False)
