"""What the experiment of chapter 14 measures, with one process and small numbers."""

import torch

from tools.experiments import all_reduce
from unrolled.training.distributed import Workers


def test_alone_a_step_is_timed_and_nothing_is_sent(monkeypatch):
    monkeypatch.setattr(all_reduce, "CONFIG", all_reduce.GPTConfig(13, 7, 6, 2, 1))
    measured = all_reduce.figures(Workers(0, 1, torch.device("cpu")), 3)
    assert list(measured) == ["step"]
    assert measured["step"] > 0
