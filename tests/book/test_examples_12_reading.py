"""Chapter 12: what followed last time needs two layers and weights that choose, by hand and trained."""

from typing import Any

import pytest
import torch
from torch import Tensor

from tests.book.cells import run


@pytest.fixture(scope="module")
def page() -> dict[str, Any]:
    parts = "def find(", "class AttentionOnly(", "def quality(", "def train(", "def editing(", "def shuffle("
    until = {"def train(": "runs = ", "def editing(": "without = ", "def shuffle(": "torch.manual_seed"}
    return run("12_reading_attention", *parts, until=until)


def guess(page: dict[str, Any], before: Tensor) -> int:
    return int(page["find"](before)[1].argmax())


def test_the_letter_that_followed_is_found_by_the_letter_before_it(page: dict[str, Any]) -> None:
    assert "abe"[guess(page, page["before"])] == "e"


@pytest.mark.parametrize("absent", [0, 1])
def test_without_layer_1_or_with_its_letters_at_home_it_is_not(page: dict[str, Any], absent: int) -> None:
    before = torch.zeros(4, 3) if absent == 0 else page["own"]
    assert "abe"[guess(page, before)] == "b"


def trained(page: dict[str, Any], **how: Any) -> float:
    model, curve = page["train"](seed=0, **how)
    assert curve[0][1] < 4.0
    right, _ = page["quality"](model)
    return float(right)


def test_two_layers_of_the_class_learn_it_as_they_are_printed(page: dict[str, Any]) -> None:
    assert trained(page) > 0.95


def test_one_layer_does_not(page: dict[str, Any]) -> None:
    assert trained(page, n_layers=1, steps=160) < 0.2


def test_even_weights_do_not(page: dict[str, Any]) -> None:
    assert trained(page, even=True, steps=120) < 0.1


def test_other_weights_are_shares_of_the_same_places(page: dict[str, Any]) -> None:
    scores = torch.randn(3, 2, 7, 7).masked_fill(torch.ones(7, 7).triu(1).bool(), -torch.inf)
    weights = scores.softmax(-1)
    shuffled, exchanged, even = (change(weights) for change in page["CHANGES"].values())
    for other in (shuffled, exchanged):
        assert torch.equal(other.sort(-1).values, weights.sort(-1).values)
    for other in (shuffled, exchanged, even):
        assert torch.equal(other > 0, weights > 0)
        assert torch.allclose(other.sum(-1), torch.ones(3, 2, 7))
    assert not torch.allclose(shuffled, weights)
    rows = torch.arange(7)
    assert torch.equal(
        exchanged[0, 0, rows, weights[0, 0].argmax(-1)][1:],
        weights[0, 0].masked_fill(weights[0, 0] == 0, 9).amin(-1)[1:],
    )
    assert torch.allclose(even[..., 3, :4], torch.full((3, 2, 4), 0.25))
