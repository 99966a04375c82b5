"""The checks of chapter 1, recurrent networks.

>>> from unrolled.exercises.recurrent import check_rnn_step
>>> check_rnn_step(lambda x, h, W_x, W_h, b: W_x @ x + W_h @ h + b).passed
False

Each takes what the learner made and returns a `Result`, which a notebook shows as the last line of a cell.
A check never raises because of a learner's code.
"""

import math
from numbers import Real

from torch import Tensor

from unrolled.exercises._cells import LSTM_STEP, RNN_STEP, UNROLL, lstm_step, rnn_step, unroll
from unrolled.exercises._check import Case, Exercise, blank, describe, failed, passed, unattempted
from unrolled.exercises._draw import gaussian
from unrolled.exercises.result import Result

__all__ = ["check_forget_bias", "check_lstm_step", "check_rnn_step", "check_unroll"]

# T, D and H are different primes, so that no wrong axis fits by chance.
SIZES = [(5, 3, 2), (7, 2, 5)]


def _weights(d: int, h: int) -> dict[str, Tensor]:
    # 13 and 17 only keep equal shapes from holding equal numbers.
    return {"W_x": gaussian(h, d, seed=13), "W_h": gaussian(h, h, seed=17), "b": gaussian(h)}


def check_rnn_step(fn: object) -> Result:
    """Check ``fn(x, h, W_x, W_h, b)``: one step of a vanilla RNN, [D] and [H] -> [H]."""
    cases = [Case({"x": gaussian(d), "h": gaussian(h, seed=5).tanh(), **_weights(d, h)}) for _, d, h in SIZES]
    return Exercise("the new h", rnn_step, cases, RNN_STEP).check(fn)


def check_unroll(fn: object) -> Result:
    """Check ``fn(X, W_x, W_h, b)``: all hidden states of a vanilla RNN, [T, D] -> [T, H]."""
    cases = [Case({"X": gaussian(t, d), **_weights(d, h)}) for t, d, h in SIZES]
    return Exercise("the states H", unroll, cases, UNROLL).check(fn)


def check_lstm_step(fn: object) -> Result:
    """Check ``fn(sums, c)``: from the sums of i, f, g, o, [4 H], and c, [H], to h and c, stacked [2, H]."""
    cases = [Case({"sums": gaussian(4 * h), "c": gaussian(h, seed=3)}) for _, _, h in SIZES]
    return Exercise("h and c, stacked,", lstm_step, cases, LSTM_STEP).check(fn)


def check_forget_bias(bias: object, words: int = 100, least: float = 0.5, most: float = 20.0) -> Result:
    """Check a bias of the forget gate: after `words` steps at least the share `least` of the cell is left.

    A bias above `most` would do too, but a gate so far open can hardly learn to shut.
    """
    if blank(bias):
        return unattempted("Replace the placeholder by a number.")
    if isinstance(bias, Tensor) and bias.numel() == 1:
        bias = bias.item()
    if isinstance(bias, bool) or not isinstance(bias, Real) or not math.isfinite(float(bias)):
        return failed(f"Expected a finite number, got {describe(bias)}.")
    bias = float(bias)
    gate = 1 / (1 + math.exp(-bias)) if bias > -700 else 0.0
    left = gate**words
    numbers = f"σ({bias:.4g}) = {gate:.4f}, and after {words} words {left:.3f} of the memory is left"
    if bias > most:
        return failed(
            f"{numbers}. But the gate is open so far that its slope, f (1 − f), is {gate * (1 - gate):.1e}: "
            f"it could never learn to forget. Expected {most:g} at most."
        )
    if left >= least:
        slope = gate * (1 - gate)
        return passed(f"{numbers}. The gate can still learn to shut: its slope f (1 − f) is {slope:.1e}.")
    if 0 < bias < 1 and bias**words >= least:
        return failed(
            f"{numbers}. Your number would do as the gate itself: {bias:.4g} to the power {words} is "
            f"{bias**words:.2f}. The bias stands inside the σ: solve σ(bias) = {bias:.4g}."
        )
    return failed(
        f"Expected at least {least:g} to be left: {numbers}. Every step multiplies by σ(bias); each must "
        f"keep at least {least ** (1 / words):.4f}."
    )
