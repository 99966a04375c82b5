r"""The words of the bears corpus as points in a plane, for the picture one can drag. Taught in chapter 4.

Two directions of the counts alone do not keep three senses apart: with d = 2, plain self-attention gets many
plain sentences wrong. So the plane is a *supervised* projection of longer vectors :math:`X` ``[V, D]``. Least
squares asks for the linear map that sends each cue word to the corner of its sense and every other word to
the middle,

.. math::  W = \arg\min_W \lVert X W - Y \rVert^2, \qquad Y_w = \text{corner of } w\text{'s sense, or } 0.

The corners are ours: animal at the top, endure at the lower left, team at the lower right. So is the weight
of "bears", which counts twenty times in the fit, to keep it near the middle: left to itself it leans to the
verbs, its like in place and company, and "i love bears" would end nearest to endure. The fit is linear and
cannot please everyone: some neutral words keep a distance from the middle.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from unrolled.data.bears import SENSES, corpus, cue_words
from unrolled.data.word_vectors import WordVectors, word_vectors

__all__ = ["DECIMALS", "RADIUS", "Plane", "bears_plane", "plane"]

# The point farthest from the middle lies this far from it. The size matters: plain dot products grow with its
# square, and so does the sharpness of the softmax over them.
RADIUS = 3.0

# Linear algebra in threads and vector units adds in an order that differs from run to run, and so do the last
# digits of what it gives. Without them two builds of the book hold the same points.
DECIMALS = 6

_BEARS_WEIGHT = 20.0
_ANGLES = {"animal": 90, "endure": 210, "team": 330}  # degrees, counter-clockwise from the right


@dataclass(frozen=True)
class Plane:
    """Words as points.

    Attributes:
        vectors: a point per word, ``[V, 2]``: right and up.
        landmarks: the mean of each sense's cue words, ``[2]``.
    """

    vectors: WordVectors
    landmarks: dict[str, Tensor]


def plane(vectors: WordVectors) -> Plane:
    """Project word vectors ``[V, D]`` to a plane with one corner per sense, rounded to `DECIMALS`.

    Raises:
        KeyError: a cue word of the bears corpus has no vector.
        ValueError: there are fewer words than components per word, so that any map would fit, or
            all of them are zeros.
    """
    n_words, d = vectors.matrix.shape
    if n_words <= d:
        raise ValueError(f"vectors: expected more words than components per word, got {n_words} and {d}")
    x = vectors.matrix.double()
    x = x / x.norm(dim=1, keepdim=True).clamp_min(1e-12)  # how often a word is met should not move it
    target = torch.zeros(n_words, 2, dtype=torch.float64)
    for sense in SENSES:
        angle = math.radians(_ANGLES[sense])
        corner = torch.tensor([math.cos(angle), math.sin(angle)], dtype=torch.float64)
        target[vectors.ids(cue_words(sense))] = corner
    weight = torch.tensor([_BEARS_WEIGHT if word == "bears" else 1.0 for word in vectors.words])
    weight = weight.to(x).sqrt()[:, None]
    points = x @ torch.linalg.lstsq(weight * x, weight * target).solution  # [V, 2]
    farthest = points.norm(dim=1).max()
    if farthest == 0:
        raise ValueError("vectors: expected some that are not all zeros, got none")
    points = points * (RADIUS / farthest)
    flat = WordVectors(vectors.words, points.round(decimals=DECIMALS))
    means = {sense: flat.lookup(cue_words(sense)).mean(0) for sense in SENSES}
    return Plane(flat, {sense: mean.round(decimals=DECIMALS) for sense, mean in means.items()})


def bears_plane(seed: int = 0) -> Plane:
    """Return the plane of the course's widget: vectors of 32 numbers, counted four words far, projected."""
    return plane(word_vectors([sentence.words for sentence in corpus(seed=seed)], 32, window=4))
