"""The checks of chapter 6: heads that change places, and heads that share keys and values.

>>> from unrolled.exercises.multi_head import check_grouped
>>> check_grouped(lambda Q, K, V: V).passed
False

Each takes what the learner made and returns a `Result`, which a notebook shows as the last line of a cell.
A check never raises because of a learner's code.
"""

import inspect
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from unrolled.exercises._check import Case, Exercise, Misconception
from unrolled.exercises._draw import gaussian
from unrolled.exercises._said import describe, refusal
from unrolled.exercises.result import Result
from unrolled.nn import attend, attention_scores, attention_weights

__all__ = ["check_grouped", "check_swapped"]

# B, G, T, S, K are different primes, so that no wrong axis fits by chance; H is a multiple of G.
GROUPED = [((), 4, 2, 5, 7, 3), ((), 9, 3, 7, 2, 5), ((5,), 6, 3, 2, 7, 11)]
WIDTHS = [6, 10, 14]
MATRICES = ("W_q", "W_k", "W_v", "W_o")


def check_grouped(fn: object) -> Result:
    """Check ``fn(Q, K, V)``: H heads of queries that share G heads of keys and values in groups.

    ``[..., H, T, K]``, ``[..., G, S, K]`` and ``[..., G, S, K]`` -> ``[..., H, T, K]``: the first H / G heads
    share the first head of keys and values, and so on.
    """
    cases = []
    for lead, n_heads, n_groups, t, s, k in GROUPED:
        inputs = {
            "Q": 2 * gaussian(*lead, n_heads, t, k),
            "K": gaussian(*lead, n_groups, s, k, seed=1),
            "V": gaussian(*lead, n_groups, s, k, seed=2),
        }
        cases.append(Case(inputs, batched=bool(lead)))
    return Exercise("heads", _grouped, cases, GROUPS).check(fn)


def _attention(Q: Tensor, K: Tensor, V: Tensor, scale: float = 0.0) -> Tensor:
    scores = attention_scores(Q, K, scale=scale or K.shape[-1] ** -0.5)
    return attend(attention_weights(scores), V)


