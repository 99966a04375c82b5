"""Every notebook, top to bottom, as a reader of Colab would run it, and beside it the page.

The page's cells ran with today's widgets when the book was built, the notebook's run here with Colab's.
So the same code runs twice, in two surroundings, and has to say the same.
"""

import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat
import pytest
from jupyter_cache import get_cache
from myst_nb.core.read import read_myst_markdown_notebook  # type: ignore[import-untyped]
from myst_parser.config.main import MdParserConfig

from tools.notebooks.__main__ import ROOT
from tools.notebooks.execution import execute
from tools.notebooks.source import EXTENSIONS

OVERLAY = Path(__file__).parent / "colab-overlay.txt"
NOTEBOOKS = sorted((ROOT / "notebooks").rglob("*.ipynb"))
# A cell that makes a widget shows it.
WIDGETS = re.compile(r"^(?:AttentionMap|BearsPlane|HeadBrowser|PaintMixer|explore)\(", re.MULTILINE)
WIDGET = "application/vnd.jupyter.widget-view+json"
DRAWN = {WIDGET, "text/html", "image/png", "application/javascript"}
# Versions of ipywidgets: what the lock file installs, and what Colab has.
TODAY, COLAB = "8", "7.7.1"


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


def variables(version: str, overlay: Path) -> dict[str, str]:
    """Return the variables of a kernel with this version of ipywidgets and no package index."""
    return {
        "EXPECTED_IPYWIDGETS": version,
        "PYTHONPATH": str(overlay) if version == COLAB else "",
        "PIP_NO_INDEX": "1",
        "UNROLLED_OFFLINE": "1",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    }


@pytest.fixture(params=[TODAY, COLAB])
def environment(request: pytest.FixtureRequest, overlay: Path) -> dict[str, str]:
    return variables(request.param, overlay)


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


def said(cell: Any) -> list[tuple[str, str]]:
    """Return what a cell printed, failed with or gave as text, in its order.

    Of figures, tables and widgets only that they stand there: the page has them as HTML, in other pieces.
    """
    told: list[tuple[str, str]] = []
    for output in cell.outputs:
        if output.output_type == "stream":
            told.append((output.name, output.text))
        elif output.output_type == "error":
            told.append((output.ename, output.evalue))
        elif DRAWN & output.data.keys():
            told += [("drawn", "")] if told[-1:] != [("drawn", "")] else []
        else:
            told.append(("text", output.data["text/plain"]))
    return told


def cells_of_the_page(book: Path, page: str) -> Any:
    """Return the page's cells as the build of the book ran them, those that the notebook has."""
    text = (ROOT / "book" / f"{page}.md").read_text(encoding="utf-8")
    config = MdParserConfig(enable_extensions=EXTENSIONS)
    _, ran = get_cache(book / ".jupyter_cache").merge_match_into_notebook(
        read_myst_markdown_notebook(text, config=config)
    )
    code = (cell for cell in ran.cells if cell.cell_type == "code")
    return [cell for cell in code if "book-only" not in cell.metadata.get("tags", ())]


@pytest.mark.usefixtures("built_book")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_notebook_runs_top_to_bottom_says_what_its_page_says_and_shows_its_widgets(
    path: Path, overlay: Path, tmp_path: Path
) -> None:
    cells = run(path.read_text(encoding="utf-8"), tmp_path, variables(COLAB, overlay))
    setup, *rest = (cell for cell in cells if cell.cell_type == "code")
    assert setup.outputs == []
    assert all(cell.execution_count for cell in rest)
    outputs = [output for cell in cells for output in cell.get("outputs", ())]
    assert [output for output in outputs if output.get("name") == "stderr"] == []
    page = cells_of_the_page(ROOT / "book" / "_build", path.stem)
    for here, there in zip(rest, page, strict=True):
        assert here.source == there.source
        assert said(here) == said(there), here.source
        if WIDGETS.search(here.source):
            assert shown([here], WIDGET) >= 1, here.source
            assert shown([there], "text/html") >= 1, there.source


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


def test_a_stream_that_came_in_pieces_is_one_text(tmp_path: Path) -> None:
    """A busy kernel splits what one cell prints; here the cell does so itself."""
    pieces = ["the row", " goes on\\n\\n", "  and its second line\\n"]
    source = "import sys\n" + "".join(
        f'sys.stdout.write("{piece}")\nsys.stdout.flush()\n' for piece in pieces
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])  # type: ignore[no-untyped-call]
    done = execute(nbformat.writes(notebook), tmp_path)  # type: ignore[no-untyped-call]
    (output,) = done.cells[0].outputs
    assert output["text"] == "the row goes on\n\n  and its second line\n"
