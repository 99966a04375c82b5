"""Chapter 1: every right solution passes; every deliberately wrong one is told what is wrong with it."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.exercises.solutions import Fn, told
from unrolled.exercises import recurrent as check


def walk(X: Tensor, W_x: Tensor, W_h: Tensor, b: Tensor, window: int, cut: Any) -> Tensor:
    """Read the words; `cut` makes the state that a word finds, from the last one and the word's place."""
    h, states = torch.zeros_like(b), []
    for t, x in enumerate(X):
        h = torch.tanh(W_x @ x + W_h @ cut(h, t, window) + b)
        states.append(h)
    return torch.stack(states)


def by(cut: Any) -> Fn:
    return lambda X, W_x, W_h, b, window: walk(X, W_x, W_h, b, window, cut)


def truncated(h: Tensor, t: int, window: int) -> Tensor:
    return h.detach() if t % window == 0 else h


def in_chunks(X: Tensor, W_x: Tensor, W_h: Tensor, b: Tensor, window: int) -> Tensor:
    model = torch.nn.RNN(W_x.shape[1], len(b), dtype=X.dtype)
    weights = dict(zip(dict(model.named_parameters()), (W_x, W_h, b, 0 * b), strict=True))
    h, states = torch.zeros(1, len(b), dtype=X.dtype), []
    for chunk in torch.split(X, window):
        found, h = torch.func.functional_call(model, weights, (chunk, h.detach()))
        states.append(found)
    return torch.cat(states)


@pytest.mark.parametrize("fn", [by(truncated), in_chunks])
def test_a_gradient_cut_at_each_window_passes(fn: Fn) -> None:
    result = check.check_truncated(fn)
    assert result.passed, result


@pytest.mark.parametrize(
    ("fn", "says"),
    [
        (by(lambda h, t, window: h), "Nothing is cut. `h.detach()` returns the state"),
        (by(lambda h, t, window: h.detach()), "You cut after every word."),
        (
            by(lambda h, t, window: torch.zeros_like(h) if t % window == 0 else h),
            "you start again from zeros in every window",
        ),
        (by(lambda h, t, window: h / 2), "not those of the RNN, from word 2 on. The cut changes no number"),
        (
            by(lambda h, t, window: h.detach() if t % window == 1 else h),
            "state 2 to reach words 1 to 2, got word 2.",
        ),
        (
            by(lambda h, t, window: h.detach() if t == window else h),
            "window of 3: expected the gradient of state 7 to reach word 7, got words 4 to 7.",
        ),
        (lambda *given: by(truncated)(*given).detach(), "that state has no history at all"),
        (
            lambda *given: by(truncated)(*given)[-1],
            "expected the states as a tensor of shape [11, 2], got a tensor",
        ),
        (lambda X, W_x, W_h, b, window: X @ W_h, "Your function stopped with RuntimeError"),
        (lambda X: X, "a function of X and W_x and W_h and b and window"),
    ],
)
def test_another_cut_is_told_what_is_wrong(fn: Fn, says: str) -> None:
    result = check.check_truncated(fn)
    assert result.attempted
    assert not result.passed
    assert says in told(result), result


def test_an_unwritten_cut_is_no_attempt() -> None:
    def raising(X: Any, W_x: Any, W_h: Any, b: Any, window: Any) -> None:
        raise NotImplementedError

    assert not check.check_truncated(raising).attempted
    assert not check.check_truncated(lambda X, W_x, W_h, b, window: None).attempted


@pytest.mark.parametrize("gate", [(-10.0, 5.0), [-10, 5], torch.tensor([-20.0, 6.0]), (-9.6, 4.98)])
def test_a_gate_that_shuts_at_the_full_stop_passes(gate: Any) -> None:
    result = check.check_full_stop(gate)
    assert result.passed, result


@pytest.mark.parametrize(
    ("gate", "says"),
    [
        ((0.01, 0.995), "You chose the gate itself. Your numbers stand inside the σ"),
        ((-5.0, 5.0), "the bias is still there at the full stop"),
        ((10.0, -5.0), "You turned the gate round: 1 is open"),
        ((-9.0, 3.0), "Every word multiplies by σ(b_f), so each must keep at least 0.9931"),
        ((-9.0, 4.9), "σ(4.9) = 0.9926 at a word, so that after 100 words 0.476 of the cell state is left"),
        ((0.0, 5.0), "σ(0 + 5) = 0.993 at a full stop"),
        ((math.nan, 4.0), "Expected two finite numbers, got (nan, 4.0)"),
        ((True, 4.0), "Expected two finite numbers"),
        (4.0, "Expected two numbers, w_end and b_f, got float 4.0"),
        ((1.0, 2.0, 3.0), "Expected two numbers, w_end and b_f, got a tuple of 3"),
    ],
)
def test_another_gate_is_told_what_is_wrong(gate: Any, says: str) -> None:
    result = check.check_full_stop(gate)
    assert result.attempted
    assert not result.passed
    assert says in told(result), result


@pytest.mark.parametrize("checked", [check.check_truncated, check.check_full_stop])
@pytest.mark.parametrize("placeholder", [None, ..., NotImplemented])
def test_a_placeholder_is_not_attempted(checked: Fn, placeholder: object) -> None:
    assert str(checked(placeholder)).startswith("○ Not attempted yet: Replace the placeholder")
