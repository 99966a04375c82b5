"""A disk that is full and a folder that cannot be written to: told in one line, and nothing is lost."""

import errno
import io
import os
from pathlib import Path

import pytest
import torch

from unrolled import cli
from unrolled.training.checkpoint import load_checkpoint, save_checkpoint
from unrolled.training.curve import Curve
from unrolled.training.files import write_atomically

TINY = ["--steps=8", "--batch=4", "--d-hidden=4", "--longest=3", "--epoch=7", "--device=cpu", "--quiet"]


def fail_after(monkeypatch, n, number, part=b""):
    """Let the n-th file that is written whole fail as the system does, some of it written."""
    real, calls = Path.write_bytes, iter(range(1, 1000))

    def write(path, content):
        if next(calls) >= n:
            real(path, part)
            raise OSError(number, os.strerror(number))  # without a name, as a full disk reports itself
        return real(path, content)

    monkeypatch.setattr(Path, "write_bytes", write)


def test_what_was_there_stays_and_the_message_names_the_file(tmp_path, monkeypatch):
    path = tmp_path / "one.json"
    write_atomically(path, b"old")
    fail_after(monkeypatch, 1, errno.ENOSPC, b"ne")
    with pytest.raises(OSError, match=r"No space left on device: '.*one\.json'"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert [each.name for each in tmp_path.iterdir()] == ["one.json"]


@pytest.mark.parametrize("nth", [1, 2], ids=["tensors", "state"])
def test_a_checkpoint_that_does_not_fit_leaves_the_one_before_and_no_part_of_itself(
    tmp_path, monkeypatch, nth
):
    save_checkpoint(tmp_path, 1, {"w": torch.ones(3)}, {"step": 1})
    fail_after(monkeypatch, nth, errno.ENOSPC)
    with pytest.raises(OSError, match="No space left on device"):
        save_checkpoint(tmp_path, 2, {"w": torch.zeros(3)}, {"step": 2})
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000001"]
    assert load_checkpoint(tmp_path)[1] == {"step": 1}


def test_a_curve_names_its_file_and_lets_go_of_it(tmp_path):
    class Full(io.BufferedWriter):
        """What is written stays in its memory; the disk has no room for it."""

        def flush(self):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    curve = Curve(tmp_path / "curve.jsonl")
    curve._file = Full(curve._file.detach())
    with pytest.raises(OSError, match=r"No space left on device: '.*curve\.jsonl'"):
        curve.add(step=1, loss=2.0)
    with pytest.raises(OSError, match=r"No space left on device: '.*curve\.jsonl'"):
        curve.close()
    assert curve._file.closed


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EPERM], ids=errno.errorcode.get)
def test_a_run_says_in_one_line_what_is_kept_and_goes_on_from_there(tmp_path, monkeypatch, capsys, number):
    words = [
        "train",
        "reversal",
        *TINY,
        "--checkpoint-every=2",
        "--resume",
        "--folder",
        str(tmp_path / "run"),
    ]
    with monkeypatch.context() as patch:
        # The configuration, and two checkpoints of two files each.
        fail_after(patch, 6, number)
        capsys.readouterr()
        assert cli.main(words) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert os.strerror(number) in said
    assert said.endswith("--resume continues from step 4\n")
    assert cli.main(words) == 0


def test_a_run_without_a_checkpoint_says_so_and_its_folder_is_free(tmp_path, monkeypatch, capsys):
    words = ["train", "reversal", *TINY, "--folder", str(tmp_path / "run")]
    with monkeypatch.context() as patch:
        fail_after(patch, 2, errno.ENOSPC)
        assert cli.main(words) == 1
    assert capsys.readouterr().err.endswith("no checkpoint had been saved\n")
    assert not (tmp_path / "run").exists()


def test_an_error_that_is_not_the_disks_is_passed_on_as_it_is(tmp_path, monkeypatch, capsys):
    from unrolled.training.loop import Trainer

    def fail(*_):
        raise ConnectionResetError(errno.ECONNRESET, "reset")

    monkeypatch.setattr(Trainer, "_step", fail)
    assert cli.main(["train", "reversal", *TINY, "--folder", str(tmp_path / "run")]) == 1
    assert "checkpoint" not in capsys.readouterr().err
