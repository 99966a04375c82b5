"""The checks of chapter 8: right solutions pass, and each wrong one is told what is wrong with it."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from unrolled.exercises import block as check
from unrolled.nn import EncoderBlock, FeedForward

Fn = Callable[..., Any]


def by_linear(x: Tensor, W_in: Tensor, b_in: Tensor, W_out: Tensor, b_out: Tensor) -> Tensor:
    return nn.functional.linear(nn.functional.linear(x, W_in.T, b_in).clamp(min=0), W_out.T, b_out)


def by_the_package(x: Tensor, W_in: Tensor, b_in: Tensor, W_out: Tensor, b_out: Tensor) -> Tensor:
    layer = FeedForward(*W_in.shape, activation="relu").double()
    numbers = {"up_proj.weight": W_in.T, "up_proj.bias": b_in}
    layer.load_state_dict({**numbers, "down_proj.weight": W_out.T, "down_proj.bias": b_out})
    with torch.no_grad():
        return layer(x.reshape(-1, *x.shape[-2:])).reshape(x.shape)


def norm_by_torch(x: Tensor, gain: Tensor, bias: Tensor) -> Tensor:
    return nn.functional.layer_norm(x, x.shape[-1:], gain, bias)


def norm_by_hand(x: Tensor, gain: Tensor, bias: Tensor) -> Tensor:
    away = x - x.mean(-1, keepdim=True)
    return away / (away**2).mean(-1, keepdim=True).add(1e-5).sqrt() * gain + bias


def pre(X: Tensor, A: Fn, F: Fn, norm: Fn) -> Tensor:
    between = X + A(norm(X))
    return between + F(norm(between))


def size_by_the_package(d: int) -> int:
    with torch.device("meta"):
        return sum(p.numel() for p in EncoderBlock(d, 1, 4 * d).parameters())


RIGHT: list[tuple[Fn, Fn]] = [
    (check.check_feed_forward, by_linear),
    (check.check_feed_forward, by_the_package),
    (check.check_layer_norm, norm_by_torch),
    (check.check_layer_norm, norm_by_hand),
    (check.check_pre_norm, pre),
    (check.check_parameters, size_by_the_package),
    (check.check_parameters, lambda d: 12.0 * d**2 + 13 * d),
]


@pytest.mark.parametrize(("checked", "fn"), RIGHT)
def test_a_right_solution_passes(checked: Fn, fn: Fn) -> None:
    result = checked(fn)
    assert result.passed, result


def std_norm(x: Tensor, gain: Tensor, bias: Tensor) -> Tensor:
    return gain * (x - x.mean(-1, keepdim=True)) / x.std(-1, keepdim=True) + bias


def stream_normed(X: Tensor, A: Fn, F: Fn, norm: Fn) -> Tensor:
    X = norm(X)
    X = X + A(X)
    X = norm(X)
    return X + F(X)


def post(X: Tensor, A: Fn, F: Fn, norm: Fn) -> Tensor:
    X = norm(X + A(X))
    return norm(X + F(X))


def relu(x: Tensor) -> Tensor:
    return x.clamp(min=0)


WRONG: list[tuple[Fn, Fn, str]] = [
    (check.check_feed_forward, lambda x, W, b, V, c: (x @ W + b) @ V + c, "There is no bend"),
    (check.check_feed_forward, lambda x, W, b, V, c: relu((x @ W + b) @ V + c), "what comes out"),
    (check.check_feed_forward, lambda x, W, b, V, c: relu(relu(x @ W + b) @ V + c), "bent twice"),
    (check.check_feed_forward, lambda x, W, b, V, c: (relu(x @ W) + b) @ V + c, "before you added"),
    (check.check_feed_forward, lambda x, W, b, V, c: relu(x @ W) @ V, "The biases are missing"),
    (check.check_feed_forward, lambda x, W, b, V, c: relu(x @ W + b) @ V, "`b_out`, is missing"),
    (check.check_feed_forward, lambda x, W, b, V, c: nn.GELU()(x @ W + b) @ V + c, "That is GELU"),
    (check.check_feed_forward, lambda x, W, b, V, c: (x @ W + b).softmax(-1) @ V + c, "lets the hidden"),
    (check.check_feed_forward, lambda x, W, b, V, c: relu(x @ W + b) @ V + c + x, "You added x"),
    (check.check_layer_norm, std_norm, "divided the squares by d − 1"),
    (check.check_layer_norm, lambda x, g, b: g * nn.InstanceNorm1d(1)(x.mT).mT + b, "over all tokens"),
    (
        check.check_layer_norm,
        lambda x, g, b: g * nn.functional.layer_norm(x, x.shape[-2:]) + b,
        "for all tokens together",
    ),
    (check.check_layer_norm, lambda x, g, b: (x - x.mean()) / x.std(correction=0) * g + b, "together"),
    (check.check_layer_norm, lambda x, g, b: nn.functional.layer_norm(x, x.shape[-1:]), "bias are missing"),
    (
        check.check_layer_norm,
        lambda x, g, b: nn.functional.layer_norm(x, x.shape[-1:]).add(b).mul(g),
        "Gain first, then bias",
    ),
    (check.check_layer_norm, lambda x, g, b: nn.functional.layer_norm(x * g + b, x.shape[-1:]), "come last"),
    (
        check.check_layer_norm,
        lambda x, g, b: g * x / x.std(-1, keepdim=True, correction=0) + b,
        "subtract it first",
    ),
    (check.check_layer_norm, lambda x, g, b: nn.functional.rms_norm(x, x.shape[-1:], g, 1e-5) + b, "RMSNorm"),
    (
        check.check_layer_norm,
        lambda x, g, b: g * (x - x.mean(-1, keepdim=True)) / x.var(-1, keepdim=True, correction=0) + b,
        "divided by the variance",
    ),
    (check.check_pre_norm, post, "That is post-norm"),
    (check.check_pre_norm, lambda X, A, F, norm: F(norm(A(norm(X)))), "There is no way around"),
    (check.check_pre_norm, lambda X, A, F, norm: F(norm(X + A(norm(X)))), "feed-forward has no way around"),
    (
        check.check_pre_norm,
        lambda X, A, F, norm: A(norm(X)) + F(norm(A(norm(X)))),
        "attention has no way around",
    ),
    (check.check_pre_norm, lambda X, A, F, norm: X + A(X) + F(X + A(X)), "norms are missing"),
    (check.check_pre_norm, stream_normed, "back into the stream"),
    (check.check_pre_norm, lambda X, A, F, norm: X + A(norm(X)) + F(norm(X)), "reads the sum"),
    (check.check_pre_norm, lambda X, A, F, norm: pre(X, F, A, norm), "Attention comes first"),
    (check.check_pre_norm, lambda X, A, F, norm: X + A(norm(X)), "feed-forward is missing"),
    (check.check_pre_norm, lambda X, A, F, norm: X + F(norm(A(norm(X)))), "Each has its own"),
    (check.check_pre_norm, lambda X, A, F, norm: norm(pre(X, A, F, norm)), "not in each"),
    (check.check_pre_norm, lambda X: X, "got a function with the arguments (X)"),
    (check.check_parameters, lambda d: 12 * d**2, "Biases and norms are missing"),
    (check.check_parameters, lambda d: 12 * d**2 + 9 * d, "either the two norms"),
    (check.check_parameters, lambda d: 12 * d**2 + 4 * d, "biases are missing"),
    (check.check_parameters, lambda d: 12 * d**2 + 11 * d, "There are two norms"),
    (check.check_parameters, lambda d: 11 * d**2 + 12 * d, "The fourth puts the heads together"),
    (check.check_parameters, lambda d: 12 * d**2 + 10 * d, "not d + d"),
    (check.check_parameters, lambda d: 12 * d**2 + 16 * d, "not 4 d + 4 d"),
    (check.check_parameters, lambda d: 8 * d**2 + 13 * d, "8 d², not 4 d²"),
    (check.check_parameters, lambda d: 6 * d**2 + 10 * d, "d wide in between"),
    (check.check_parameters, lambda d: 8 * d**2 + 9 * d, "attention is missing"),
    (check.check_parameters, lambda d: 4 * d**2 + 8 * d, "feed-forward is missing"),
    (check.check_parameters, lambda d: 7, "expected 28272, got 7"),
    (check.check_parameters, lambda d: d / 0, "stopped with ZeroDivisionError"),
    (check.check_parameters, lambda d: "many", "expected a number"),
]


@pytest.mark.parametrize(("checked", "fn", "message"), WRONG)
def test_a_wrong_solution_is_told_why(checked: Fn, fn: Fn, message: str) -> None:
    result = checked(fn)
    assert result.attempted
    assert not result.passed
    assert message in result.message


CHECKS = [check.check_feed_forward, check.check_layer_norm, check.check_pre_norm, check.check_parameters]


@pytest.mark.parametrize("checked", CHECKS)
def test_nothing_is_an_answer_yet_and_nonsense_does_not_raise(checked: Fn) -> None:
    assert not checked(...).attempted
    assert not checked(lambda *given: None).attempted
    for nonsense in (3, "block", lambda *given: given[0] / 0, lambda *given: [given]):
        assert not checked(nonsense).passed
