"""Processes are started, heard, and ended with all that they started."""

import os
import signal
import time

import pytest

from unrolled.training.launch import LaunchError, torchrun

SUM = """
import os
import torch, torch.distributed as dist
dist.init_process_group("gloo")
total = torch.tensor([float(dist.get_rank() + 2)])
dist.all_reduce(total)
if dist.get_rank() == 0:
    print("together", total.item(), os.environ["OWN"])
dist.destroy_process_group()
"""


def test_processes_find_each_other_without_a_network(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SUM)
    assert torchrun([script], 2, folder=tmp_path, environment={"OWN": "yes"}) == "together 5.0 yes\n"


def test_what_a_failed_process_said_is_told(tmp_path):
    script = tmp_path / "script.py"
    script.write_text("import os\nif os.environ['RANK'] == '1':\n    raise ValueError('the second one')\n")
    with pytest.raises(LaunchError, match=r"(?s)one of 2 processes failed.*ValueError: the second one"):
        torchrun([script], 2)


def test_no_process_outlives_its_time(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import os, pathlib, signal\n"
        "pathlib.Path(os.environ['RANK']).write_text(str(os.getpid()))\n"
        "signal.pause()\n"
    )
    with pytest.raises(LaunchError, match="2 processes took longer than 8 s"):
        torchrun([script], 2, folder=tmp_path, timeout=8)
    for path in tmp_path.glob("[01]"):
        pid = int(path.read_text())
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                os.kill(pid, 0)
            except ProcessLookupError:
                break
        else:
            os.kill(pid, signal.SIGKILL)
            pytest.fail(f"process {pid} lives on")


def test_no_process_is_refused():
    with pytest.raises(ValueError, match="processes: expected 1 or more, got 0"):
        torchrun(["script.py"], 0)