def _each(Q: Tensor, shared: Tensor) -> Tensor:
    """Give every head of queries its head of keys or values, ``[..., G, S, K] -> [..., H, S, K]``."""
    return shared.repeat_interleave(Q.shape[-3] // shared.shape[-3], dim=-3)


def _grouped(Q: Tensor, K: Tensor, V: Tensor) -> Tensor:
    return _attention(Q, _each(Q, K), _each(Q, V))


def _in_turn(Q: Tensor, shared: Tensor) -> Tensor:
    return torch.cat([shared] * (Q.shape[-3] // shared.shape[-3]), dim=-3)


GROUPS = [
    Misconception(
        "in turn",
        lambda Q, K, V: _attention(Q, _in_turn(Q, K), _in_turn(Q, V)),
        "Your heads take the shared keys in turn: 1, 2, 1, 2. Neighbours form a group: the first H / G heads "
        "share the first head of keys. `repeat_interleave` does that, `repeat` does not.",
    ),
    Misconception(
        "one for all",
        lambda Q, K, V: _attention(Q, K[..., :1, :, :], V[..., :1, :, :]),
        "All of your heads share the first head of keys and values. That is multi-query attention; here each "
        "group has one of its own.",
    ),
    Misconception(
        "mean of all",
        lambda Q, K, V: _attention(Q, K.mean(-3, keepdim=True), V.mean(-3, keepdim=True)),
        "You averaged keys and values over the heads. Nothing is averaged: a group reads one head as it is.",
    ),
    Misconception(
        "mean of queries",
        lambda Q, K, V: _each(Q, _attention(Q.unflatten(-3, (K.shape[-3], -1)).mean(-3), K, V)),
        "You averaged the queries of a group. Keys and values are shared, queries are not: each head still "
        "looks in its own way.",
    ),
    Misconception(
        "values in turn",
        lambda Q, K, V: _attention(Q, _each(Q, K), _in_turn(Q, V)),
        "The keys are shared in groups, the values in turn. Both belong together.",
    ),
    Misconception(
        "no scale",
        lambda Q, K, V: _attention(Q, _each(Q, K), _each(Q, V), scale=1.0),
        "The scores are not scaled. Divide them by √K, the width of a head.",
    ),
    Misconception(
        "weights returned",
        lambda Q, K, V: attention_weights(attention_scores(Q, _each(Q, K), scale=K.shape[-1] ** -0.5)),
        "You returned the weights. One step is left: mix the values by them.",
    ),
    Misconception(
        "merged",
        lambda Q, K, V: _grouped(Q, K, V).transpose(-3, -2).flatten(-2),
        "You put the heads side by side already. Return them apart, [..., H, T, K].",
    ),
]


def check_swapped(fn: object) -> Result:
    """Check ``fn(W_q, W_k, W_v, W_o)``: the same layer of two heads, with the heads in the other order.

    Four matrices ``[d, d]`` in, and four of them out.
    """
    if refused := refusal(fn, MATRICES):
        return refused
    assert callable(fn)
    cases = [Case({name: gaussian(d, d, seed=i) for i, name in enumerate(MATRICES)}) for d in WIDTHS]
    known = [Misconception(name, _stacked(wrong), message) for name, wrong, message in ORDERS]
    return Exercise("W_q, W_k, W_v and W_o, stacked", _stacked(_swapped), cases, known).check(_stacked(fn))


Four = Callable[[Tensor, Tensor, Tensor, Tensor], Any]


def _stacked(fn: Four) -> Four:
    """Return a function of four matrices with its four results as one tensor ``[4, d, d]``."""

    def tested(W_q: Tensor, W_k: Tensor, W_v: Tensor, W_o: Tensor) -> Any:
        made = fn(W_q, W_k, W_v, W_o)
        if made is None or made is Ellipsis:
            return made
        fits = isinstance(made, tuple | list) and len(made) == len(MATRICES)
        if not fits or not all(isinstance(one, Tensor) and one.shape == W_q.shape for one in made):
            got = [describe(one) for one in made] if fits else describe(made)
            raise TypeError(f"expected W_q, W_k, W_v and W_o, four tensors {list(W_q.shape)}, got {got}")
        return torch.stack(list(made))

    # What it raises is told with the line of the learner's own file.
    setattr(tested, "__signature__", inspect.signature(tested))  # noqa: B010 - mypy knows no such attribute
    setattr(tested, "__wrapped__", fn)  # noqa: B010
    return tested


def _other(W: Tensor, dim: int) -> Tensor:
    """Let the two halves of a matrix change places, of columns (-1) or of rows (0)."""
    return torch.cat(W.chunk(2, dim)[::-1], dim)


def _swapped(W_q: Tensor, W_k: Tensor, W_v: Tensor, W_o: Tensor) -> Any:
    return _other(W_q, -1), _other(W_k, -1), _other(W_v, -1), _other(W_o, 0)


ORDERS: list[tuple[str, Four, str]] = [
    (
        "nothing changed",
        lambda q, k, v, o: (q, k, v, o),
        "The matrices are as they were: the layer computes the same, but its first head is still the first.",
    ),
    (
        "W_o forgotten",
        lambda q, k, v, o: (_other(q, -1), _other(k, -1), _other(v, -1), o),
        "The heads have changed places, and `W_o` does not know: it reads in the first half of the "
        "concatenation what head 1 found. Its rows belong to the heads as well.",
    ),
    (
        "columns of W_o",
        lambda q, k, v, o: tuple(_other(W, -1) for W in (q, k, v, o)),
        "You exchanged the columns of `W_o`, so each token's output is turned about. The heads stand on its "
        "left: they meet its rows.",
    ),
    (
        "rows of all",
        lambda q, k, v, o: tuple(_other(W, 0) for W in (q, k, v, o)),
        "You exchanged the rows of all four. The rows of `W_q`, `W_k` and `W_v` belong to the components "
        "of a token; what belongs to a head are their columns. `W_o` is right.",
    ),
    (
        "values forgotten",
        lambda q, k, v, o: (_other(q, -1), _other(k, -1), v, _other(o, 0)),
        "Queries and keys have changed places, values have not: each head now hands over what the other "
        "found.",
    ),
    (
        "only queries",
        lambda q, k, v, o: (_other(q, -1), k, v, o),
        "Only the queries have changed places: each head now asks with the other's questions. All four "
        "matrices belong to the heads.",
    ),
    (
        "turned round",
        lambda q, k, v, o: (q.flip(-1), k.flip(-1), v.flip(-1), o.flip(0)),
        "You turned all columns round, so within each head the order is reversed too. The layer computes the "
        "same (why?), but only the heads should change places.",
    ),
]
