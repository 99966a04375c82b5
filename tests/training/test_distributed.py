import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.training.conftest import without_speed
from unrolled import cli
from unrolled.training.curve import read_curve
from unrolled.training.distributed import choose_device, split_rows

ROOT = Path(__file__).parents[2]


def torchrun(processes, *words):
    """Start processes that find each other through a port of this machine that is free."""
    command = [sys.executable, "-m", "torch.distributed.run", f"--nproc_per_node={processes}", "--standalone"]
    command += ["--local-addr=127.0.0.1", *map(str, words)]
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "OMP_WAIT_POLICY": "PASSIVE",
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
    }
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_two_processes_train_as_one_does(trained, tmp_path):
    """In float64: losses, gradient norms and weights. Rows and targets per process are unequal, in one batch
    of five the second process has no row at all, and each process takes its share in two parts.
    """
    alone, curve = trained(steps=12, accumulate=1)
    torchrun(2, "-m", "tests.training.many", tmp_path, json.dumps({"steps": 12, "accumulate": 2}))
    together = without_speed(read_curve(tmp_path / "curve.jsonl"))
    assert [sorted(point) for point in together] == [sorted(point) for point in curve]
    for one, two in zip(curve, together, strict=True):
        assert two == pytest.approx(one, rel=1e-10)
    ranks = [load_file(tmp_path / f"rank{rank}.safetensors") for rank in (0, 1)]
    for name, tensor in ranks[0].items():
        assert torch.equal(tensor, ranks[1][name]), f"{name} differs between the processes"
        torch.testing.assert_close(tensor, dict(alone.model.named_parameters())[name], rtol=1e-8, atol=1e-10)


def test_the_command_trains_in_two_processes_and_resumes_in_one(tmp_path):
    """The same command; one of the processes writes. What two have trained, one can resume."""
    options = ["--batch=8", "--d-hidden=8", "--longest=4", "--epoch=7", "--device=cpu", "--log-every=1"]
    words = ["-m", "unrolled", "train", "reversal", "--steps=10", *options, "--folder"]
    shown = torchrun(2, *words, tmp_path / "two")
    assert shown.count("parameters") == 1
    metrics = json.loads((tmp_path / "two/metrics.json").read_text())
    assert (metrics["processes"], metrics["steps"]) == (2, 10)
    words = words[2:]  # from here on in this process
    assert cli.main([*words, str(tmp_path / "one"), "--quiet"]) == 0
    one, two = (without_speed(read_curve(tmp_path / name / "curve.jsonl")) for name in ("one", "two"))
    for ours, theirs in zip(one, two, strict=True):
        assert ours == pytest.approx(theirs, rel=1e-4, abs=1e-6)  # in float32
    assert cli.main([*words, str(tmp_path / "two"), "--resume", "--quiet"]) == 0
    assert json.loads((tmp_path / "two/metrics.json").read_text())["processes"] == 1


def test_every_row_goes_to_one_part():
    batch = {"x": torch.arange(7), "y": torch.arange(14).view(7, 2)}
    parts = split_rows(batch, 3)
    assert [part["x"].tolist() for part, _ in parts] == [[0, 3, 6], [1, 4], [2, 5]]
    assert all(torch.equal(part["y"], batch["y"][part["x"]]) and counts for part, counts in parts)
    (one, counts), (filler, idle) = split_rows({"x": torch.tensor([5])}, 2)
    assert (one["x"].tolist(), counts, filler["x"].tolist(), idle) == ([5], True, [5], False)


@pytest.mark.parametrize("batch", [{}, {"x": torch.zeros(0, 2)}, {"x": torch.tensor(1)}])
def test_a_batch_without_rows_is_refused(batch):
    with pytest.raises(ValueError, match="same number of rows, one or more, got"):
        split_rows(batch, 2)


def test_the_device_is_a_gpu_if_there_is_one(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    assert choose_device() == torch.device("cuda", 0)
    assert choose_device(local_rank=3) == torch.device("cuda", 3)
    assert choose_device("cuda:2", local_rank=1) == torch.device("cuda", 2)
    assert choose_device("cpu") == torch.device("cpu")
    with pytest.raises(ValueError, match=r"has \(cpu, cuda:0, cuda:1, cuda:2, cuda:3\), got cuda:4$"):
        choose_device("cuda:4")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    with pytest.raises(ValueError, match=r"device: expected one that this machine has \(cpu\), got cuda:0$"):
        choose_device("cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device() == torch.device("cpu")


@pytest.mark.parametrize("name", ["gpu", "cpu:1", "cuda:x", "mps", ""])
def test_other_devices_are_refused(name):
    with pytest.raises(ValueError, match="device: expected cpu, cuda or cuda:0"):
        choose_device(name)
