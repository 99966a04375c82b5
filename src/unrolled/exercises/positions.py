"""The checks of chapter 7: where a token stands, added, turned or held against it.

>>> from unrolled.exercises.positions import check_turn
>>> check_turn(lambda x, angles: x).passed
False

Each takes what the learner made and returns a `Result`, which a notebook shows as the last line of a cell.
A check never raises because of a learner's code.
"""

import math

import torch
from torch import Tensor

from unrolled.exercises._check import (
    Case,
    Exercise,
    Misconception,
    blank,
    describe,
    failed,
    passed,
    unattempted,
)
from unrolled.exercises._draw import gaussian
from unrolled.exercises.result import Result

__all__ = ["check_far_is_faint", "check_key_two_back", "check_turn", "check_waves"]


def _positions(length: int, *starts: int) -> Tensor:
    """Return positions that do not begin at 0, ``[T]``, or ``[B, T]`` for several starts."""
    rows = torch.stack([torch.arange(start, start + length, dtype=torch.float64) for start in starts])
    return rows if len(starts) > 1 else rows[0]


def waves(positions: Tensor, speeds: Tensor) -> Tensor:
    """Return sine and cosine of every hand, one after the other, ``[..., T] -> [..., T, d]``."""
    angles = positions[..., None] * speeds
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(-2)


def turn(x: Tensor, angles: Tensor) -> Tensor:
    """Turn numbers m and m + K/2 of each vector by the token's angle m, ``[..., T, K] -> [..., T, K]``."""
    first, second = x.chunk(2, dim=-1)
    cos, sin = angles.cos(), angles.sin()
    return torch.cat([first * cos - second * sin, first * sin + second * cos], dim=-1)


def _distance(scores: Tensor) -> Tensor:
    at = torch.arange(scores.shape[-1])
    return (at[:, None] - at).abs()


def far_is_faint(scores: Tensor, slopes: Tensor) -> Tensor:
    """Lower each head's scores by its slope times the distance, ``[..., H, T, T] -> [..., H, T, T]``."""
    return scores - slopes[:, None, None] * _distance(scores)


def check_waves(fn: object) -> Result:
    """Check ``fn(positions, speeds)``: sine and cosine of each hand, [..., T] and [d/2] -> [..., T, d]."""
    cases = [
        Case({"positions": _positions(5, 0), "speeds": gaussian(3).exp()}),
        Case({"positions": _positions(7, 2), "speeds": gaussian(11).exp()}),
        Case({"positions": _positions(5, 0, 3, 11), "speeds": gaussian(7).exp()}, batched=True),
    ]
    return Exercise("waves", waves, cases, WAVES).check(fn)


def check_turn(fn: object) -> Result:
    """Check ``fn(x, angles)``: each pair turned by its angle, [..., T, K] and [T, K/2] -> [..., T, K]."""
    cases = [
        Case(
            {"x": gaussian(*front, length, 2 * pairs), "angles": gaussian(length, pairs, seed=1)},
            batched=bool(front),
        )
        for *front, length, pairs in ((5, 3), (7, 11), (3, 5, 7))
    ]
    return Exercise("turned", turn, cases, TURNS).check(fn)


def check_far_is_faint(fn: object) -> Result:
    """Check ``fn(scores, slopes)``: scores lowered by distance, [..., H, T, T] and [H] -> [..., H, T, T]."""
    cases = [
        Case(
            {
                "scores": gaussian(*front, heads, length, length),
                "slopes": gaussian(heads, seed=1).abs() + 0.5,
            },
            batched=bool(front),
        )
        for *front, heads, length in ((3, 5), (2, 7), (5, 3, 7))
    ]
    return Exercise("scores", far_is_faint, cases, FAINT).check(fn)


