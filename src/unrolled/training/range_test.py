r"""The learning-rate range test: one short training in which the rate rises until it is too high.

Taught in chapter 14.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

__all__ = ["range_test"]


def range_test(
    loss: Callable[[int], Tensor],
    optimizer: torch.optim.Optimizer,
    *,
    low: float = 1e-5,
    high: float = 10.0,
    steps: int = 100,
    stop_at: float = 4.0,
) -> tuple[list[float], list[float]]:
    r"""Train while the learning rate rises from `low` to `high` by equal factors; return rates and losses.

    .. math::  \eta_s = \eta_{\text{low}} \left(\frac{\eta_{\text{high}}}{\eta_{\text{low}}}\right)^{s/(n-1)}

    It stops early once the loss is `stop_at` times the smallest so far, or no number any more. The model is
    trained in place: hand over a copy of the one you mean to keep.

    Args:
        loss: takes the number of a step, from 0, and returns the loss to take the gradient of.
        optimizer: of all parameters to train; its rate is set here.
        low: the rate of the first step.
        high: that of the last.
        steps: how many, two or more.
        stop_at: how many times the smallest loss is too much.

    Returns:
        The rate of each step and its loss, before the step was taken.

    Raises:
        ValueError: the rates do not rise from above zero, or there are fewer than two steps.

    Reference:
        Smith, Cyclical Learning Rates for Training Neural Networks, 2017, section 3.3.
    """
    if not 0 < low < high < math.inf:
        raise ValueError(f"low, high: expected 0 < low < high, got {low} and {high}")
    if steps < 2:
        raise ValueError(f"steps: expected 2 or more, got {steps}")
    rates: list[float] = []
    losses: list[float] = []
    for step in range(steps):
        rate = low * (high / low) ** (step / (steps - 1))
        now = loss(step)
        rates.append(rate)
        losses.append(now.item())
        if not losses[-1] < stop_at * min(losses):  # also if it is no number
            break
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.zero_grad()
        now.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return rates, losses
