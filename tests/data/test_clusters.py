"""Measures of a cloud of points: by hand where that can be done, and on clouds whose answer is known."""

import math

import pytest
import torch

from unrolled.data.clusters import (
    k_means,
    leave_one_out,
    nearest_centroid,
    principal_plane,
    purity,
    silhouette,
)
from unrolled.shapes import ShapeError

POINTS = torch.tensor([[0.0, 0.0], [0.0, 2.0], [6.0, 0.0], [6.0, 2.0]])
LABELS = torch.tensor([0, 0, 1, 1])


def cloud(per_kind: int, apart: float, d: int = 5) -> tuple[torch.Tensor, torch.Tensor]:
    g = torch.Generator().manual_seed(7)
    labels = torch.arange(3).repeat_interleave(per_kind)
    return torch.randn(len(labels), d, generator=g) + apart * torch.eye(d)[labels], labels


def test_the_nearest_mean_by_hand() -> None:
    asked = torch.tensor([[2.9, 50.0], [3.1, -50.0], [3.0, 1.0]])
    assert nearest_centroid(POINTS, LABELS, asked).tolist() == [0, 1, 0], "a tie goes to the first"


def test_a_vector_does_not_vouch_for_itself() -> None:
    # With itself in the mean, the last would be nearest to its own kind: (0 + 9) / 2 = 4.5 is nearer than 4.
    points = torch.tensor([[4.0], [4.0], [0.0], [9.0]])
    assert nearest_centroid(points, LABELS, points)[3] == 1
    assert leave_one_out(points, LABELS).tolist() == [0, 0, 0, 0]
    vectors, labels = cloud(11, 50.0)
    assert torch.equal(leave_one_out(vectors, labels), labels)


def test_the_silhouette_by_hand() -> None:
    a, b = 2.0, (6.0 + math.sqrt(40)) / 2
    assert silhouette(POINTS, LABELS) == pytest.approx((b - a) / b)
    assert silhouette(torch.zeros(4, 3), LABELS) == 0.0
    crossed = torch.tensor([0, 1, 0, 1])
    assert silhouette(POINTS, crossed) == pytest.approx((4.162277 - 6) / 6, abs=1e-6)
    vectors, labels = cloud(67, 3.0)  # more than are compared at once
    direct = []
    for i in range(len(vectors)):
        gaps = (vectors - vectors[i]).norm(dim=1)
        means = [gaps[labels == k].sum() / ((labels == k).sum() - (labels[i] == k).int()) for k in range(3)]
        own, other = means[labels[i]], min(m for k, m in enumerate(means) if k != labels[i])
        direct.append((other - own) / max(own, other))
    assert silhouette(vectors, labels) == pytest.approx(float(torch.stack(direct).mean()), abs=1e-6)


def test_k_means_finds_what_lies_apart_and_repeats() -> None:
    vectors, labels = cloud(17, 12.0)
    clusters = k_means(vectors, 3)
    assert purity(clusters, labels) == 1.0
    assert torch.equal(clusters, k_means(vectors, 3))
    mixed, labels = cloud(17, 0.0)
    assert 1 / 3 <= purity(k_means(mixed, 3), labels) < 0.7
    assert k_means(torch.zeros(5, 2), 3).shape == (5,), "fewer places than clusters"


def test_k_means_keeps_the_tightest_outcome() -> None:
    vectors, _ = cloud(13, 1.0)

    def spread(clusters: torch.Tensor) -> float:
        return sum(
            float((vectors[clusters == i] - vectors[clusters == i].mean(0)).square().sum()) for i in range(5)
        )

    one, many = (spread(k_means(vectors, 5, seed=3, starts=starts)) for starts in (1, 40))
    assert many < one


def test_purity_by_hand() -> None:
    assert purity(torch.tensor([0, 0, 0, 2]), torch.tensor([0, 0, 1, 1])) == 0.75


def test_the_plane_sees_the_widest_spread() -> None:
    g = torch.Generator().manual_seed(5)
    flat = torch.randn(19, 2, generator=g, dtype=torch.float64) * torch.tensor([5.0, 2.0])
    turn = torch.linalg.qr(torch.randn(7, 7, generator=g, dtype=torch.float64)).Q
    points, share = principal_plane(flat @ turn[:2] + 3)
    assert share == pytest.approx(1.0)
    torch.testing.assert_close(torch.cdist(points, points), torch.cdist(flat, flat))
    assert points.var(0)[0] > points.var(0)[1]
    assert (points.gather(0, points.abs().argmax(0, keepdim=True)) > 0).all()
    points, share = principal_plane(torch.ones(4, 3))
    assert (points.abs().max(), share) == (0.0, 0.0)


def test_bad_input_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"labels: expected two kinds or more, two of each or more, got \[3"):
        silhouette(torch.zeros(4, 2), torch.tensor([0, 0, 0, 1]))
    with pytest.raises(ShapeError, match="labels"):
        leave_one_out(POINTS, LABELS[:3])
    with pytest.raises(ShapeError, match="asked"):
        nearest_centroid(POINTS, LABELS, torch.zeros(2, 3))
    with pytest.raises(ValueError, match="k: expected 1 to 4 clusters, got 5"):
        k_means(POINTS, 5)
    with pytest.raises(ValueError, match="starts: expected 1 or more, got 0"):
        k_means(POINTS, 2, starts=0)
    with pytest.raises(ValueError, match="vectors: expected two or more"):
        principal_plane(torch.zeros(1, 3))
