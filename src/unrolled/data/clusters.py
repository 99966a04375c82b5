r"""Do vectors of one kind stand together, apart from those of another? Taught in chapter 11.

Four measures of a cloud of points ``[N, D]``, by Euclidean distance. Two are given the kinds and ask whether
they show (nearest centroid, silhouette); one is not, and has to find them (k-means, held against the kinds by
purity).
"""

import math

import torch
from torch import Generator, Tensor

from unrolled.shapes import check_shape

__all__ = ["k_means", "leave_one_out", "nearest_centroid", "principal_plane", "purity", "silhouette"]

_ROUNDS = 100  # k-means settles long before


def _kinds(vectors: Tensor, labels: Tensor) -> int:
    """Return how many kinds there are, after a look at the shapes."""
    check_shape("vectors", vectors, "N D")
    check_shape("labels", labels, "N", N=len(vectors))
    counts = torch.bincount(labels)
    if len(counts) < 2 or counts.min() < 2:
        raise ValueError(f"labels: expected two kinds or more, two of each or more, got {counts.tolist()}")
    return len(counts)


def _distances(a: Tensor, b: Tensor) -> Tensor:
    # Differences, not products: equal vectors are exactly equally far, and a tie goes to the first.
    return (a[:, None] - b).square().sum(-1).sqrt()  # [N, M]


def nearest_centroid(known: Tensor, labels: Tensor, asked: Tensor) -> Tensor:
    """Return for each vector in `asked` the kind whose mean is nearest, ``[M]``.

    Args:
        known: vectors whose kind is known, ``[N, D]``.
        labels: their kinds, from 0, ``[N]``.
        asked: ``[M, D]``.

    Raises:
        ShapeError: the shapes do not belong together.
        ValueError: there are fewer than two kinds, or fewer than two of one.
    """
    kinds = _kinds(known, labels)
    check_shape("asked", asked, "M D", D=known.shape[1])
    centroids = torch.stack([known[labels == k].mean(0) for k in range(kinds)])  # [k, D]
    return _distances(asked, centroids).argmin(1)


def leave_one_out(vectors: Tensor, labels: Tensor) -> Tensor:
    """Return for each vector the kind whose mean is nearest, ``[N]``, when it does not count in any mean.

    Raises:
        ShapeError, ValueError: see `nearest_centroid`.
    """
    kinds = _kinds(vectors, labels)
    nearest = []
    for i in range(len(labels)):
        others = torch.arange(len(labels)) != i
        centroids = torch.stack([vectors[others & (labels == k)].mean(0) for k in range(kinds)])
        nearest.append(_distances(vectors[i : i + 1], centroids).argmin(1))
    return torch.cat(nearest)


def silhouette(vectors: Tensor, labels: Tensor) -> float:
    r"""Return the mean silhouette, from -1 to 1: how much nearer the own kind is than the next.

    .. math::  s_i = \frac{b_i - a_i}{\max(a_i, b_i)}

    with :math:`a_i` the mean distance to the others of the own kind, and :math:`b_i` that to the nearest
    other kind. Where both are 0 it is 0.

    Raises:
        ShapeError, ValueError: see `nearest_centroid`.

    Reference:
        Rousseeuw, Silhouettes: a graphical aid to the interpretation and validation of cluster analysis,
        1987.
    """
    kinds = _kinds(vectors, labels)
    vectors = vectors.detach().double()
    member = torch.nn.functional.one_hot(labels, kinds).double()  # [N, k]
    # In parts: N x N differences of D numbers would be large.
    sums = torch.cat([_distances(part, vectors) @ member for part in torch.split(vectors, 64)])  # [N, k]
    own = member.bool()
    a = sums[own] / (member.sum(0)[labels] - 1)
    b = (sums / member.sum(0)).masked_fill(own, math.inf).min(1).values
    return float(((b - a) / torch.maximum(a, b).clamp_min(1e-300)).mean())


