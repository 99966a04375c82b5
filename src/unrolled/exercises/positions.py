"""The checks of chapter 7: a key that looks back, the groups of T5, and other people's rotary weights.

>>> from unrolled.exercises.positions import check_columns
>>> check_columns(lambda W: W).passed
False

Each takes what the learner made and returns a `Result`, which a notebook shows as the last line of a cell.
A check never raises because of a learner's code.
"""

import math

import torch
from torch import Tensor

from unrolled.exercises._check import Case, Exercise, Misconception
from unrolled.exercises._draw import gaussian
from unrolled.exercises._said import blank, describe, failed, passed, unattempted
from unrolled.exercises.result import Result

__all__ = ["check_columns", "check_groups", "check_key_two_back"]


def _group(distance: Tensor, far: Tensor) -> Tensor:
    return torch.where(distance < 16, distance, far.clamp(max=31)).long()


def _steps(distance: Tensor) -> Tensor:
    return 16 / 3 * torch.log2(distance / 16)


def groups(distance: Tensor) -> Tensor:
    """Return the group of each distance in T5's decoder, 0 to 31, in the shape of `distance`."""
    return _group(distance, 16 + _steps(distance).floor())


def columns(W: Tensor) -> Tensor:
    """Put the first components of neighbouring pairs before the second ones, ``[..., d, K]``."""
    return torch.cat([W[..., 0::2], W[..., 1::2]], dim=-1)


def turn(x: Tensor, angles: Tensor) -> Tensor:
    """Turn components m and m + K/2 of each vector by its angle m, ``[..., T, K] -> [..., T, K]``."""
    first, second = x.chunk(2, dim=-1)
    cos, sin = angles.cos(), angles.sin()
    return torch.cat([first * cos - second * sin, first * sin + second * cos], dim=-1)


def check_groups(fn: object) -> Result:
    """Check ``fn(distance)``: T5's 32 groups of distances, integers of any shape."""
    cases = [
        Case({"distance": torch.arange(211)}),
        Case({"distance": torch.arange(7 * 11 * 13).view(7, 11, 13) * 3}, batched=True),
    ]
    return Exercise("groups", groups, cases, GROUPS).check(fn)


def check_columns(fn: object) -> Result:
    """Check ``fn(W)``: columns reordered from neighbouring pairs to halves, [..., d, K]."""
    cases = [
        Case({"W": gaussian(5, 6)}),
        Case({"W": gaussian(7, 10)}),
        Case({"W": gaussian(3, 7, 22)}, batched=True),
    ]
    return Exercise("columns", columns, cases, COLUMNS).check(fn)


def check_key_two_back(key: object) -> Result:
    r"""Check a key [2] of length 1: turned one radian a position, it scores 1 with (1, 0) two positions back.

    The score at distance n is :math:`q \cdot R_n k`; right is a k of length 1 (within 0.01) whose score at
    n = −2 is at least 0.999.
    """
    if blank(key):
        return unattempted("Replace the placeholder by two numbers, such as torch.tensor([1.0, 0.0]).")
    wanted = "two numbers, such as torch.tensor([1.0, 0.0])"
    try:
        numbers = torch.as_tensor(key).detach().to("cpu", torch.float64)
    except (TypeError, ValueError, RuntimeError):
        return failed(f"Expected {wanted}, got {describe(key)}.")
    if numbers.shape != (2,):
        return failed(f"Expected {wanted}, got shape {list(numbers.shape)}.")
    if not torch.isfinite(numbers).all():
        return failed(f"Expected finite numbers, got {numbers.tolist()}.")
    distances = torch.arange(-3, 4)
    if numbers.norm() == 0:
        return failed("Your key is zero: its score is 0 at every distance. Give it a length and a direction.")
    if abs(numbers.norm() - 1) > 0.01:
        return failed(
            f"Expected a key of length 1, got length {numbers.norm():.2f}. A longer key scores more "
            "at every distance alike; the question is where it points. Divide it by its length."
        )
    turned = turn(numbers.expand(len(distances), 2), distances[:, None].double())
    scores = turned[:, 0]  # the query is (1, 0)
    best = int(distances[scores.argmax()])
    told = ", ".join(f"{n}: {s:.2f}" for n, s in zip(distances.tolist(), scores.tolist(), strict=True))
    said = f"Scores by the distance j − i: {told}.".replace("-", "−")
    back = scores[1].item()  # at −2
    if back >= 0.999:
        return passed(f"{said} At −2 it is 1, as high as a score can be, wherever the query is.")
    if best == -2:
        return failed(
            f"{said} Expected 1 at −2, got {back:.2f}. It is the largest of these, but the key does not yet "
            "point where the query does: turned back by 2 radians it should be (1, 0) itself."
        )
    hint = {
        0: "It is best heard where it stands itself: it points where the query does.",
        2: "That is two ahead. You turned the key the other way: a key at −2 is turned back by 2 radians.",
    }.get(best, "At the distance −2 the key is turned back by 2 radians. Where must it have pointed before?")
    if abs(math.atan2(numbers[1], numbers[0]) - math.radians(2)) < 1e-3:
        hint = f"It points 2 degrees away from the query. 2 radians are {math.degrees(2):.0f} degrees."
    return failed(f"{said} Expected the largest at −2, got it at {best}. {hint}".replace("at -", "at −"))


