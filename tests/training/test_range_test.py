"""The learning-rate range test: rates by equal factors, and an end where the loss leaves."""

import math

import pytest
import torch

from unrolled.training.range_test import range_test


def parabola(start=3.0):
    x = torch.tensor(start, requires_grad=True)
    return x, torch.optim.SGD([x], lr=123.0)


def test_rates_rise_by_equal_factors_and_each_step_takes_its_own():
    x, optimizer = parabola()
    seen = []

    def loss(step):
        seen.append((step, x.item()))
        return x.square()

    rates, losses = range_test(loss, optimizer, low=1e-3, high=1e-1, steps=5)
    assert rates == pytest.approx([1e-3, 10**-2.5, 1e-2, 10**-1.5, 1e-1])
    assert [step for step, _ in seen] == [0, 1, 2, 3, 4]
    expected = 3.0
    for (_, got), rate, told in zip(seen, rates, losses, strict=True):
        assert got == pytest.approx(expected, rel=1e-5)
        assert told == pytest.approx(expected**2, rel=1e-5)
        expected -= rate * 2 * expected
    assert x.item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("broken", [False, True])
def test_it_ends_when_the_loss_leaves(broken):
    x, optimizer = parabola()

    def loss(step):
        return x.square() * (math.nan if broken and step == 7 else 1.0)

    rates, losses = range_test(loss, optimizer, low=1e-3, high=1e3, steps=101, stop_at=5.0)
    assert len(rates) == len(losses) < 101
    assert not losses[-1] < 5 * min(losses)
    assert all(loss < 5 * min(losses[: i + 1]) for i, loss in enumerate(losses[:-1]))
    assert (len(losses) == 8) == broken
    before = x.item()
    assert losses[-1] != losses[-1] or before**2 == pytest.approx(losses[-1])  # the last step was not taken


@pytest.mark.parametrize("change", [{"low": 0.0}, {"low": 1.0, "high": 1.0}, {"high": math.inf}])
def test_rates_that_do_not_rise_are_refused(change):
    x, optimizer = parabola()
    with pytest.raises(ValueError, match="low, high: expected 0 < low < high"):
        range_test(lambda step: x.square(), optimizer, **change)
    with pytest.raises(ValueError, match="steps: expected 2 or more, got 1"):
        range_test(lambda step: x.square(), optimizer, steps=1)
