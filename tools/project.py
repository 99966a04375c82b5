"""What pyproject.toml says of the project: its version, authors and address stand there and nowhere else."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

__all__ = ["project"]

ROOT = Path(__file__).parents[1]


@cache
def project(root: Path = ROOT) -> dict[str, Any]:
    """Return the table ``project`` of the pyproject.toml at `root`, which is read once."""
    with (root / "pyproject.toml").open("rb") as file:
        found: dict[str, Any] = tomllib.load(file)["project"]
    return found
