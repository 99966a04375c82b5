"""The checks of chapter 5, queries, keys and values.

>>> import torch
>>> from unrolled.exercises.queries_keys_values import check_window
>>> check_window(lambda T, w: torch.ones(T, T).tril().bool()).passed
False

Each takes what the learner made and returns a `Result`. A check never raises because of a learner's code.
"""

import inspect
from collections.abc import Callable

import torch
from torch import Tensor

from unrolled.data.associative_recall import THINGS, WIDTH, picnics
from unrolled.exercises._check import Case, Exercise, Misconception
from unrolled.exercises._queries_keys_values_mistakes import WINDOWS, window
from unrolled.exercises._said import (
    apart,
    attempt,
    blank,
    describe,
    failed,
    passed,
    refusal,
    takes,
    unattempted,
)
from unrolled.exercises.result import Result
from unrolled.nn import attend, attention_scores, attention_weights

__all__ = ["check_lookup", "check_previous", "check_window"]

LEAST = 0.99
MANY = 131  # by then a score that was large enough for 7 tokens is not


def check_window(fn: object) -> Result:
    """Check ``fn(T, w)``: a mask ``[T, T]``, True where a token sees itself and the w - 1 before it."""
    if refused := refusal(fn, ["T", "w"]):
        return refused
    assert callable(fn)
    cases = [
        Case({"T": torch.tensor(n_tokens), "w": torch.tensor(width)})
        for n_tokens, width in ((7, 3), (5, 1), (3, 11))
    ]
    known = [Misconception(wrong.name, _of_counts(wrong.solution), wrong.message) for wrong in WINDOWS]
    result = Exercise("mask", _of_counts(window), cases, known).check(_of_counts(fn))
    if result.passed and (kind := fn(3, 2).dtype) != torch.bool:
        return failed(
            f"The places are right, but the mask holds numbers ({kind}), and `~` of a whole number is not "
            "its opposite. End with `.bool()`, or compare: `places < w` is True or False."
        )
    return result


