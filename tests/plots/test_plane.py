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
