"""Run a notebook as Colab would: top to bottom, in a folder with nothing of the repository beside it."""

import os
from pathlib import Path
from typing import Any

import nbformat

from tools.build_book import SAME_DIGITS
from tools.kernels import Client

__all__ = ["execute"]


def execute(text: str, folder: Path, env: dict[str, str] | None = None, timeout: int = 300) -> Any:
    """Run a notebook in `folder` and return it with its outputs.

    Args:
        text: the notebook's file.
        folder: where its kernel starts.
        env: variables to set for the kernel, beside those of this process.
        timeout: seconds a cell may take.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell fails.
        nbclient.exceptions.CellTimeoutError: a cell took too long.
    """
    notebook = nbformat.reads(text, as_version=4)  # type: ignore[no-untyped-call]
    # A busy kernel sends one print in several pieces; they are put together as they came.
    client = Client(
        notebook, timeout=timeout, coalesce_streams=True, resources={"metadata": {"path": str(folder)}}
    )
    # Threads that spin while another core is busy slow small chapters a hundredfold.
    quiet = {"OMP_WAIT_POLICY": "PASSIVE", "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
    client.execute(env={**quiet, **SAME_DIGITS, **os.environ, **(env or {})})
    return notebook