GROUPS = [
    Misconception(
        "rounded",
        lambda distance: _group(distance, 16 + _steps(distance).round()),
        "You rounded to the nearest. A group begins where its number is reached: round down, `floor`.",
    ),
    Misconception(
        "rounded up",
        lambda distance: _group(distance, 16 + _steps(distance).ceil()),
        "You rounded up. A group begins where the number is reached: round down, `floor`.",
    ),
    Misconception(
        "no last group",
        lambda distance: torch.where(distance < 16, distance, 16 + _steps(distance).floor()).long(),
        "Your groups go on beyond 31. There are 32 of them, and whatever is further away shares the last.",
    ),
    Misconception(
        "natural logarithm",
        lambda distance: _group(distance, 16 + (16 / 3 * torch.log(distance / 16)).floor()),
        "You took the natural logarithm. The equation has the logarithm to the base 2, `torch.log2`.",
    ),
    Misconception(
        "not divided by 16",
        lambda distance: _group(distance, 16 + (16 / 3 * torch.log2(distance)).floor()),
        "You took the logarithm of the distance itself. It is that of the distance over 16, which is 0 where "
        "the first sixteen groups end.",
    ),
    Misconception(
        "not begun at 16",
        lambda distance: _group(distance, _steps(distance).floor()),
        "Your far groups begin at 0 again, where the near ones are. They follow them, from 16 on.",
    ),
    Misconception(
        "a group for each distance",
        lambda distance: distance.clamp(max=31),
        "You gave each distance up to 31 its own group. From 16 on, groups grow wider with the distance.",
    ),
    Misconception(
        "logarithm throughout",
        lambda distance: (16 + _steps(distance.clamp(min=1)).floor()).clamp(0, 31).long(),
        "You took the logarithm for the near ones too. Below 16 each distance is a group of its own.",
    ),
    Misconception(
        "not integers",
        lambda distance: torch.where(distance < 16, distance, (16 + _steps(distance).floor()).clamp(max=31)),
        "The groups are right and in floating-point numbers. A group is a row of a table: make integers of "
        "them, `.long()`.",
    ),
]


COLUMNS = [
    Misconception(
        "unchanged",
        lambda W: W,
        "You left the columns as they are: column 1 then turns with the partner of another pair.",
    ),
    Misconception(
        "the way back",
        lambda W: torch.stack(W.chunk(2, dim=-1), dim=-1).flatten(-2),
        "You made neighbours of the halves. That is the way back: here the weights have neighbours, and the "
        "code wants halves.",
    ),
    Misconception(
        "second components first",
        lambda W: torch.cat([W[..., 1::2], W[..., 0::2]], dim=-1),
        "The halves stand the wrong way round: each pair then turns in the other direction, and before "
        "becomes after.",
    ),
    Misconception(
        "rows",
        lambda W: torch.cat([W[..., 0::2, :], W[..., 1::2, :]], dim=-2),
        "You reordered the rows. They read the token's components; those of a query are the columns.",
    ),
    Misconception(
        "halves exchanged",
        lambda W: W.roll(W.shape[-1] // 2, -1),
        "You exchanged the two halves. Neighbours are still neighbours, and no pair is where the code looks.",
    ),
    Misconception(
        "reversed",
        lambda W: W.flip(-1),
        "You reversed the columns. Neighbours are still neighbours, and no pair is where the code looks.",
    ),
]
