"""A kernel that was forked is as good as one that was started, and sooner there."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import nbformat
import pytest
from nbclient.exceptions import CellExecutionError, DeadKernelError

from tools.forks import LOADED, Forks
from tools.kernels import Client


@pytest.fixture(scope="module")
def forks() -> Iterator[Forks]:
    with Forks() as forks:
        yield forks


def outputs(forks: Forks | None, *sources: str) -> list[list[nbformat.NotebookNode]]:
    """Run a notebook of these cells in a kernel of its own; return what each leaves."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    Client(notebook, forks=forks, timeout=60, coalesce_streams=True).execute()
    return [cell.outputs for cell in notebook.cells]


def printed(forks: Forks | None, *sources: str) -> str:
    return str(outputs(forks, *sources)[-1][0]["text"])


def test_it_has_loaded_what_chapters_import(forks: Forks) -> None:
    assert printed(forks, f"import sys\nprint(*({{*{LOADED}}} - sys.modules.keys()))") == "\n"


def test_what_a_cell_changes_no_other_kernel_has(forks: Forks) -> None:
    left = "import torch\ntorch.Tensor.left = 5\n"
    asked = "import torch\nprint(hasattr(torch.Tensor, 'left'))"
    assert [printed(forks, source) for source in (left + asked, asked)] == ["True\n", "False\n"]


def test_each_draws_numbers_of_its_own(forks: Forks) -> None:
    drawn = "import random, numpy, torch\nprint(random.random(), numpy.random.rand(), torch.rand(()).item())"
    assert len({*printed(forks, drawn).split(), *printed(forks, drawn).split()}) == 6


def test_a_figure_is_shown(forks: Forks) -> None:
    source = "from matplotlib import pyplot as plt\n_ = plt.plot([1, 2])"
    assert outputs(forks, source) == outputs(None, source)
    assert "image/png" in outputs(forks, source)[0][0]["data"]


def test_it_has_the_variables_and_the_folder_it_is_told(forks: Forks, tmp_path: Path) -> None:
    cell = nbformat.v4.new_code_cell("import os\nprint(os.environ['SAID'], os.getcwd(), len(os.environ))")
    notebook = nbformat.v4.new_notebook(cells=[cell])
    client = Client(notebook, forks=forks, timeout=60, resources={"metadata": {"path": str(tmp_path)}})
    client.execute(env={"SAID": "so"})
    said, folder, variables = cell.outputs[0]["text"].split()
    assert (said, Path(folder).resolve()) == ("so", tmp_path.resolve())
    assert int(variables) < len(os.environ), "what is not told is not there"


def test_its_temporary_files_go_with_it(forks: Forks) -> None:
    folder = Path(
        printed(forks, "import tempfile\nkept = tempfile.TemporaryDirectory()\nprint(kept.name)").strip()
    )
    assert folder.is_absolute()
    assert not folder.exists()


def test_one_that_dies_is_noticed(forks: Forks) -> None:
    with pytest.raises(DeadKernelError):
        outputs(forks, "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")
    assert printed(forks, "print(7)") == "7\n"


def test_a_subprocess_says_how_it_ended(forks: Forks) -> None:
    source = "import subprocess, sys\nprint(subprocess.run([sys.executable, '-c', 'exit(5)']).returncode)"
    assert printed(forks, source) == "5\n"


@pytest.mark.timeout(60)
def test_kernels_end_with_what_they_were_forked_from(tmp_path: Path) -> None:
    with Forks() as forks:
        os.mkfifo(tmp_path / "there")
        says = f"--IPKernelApp.exec_lines=open({str(tmp_path / 'there')!r}, 'w').write('yes')"
        running = forks.start(["-f", str(tmp_path / "kernel.json"), says], str(tmp_path), dict(os.environ))
        assert (tmp_path / "there").read_text() == "yes"
        assert running.poll() is None
    assert running.wait() == 0


def test_a_kernel_that_cannot_begin_ends_by_itself(forks: Forks, tmp_path: Path) -> None:
    with suppress(ChildProcessError):  # where it ended before it was looked at
        forks.start([], str(tmp_path / "nowhere"), dict(os.environ)).wait()
    assert printed(forks, "print(7)") == "7\n"


def test_what_cannot_be_loaded_is_told_by_the_cell_that_imports_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ipywidgets.py").write_text("raise RuntimeError('half written')\n")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))
    with Forks() as forks:
        assert printed(forks, "print(7)") == "7\n"
        with pytest.raises(CellExecutionError, match="half written"):
            outputs(forks, "import ipywidgets")


def test_an_end_of_what_is_forked_is_told(tmp_path: Path) -> None:
    with Forks() as forks:
        forks._process.send_signal(signal.SIGKILL)
        forks._process.wait()
        for _ in range(2):
            with pytest.raises(ChildProcessError, match="expected a kernel that runs"):
                forks.start([], str(tmp_path), {})


@pytest.mark.parametrize("refused", [AttributeError, PermissionError])
def test_where_nobody_may_watch_there_are_no_forks(
    monkeypatch: pytest.MonkeyPatch, refused: type[Exception]
) -> None:
    assert Forks.possible()

    def refuse(pid: int) -> int:
        raise refused

    monkeypatch.setattr(os, "pidfd_open", refuse)
    assert not Forks.possible()
