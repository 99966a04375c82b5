"""The checks of chapter 11, masked language modelling.

Each takes the function a learner wrote and returns a `Result`; see `unrolled.exercises.self_attention`.
"""

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from unrolled.data.special import SPECIAL
from unrolled.exercises._check import Case, Exercise, Misconception
from unrolled.exercises._draw import gaussian, ids
from unrolled.exercises.result import Result

__all__ = ["check_hide", "check_masked_loss", "check_nearest"]

# B, T and V are different primes, so that no wrong axis fits by chance.
SHAPES = [(2, 5), (3, 7)]
VOCABULARY = 11


def _tokens(shape: tuple[int, int]) -> Tensor:
    return ids(VOCABULARY, *shape, low=len(SPECIAL))


def _hidden(shape: tuple[int, int]) -> Tensor:
    hidden = gaussian(*shape, seed=2) < -0.25  # two of five, more or less
    hidden[0, :2] = torch.tensor([True, False])  # some of either kind, whatever was drawn
    return hidden


def check_hide(fn: object) -> Result:
    """Check ``fn(tokens, hidden)``: the mask in the hidden places, [B, T] and [B, T] -> [B, T]."""
    cases = [Case({"tokens": _tokens(shape), "hidden": _hidden(shape)}) for shape in SHAPES]
    return Exercise("hidden tokens", _hide, cases, HIDES).check(fn)


def check_masked_loss(fn: object) -> Result:
    """Check ``fn(logits, tokens, hidden)``: the mean surprise over hidden places, one number."""
    cases = [
        Case(
            {
                "logits": 2 * gaussian(*shape, VOCABULARY),
                "tokens": _tokens(shape),
                "hidden": _hidden(shape),
            }
        )
        for shape in SHAPES
    ]
    return Exercise("loss", _loss, cases, LOSSES).check(fn)


def check_nearest(fn: object) -> Result:
    """Check ``fn(vectors, centroids)``: which centroid is nearest, [N, d] and [C, d] -> [N]."""
    cases = []
    for n, c, d in ((7, 3, 5), (11, 5, 2)):
        lengths = torch.linspace(0.5, 3, c, dtype=torch.float64)[:, None]  # so that dot products mislead
        cases.append(Case({"vectors": gaussian(n, d, seed=4), "centroids": lengths * gaussian(c, d)}))
    return Exercise("nearest", _nearest, cases, NEAREST).check(fn)


def _hide(tokens: Tensor, hidden: Tensor) -> Tensor:
    return tokens.masked_fill(hidden, SPECIAL.mask)


def _surprise(logits: Tensor, tokens: Tensor) -> Tensor:
    return -logits.log_softmax(-1).gather(-1, tokens[..., None])[..., 0]  # [B, T]


def _loss(logits: Tensor, tokens: Tensor, hidden: Tensor) -> Tensor:
    return cross_entropy(logits[hidden], tokens[hidden])


def _nearest(vectors: Tensor, centroids: Tensor) -> Tensor:
    nearest: Tensor = (vectors[:, None] - centroids).norm(dim=-1).argmin(1)
    return nearest


HIDES = [
    Misconception(
        "the others hidden",
        lambda tokens, hidden: tokens.masked_fill(~hidden, SPECIAL.mask),
        "You hid the words that should stay. `hidden` is True where a word is hidden.",
    ),
    Misconception(
        "padding",
        lambda tokens, hidden: tokens.masked_fill(hidden, SPECIAL.pad),
        f"You put {SPECIAL.pad} into the gaps. That is padding, which nobody looks at; the mask is "
        f"`SPECIAL.mask`, {SPECIAL.mask}.",
    ),
    Misconception(
        "labels",
        lambda tokens, hidden: tokens.masked_fill(~hidden, -100),
        "You made the labels: −100 where nothing is asked. Asked for are the tokens the model sees.",
    ),
    Misconception(
        "unchanged", lambda tokens, hidden: tokens, "The tokens are as they were: nothing is hidden."
    ),
]

LOSSES = [
    Misconception(
        "all places",
        lambda logits, tokens, hidden: _surprise(logits, tokens).mean(),
        "You took the mean over all places. Only hidden ones count: the others can be seen.",
    ),
    Misconception(
        "divided by all",
        lambda logits, tokens, hidden: (_surprise(logits, tokens) * hidden).mean(),
        "The surprise of the hidden places is right, but you divided by the number of all places. Divide by "
        "how many are hidden.",
    ),
    Misconception(
        "sum",
        lambda logits, tokens, hidden: _surprise(logits, tokens)[hidden].sum(),
        "That is the sum over the hidden places. The loss is their mean.",
    ),
    Misconception(
        "sign",
        lambda logits, tokens, hidden: -_surprise(logits, tokens)[hidden].mean(),
        "The sign is wrong: a surprise is −ln p, and never negative.",
    ),
    Misconception(
        "probability",
        lambda logits, tokens, hidden: (
            logits.softmax(-1).gather(-1, tokens[..., None])[..., 0][hidden].mean()
        ),
        "That is the mean probability of the right words. The loss is the mean of −ln p.",
    ),
]

NEAREST = [
    Misconception(
        "farthest",
        lambda vectors, centroids: (vectors[:, None] - centroids).norm(dim=-1).argmax(1),
        "Those are the farthest centroids. Take the smallest distance: argmin.",
    ),
    Misconception(
        "dot product",
        lambda vectors, centroids: (vectors @ centroids.mT).argmax(1),
        "You took the largest dot product. A long centroid has large products with vectors far away; "
        "nearest means the smallest distance.",
    ),
    Misconception(
        "other axis",
        lambda vectors, centroids: (vectors[:, None] - centroids).norm(dim=-1).argmin(0),
        "You found the nearest vector of each centroid. Asked for is the nearest centroid of each vector.",
    ),
    Misconception(
        "distance",
        lambda vectors, centroids: (vectors[:, None] - centroids).norm(dim=-1).min(1).values,
        "Those are the distances to the nearest centroids. Asked for is which one it is: argmin.",
    ),
]
