"""Chapter 1: every right solution passes; every deliberately wrong one is told what is wrong with it."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.exercises.solutions import Fn
from unrolled.exercises import recurrent as check


def step(x: Tensor, h: Tensor, W_x: Tensor, W_h: Tensor, b: Tensor) -> Tensor:
    return torch.tanh(W_x @ x + W_h @ h + b)


def by_loop(x: Tensor, h: Tensor, W_x: Tensor, W_h: Tensor, b: Tensor) -> Tensor:
    new = torch.zeros(len(h))  # float32 beside float64
    for k in range(len(h)):
        total = float(b[k])
        total += sum(float(W_x[k, j] * x[j]) for j in range(len(x)))
        total += sum(float(W_h[k, j] * h[j]) for j in range(len(h)))
        new[k] = math.tanh(total)
    return new


def by_torch(X: Tensor, W_x: Tensor, W_h: Tensor, b: Tensor) -> Tensor:
    model = torch.nn.RNN(W_x.shape[1], len(b), dtype=X.dtype)
    for parameter, weight in zip(model.parameters(), (W_x, W_h, b, 0 * b), strict=True):
        parameter.data.copy_(weight)
    return model(X)[0].detach()  # type: ignore[no-any-return]


def walk(
    X: Tensor, W_x: Tensor, W_h: Tensor, b: Tensor, start: float = 0.0, squash: Any = torch.tanh
) -> Tensor:
    h, states = torch.full_like(b, start), []
    for x in X:
        h = squash(W_x @ x + W_h @ h + b)
        states.append(h)
    return torch.stack(states)


def cell(sums: Tensor, c: Tensor) -> Tensor:
    i, f, g, o = sums.split(len(c))
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return torch.stack([o.sigmoid() * c.tanh(), c])


def cell_by_torch(sums: Tensor, c: Tensor) -> Tensor:
    """The sums as torch's own cell makes them, from no input but a bias."""
    h = len(c)
    made = torch.nn.LSTMCell(1, h, dtype=sums.dtype)
    for parameter in made.parameters():
        parameter.data.zero_()
    made.bias_ih.data.copy_(sums)
    new_h, new_c = made(torch.zeros(1, 1, dtype=sums.dtype), (torch.zeros(1, h, dtype=sums.dtype), c[None]))
    return torch.cat([new_h, new_c]).detach()


RIGHT: list[tuple[Fn, Fn]] = [
    (check.check_rnn_step, step),
    (check.check_rnn_step, by_loop),
    (
        check.check_rnn_step,
        lambda x, h, W_x, W_h, b: torch.tanh(torch.cat([W_x, W_h], 1) @ torch.cat([x, h]) + b),
    ),
    (check.check_rnn_step, lambda x, h, W_x, W_h, b: (x @ W_x.T + h @ W_h.T + b).tanh()),
    (check.check_unroll, walk),
    (check.check_unroll, by_torch),
    (check.check_lstm_step, cell),
    (check.check_lstm_step, cell_by_torch),
]


@pytest.mark.parametrize(("checked", "fn"), RIGHT)
def test_a_right_solution_passes(checked: Fn, fn: Fn) -> None:
    result = checked(fn)
    assert result.passed, result
    assert "random inputs" in result.message


def changed(sums: Tensor, c: Tensor, **change: Any) -> Tensor:
    """One step of an LSTM with something exchanged."""
    i, f, g, o = sums.split(len(c))
    made = {"i": i.sigmoid(), "f": f.sigmoid(), "g": g.tanh(), "o": o.sigmoid(), "c": c} | change
    new = made["f"] * made["c"] + made["i"] * made["g"]
    return torch.stack([made["o"] * made.get("shown", new.tanh()), new])


