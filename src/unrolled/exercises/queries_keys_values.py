"""The checks of chapter 5, queries, keys and values.

>>> from unrolled.exercises.queries_keys_values import check_attention
>>> check_attention(lambda Q, K, V: V).passed
False

Each takes what the learner made and returns a `Result`. A check never raises because of a learner's code.
"""

import torch
from torch import Tensor

from unrolled.exercises._check import Case, Exercise, blank, describe, failed, passed, takes, unattempted
from unrolled.exercises._draw import gaussian
from unrolled.exercises._qkv import ATTENTION, CAUSAL, MASKED, scaled_scores, whole
from unrolled.exercises.result import Result
from unrolled.nn import attention_weights, causal_mask

__all__ = ["check_attention", "check_causal", "check_masked", "check_previous"]

# T, S, K and the width of the values are different primes, so that no wrong axis fits by chance.
SHAPES = [((5,), 7, 3, 2), ((3,), 2, 5, 7), ((2, 5), 7, 3, 11)]
LEAST = 0.99


def _qkv(lead: tuple[int, ...], s: int, k: int, v: int) -> dict[str, Tensor]:
    return {
        "Q": 2 * gaussian(*lead, k),
        "K": 2 * gaussian(*lead[:-1], s, k, seed=1),
        "V": gaussian(*lead[:-1], s, v, seed=2),
    }


def check_attention(fn: object) -> Result:
    """Check ``fn(Q, K, V)``: softmax(QKᵀ/√K)V, [..., T, K], [..., S, K], [..., S, K'] -> [..., T, K']."""
    cases = [Case(_qkv(*shape), batched=len(shape[0]) > 1) for shape in SHAPES]
    return Exercise("context", whole, cases, ATTENTION).check(fn)


def check_masked(fn: object) -> Result:
    """Check ``fn(Q, K, V, mask)``: the same under a mask, True = may attend; a blind row gives zeros."""
    cases = []
    for lead, s, k, v in SHAPES:
        mask = gaussian(*lead, s, seed=3) > 0
        mask[..., 0, 0] = True
        mask[..., -1, :] = False  # the last token may attend to nothing
        cases.append(Case({**_qkv(lead, s, k, v), "mask": mask}, batched=len(lead) > 1))
    return Exercise("context", whole, cases, MASKED).check(fn)


def check_causal(fn: object) -> Result:
    """Check ``fn(scores)``: weights in which no token attends to a later one, [..., T, T] in and out."""
    cases = [
        Case({"scores": gaussian(*shape)}, batched=len(shape) > 2) for shape in ((5, 5), (7, 7), (2, 3, 3))
    ]

    def reference(scores: Tensor) -> Tensor:
        return attention_weights(scores, causal_mask(scores.shape[-1]))

    return Exercise("weights", reference, cases, CAUSAL).check(fn)


def check_previous(fn: object) -> Result:
    """Check ``fn(T)``: matrices (W_q, W_k) by which one-hot positions attend to the token before them.

    With X the identity of size T, every token but the first should give the one before it 99 % or more of its
    attention, by softmax(X W_q (X W_k)ᵀ / √K).
    """
    if blank(fn):
        return unattempted("Replace the placeholder by your function of T.")
    if not callable(fn) or not takes(fn, 1):
        return failed(f"Expected a function of T that returns W_q and W_k, got {describe(fn)}.")
    for n_tokens in (5, 7):
        try:
            made = fn(n_tokens)
        except Exception as error:  # a learner's code may raise anything
            if isinstance(error, NotImplementedError):
                return unattempted("Your function still raises NotImplementedError.")
            return failed(f"Your function stopped with {type(error).__name__}: {error} (for T = {n_tokens}).")
        if blank(made):
            return unattempted("Your function still returns its placeholder.")
        wrong = _matrices(made, n_tokens) or _previous(made, n_tokens)
        if wrong:
            return failed(wrong)
    return passed(
        "For T = 5 and T = 7 every token attends to the one before it. These two matrices know about "
        "places; what they can do without one-hot positions is chapter 7's question."
    )


def _matrices(made: object, n_tokens: int) -> str | None:
    """Return what keeps a pair from being two matrices that fit, or None."""
    wanted = f"two tensors W_q and W_k of shape [{n_tokens}, K]"
    if not isinstance(made, tuple | list) or len(made) != 2:
        return f"Expected {wanted}, got {describe(made)}. `return W_q, W_k` makes a pair of them."
    for name, matrix in zip(("W_q", "W_k"), made, strict=True):
        if not isinstance(matrix, Tensor):
            return f"Expected {wanted}, got {describe(matrix)} for {name}."
        if matrix.dim() != 2 or matrix.shape[0] != n_tokens:
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
    weights = attention_weights(scaled_scores(w_q, w_k))  # X is the identity: Q = W_q, K = W_k
    before = weights.diagonal(-1)
    if (before >= LEAST).all():
        return None
    i = int(before.argmin()) + 1
    at = int(weights[i].argmax())
    got = (
        f"For T = {n_tokens}: expected token {i} to give token {i - 1} at least {LEAST}, "
        f"got {before[i - 1]:.2f}. "
    )
    if (weights.diagonal(1) >= LEAST).all():
        return f"{got}Each token attends to the one after it. Exchange the matrices, or shift the other way."
    if (weights.diagonal() >= LEAST).all():
        return got + "Each token attends to itself: query i meets key i. Shift one of them by one row."
    if at == i - 1:
        return got + "It is its largest weight, but not large enough: make the scores larger."
    return got + f"It attends most to token {at}, with {weights[i, at]:.2f}."
