"""The checks of chapter 1, recurrent networks.

>>> from unrolled.exercises.recurrent import check_full_stop
>>> check_full_stop((-9.0, 4.0)).passed
False

Each takes what the learner made and returns a `Result`, which a notebook shows as the last line of a cell.
A check never raises because of a learner's code.
"""

import math
from collections.abc import Callable, Sequence
from numbers import Real
from typing import Any

import torch
from torch import Tensor

from unrolled.exercises._check import close
from unrolled.exercises._draw import gaussian
from unrolled.exercises._said import apart, attempt, blank, describe, failed, passed, refusal, unattempted
from unrolled.exercises.result import Result

__all__ = ["check_full_stop", "check_truncated"]


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x > -700 else 0.0


def check_full_stop(gate: object, words: int = 100, stays: float = 0.5, left: float = 0.01) -> Result:
    """Check (w_end, b_f) of a forget gate that remembers over words and forgets at a full stop.

    At a word the gate is σ(b_f): after `words` of them at least the share `stays` of the cell state is left.
    At a full stop it is σ(w_end + b_f), `left` or less.
    """
    if blank(gate):
        return unattempted("Replace the placeholder by two numbers, w_end and b_f.")
    if isinstance(gate, Tensor):
        gate = gate.tolist()
    if not isinstance(gate, tuple | list) or len(gate) != 2:
        return failed(f"Expected two numbers, w_end and b_f, got {describe(gate)}.")
    if any(isinstance(x, bool) or not isinstance(x, Real) or not math.isfinite(float(x)) for x in gate):
        return failed(f"Expected two finite numbers, got {gate}.")
    w_end, b_f = (float(x) for x in gate)
    word, stop = _sigmoid(b_f), _sigmoid(w_end + b_f)
    kept, at_stop = apart(stays, word**words, 3)[1], apart(left, stop, 3)[1]
    numbers = (
        f"σ({b_f:.4g}) = {word:.4f} at a word, so that after {words} words {kept} of the cell state is left, "
        f"and σ({w_end:.4g} + {b_f:.4g}) = {at_stop} at a full stop"
    )
    if word**words >= stays and stop <= left:
        return passed(f"Right: {numbers}.")
    said = f"Expected {stays:g} or more after {words} words and {left:g} or less at a full stop: {numbers}."
    if 0 <= w_end <= left and 0 < b_f < 1 and b_f**words >= stays:
        return failed(f"You chose the gate itself. Your numbers stand inside the σ, as a sum.\n{said}")
    if _sigmoid(-b_f) ** words >= stays and _sigmoid(-w_end - b_f) <= left:
        return failed(
            f"You turned the gate round: 1 is open, which keeps, and 0 is shut, which forgets.\n{said}"
        )
    if word**words >= stays and _sigmoid(w_end) <= left:
        return failed(
            "w_end alone would shut the gate, but the bias is still there at the full stop: the two are "
            f"added.\n{said}"
        )
    if stays <= word and word**words < stays:
        return failed(
            f"Every word multiplies by σ(b_f), so each must keep at least {stays ** (1 / words):.4f}.\n{said}"
        )
    return failed(said)


_CUTS = [(11, 3, 2, 3), (7, 2, 5, 5)]  # T, D, H and the window: the last window is incomplete, and not alone


def _states(X: Tensor, weights: Sequence[Tensor], restarts: int) -> Tensor:
    """Return the states of an RNN, [T, H], that starts from zeros after every `restarts` words."""
    W_x, W_h, b = weights
    h, states = torch.zeros_like(b), []
    for t, x in enumerate(X):
        if t % restarts == 0:
            h = torch.zeros_like(b)
        h = torch.tanh(W_x @ x + W_h @ h + b)
        states.append(h)
    return torch.stack(states)


def check_truncated(fn: object) -> Result:
    """Check ``fn(X, W_x, W_h, b, window)``: the states of an RNN, their gradient cut after every window."""
    if refused := refusal(fn, ["X", "W_x", "W_h", "b", "window"]):
        return refused
    assert callable(fn)
    for t, d, h, window in _CUTS:
        # 13 and 17 only keep equal shapes from holding equal numbers.
        X = gaussian(t, d).requires_grad_()
        weights = [gaussian(h, d, seed=13), gaussian(h, h, seed=17), gaussian(h)]
        for weight in weights:
            weight.requires_grad_()
        wrong = _wrong_cut(fn, X, weights, window)
        if wrong is not None:
            return wrong
    return passed(
        "The states are those of the RNN, and no gradient crosses a cut, for windows of 3 and of 5."
    )


def _wrong_cut(fn: Callable[..., Any], X: Tensor, weights: list[Tensor], window: int) -> Result | None:
    case = f"For {len(X)} words and a window of {window}: "
    got, ended = attempt(
        fn,
        X,
        *weights,
        window,
        case=f"for {len(X)} words and a window of {window}",
        returns="Your function returns nothing. Is `return torch.stack(states)` missing?",
    )
    if ended:
        return ended
    expected = _states(X, weights, len(X))
    if not isinstance(got, Tensor) or got.shape != expected.shape:
        return failed(
            f"{case}expected the states as a tensor of shape {list(expected.shape)}, got {describe(got)}."
        )
    if close(got, _states(X, weights, window)):
        return failed(
            f"{case}you start again from zeros in every window, so the words before are forgotten too. Keep "
            "the state and cut its history: `h.detach()`."
        )
    if not close(got, expected):
        t = int((got - expected).abs().sum(-1).gt(1e-5).nonzero()[0])
        return failed(
            f"{case}the states are not those of the RNN, from word {t + 1} on. The cut changes no number, "
            "only what the gradient sees."
        )
    # Each state in turn is asked which words it could be changed by.
    for t in range(len(X)):
        first = t // window * window
        reached = _reached(got[t], X)
        if reached == list(range(first, t + 1)):
            continue
        said = (
            f"{case}expected the gradient of state {t + 1} to reach {_words(list(range(first, t + 1)))}, "
            f"got {_words(reached)}."
        )
        if not reached:
            return failed(f"Nothing is left to learn from: that state has no history at all.\n{said}")
        if all(_reached(got[s], X) == list(range(s + 1)) for s in range(len(X))):
            return failed(
                "Nothing is cut. `h.detach()` returns the state without its history and leaves h as it is: "
                f"write `h = h.detach()`.\n{said}"
            )
        if all(_reached(got[s], X) == [s] for s in range(len(X))):
            return failed(f"You cut after every word. Cut before the first word of each window only.\n{said}")
        return failed(said)
    return None


def _reached(state: Tensor, X: Tensor) -> list[int]:
    """Return the words that the gradient of a state reaches, in order."""
    if not state.requires_grad:
        return []
    (by_word,) = torch.autograd.grad(state.sum(), X, retain_graph=True, allow_unused=True)
    return [] if by_word is None else by_word.abs().sum(-1).nonzero().flatten().tolist()


def _words(places: list[int]) -> str:
    """Return "word 3", "words 2 to 4" or "no word"."""
    if not places:
        return "no word"
    first, last = places[0] + 1, places[-1] + 1
    return f"word {first}" if first == last else f"words {first} to {last}"
