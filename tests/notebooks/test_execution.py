"""Every notebook, top to bottom, as a reader of Colab would run it: with today's widgets and with Colab's."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tools.notebooks.__main__ import ROOT
from tools.notebooks.execution import execute

OVERLAY = Path(__file__).parent / "colab-overlay.txt"
NOTEBOOKS = sorted((ROOT / "notebooks").rglob("*.ipynb"))
# A cell that makes a widget shows it.
WIDGETS = re.compile(r"^(?:AttentionMap|BearsPlane|HeadBrowser|PaintMixer|explore)\(", re.MULTILINE)
WIDGET = "application/vnd.jupyter.widget-view+json"


@pytest.fixture(scope="session")
def overlay() -> Path:
    """A folder with the widget packages Colab ships, fetched once and kept under .cache/."""
    name = hashlib.sha256(OVERLAY.read_bytes()).hexdigest()[:12]
    folder = ROOT / ".cache" / f"colab-overlay-{name}"
    if not folder.is_dir():
        folder.parent.mkdir(exist_ok=True)
        # Moved into place when complete, so that a run that was stopped leaves nothing half done.
        made = Path(tempfile.mkdtemp(dir=folder.parent))
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--disable-pip-version-check"]
        subprocess.run([*pip, "--target", str(made), "--requirement", str(OVERLAY)], check=True)
        try:
            made.rename(folder)
        except OSError:  # another run was faster
            shutil.rmtree(made)
    return folder


@pytest.fixture(params=["8", "7.7.1"])
def environment(request: pytest.FixtureRequest) -> dict[str, str]:
    """The variables of a kernel with this version of ipywidgets; no package index is within its reach."""
    paths = [str(request.getfixturevalue("overlay"))] if request.param == "7.7.1" else []
    return {
        "EXPECTED_IPYWIDGETS": request.param,
        "PYTHONPATH": os.pathsep.join(paths),
        "PIP_NO_INDEX": "1",
        "UNROLLED_OFFLINE": "1",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    }


CHECK = """
import os, ipywidgets
expected = os.environ["EXPECTED_IPYWIDGETS"]
assert (ipywidgets.__version__ + ".").startswith(expected + "."), (ipywidgets.__version__, expected)
assert os.listdir() == [], os.listdir()
print("ipywidgets", ipywidgets.__version__)
"""


def run(text: str, folder: Path, environment: dict[str, str]) -> Any:
    """Run a notebook after a cell that makes sure of the environment; return the notebook's own cells."""
    notebook = nbformat.reads(text, as_version=4)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(CHECK))
    done = execute(nbformat.writes(notebook), folder, environment)
    assert done.cells[0].outputs[0]["text"].startswith(f"ipywidgets {environment['EXPECTED_IPYWIDGETS']}")
    return done.cells[1:]


def shown(cells: Any, mime: str) -> int:
    """Return how many outputs offer this kind of data."""
    return sum(mime in output.get("data", {}) for cell in cells for output in cell.get("outputs", ()))


def test_there_are_notebooks() -> None:
    assert NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_notebook_runs_top_to_bottom_and_shows_its_widgets(
    path: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    text = path.read_text(encoding="utf-8")
    cells = run(text, tmp_path, environment)
    setup, *rest = (cell for cell in cells if cell.cell_type == "code")
    assert setup.outputs == []
    assert all(cell.execution_count for cell in rest)
    wrong = [output for cell in cells for output in cell.get("outputs", ()) if output.get("name") == "stderr"]
    assert wrong == []
    for cell in rest:
        if WIDGETS.search(cell.source):
            assert shown([cell], WIDGET) >= 1, cell.source


def test_the_notebook_of_the_fixtures_runs_and_shows_a_widget(
    everything: str, environment: dict[str, str], tmp_path: Path
) -> None:
    notebook = nbformat.reads(everything, as_version=4)
    code = "from unrolled.widgets.paint_mixer import PaintMixer\n"
    code += "PaintMixer({'black': '#000000', 'white': '#ffffff'})"
    notebook.cells.append(nbformat.v4.new_code_cell(code))
    cells = run(nbformat.writes(notebook), tmp_path, environment)
    total, failing, widget = [cell for cell in cells if cell.cell_type == "code"][1:]
    assert total.outputs[0]["data"]["text/plain"] == "10"
    assert failing.outputs[0]["ename"] == "ZeroDivisionError"
    assert shown([widget], WIDGET) == 1