WRONG: list[tuple[Fn, Fn, str]] = [
    (check.check_rnn_step, lambda x, h, W_x, W_h, b: W_x @ x + W_h @ h + b, "The tanh is missing"),
    (check.check_rnn_step, lambda x, h, W_x, W_h, b: (W_x @ x + W_h @ h + b).sigmoid(), "Gates do that"),
    (check.check_rnn_step, lambda x, h, W_x, W_h, b: (W_x @ x).tanh() + (W_h @ h).tanh() + b, "one by one"),
    (check.check_rnn_step, lambda x, h, W_x, W_h, b: torch.tanh(W_x @ x + b), "`W_h @ h` is missing"),
    (check.check_rnn_step, lambda x, h, W_x, W_h, b: torch.tanh(W_x @ x + W_h @ h), "The bias b is missing"),
    (check.check_rnn_step, lambda x, h, W_x, W_h, b: torch.tanh(x @ W_x + h @ W_h + b), "the wrong side"),
    (check.check_rnn_step, lambda x, h, W_x, W_h, b: torch.tanh(W_x @ x + h @ W_h + b), "columns of W_h"),
    (check.check_rnn_step, lambda x, h, W_x, W_h, b: torch.tanh(W_x * x + W_h * h + b), "entry by entry"),
    (check.check_rnn_step, lambda *all_of_it: all_of_it[1] + step(*all_of_it), "what the LSTM does"),
    (check.check_unroll, lambda *all_of_it: walk(*all_of_it)[-1], "the last state only"),
    (
        check.check_unroll,
        lambda X, W_x, W_h, b: torch.cat([0 * b[None], walk(X, W_x, W_h, b)]),
        "before the first word too",
    ),
    (
        check.check_unroll,
        lambda X, W_x, W_h, b: torch.cat([0 * b[None], walk(X[:-1], W_x, W_h, b)]),
        "append after the step",
    ),
    (check.check_unroll, lambda X, W_x, W_h, b: torch.tanh(X @ W_x.mT + b), "with a state of zeros"),
    (check.check_unroll, lambda *all_of_it: walk(*all_of_it, start=1.0), "started with ones"),
    (check.check_unroll, lambda X, *others: walk(X.flip(0), *others), "from its last word to its first"),
    (check.check_unroll, lambda *all_of_it: walk(*all_of_it, squash=lambda s: s), "The tanh is missing"),
    (check.check_unroll, lambda *all_of_it: walk(*all_of_it).mT, "One row for each word"),
    (
        check.check_lstm_step,
        lambda sums, c: changed(sums, c, g=sums.split(len(c))[2].sigmoid()),
        "went through the sigmoid",
    ),
    (
        check.check_lstm_step,
        lambda sums, c: changed(sums, c, **dict(zip("ifgo", sums.split(len(c)), strict=True))),
        "The sums were not squashed",
    ),
    (check.check_lstm_step, lambda sums, c: changed(sums, c, f=1.0), "The forget gate plays no part"),
    (
        check.check_lstm_step,
        lambda sums, c: changed(sums, c, i=1 - sums.split(len(c))[1].sigmoid()),
        "A GRU does that",
    ),
    (check.check_lstm_step, lambda sums, c: changed(sums, c, f=0.0), "The old c is gone"),
    (check.check_lstm_step, lambda sums, c: changed(sums, c, shown=cell(sums, c)[1]), "the tanh is missing"),
    (check.check_lstm_step, lambda sums, c: changed(sums, c, o=1.0), "The output gate plays no part"),
    (check.check_lstm_step, lambda sums, c: changed(sums, c, shown=c.tanh()), "made from the old c"),
    (check.check_lstm_step, lambda sums, c: cell(sums, c).flip(0), "stacked c before h"),
    (
        check.check_lstm_step,
        lambda sums, c: cell(sums.view(4, -1)[[0, 1, 3, 2]].flatten(), c),
        "in the order i, f, o, g",
    ),
    (
        check.check_lstm_step,
        lambda sums, c: cell(sums.view(4, -1)[[1, 0, 2, 3]].flatten(), c),
        "in the order f, i, g, o",
    ),
    (check.check_lstm_step, lambda sums, c: cell(sums, c)[0], "You returned h alone"),
    (check.check_lstm_step, lambda sums, c: cell(sums, c)[1], "You returned c alone"),
    (check.check_lstm_step, lambda sums, c: cell(sums, c).flatten(), "end to end"),
]


@pytest.mark.parametrize(("checked", "fn", "says"), WRONG)
def test_a_wrong_solution_is_told_what_is_wrong(checked: Fn, fn: Fn, says: str) -> None:
    result = checked(fn)
    assert result.attempted
    assert not result.passed
    assert says in result.message
    last = result.message.splitlines()[-1]
    assert "(for " in last if last.startswith("Your function stopped with ") else last.startswith("For ")


@pytest.mark.parametrize("bias", [5, 5.0, 4.98, torch.tensor(6.0), 20])
def test_a_gate_that_is_open_far_enough_passes(bias: object) -> None:
    result = check.check_forget_bias(bias)
    assert result.passed, result
    left = float(torch.tensor(float(bias), dtype=torch.float64).sigmoid()) ** 100  # type: ignore[arg-type]
    assert f"after 100 words {left:.3f} of the memory is left" in result.message


@pytest.mark.parametrize(
    ("bias", "says"),
    [
        (1.0, "Expected at least 0.5 to be left: σ(1) = 0.7311, and after 100 words 0.000"),
        (4.9, "each must keep at least 0.9931"),
        (0.995, "The bias stands inside the σ: solve σ(bias) = 0.995"),
        (-1e9, "σ(-1e+09) = 0.0000"),
        (50, "it could never learn to forget. Expected 20 at most."),
        (math.nan, "Expected a finite number, got float nan"),
        (math.inf, "Expected a finite number, got float inf"),
        (True, "Expected a finite number, got bool True"),
        ("5", "Expected a finite number, got str '5'"),
        (torch.zeros(3), "got a tensor of shape [3]"),
    ],
)
def test_other_biases_are_told_why(bias: object, says: str) -> None:
    result = check.check_forget_bias(bias)
    assert result.attempted
    assert not result.passed
    assert says in result.message


@pytest.mark.parametrize(
    "checked", [check.check_rnn_step, check.check_unroll, check.check_lstm_step, check.check_forget_bias]
)
@pytest.mark.parametrize("placeholder", [None, ..., NotImplemented])
def test_a_placeholder_is_not_attempted(checked: Fn, placeholder: object) -> None:
    assert str(checked(placeholder)).startswith("○ Not attempted yet: Replace the placeholder")
