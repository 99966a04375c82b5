"""Chapter 16: what its hand examples say is due to patches and positions, and changes without them."""

import math
from typing import Any

import pytest
import torch

from tests.book.cells import run
from unrolled.nn import patches, waves_2d


@pytest.fixture(scope="module")
def page() -> dict[str, Any]:
    return run(
        "16_pictures",
        "digits = load_digits()",
        "def cut(",
        "def waves(",
        "class Reader(",
        "def packaged(",
        "def train(",
        until={"def train(": "learned = "},
    )


def test_patches_are_the_packages_and_strips_without_the_exchange(page: dict[str, Any]) -> None:
    x = torch.randn(3, 10, 14)
    assert torch.equal(page["cut"](x), patches(x[:, None], 2))
    strips = page["small"].reshape(1, 4, 4)
    assert not torch.equal(page["cut"](page["small"]), strips)
    assert strips[0, 0].tolist() == [0, 1, 2, 3]


def test_two_waves_see_the_patch_below_as_near_and_one_wave_does_not(page: dict[str, Any]) -> None:
    two, one = page["two"], page["one"]
    assert torch.isclose(two[0], two[1])
    assert one[1] < 0 < one[0]
    fastest = waves_2d(3, 5, 4).view(3, 5, 4)
    for r in range(3):
        for c in range(5):
            assert torch.allclose(fastest[r, c], page["waves"](r, c), atol=1e-6)
    assert math.isclose(two[0].item(), 1 + math.cos(1), rel_tol=1e-6)


def test_without_positions_the_class_token_reads_a_bag(page: dict[str, Any]) -> None:
    torch.manual_seed(1)
    model = page["Reader"]().double()
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=0.3)
    cut = page["cut"]
    x = page["test_x"][:7].double()
    order = torch.randperm(16, generator=torch.Generator().manual_seed(1))
    moved = cut(x)[:, order].view(-1, 4, 4, 2, 2).transpose(2, 3).reshape(-1, 8, 8)
    with torch.no_grad():
        assert not torch.allclose(model(moved), model(x), atol=1e-3)
        model.positions.zero_()
        assert torch.allclose(model(moved), model(x))


def test_the_readers_own_transformer_is_trained_as_printed(page: dict[str, Any]) -> None:
    """A few steps bring it from chance to far above it; the same with labels that fit nothing do not."""
    torch.manual_seed(0)
    model = page["Reader"]()
    before = page["right"](model)
    page["train"](model, page["train_x"], page["train_y"], steps=240)
    assert before < 0.25
    assert page["right"](model) > 0.6
    torch.manual_seed(0)
    fooled = page["Reader"]()
    page["train"](fooled, page["train_x"], page["train_y"].roll(1), steps=240)
    assert page["right"](fooled) < 0.3
