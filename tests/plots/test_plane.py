"""The plane: points where they belong, labels that cover nothing, arrows that point the right way."""

import itertools
import math
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt

from unrolled.plots import plane

CROWD = [[1.0, 0.2], [1.0, 0.3], [0.9, 0.25], [-1.0, 0.5], [0.95, 0.15]]
NAMES = ["bears", "bears won", "bears eat", "honey", "game"]


@pytest.mark.parametrize("points", [CROWD, np.array(CROWD), torch.tensor(CROWD, requires_grad=True)])
def test_points_stand_where_they_belong(points: Any) -> None:
    ax = plane(points, NAMES)
    np.testing.assert_allclose(np.column_stack(ax.lines[0].get_data()), CROWD, atol=1e-6)
    assert ax.get_aspect() == 1


def test_labels_of_a_crowd_do_not_overlap_and_stay_inside() -> None:
    ax = plane(CROWD, NAMES)
    ax.figure.canvas.draw()
    texts = [t for t in ax.texts if t.get_text()]
    assert [t.get_text() for t in texts] == NAMES
    boxes = [t.get_window_extent() for t in texts]
    assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))
    dots = ax.transData.transform(CROWD)
    assert not any(box.contains(x, y) for box in boxes for x, y in dots)
    frame = ax.get_window_extent()
    assert all(frame.contains(box.x0, box.y0) and frame.contains(box.x1, box.y1) for box in boxes)


def test_a_label_is_nearest_to_its_own_point_even_where_another_place_is_emptier() -> None:
    points = {
        "bears": (-0.16, -0.12), "honey": (-0.05, 2.35), "forest": (-0.09, 2.08), "grief": (-2.14, -1.15),
        "burden": (-2.0, -1.16), "trophy": (2.05, -1.04), "goalkeeper": (2.18, -1.3), "today": (0.06, -0.12),
        "she": (-0.04, -0.28), "I love bears": (-0.05, 0.41), "She bears the pain": (-0.71, -0.73),
        "Bears won the game": (0.81, -0.85),
    }  # fmt: skip
    ax = plane(list(points.values()), list(points), arrows=[(0, 9), (0, 10), (0, 11)])
    dots = ax.transData.transform(list(points.values()))
    frame = ax.get_window_extent()
    texts = {t.get_text(): t for t in ax.texts if t.get_text()}
    assert list(texts) == list(points)
    boxes = {name: text.get_window_extent() for name, text in texts.items()}
    for own, (name, box) in enumerate(boxes.items()):
        gaps = [math.hypot(max(0, box.x0 - x, x - box.x1), max(0, box.y0 - y, y - box.y1)) for x, y in dots]
        others = gaps[:own] + gaps[own + 1 :]
        # By five pixels where there is room. These stand too close to others for that, but no label strays.
        crowded = name in {"bears", "today", "she", "grief", "burden"}
        assert min(others) - gaps[own] > (0 if crowded else 5), name
        assert frame.padded(1).contains(box.x0, box.y0), name
        assert frame.padded(1).contains(box.x1, box.y1), name
    assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes.values(), 2))
    lines = [t for t in ax.texts if not t.get_text() and t.get_zorder() == 1]
    assert lines == []  # no label had to go so far that it needs a line


def test_an_arrow_runs_from_its_first_point_to_its_second() -> None:
    ax = plane(CROWD, [""] * 5, arrows=[(3, 0)])
    (arrow,) = ax.texts
    assert arrow.xyann == tuple(CROWD[3])
    assert arrow.xy == tuple(CROWD[0])


def test_vectors_start_at_the_origin() -> None:
    ax = plane([[1.0, 2.0]], [""], vectors=True)
    (arrow,) = ax.texts
    assert arrow.xyann == (0, 0)
    assert arrow.xy == (1, 2)


def test_groups_have_their_own_colour_and_marker_and_a_legend() -> None:
    ax = plane(CROWD, NAMES, groups=["animal", "team", "animal", "animal", "team"])
    animal, team = ax.lines[:2]
    assert animal.get_color() != team.get_color()
    assert animal.get_marker() != team.get_marker()
    np.testing.assert_allclose(np.column_stack(team.get_data()), [CROWD[1], CROWD[4]])
    (legend,) = ax.figure.legends
    assert [t.get_text() for t in legend.get_texts()] == ["animal", "team"]


def test_the_plane_draws_on_the_axes_it_is_given() -> None:
    _, (left, right) = plt.subplots(1, 2)
    assert plane(CROWD, NAMES, groups=["a", "b", "a", "b", "a"], ax=right, title="x̂") is right
    assert right.get_legend() is not None
    assert not left.lines


@pytest.mark.parametrize("points", [[[0.0, 0.0]], [[3.0, 3.0]]])
def test_a_single_point_can_be_drawn(points: Any) -> None:
    ax = plane(points, ["$only_"])
    ax.figure.canvas.draw()
    assert np.ptp(ax.get_xlim()) > 1


@pytest.mark.parametrize(
    ("arguments", "kind", "says"),
    [
        (
            ([[1, 2, 3]], ["a"]),
            ValueError,
            r"points: expected shape \[1, 2\], one row per label, got \[1, 3\]",
        ),
        (([[1, 2]], ["a", "b"]), ValueError, r"expected shape \[2, 2\], one row per label, got \[1, 2\]"),
        (
            ([[1, math.nan]], ["a"]),
            ValueError,
            r"points\[0, 1\] \(a → y\): expected a finite number, got nan",
        ),
        (([[1, 2]], "a"), TypeError, "labels: expected a list of texts"),
        (([["x", 2]], ["a"]), TypeError, "points: expected numbers"),
    ],
)
def test_bad_points_are_refused(arguments: Any, kind: type[Exception], says: str) -> None:
    with pytest.raises(kind, match=says):
        plane(*arguments)


@pytest.mark.parametrize(
    ("options", "kind", "says"),
    [
        ({"arrows": [(0, 9)]}, IndexError, r"arrows\[0\]: expected point numbers from 0 to 4, got \(0, 9\)"),
        ({"arrows": [("a", "b")]}, TypeError, r"arrows\[0\]: expected a pair of point numbers"),
        ({"groups": ["a"]}, ValueError, "groups: expected 5 labels, got 1"),
    ],
)
def test_bad_options_are_refused(options: dict[str, Any], kind: type[Exception], says: str) -> None:
    with pytest.raises(kind, match=says):
        plane(CROWD, NAMES, **options)


def test_more_groups_than_colours_are_refused() -> None:
    with pytest.raises(ValueError, match="groups: expected at most 6, got 7"):
        plane(np.eye(7)[:, :2], [""] * 7, groups=list("abcdefg"))
