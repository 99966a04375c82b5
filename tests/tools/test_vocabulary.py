"""The experiment on the number of pieces spends the same on each, and records what a page can draw."""

import math

import pytest
import torch

from tools.experiments.vocabulary import CASES, OPERATIONS, Case, Text, measure, operations, train
from unrolled.data.text import corpus
from unrolled.nn import GPT, GPTConfig
from unrolled.training.results import read_result


def test_operations_are_those_that_pytorch_counts():
    from torch.utils.flop_counter import FlopCounterMode

    case = Case(vocab_size=263, block=37, batch=3)
    model = GPT(GPTConfig(vocab_size=263, max_len=37, d_model=96, n_heads=4, n_layers=3))
    tokens = torch.randint(0, 263, (3, 37), generator=torch.Generator().manual_seed(0))
    with (
        FlopCounterMode(display=False) as counter,
        torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH),
    ):
        model(tokens).sum().backward()
    assert operations(case) == pytest.approx(counter.get_total_flops(), rel=0.02)


def test_every_case_spends_the_same_operations():
    for case in CASES.values():
        steps = round(OPERATIONS / operations(case))
        assert steps * operations(case) == pytest.approx(OPERATIONS, rel=0.005)


def test_a_case_learns():
    ids = torch.tensor([5, 7, 11, 13] * 200)
    model, steps = train(Case(17, block=19, batch=3), Text(ids, ids, ""), seed=0, budget=3e9)
    assert steps > 5
    with torch.no_grad():
        logits = model(ids[None, :19])
    loss = torch.nn.functional.cross_entropy(logits[0, :-1], ids[1:19])
    assert loss < math.log(4)


def test_what_is_recorded_has_every_case_and_seed(tmp_path):
    measure([corpus(30_000, seed) for seed in (2, 3)], budget=1e9, folder=tmp_path)
    result = read_result("vocabulary", tmp_path)
    for name in CASES:
        assert len(result["metrics"][f"{name}, bits per byte"]) == len(result["seeds"]) == 3
        about = result["tables"][name]
        assert about["bytes per token"] * about["tokens held out"] == pytest.approx(
            about["bytes held out"], rel=1e-3
        )
    lengths = [result["tables"][name]["tokens held out"] for name in ("bytes", "512", "1024")]
    assert lengths == sorted(lengths, reverse=True)
    assert result["tables"]["bytes"]["tokens held out"] == result["tables"]["bytes"]["bytes held out"]