def _of_counts(fn: Callable[..., Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
    """Return a function of two counts as one of tensors, and its mask as 0 and 1."""

    def tested(T: Tensor, w: Tensor) -> Tensor:
        made = fn(int(T), int(w))
        return made.long() if isinstance(made, Tensor) and not made.is_complex() else made

    setattr(tested, "__signature__", inspect.signature(tested))  # noqa: B010 - mypy knows no such attribute
    setattr(tested, "__wrapped__", fn)  # noqa: B010
    return tested


def check_lookup(fn: object) -> Result:
    """Check ``fn()``: matrices (W_q, W_k, W_v) that let each bear of a picnic name what its friend carries.

    W_q and W_k are ``[WIDTH, K]``, W_v is ``[WIDTH, 8]``: the largest of the eight numbers mixed for a bear
    should stand in the place of its friend's thing, for 99 % of the bears or more.
    """
    if blank(fn):
        return unattempted("Replace the placeholder by your function.")
    if not callable(fn) or not takes(fn, 0):
        return failed(
            f"Expected a function without arguments that returns three matrices, got {describe(fn)}."
        )
    made, ended = attempt(fn)
    if ended:
        return ended
    if wrong := _matrices(made, ("W_q", "W_k", "W_v"), WIDTH, len(THINGS)):
        return failed(wrong)
    for n_bears in (8, 32):
        if wrong := _lookup(made, n_bears):
            return failed(wrong)
    return passed("At picnics of 8 and of 32 bears at least 99 % are told what their friend carries.")


def _lookup(made: tuple[Tensor, Tensor, Tensor], n_bears: int) -> str | None:
    """Return whom the bears of some picnics hear in their friend's place, or None."""
    w_q, w_k, w_v = (matrix.detach().double() for matrix in made)
    drawn = picnics(100, n_bears, torch.Generator().manual_seed(7))
    x = drawn.x.double()
    weights = attention_weights(_scores(x @ w_q, x @ w_k))
    right = (attend(weights, x @ w_v).argmax(-1) == drawn.friends_thing).double().mean().item()
    if right >= LEAST:
        return None
    friend = torch.zeros_like(weights).scatter(2, drawn.friend[..., None], 1).bool()
    itself = torch.eye(n_bears).bool().expand_as(friend)
    others = {"its friend": friend, "itself": itself, "whoever looks for it": friend.mT & ~friend}
    heard = {who: weights[places].mean().item() for who, places in others.items()}
    got = f"With {n_bears} bears: expected {LEAST} of them to be told the right thing, got "
    got += f"{apart(LEAST, right, 2)[1]}. "
    most = max(heard, key=lambda who: heard[who])
    if heard[most] < 2 / n_bears:
        return got + "Nobody hears anybody in particular: the scores are all nearly alike."
    if most == "itself":
        return got + (
            "Each bear hears mostly itself: what asks and what answers are the same part of its vector. Ask "
            "with the friend's name, answer with the own."
        )
    if most != "its friend":
        return got + "Each bear hears whoever looks for *it*: queries and keys have changed places."
    if heard[most] < 0.9:
        return got + (
            f"It hears its friend most, with {heard[most]:.2f}, but all others together outweigh that. Make "
            "the scores larger: names of other bears are somewhat alike, and each score is divided by √K."
        )
    return got + (
        f"It hears its friend, with {heard[most]:.2f}. What is handed over is not what the friend carries: "
        f"those are the last {len(THINGS)} numbers of a bear."
    )


def check_previous(fn: object) -> Result:
    """Check ``fn(T)``: matrices (W_q, W_k) by which one-hot positions attend to the token before them.

    With X the identity of size T, every token but the first should give the one before it 99 % or more of its
    attention, by softmax(X W_q (X W_k)ᵀ / √K).
    """
    if blank(fn):
        return unattempted("Replace the placeholder by your function of T.")
    if not callable(fn) or not takes(fn, 1):
        return failed(f"Expected a function of T that returns W_q and W_k, got {describe(fn)}.")
    for n_tokens in (5, 7, MANY):
        made, ended = attempt(fn, n_tokens, case=f"for T = {n_tokens}")
        if ended:
            return ended
        wrong = _matrices(made, ("W_q", "W_k"), n_tokens) or _previous(made, n_tokens)
        if wrong:
            return failed(wrong)
    return passed(
        f"For T = 5, 7 and {MANY} every token attends to the one before it. These two matrices know about "
        "places; what they can do without one-hot positions is chapter 7's question."
    )


def _scores(query: Tensor, key: Tensor) -> Tensor:
    return attention_scores(query, key, scale=key.shape[-1] ** -0.5)


def _matrices(made: object, names: tuple[str, ...], n_rows: int, width: int | None = None) -> str | None:
    """Return what keeps matrices from fitting each other, or None: W_q, W_k and, `width` wide, W_v."""
    listed = f"{', '.join(names[:-1])} and {names[-1]}"
    count = {2: "two", 3: "three"}[len(names)]
    wanted = f"{count} tensors {listed} of shape [{n_rows}, K]" + (
        f", W_v [{n_rows}, {width}]" if width else ""
    )
    if not isinstance(made, tuple | list) or len(made) != len(names):
        return (
            f"Expected {wanted}, got {describe(made)}. `return {', '.join(names)}` hands them over together."
        )
    for name, matrix in zip(names, made, strict=True):
        if not isinstance(matrix, Tensor):
            return f"Expected {wanted}, got {describe(matrix)} for {name}."
        fits = matrix.dim() == 2 and matrix.shape[0] == n_rows
        if not fits or (name == "W_v" and matrix.shape[1] != width):
            return f"Expected {wanted}, got shape {list(matrix.shape)} for {name}."
        if matrix.is_complex() or not torch.isfinite(matrix.double()).all():
            return f"Expected finite real numbers in {name}, got something else."
    if made[0].shape[1] != made[1].shape[1]:
        return (
            "Expected W_q and W_k of one width, since every query meets every key, got "
            f"{made[0].shape[1]} and {made[1].shape[1]}."
        )
    return None


def _previous(made: tuple[Tensor, Tensor], n_tokens: int) -> str | None:
    """Return which token attends elsewhere, and why, or None."""
    w_q, w_k = (matrix.detach().double() for matrix in made)
    weights = attention_weights(_scores(w_q, w_k))  # X is the identity: Q = W_q, K = W_k
    before = weights.diagonal(-1)
    if (before >= LEAST).all():
        return None
    i = int(before.argmin()) + 1
    at = int(weights[i].argmax())
    got = (
        f"For T = {n_tokens}: expected token {i} to give token {i - 1} at least {LEAST}, "
        f"got {apart(LEAST, float(before[i - 1]), 2)[1]}. "
    )
    if (weights.diagonal(1) >= LEAST).all():
        return f"{got}Each token attends to the one after it. Exchange the matrices, or shift the other way."
    if (weights.diagonal() >= LEAST).all():
        return got + "Each token attends to itself: query i meets key i. Shift one of them by one row."
    if at == i - 1:
        return got + (
            "It is its largest weight, but not large enough: make the scores larger."
            if n_tokens < MANY
            else "It is its largest weight, but what suffices for few tokens does not for many: each score "
            "is divided by √K, and there are more others. Let the size grow with T."
        )
    return got + f"It attends most to token {at}, with {weights[i, at]:.2f}."
