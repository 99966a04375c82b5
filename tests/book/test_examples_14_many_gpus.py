"""Chapter 14: its examples, as the page prints them, and the same without what they teach."""

from pathlib import Path
from typing import Any

import pytest
import torch

from tests.book.cells import run

PAGE = "14_many_gpus"


@pytest.fixture(autouse=True)
def one_thread() -> Any:
    before = torch.get_num_threads(), torch.get_rng_state()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before[0])
    torch.set_rng_state(before[1])


def gap(one: list[float], two: list[float]) -> float:
    return max(abs(a - b) for a, b in zip(one, two, strict=True))


def test_two_halves_train_as_one_batch_unless_both_are_the_same_half() -> None:
    page = run(
        PAGE, "def batch(step", "def in_halves", until={"def batch(step": "alone", "def in_halves": "drift"}
    )
    halves, batch = page["in_halves"], page["batch"]
    whole, weights = halves(5, torch.float64, halves=False)
    parted, others = halves(5, torch.float64, halves=True)
    assert gap(whole, parted) < 1e-12
    assert (weights - others).abs().max() < 1e-9
    alone, _ = page["train"](5, page["as_it_is"])
    assert gap(whole, alone) < 1e-12
    page["batch"] = lambda step: batch(step)[:8].repeat_interleave(2, dim=0)
    doubled, _ = halves(5, torch.float64, halves=True)
    assert gap(whole, doubled) > 1e-3


def test_parts_add_up_to_the_batch_and_means_do_only_if_they_are_equal() -> None:
    page = run(PAGE, "def batch(step", "def gradient(", until={"def batch(step": "alone"})
    gradient, total = page["gradient"], page["total"]

    def off(parts: Any, factor: Any) -> float:
        tokens, answers = (torch.cat(both) for both in zip(*parts, strict=True))
        wanted = gradient([(tokens, answers)], lambda asked: 1 / asked)
        return float((gradient(parts, factor) - wanted).norm() / wanted.norm())

    unequal = page["four"]
    assert off(unequal, lambda asked: 1 / total) < 1e-12
    assert off(unequal, lambda asked: 1 / asked / 4) > 0.3
    equal = [unequal[2], unequal[3]]
    assert off(equal, lambda asked: 1 / asked / 2) < 1e-12  # what makes the mistake so hard to see
    assert off(equal, lambda asked: 1 / asked) == pytest.approx(1)  # twice as long


def test_a_run_is_resumed_digit_by_digit_unless_something_is_forgotten(tmp_path: Path) -> None:
    page = run(PAGE, "def batch(step", "def train_on", until={"def batch(step": "alone"})
    train_on = page["train_on"]
    whole = train_on(9, tmp_path / "whole.pt", save_every=3)
    path = tmp_path / "run.pt"
    train_on(7, path, save_every=6)
    kept = path.read_bytes()
    assert not path.with_suffix(".writing").exists()

    def resumed(*forget: str) -> list[float]:
        path.write_bytes(kept)
        losses = train_on(9, path, save_every=6, forget=forget)
        assert list(losses) == [7, 8, 9]
        return list(losses.values())

    expected = [whole[step] for step in (7, 8, 9)]
    assert resumed() == expected
    assert resumed("moments")[0] == expected[0]
    assert resumed("moments")[1] != expected[1]
    for what in ("randomness", "place in the data"):
        assert resumed(what)[0] != expected[0]
