"""Run notebooks as other processors would: what their cells assert must hold whatever the last digits are."""

import json
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tools.notebooks.execution import execute
from unrolled.data.fetch import OFFLINE_VARIABLE

__all__ = ["PROCESSORS", "failures"]

# Chapters run with what SAME_DIGITS says. Here matrices are multiplied as on a newer processor, if it is one,
# everything is done as on an old one, or two threads share the work. What does not apply is ignored.
PROCESSORS = {
    "AVX-512": {"MKL_ENABLE_INSTRUCTIONS": "AVX512", "ONEDNN_MAX_CPU_ISA": "ALL"},
    "SSE": {
        "ATEN_CPU_CAPABILITY": "default",
        "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
        "ONEDNN_MAX_CPU_ISA": "SSE41",
    },
    # Sums that two threads share are cut otherwise.
    "two threads": {"OMP_NUM_THREADS": "2", "MKL_NUM_THREADS": "2"},
    "other last digits": {},
}
# For processors that are not to be had here: every step of training leaves weights rounded otherwise.
_OTHER_DIGITS = """\
import torch
from torch.optim.optimizer import register_optimizer_step_post_hook

def _round_otherwise(optimizer, *_, _drawn=torch.Generator().manual_seed(0)):
    with torch.no_grad():
        for group in optimizer.param_groups:
            for weight in group["params"]:
                noise = torch.randn(weight.shape, generator=_drawn, dtype=weight.dtype)
                weight.mul_(1 + torch.finfo(weight.dtype).eps * noise.to(weight.device))

register_optimizer_step_post_hook(_round_otherwise)
"""
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


def failures(notebooks: dict[str, str], say: Callable[[str], object] = lambda line: None) -> list[str]:
    """Return which cells fail on which processor, each with the end of its error.

    Args:
        notebooks: the files' texts, by page.
        say: is called with a line whenever a notebook has run.
    """
    found: list[str] = []
    for page, text in notebooks.items():
        for processor, variables in PROCESSORS.items():
            with tempfile.TemporaryDirectory() as folder:
                made = _going_on(text, first=None if variables else _OTHER_DIGITS)
                done = execute(
                    made, Path(folder), {OFFLINE_VARIABLE: "1", "OMP_NUM_THREADS": "1", **variables}
                )
            failed = [
                f"{page}, {processor}: {_ANSI.sub('', chr(10).join(output.traceback))}"
                for cell in done.cells
                for output in cell.get("outputs", [])
                if output.output_type == "error"
            ]
            say(f"{page}, {processor}: {len(failed) or 'no'} cell{'' if len(failed) == 1 else 's'} failed")
            found += failed
    return found


def _going_on(text: str, first: str | None) -> str:
    """Return the notebook with every cell allowed to fail, after a cell with the code `first`."""
    notebook = json.loads(text)
    if first is not None:
        cell: dict[str, Any] = {"cell_type": "code", "execution_count": None, "id": "first", "outputs": []}
        notebook["cells"].insert(0, {**cell, "source": first, "metadata": {}})
    for cell in notebook["cells"]:
        cell["metadata"].setdefault("tags", []).append("raises-exception")
    return json.dumps(notebook)
