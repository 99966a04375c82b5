r"""How large a step to take when: warm-up, then decay. Taught in chapters 8 and 9.

A schedule is a pure function of the step, so a resumed run needs no state of it.
"""

import math
from typing import Literal, get_args

__all__ = ["Schedule", "learning_rate_factor"]

Schedule = Literal["constant", "linear", "cosine", "one_cycle", "inverse_sqrt"]
"""The course of the learning rate over a training."""


def learning_rate_factor(schedule: Schedule, step: int, steps: int, warmup: int, floor: float = 0.0) -> float:
    r"""Return what to multiply the peak learning rate with at `step`, which counts from 0.

    The first `warmup` steps rise to 1, by equal amounts, and with ``one_cycle`` along half a cosine from
    1/25. From there on:

    ================  ==================================================================
    ``constant``      1
    ``linear``        a straight line down to `floor` after the last step
    ``cosine``        half a cosine down to `floor`
    ``one_cycle``     the same
    ``inverse_sqrt``  :math:`\sqrt{\text{warmup} / \text{step}}`, as in the transformer of 2017
    ================  ==================================================================

    Args:
        schedule: one of the above.
        step: the step about to be taken, from 0 to ``steps - 1``.
        steps: how many there are.
        warmup: how many of them rise.
        floor: where the falling ones end, from 0 to 1.

    Raises:
        ValueError: there is no such schedule, or a number is out of range.

    Reference:
        Smith and Topin, Super-Convergence, 2018 (one cycle); Vaswani et al., 2017, section 5.3.
    """
    if schedule not in get_args(Schedule):
        raise ValueError(f"schedule: expected one of {', '.join(get_args(Schedule))}, got {schedule!r}")
    if not 0 <= step < steps:
        raise ValueError(f"step: expected 0 to {steps - 1}, got {step}")
    if not 0 <= warmup <= steps:
        raise ValueError(f"warmup: expected 0 to {steps} steps, got {warmup}")
    if step < warmup:
        share = (step + 1) / warmup
        return (
            share if schedule != "one_cycle" else 1 / 25 + (1 - 1 / 25) * (1 - math.cos(math.pi * share)) / 2
        )
    if schedule == "constant":
        return 1.0
    if schedule == "inverse_sqrt":
        return math.sqrt(max(warmup, 1) / (step + 1))
    left = (steps - step) / (steps - warmup + 1)  # never 0: the last step still learns
    height = left if schedule == "linear" else (1 - math.cos(math.pi * left)) / 2
    return floor + (1 - floor) * height
