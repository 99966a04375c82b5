"""The checks of chapter 7: right solutions pass, and each wrong one is told what is wrong with it."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from unrolled.exercises import positions as check
from unrolled.nn import ALiBi, Rotary, Sinusoidal

Fn = Callable[..., Any]


def by_loop(positions: Tensor, speeds: Tensor) -> Tensor:
    if positions.dim() > 1:
        return torch.stack([by_loop(row, speeds) for row in positions])
    rows = []
    for t in positions:
        row = []
        for speed in speeds:
            row += [torch.sin(t * speed), torch.cos(t * speed)]
        rows.append(torch.stack(row))
    return torch.stack(rows)


def filled(positions: Tensor, speeds: Tensor) -> Tensor:
    angles = positions.unsqueeze(-1) * speeds
    waves = torch.zeros(*positions.shape, 2 * len(speeds))  # float32 beside float64
    waves[..., 0::2] = angles.sin()
    waves[..., 1::2] = angles.cos()
    return waves


def by_halves(x: Tensor, angles: Tensor) -> Tensor:
    """As Hugging Face's Llama does it."""
    first, second = x.chunk(2, -1)
    both = torch.cat([angles, angles], -1)
    return x * both.cos() + torch.cat([-second, first], -1) * both.sin()


def by_complex(x: Tensor, angles: Tensor) -> Tensor:
    """As the paper's authors do it, on pairs of halves."""
    pairs = torch.complex(*x.chunk(2, -1)) * torch.polar(torch.ones_like(angles), angles)
    return torch.cat([pairs.real, pairs.imag], -1)


def faint_by_loop(scores: Tensor, slopes: Tensor) -> Tensor:
    out = scores.clone()
    for h, slope in enumerate(slopes):
        for i in range(scores.shape[-2]):
            for j in range(scores.shape[-1]):
                out[..., h, i, j] -= slope * abs(i - j)
    return out


RIGHT: list[tuple[Fn, Fn]] = [
    (check.check_waves, by_loop),
    (check.check_waves, filled),
    (check.check_turn, by_halves),
    (check.check_turn, by_complex),
    (check.check_far_is_faint, faint_by_loop),
]


@pytest.mark.parametrize(("checked", "fn"), RIGHT)
def test_a_right_solution_passes(checked: Fn, fn: Fn) -> None:
    result = checked(fn)
    assert result.passed, result


def test_the_references_are_the_packages() -> None:
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        at, pairs = torch.arange(13.0), torch.arange(0, 14, 2)
        speeds = 10_000.0 ** (-pairs / 14)
        torch.testing.assert_close(check.waves(at, speeds), Sinusoidal(14, 13).table)
        x = torch.randn(3, 13, 14)
        torch.testing.assert_close(check.turn(x, at[:, None] * speeds), Rotary(14, 13)(x))
        scores, alibi = torch.randn(5, 3, 7, 7), ALiBi(3)
        torch.testing.assert_close(check.far_is_faint(scores, alibi.slopes), scores + alibi(7, 7))
    finally:
        torch.set_default_dtype(before)


