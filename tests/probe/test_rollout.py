"""Rollout: sums over all paths through the layers, where the outcome is known or counted one by one."""

from itertools import product

import pytest
import torch
from torch.testing import assert_close

from unrolled.probe import rollout
from unrolled.shapes import ShapeError

B, H, T, L = 2, 3, 5, 3


def drawn() -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return list(torch.randn(L, B, H, T, T, generator=generator).double().softmax(-1))


@pytest.mark.parametrize("residual", [0.0, 0.5, 0.2])
def test_it_is_the_sum_over_all_paths(residual: float) -> None:
    weights = drawn()
    rolled = rollout(weights, residual)
    assert rolled.shape == (L, B, T, T)
    one = [residual * torch.eye(T).double() + (1 - residual) * layer.mean(1) for layer in weights]
    for b, i, j in product(range(B), range(T), range(T)):
        paths = (one[2][b, i, m] * one[1][b, m, n] * one[0][b, n, j] for m in range(T) for n in range(T))
        assert rolled[2, b, i, j].item() == pytest.approx(sum(path.item() for path in paths))
    assert_close(rolled[0], one[0])
    assert_close(rolled.sum(-1), torch.ones(L, B, T).double())


def test_one_half_goes_past_unless_told() -> None:
    assert torch.equal(rollout(drawn()), rollout(drawn(), 0.5))


def test_what_is_known() -> None:
    even = [torch.full((B, H, T, T), 1 / T)] * L
    assert_close(rollout(even, 0.0), torch.full((L, B, T, T), 1 / T))
    # What has gone past one even layer after another: half of a half of a half.
    left = torch.tensor([1 / 2, 1 / 4, 1 / 8])[:, None, None, None]
    assert_close(rollout(even), (left * torch.eye(T) + (1 - left) / T).expand(L, B, T, T))
    assert_close(rollout(drawn(), 1.0), torch.eye(T).double().expand(L, B, T, T))
    back = torch.eye(T).roll(1, 0).expand(B, H, T, T)  # each looks at the one before, the first at the last
    assert_close(rollout([back] * L, 0.0)[2, 0], torch.eye(T).roll(3, 0))


def test_what_makes_no_rollout_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^weights: expected those of one layer or more, got none"):
        rollout([])
    with pytest.raises(ShapeError, match=r"^weights: expected shape \[B, H, T, S\] with B=2, T=5, S=5"):
        rollout([torch.zeros(B, H, T, T), torch.zeros(B, H, T, 7)])
    with pytest.raises(ShapeError, match=r"^weights: expected shape \[B, H, T, S\] with B=2, T=7, S=7"):
        rollout([torch.zeros(B, H, T, 7)])
    with pytest.raises(ValueError, match=r"^residual: expected a share from 0 to 1, got 1.5"):
        rollout(drawn(), 1.5)