def check_key_two_back(key: object) -> Result:
    r"""Check a key [2]: turned one radian a position, it meets the query (1, 0) best two positions back.

    The score at distance n is :math:`q \cdot R_n k`; right is a k for which it is largest at n = −2 among
    n = −3 … 3.
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
    turned = turn(numbers.expand(len(distances), 2), distances[:, None].double())
    scores = turned[:, 0]  # the query is (1, 0)
    best = int(distances[scores.argmax()])
    told = ", ".join(f"{n}: {s:.2f}" for n, s in zip(distances.tolist(), scores.tolist(), strict=True))
    said = f"Scores by the distance j − i: {told}.".replace("-", "−")
    if best == -2:
        return passed(f"{said} The largest stands at −2, wherever the query is.")
    hint = {
        0: "It is best heard where it stands itself: it points where the query does.",
        2: "That is two ahead. You turned the key the other way: a key at −2 is turned back by 2 radians.",
    }.get(best, "At the distance −2 the key is turned back by 2 radians. Where must it have pointed before?")
    if abs(math.atan2(numbers[1], numbers[0]) - math.radians(2)) < 1e-3:
        hint = f"It points 2 degrees away from the query. 2 radians are {math.degrees(2):.0f} degrees."
    return failed(f"{said} Expected the largest at −2, got it at {best}. {hint}".replace("at -", "at −"))


def _pairs(x: Tensor) -> Tensor:
    return x.reshape(*x.shape[:-1], -1, 2)


WAVES = [
    Misconception(
        "halves",
        lambda positions, speeds: torch.cat(
            [(positions[..., None] * speeds).sin(), (positions[..., None] * speeds).cos()], dim=-1
        ),
        "The numbers are right and stand in another order: all sines, then all cosines. Some libraries do "
        "that. Here sine and cosine of one hand stand side by side.",
    ),
    Misconception(
        "cosine first",
        lambda positions, speeds: _pairs(waves(positions, speeds)).flip(-1).flatten(-2),
        "Each pair stands the wrong way round: the sine comes first, so that position 0 is 0, 1, 0, 1, …",
    ),
    Misconception(
        "divided",
        lambda positions, speeds: waves(positions, 1 / speeds),
        "You divided the position by the speed. The angle is position times speed: a faster hand has "
        "turned further.",
    ),
    Misconception(
        "added",
        lambda positions, speeds: torch.stack(
            [(positions[..., None] + speeds).sin(), (positions[..., None] + speeds).cos()], dim=-1
        ).flatten(-2),
        "You added the speed to the position. A hand that turns ω at each step has turned t times ω.",
    ),
    Misconception(
        "counted from zero",
        lambda positions, speeds: waves(torch.arange(positions.shape[-1]).to(positions), speeds),
        "You counted the positions yourself, from 0. They are given, and need not begin there.",
    ),
    Misconception(
        "pairs not flattened",
        lambda positions, speeds: _pairs(waves(positions, speeds)),
        "The pairs still stand in a dimension of their own, [T, d/2, 2]. Flatten the last two.",
    ),
    Misconception(
        "sine only",
        lambda positions, speeds: (positions[..., None] * speeds).sin(),
        "The cosines are missing. A sine alone cannot tell a hand on its way up from one on its way down.",
    ),
    Misconception(
        "hands in rows",
        lambda positions, speeds: waves(positions, speeds).mT,
        "You returned [d, T]. One row for each position: [T, d].",
    ),
]


def _neighbours(x: Tensor, angles: Tensor) -> Tensor:
    first, second = x[..., ::2], x[..., 1::2]
    cos, sin = angles.cos(), angles.sin()
    return torch.stack([first * cos - second * sin, first * sin + second * cos], dim=-1).flatten(-2)


def _no_minus(x: Tensor, angles: Tensor) -> Tensor:
    first, second = x.chunk(2, dim=-1)
    cos, sin = angles.cos(), angles.sin()
    return torch.cat([first * cos + second * sin, first * sin + second * cos], dim=-1)


TURNS = [
    Misconception(
        "neighbours",
        _neighbours,
        "You turned neighbours, numbers 2m and 2m + 1. The paper does that. Here number m is paired with "
        "number m + K/2, as in Llama.",
    ),
    Misconception(
        "the other way",
        lambda x, angles: turn(x, -angles),
        "You turned the other way round. The minus belongs to the first number of a pair: x cos − y sin.",
    ),
    Misconception(
        "no minus",
        _no_minus,
        "One minus is missing. With plus in both lines this is no turn: the length of the vector changes.",
    ),
    Misconception(
        "old numbers overwritten",
        lambda x, angles: _overwritten(x, angles),
        "The second line used the first number after it had been turned. Both lines need the old numbers.",
    ),
    Misconception(
        "halves swapped",
        lambda x, angles: turn(x, angles).roll(x.shape[-1] // 2, -1),
        "The two halves of the result stand in the wrong order.",
    ),
    Misconception(
        "interleaved",
        lambda x, angles: turn(x, angles).reshape(*x.shape[:-1], 2, -1).mT.flatten(-2),
        "The turn is right, but you interleaved the halves. Put them side by side, as they came.",
    ),
    Misconception(
        "angles as factors",
        lambda x, angles: x * torch.cat([angles.cos(), angles.sin()], -1),
        "You multiplied the numbers by cosines and sines without mixing them. Each number of a turned pair "
        "takes something from both.",
    ),
    Misconception(
        "added",
        lambda x, angles: x + torch.cat([angles.sin(), angles.cos()], -1),
        "You added waves. Rotary positions add nothing; they turn what is there.",
    ),
]


def _overwritten(x: Tensor, angles: Tensor) -> Tensor:
    first, second = x.chunk(2, dim=-1)
    first = first * angles.cos() - second * angles.sin()
    return torch.cat([first, first * angles.sin() + second * angles.cos()], dim=-1)


def _signed(scores: Tensor, slopes: Tensor) -> Tensor:
    at = torch.arange(scores.shape[-1])
    return scores - slopes[:, None, None] * (at[:, None] - at)


FAINT = [
    Misconception(
        "added",
        lambda scores, slopes: 2 * scores - far_is_faint(scores, slopes),
        "You raised the scores with the distance. The far ones should be fainter: subtract.",
    ),
    Misconception(
        "signed",
        _signed,
        "You subtracted the slope times i − j, which is negative for what comes after: those scores rise. "
        "Take the distance without its sign, |i − j|.",
    ),
    Misconception(
        "one slope for all",
        lambda scores, slopes: far_is_faint(scores, slopes[:1].expand_as(slopes)),
        "Every head got the slope of the first one. Each has its own.",
    ),
    Misconception(
        "slope along the keys",
        lambda scores, slopes: scores - slopes * _distance(scores),
        "The slopes met the wrong dimension. There is one for each head: `slopes[:, None, None]` puts it "
        "in front of queries and keys.",
    ),
    Misconception(
        "multiplied",
        lambda scores, slopes: scores * far_is_faint(torch.zeros_like(scores), slopes),
        "You multiplied the scores by the penalty. Subtract it.",
    ),
    Misconception(
        "penalty alone",
        lambda scores, slopes: far_is_faint(torch.zeros_like(scores), slopes),
        "That is the penalty alone. Add it to the scores.",
    ),
    Misconception(
        "squared",
        lambda scores, slopes: scores - slopes[:, None, None] * _distance(scores) ** 2,
        "You squared the distance. It counts once.",
    ),
]