def told(x: Tensor, angles: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    return (*x.chunk(2, -1), angles.cos(), angles.sin())


def overwritten(x: Tensor, angles: Tensor) -> Tensor:
    a, b, cos, sin = told(x, angles)
    a = a * cos - b * sin
    b = a * sin + b * cos
    return torch.cat([a, b], -1)


def away(scores: Tensor) -> Tensor:
    at = torch.arange(scores.shape[-1])
    return at[:, None] - at


def added(positions: Tensor, speeds: Tensor) -> Tensor:
    angles = positions[..., None] + speeds
    return torch.stack([angles.sin(), angles.cos()], -1).flatten(-2)


def neighbours(x: Tensor, angles: Tensor) -> Tensor:
    pairs = torch.view_as_complex(x.unflatten(-1, (-1, 2)).contiguous())
    return torch.view_as_real(pairs * torch.polar(torch.ones_like(angles), angles)).flatten(-2)


def no_minus(x: Tensor, angles: Tensor) -> Tensor:
    a, b, cos, sin = told(x, angles)
    return torch.cat([a * cos + b * sin, a * sin + b * cos], -1)


WRONG: list[tuple[Fn, Fn, str]] = [
    (
        check.check_waves,
        lambda p, s: torch.cat([(p[..., None] * s).sin(), (p[..., None] * s).cos()], -1),
        "order",
    ),
    (check.check_waves, lambda p, s: filled(p, s)[..., ::2], "cosines are"),
    (
        check.check_waves,
        lambda p, s: filled(p, s).view(*p.shape, -1, 2).flip(-1).flatten(-2),
        "wrong way round",
    ),
    (check.check_waves, lambda p, s: filled(p, 1 / s), "divided"),
    (
        check.check_waves,
        lambda p, s: filled(torch.arange(p.shape[-1]).expand(p.shape).double(), s),
        "counted the",
    ),
    (check.check_waves, lambda p, s: filled(p, s).view(*p.shape, -1, 2), "dimension of their own"),
    (check.check_waves, lambda p, s: filled(p, s).transpose(-1, -2), "One row for each position"),
    (check.check_waves, added, "added the speed"),
    (check.check_turn, lambda x, a: by_halves(x, -a), "other way round"),
    (check.check_turn, overwritten, "old numbers"),
    (
        check.check_turn,
        lambda x, a: torch.cat([told(x, a)[0] * a.cos(), told(x, a)[1] * a.sin()], -1),
        "mixing",
    ),
    (check.check_turn, lambda x, a: by_halves(x, a).view(*x.shape[:-1], 2, -1).mT.flatten(-2), "interleaved"),
    (check.check_turn, lambda x, a: torch.cat(by_halves(x, a).chunk(2, -1)[::-1], -1), "wrong order"),
    (check.check_turn, lambda x, a: x + torch.cat([a.sin(), a.cos()], -1), "add nothing"),
    (check.check_turn, neighbours, "turned neighbours"),
    (check.check_turn, no_minus, "minus is missing"),
    (check.check_far_is_faint, lambda s, m: s + m[:, None, None] * away(s).abs(), "raised"),
    (
        check.check_far_is_faint,
        lambda s, m: s - m[:, None, None] * away(s),
        "negative for what comes after",
    ),
    (check.check_far_is_faint, lambda s, m: s - m[0] * away(s).abs(), "its own"),
    (check.check_far_is_faint, lambda s, m: s - m * away(s).abs(), "wrong dimension"),
    (check.check_far_is_faint, lambda s, m: s * -m[:, None, None] * away(s).abs(), "multiplied"),
    (
        check.check_far_is_faint,
        lambda s, m: (-m[:, None, None] * away(s).abs()).expand(s.shape),
        "penalty alone",
    ),
    (check.check_far_is_faint, lambda s, m: s - m[:, None, None] * away(s) ** 2, "squared"),
]


@pytest.mark.parametrize(("checked", "fn", "message"), WRONG)
def test_a_wrong_solution_is_told_why(checked: Fn, fn: Fn, message: str) -> None:
    result = checked(fn)
    assert result.attempted
    assert not result.passed
    assert message in result.message


def test_no_wrong_solution_of_the_list_passes() -> None:
    for checked, known in (
        (check.check_waves, check.WAVES),
        (check.check_turn, check.TURNS),
        (check.check_far_is_faint, check.FAINT),
    ):
        for wrong in known:
            result = checked(wrong.solution)
            assert not result.passed, wrong.name
            assert wrong.message in result.message, wrong.name


@pytest.mark.parametrize("key", [[-0.42, 0.91], (-5, 11), (torch.tensor(2.0).cos(), 0.9093)])
def test_a_key_two_back_passes(key: Any) -> None:
    result = check.check_key_two_back(torch.tensor(key) if isinstance(key, tuple) else key)
    assert result.passed, result
    assert "−2" in result.message


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ([1.0, 0.0], "best heard where it stands itself"),
        ([-0.42, -0.91], "turned the key the other way"),
        ([0.54, 0.84], "Where must it have pointed before?"),
        ([0.0, 0.0], "Your key is zero"),
        ([1.0, 2.0, 3.0], "got shape [3]"),
        ([float("nan"), 0.0], "finite numbers"),
        ("key", "Expected two numbers"),
        ([0.99939, 0.0349], "2 radians are 115 degrees"),
    ],
)
def test_another_key_is_told_where_it_is_heard(key: Any, message: str) -> None:
    result = check.check_key_two_back(key)
    assert result.attempted
    assert not result.passed
    assert message in result.message, result.message


@pytest.mark.parametrize("checked", [check.check_waves, check.check_turn, check.check_far_is_faint])
def test_nothing_is_an_answer_yet_and_nonsense_does_not_raise(checked: Fn) -> None:
    assert not checked(...).attempted
    assert not checked(lambda *given: None).attempted
    for nonsense in (3, "waves", lambda *given: given[0] / 0, lambda *given: [given]):
        assert not checked(nonsense).passed


def test_no_key_is_an_answer_yet() -> None:
    assert not check.check_key_two_back(...).attempted
    assert not check.check_key_two_back(None).attempted
