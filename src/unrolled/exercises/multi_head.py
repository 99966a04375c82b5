"""The checks of chapter 6, multi-head attention; everywhere with two heads.

>>> from unrolled.exercises.multi_head import check_split
>>> check_split(lambda X: X.reshape(2, X.shape[0], -1)).passed
False

Each takes what the learner made and returns a `Result`, which a notebook shows as the last line of a cell.
A check never raises because of a learner's code.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from unrolled.exercises._check import Case, Exercise, Misconception
from unrolled.exercises._draw import gaussian
from unrolled.exercises.result import Result
from unrolled.nn import attend, attention_scores, attention_weights

__all__ = ["check_merge", "check_multi_head", "check_split", "check_sum_of_heads"]

HEADS = 2
# B, T and K are different primes, so that no wrong axis fits by chance; d is twice K.
SHAPES = [(5, 6), (7, 22), (3, 5, 14)]


def split(X: Tensor) -> Tensor:
    """Cut each vector in two: ``[..., T, d] -> [..., 2, T, K]``."""
    return X.reshape(*X.shape[:-1], HEADS, -1).transpose(-3, -2)


def merge(heads: Tensor) -> Tensor:
    """Put the parts side by side again: ``[..., 2, T, K] -> [..., T, d]``."""
    return heads.transpose(-3, -2).flatten(-2)


def multi_head(X: Tensor, W_q: Tensor, W_k: Tensor, W_v: Tensor, W_o: Tensor, scale: float = 0.0) -> Tensor:
    """Attend in two heads, ``[..., T, d] -> [..., T, d]``, scores times `scale`, or over √K unless given."""
    query, key, value = split(X @ W_q), split(X @ W_k), split(X @ W_v)
    scores = attention_scores(query, key, scale=scale or 1 / math.sqrt(query.shape[-1]))
    return merge(attend(attention_weights(scores), value)) @ W_o


def _one_head(X: Tensor, W_q: Tensor, W_k: Tensor, W_v: Tensor, W_o: Tensor) -> Tensor:
    weights = attention_weights(attention_scores(X @ W_q, X @ W_k, scale=1 / math.sqrt(X.shape[-1])))
    return attend(weights, X @ W_v) @ W_o


def check_split(fn: object) -> Result:
    """Check ``fn(X)``: each vector cut into two heads, [..., T, d] -> [..., 2, T, K]."""
    cases = [Case({"X": gaussian(*shape)}, batched=len(shape) > 2) for shape in SHAPES]
    return Exercise("heads", split, cases, SPLITS).check(fn)


def check_merge(fn: object) -> Result:
    """Check ``fn(heads)``: two heads side by side again, [..., 2, T, K] -> [..., T, d]."""
    shapes = [(*front, HEADS, length, width // HEADS) for *front, length, width in SHAPES]
    cases = [Case({"heads": gaussian(*shape)}, batched=len(shape) > 3) for shape in shapes]
    return Exercise("context", merge, cases, MERGES).check(fn)


def check_multi_head(fn: object) -> Result:
    """Check ``fn(X, W_q, W_k, W_v, W_o)``: two heads in full, [..., T, d] -> [..., T, d]."""
    cases = []
    for shape in SHAPES:
        d = shape[-1]
        matrices = {name: gaussian(d, d, seed=i) for i, name in enumerate(("W_q", "W_k", "W_v", "W_o"))}
        cases.append(Case({"X": gaussian(*shape, seed=9), **matrices}, batched=len(shape) > 2))
    return Exercise("context", multi_head, cases, WHOLE).check(fn)


def check_sum_of_heads(fn: object) -> Result:
    """Check ``fn(heads, W_o)``: each head times its rows of W_o, added up, [..., 2, T, K] -> [..., T, d]."""
    cases = [
        Case(
            {"heads": gaussian(*front, HEADS, length, d // HEADS), "W_o": gaussian(d, d, seed=1)},
            batched=bool(front),
        )
        for *front, length, d in SHAPES
    ]
    return Exercise("context", lambda heads, W_o: merge(heads) @ W_o, cases, SUMS).check(fn)


SPLITS = [
    Misconception(
        "no transpose",
        lambda X: X.reshape(*X.shape[:-2], HEADS, X.shape[-2], -1),
        "You reshaped straight to [2, T, K]. That cuts the sentence and not its vectors: head 1 gets the "
        "numbers of the first tokens, head 2 those of the last. Reshape to [T, 2, K], then swap these two.",
    ),
    Misconception(
        "heads behind tokens",
        lambda X: X.unflatten(-1, (HEADS, -1)),
        "The vectors are cut, but the heads stand behind the tokens: [T, 2, K]. Swap the two, so "
        "that each head holds a whole sentence.",
    ),
    Misconception(
        "every second number",
        lambda X: X.unflatten(-1, (-1, HEADS)).movedim(-1, -3),
        "You gave each head every second number of a vector. Head 1 gets the first half, head 2 the second.",
    ),
    Misconception(
        "heads in front of the batch",
        lambda X: torch.stack(X.chunk(HEADS, dim=-1)),
        "The heads stand in front of the batch, [2, B, T, K]. Batch comes first: [B, 2, T, K]. Counted from "
        "the end, the heads belong at dimension -3.",
    ),
]

MERGES: list[Misconception] = [
    Misconception(
        "no transpose",
        lambda heads: heads.reshape(*heads.shape[:-3], heads.shape[-2], -1),
        "You reshaped [2, T, K] straight to [T, d]. A reshape reads the numbers in their order, all of "
        "head 1 first: vectors of different tokens end up in one row. Swap heads and tokens first.",
    ),
    Misconception(
        "every second number",
        lambda heads: heads.movedim(-3, -1).flatten(-2),
        "The two heads are interleaved, a number of one and a number of the other. They should stand side by "
        "side: all K of head 1, then all K of head 2.",
    ),
    Misconception(
        "added",
        lambda heads: heads.sum(-3),
        "You added the heads up. Then nobody can tell any more which number came from which head; put them "
        "side by side.",
    ),
    Misconception(
        "averaged",
        lambda heads: heads.mean(-3),
        "You averaged the heads, which is the very mixture that heads are there to avoid. Put them side by "
        "side.",
    ),
    Misconception(
        "heads stacked",
        lambda heads: heads.flatten(-3, -2),
        "You put the heads below one another, [2 T, K]. Each token should have one row with both parts.",
    ),
    Misconception(
        "other order",
        lambda heads: merge(heads.flip(-3)),
        "The heads stand in the wrong order: head 1 comes first.",
    ),
]

Five = Callable[[Tensor, Tensor, Tensor, Tensor, Tensor], Tensor]


def _variant(merged: Callable[[Tensor], Tensor] = merge, axis: int = -1) -> Five:
    """Return two heads that are put together, or whose shares are made, in another way."""

    def computed(X: Tensor, W_q: Tensor, W_k: Tensor, W_v: Tensor, W_o: Tensor) -> Tensor:
        query, key, value = split(X @ W_q), split(X @ W_k), split(X @ W_v)
        scores = query @ key.mT / math.sqrt(query.shape[-1])
        return merged(torch.softmax(scores, dim=axis) @ value) @ W_o

    return computed


WHOLE = [
    Misconception(
        "one head",
        _one_head,
        "That is one head as wide as the vectors: the split is missing. Cut queries, keys and values in "
        "two, and let each half attend by itself.",
    ),
    Misconception(
        "scale of the whole vector",
        lambda X, W_q, W_k, W_v, W_o: multi_head(X, W_q, W_k, W_v, W_o, scale=1 / math.sqrt(X.shape[-1])),
        "You divided the scores by √d. A head multiplies K numbers with K numbers, so its scores spread like "
        "√K: divide by that.",
    ),
    Misconception(
        "no scale",
        lambda X, W_q, W_k, W_v, W_o: multi_head(X, W_q, W_k, W_v, W_o, scale=1.0),
        "The scores are not scaled. Divide them by √K, the width of a head.",
    ),
    Misconception(
        "no projection",
        lambda X, W_q, W_k, W_v, W_o: multi_head(X, W_q, W_k, W_v, torch.eye(len(W_o), dtype=W_o.dtype)),
        "The last step is missing: the heads side by side, times W_o.",
    ),
    Misconception(
        "merged without a transpose",
        _variant(lambda heads: heads.reshape(*heads.shape[:-3], heads.shape[-2], -1)),
        "The attention is right, the concatenation is not: a reshape from [2, T, K] to [T, d] mixes tokens. "
        "Swap heads and tokens first.",
    ),
    Misconception(
        "wrong axis",
        _variant(axis=-2),
        "The columns of your weights sum to one where the rows should: the softmax belongs to `dim=-1`.",
    ),
    Misconception(
        "matrices transposed",
        lambda X, W_q, W_k, W_v, W_o: multi_head(X, W_q.mT, W_k.mT, W_v.mT, W_o.mT),
        "You multiplied by the transposed matrices, as `nn.Linear` does. Here X stands on the "
        "left and the matrices are used as they are: `X @ W_q`.",
    ),
]

SUMS = [
    Misconception(
        "same rows for all",
        lambda heads, W_o: heads.sum(-3) @ W_o[: heads.shape[-1]],
        "Every head met the same rows of W_o. The first K rows belong to head 1, the next K to head 2.",
    ),
    Misconception(
        "columns",
        lambda heads, W_o: merge(heads) @ W_o.mT,
        "You took columns of W_o for rows. The heads stand on the left of W_o, so head 1 meets its first "
        "K rows. (`nn.Linear` stores its matrix transposed; there it would be columns.)",
    ),
    Misconception(
        "not added",
        lambda heads, W_o: heads @ W_o.unflatten(0, (HEADS, -1)),
        "You have what each head brings, one below the other. Add the heads up.",
    ),
    Misconception(
        "only the first head",
        lambda heads, W_o: heads[..., 0, :, :] @ W_o[: heads.shape[-1]],
        "That is what the first head brings. Add what the second does.",
    ),
]
