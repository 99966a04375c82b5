"""Chapter 7: what its hand examples say is due to positions, and changes without them."""

import math
from typing import Any

import pytest
import torch

from tests.book.cells import run
from unrolled.nn import MultiHeadAttention, PositionRule

STORY, REVERSE = "bears love dogs", "dogs love bears"


@pytest.fixture(scope="module")
def page() -> dict[str, Any]:
    torch.manual_seed(0)
    return run(
        "07_positions",
        "generator = torch.Generator()",
        "def train(positions",
        "def two_heads",
        "class LearnedPositions(",
        "def sinusoidal",
        "def rotate(",
        "def alibi",
        "class Turned(",
        until={"def train(positions": "blind, "},
    )


def test_with_positions_the_stories_differ_and_without_them_they_are_one(page: dict[str, Any]) -> None:
    where, found = page["where"], page["two_heads"]
    assert not torch.allclose(found(STORY, where), found(REVERSE, where), atol=0.5)
    assert torch.allclose(found(STORY, 0 * where), found(REVERSE, 0 * where), atol=1e-6)


def test_one_vector_for_all_positions_is_no_position(page: dict[str, Any]) -> None:
    same = page["where"][:1].expand(3, 4)
    assert torch.allclose(page["two_heads"](STORY, same), page["two_heads"](REVERSE, same), atol=1e-6)


def test_attention_sees_a_bag_until_the_waves_are_added(page: dict[str, Any]) -> None:
    torch.manual_seed(0)
    layer, x = MultiHeadAttention(6, 3), torch.randn(1, 5, 6)
    waves, order = page["sinusoidal"](5, 6), torch.tensor([4, 2, 0, 1, 3])
    with torch.no_grad():
        assert torch.allclose(layer(x[:, order]), layer(x)[:, order], atol=1e-6)
        assert not torch.allclose(layer(x[:, order] + waves), layer(x + waves)[:, order], atol=1e-3)


def test_unturned_queries_do_not_tell_before_from_after(page: dict[str, Any]) -> None:
    query, key = torch.tensor([1.0, 0]), torch.tensor([math.cos(1), math.sin(1)])
    queries, keys = query.expand(7, 2), key.expand(7, 2)
    turned = page["rotate"](queries) @ page["rotate"](keys).T
    for t in range(1, 6):
        assert turned[t, t - 1 : t + 2].argmax() == 0  # one back
    plain = queries @ keys.T
    assert plain.max() == plain.min()


def test_without_slopes_the_far_is_heard_as_well_as_the_near(page: dict[str, Any]) -> None:
    scores = torch.zeros(2, 5, 5)
    near = torch.softmax(scores + page["alibi"](2, 5), dim=-1)[0, -1]
    assert (near.diff() > 0).all()
    even = torch.softmax(scores + 0 * page["alibi"](2, 5), dim=-1)[0, -1]
    assert torch.allclose(even, torch.full((5,), 1 / 5))


@pytest.mark.parametrize("name", ["learned", "sinusoidal", "rotary", "alibi"])
def test_the_readers_own_positions_are_trained_as_printed(page: dict[str, Any], name: str) -> None:
    right = page["right"](page["trained"][name])
    assert abs(right - 0.5) < 0.03 if name == "alibi" else right > 0.9


@pytest.mark.parametrize("name", ["learned", "sinusoidal", "rotary"])
def test_with_the_positions_made_one_training_ends_at_chance(page: dict[str, Any], name: str) -> None:
    class Unturned(PositionRule):
        def turn(self, x: torch.Tensor, offset: int = 0) -> torch.Tensor:
            return x

    nothing = {
        "learned": page["add"](lambda: lambda x: x + 0.02 * torch.ones(32)),
        "sinusoidal": page["add"](lambda: lambda x: x + page["sinusoidal"](1, 32)),
        "rotary": page["inside"](Unturned()),
    }
    model, _ = page["train"]("none", steps=60, change=nothing[name])
    assert abs(page["right"](model) - 0.5) < 0.03
