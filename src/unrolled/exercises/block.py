"""The checks of chapter 8: RMSNorm, SwiGLU, the parallel block, and how many parameters a block has.

>>> from unrolled.exercises.block import check_parameters
>>> check_parameters(lambda d: 12 * d * d).passed
False

Each takes what the learner made and returns a `Result`, which a notebook shows as the last line of a cell.
A check never raises because of a learner's code.
"""

import inspect
from collections.abc import Callable
from numbers import Real

import torch
from torch import Tensor

from unrolled.exercises._block_mistakes import (
    GATES,
    NORMS,
    PARALLEL,
    Sublayer,
    parallel,
    plain_norm,
    rms_norm,
    swiglu,
)
from unrolled.exercises._check import Case, Exercise, Misconception
from unrolled.exercises._draw import gaussian
from unrolled.exercises._said import attempt, describe, failed, passed, refusal
from unrolled.exercises.result import Result

__all__ = ["check_parallel_block", "check_parameters", "check_rms_norm", "check_swiglu"]

# B, T and d are different primes, so that no wrong axis fits by chance.
SHAPES = [(5, 3), (7, 11), (2, 5, 13)]
WIDE = 17


def check_rms_norm(fn: object) -> Result:
    """Check ``fn(x, gain)``: each token divided by the root of its mean square, then scaled."""
    cases = []
    for shape in SHAPES:
        x = 3 * gaussian(*shape) + gaussian(*shape[:-1], 1, seed=5)  # each token with a mean of its own
        cases.append(Case({"x": x, "gain": gaussian(shape[-1], seed=1)}, batched=len(shape) > 2))
    return Exercise("normed", rms_norm, cases, NORMS).check(fn)


def check_swiglu(fn: object) -> Result:
    """Check ``fn(x, W_gate, W_in, W_out)``: one hidden vector gated by another, [..., T, d] for both ends."""
    cases = []
    for shape in SHAPES:
        d = shape[-1]
        weights = {
            "W_gate": gaussian(d, WIDE, seed=1),
            "W_in": gaussian(d, WIDE, seed=2),
            "W_out": gaussian(WIDE, d, seed=3),
        }
        cases.append(Case({"x": gaussian(*shape), **weights}, batched=len(shape) > 2))
    return Exercise("out", swiglu, cases, GATES).check(fn)


def check_parallel_block(fn: object) -> Result:
    """Check ``fn(X, A, F, norm)``: both sublayers beside each other, [..., T, d] -> [..., T, d]."""
    if refused := refusal(fn, ["X", "A", "F", "norm"]):
        return refused
    assert callable(fn)
    cases = []
    for shape in SHAPES:
        d = shape[-1]
        matrices = {"A's matrix": gaussian(d, d, seed=1), "F's matrix": gaussian(d, d, seed=2)}
        cases.append(Case({"X": gaussian(*shape), **matrices}, batched=len(shape) > 2))

    def with_parts(block: Callable[..., Tensor]) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
        """Return the block as a function of tensors: the sublayers are made of two of them."""

        def tested(X: Tensor, a: Tensor, f: Tensor) -> Tensor:
            return block(X, _attention(a), _feed_forward(f), plain_norm)

        # What it raises is told with the line of the block's own file; its arguments stay these three.
        setattr(tested, "__signature__", inspect.signature(tested))  # noqa: B010 - mypy knows no such attribute
        setattr(tested, "__wrapped__", block)  # noqa: B010
        return tested

    misconceptions = [
        Misconception(known.name, with_parts(known.solution), known.message) for known in PARALLEL
    ]
    return Exercise("the new X", with_parts(parallel), cases, misconceptions).check(with_parts(fn))


def _attention(matrix: Tensor) -> Sublayer:
    """Return a layer in which every token hears the mean of all, itself a little more."""

    def heard(x: Tensor) -> Tensor:
        return (x.mean(dim=-2, keepdim=True) + 0.5 * x) @ matrix

    return heard


def _feed_forward(matrix: Tensor) -> Sublayer:
    return lambda x: torch.relu(x @ matrix)


def check_parameters(fn: object) -> Result:
    """Check ``fn(d)``: how many parameters a block has whose feed-forward layer is four times as wide."""
    if refused := refusal(fn, ["d"]):
        return refused
    assert callable(fn)
    for d in (48, 3, 768):
        got, ended = attempt(fn, d, case=f"for d = {d}", returns="Your function returns nothing yet.")
        if ended:
            return ended
        if isinstance(got, bool) or not isinstance(got, Real):
            return failed(f"For d = {d}: expected a number, got {describe(got)}.")
        expected = _count(d, *EVERYTHING)
        if got != expected:
            told = next((message for parts, message in FORGOTTEN if got == _count(d, *parts)), "")
            end = f"For d = {d}: expected {expected}, got {got}."
            return failed(f"{told}\n{end}" if told else end)
    return passed("Equal to the package at d = 3, 48 and 768: 12 d² in matrices, 13 d in biases and norms.")


# Of d² and of d: matrices and biases of attention, matrices and biases of the feed-forward, both norms.
EVERYTHING = (4, 4, 8, 5, 4)


def _count(d: int, talk: int, talk_bias: int, think: int, think_bias: int, norms: int) -> int:
    return (talk + think) * d * d + (talk_bias + think_bias + norms) * d


FORGOTTEN: list[tuple[tuple[int, int, int, int, int], str]] = [
    ((4, 0, 8, 0, 0), "Those are the matrices, and they are right. Biases and norms are missing."),
    (
        (4, 4, 8, 5, 0),  # the same number as (4, 0, 8, 5, 4)
        "4 d are missing: either the two norms, each with a gain and a bias, or the biases of the "
        "attention's four projections.",
    ),
    ((4, 0, 8, 0, 4), "Matrices and norms are right. The linear layers' biases are missing."),
    ((4, 4, 8, 5, 2), "There are two norms, one for each sublayer, and each has a gain and a bias: 4 d."),
    ((3, 3, 8, 5, 4), "Queries, keys and values are three projections. The fourth puts the heads together."),
    ((4, 4, 8, 2, 4), "The wide layer has a bias for each of its 4 d numbers: 4 d + d, not d + d."),
    (
        (4, 4, 8, 8, 4),
        "The narrow layer has d biases, one for each number it returns: 4 d + d, not 4 d + 4 d.",
    ),
    ((4, 4, 4, 4, 4), "That is one layer of the feed-forward. There are two: d to 4 d, and 4 d back to d."),
    ((4, 4, 4, 5, 4), "The feed-forward has two matrices, d × 4 d and 4 d × d: 8 d², not 4 d²."),
    ((4, 4, 2, 2, 4), "That feed-forward is d wide in between. It is four times as wide."),
    ((0, 0, 8, 5, 4), "The attention is missing: four projections of d × d, with their biases."),
    ((4, 4, 0, 0, 4), "The feed-forward is missing."),
]