def k_means(vectors: Tensor, k: int, *, seed: int = 0, starts: int = 20) -> Tensor:
    """Return which of `k` clusters each vector falls into, ``[N]``; nobody says what the clusters are.

    Lloyd's rounds from `starts` choices of first centres (k-means++); the tightest outcome is kept.

    Raises:
        ShapeError: `vectors` is not ``[N, D]``.
        ValueError: `k` is not from 1 to the number of vectors, or `starts` is below 1.

    Reference:
        Arthur and Vassilvitskii, k-means++: the advantages of careful seeding, 2007.
    """
    check_shape("vectors", vectors, "N D")
    if not 1 <= k <= len(vectors):
        raise ValueError(f"k: expected 1 to {len(vectors)} clusters, got {k}")
    if starts < 1:
        raise ValueError(f"starts: expected 1 or more, got {starts}")
    vectors = vectors.double()
    g = Generator().manual_seed(seed)
    outcomes = [_settle(vectors, _first_centres(vectors, k, g)) for _ in range(starts)]
    return min(outcomes, key=lambda outcome: outcome[0])[1]


def _first_centres(vectors: Tensor, k: int, g: Generator) -> Tensor:
    """Draw centres one after another, each with a chance that grows with its distance from the others."""
    chosen = [int(torch.randint(len(vectors), (), generator=g))]
    while len(chosen) < k:
        gaps = _distances(vectors, vectors[chosen]).min(1).values.square()
        chances = gaps if gaps.sum() > 0 else torch.ones_like(gaps)
        chosen.append(int(torch.multinomial(chances, 1, generator=g)))
    return vectors[chosen]


def _settle(vectors: Tensor, centres: Tensor) -> tuple[float, Tensor]:
    """Return the summed squared distance and the clusters, when nothing moves any more."""
    clusters = _distances(vectors, centres).argmin(1)
    for _ in range(_ROUNDS):
        # A cluster that lost all its members keeps its centre.
        centres = torch.stack(
            [vectors[clusters == i].mean(0) if (clusters == i).any() else c for i, c in enumerate(centres)]
        )
        nearest = _distances(vectors, centres).argmin(1)
        if torch.equal(nearest, clusters):
            break
        clusters = nearest
    return float((vectors - centres[clusters]).square().sum()), clusters


def purity(clusters: Tensor, labels: Tensor) -> float:
    """Return the share of vectors that are of the most frequent kind in their cluster; 1 is a perfect find.

    Raises:
        ShapeError: `clusters` and `labels` are not both ``[N]``.
        ValueError: there is no vector.
    """
    check_shape("clusters", clusters, "N")
    check_shape("labels", labels, "N", N=len(clusters))
    if not len(labels):
        raise ValueError("labels: expected one or more, got none")
    best = [int(labels[clusters == i].bincount().max()) for i in set(clusters.tolist())]
    return sum(best) / len(labels)


def principal_plane(vectors: Tensor) -> tuple[Tensor, float]:
    """Return the vectors seen from where they spread most, ``[N, 2]``, and the share of the spread one sees.

    The first two principal components. Of the two signs each could have, the one is taken that makes its
    largest entry positive. Vectors that are all the same lie in the middle, and the share is 0.

    Raises:
        ShapeError: `vectors` is not ``[N, D]``.
        ValueError: N or D is below two.
    """
    check_shape("vectors", vectors, "N D")
    if min(vectors.shape) < 2:
        raise ValueError(f"vectors: expected two or more, of two numbers or more, got {list(vectors.shape)}")
    centred = vectors.double() - vectors.double().mean(0)
    left, spread, _ = torch.linalg.svd(centred, full_matrices=False)
    points = left[:, :2] * spread[:2]
    points = points * points.gather(0, points.abs().argmax(0, keepdim=True)).sign()
    total = spread.square().sum()
    return points, float(spread[:2].square().sum() / total) if total > 1e-20 else 0.0
