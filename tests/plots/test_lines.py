"""Curves named at their ends, bars with their values, and bad input refused by name."""

import io
import itertools
import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import pyplot as plt

from unrolled.plots import bars, lines
from unrolled.plots.lines import _spread

X = [1, 2, 3]
SERIES = {"LSTM": [1.0, 0.5, 0.2], "attention": [1.0, 0.9, 0.81], "transformer": [1.0, 0.9, 0.8]}
AXES = {"xlabel": "length", "ylabel": "exact match"}


def test_curves_hold_their_numbers_and_differ_by_more_than_colour() -> None:
    ax = lines(torch.tensor(X), {name: np.array(y) for name, y in SERIES.items()}, **AXES)
    for line, (name, y) in zip(ax.lines, SERIES.items(), strict=True):
        assert line.get_label() == name
        np.testing.assert_allclose(line.get_data(), [X, y])
    assert len({line.get_color() for line in ax.lines}) == 3
    assert len({line.get_marker() for line in ax.lines}) == 3
    assert len({str(line._dash_pattern) for line in ax.lines}) == 3
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("length", "exact match")
    assert ax.get_legend() is None


def test_names_stand_at_the_ends_in_black_without_touching() -> None:
    ax = lines(X, SERIES, **AXES)
    ax.figure.canvas.draw()
    assert sorted(t.get_text() for t in ax.texts) == sorted(SERIES)
    assert {t.get_color() for t in ax.texts} == {"#000000"}
    for text in ax.texts:
        assert tuple(text.xy) == (3, SERIES[text.get_text()][-1])
    boxes = [t.get_window_extent() for t in ax.texts]
    heights = sorted(ax.transData.transform(t.xy)[1] + t.xyann[1] * ax.figure.dpi / 72 for t in ax.texts)
    assert all(b - a >= ax.texts[0].get_size() * ax.figure.dpi / 72 for a, b in itertools.pairwise(heights))
    assert all(box.x1 <= ax.figure.bbox.width for box in boxes)


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=6).map(sorted))
def test_spread_heights_are_apart_and_in_order_and_keep_their_mean(heights: list[float]) -> None:
    spread = _spread(heights, 10)
    assert all(b - a >= 10 - 1e-9 for a, b in itertools.pairwise(spread))
    assert np.mean(spread) == pytest.approx(np.mean(heights), abs=1e-9)


def test_heights_far_apart_stay_where_they_are() -> None:
    assert _spread([0, 50, 90], 10) == [0, 50, 90]


def test_bands_are_drawn_in_the_curve_s_colour() -> None:
    ax = lines(X, SERIES, bands={"LSTM": ([0.9, 0.4, 0.1], [1.0, 0.6, 0.3])}, **AXES)
    (band,) = ax.collections
    corners = band.get_paths()[0].vertices
    assert corners[:, 1].min() == pytest.approx(0.1)
    from matplotlib.colors import to_rgb

    assert tuple(band.get_facecolor()[0][:3]) == pytest.approx(to_rgb(ax.lines[0].get_color()))


def test_a_log_scale_is_one() -> None:
    assert lines(X, SERIES, yscale="log", **AXES).get_yscale() == "log"


def test_lines_draw_on_the_axes_they_are_given() -> None:
    _, (left, right) = plt.subplots(1, 2)
    assert lines(X, SERIES, ax=right, title="t", **AXES) is right
    assert not left.lines


@pytest.mark.parametrize(
    ("x", "series", "options", "kind", "says"),
    [
        (X, {"a": [1, 2]}, {}, ValueError, r"series\['a'\]: expected 3 values, one per x, got 2"),
        (
            X,
            {"a": [1, math.nan, 2]},
            {},
            ValueError,
            r"series\['a'\]\[1\]: expected a finite number, got nan",
        ),
        ([1, math.inf, 2], {"a": X}, {}, ValueError, r"x\[1\]: expected a finite number, got inf"),
        (X, {}, {}, ValueError, "series: expected 1 to 6 curves, got 0"),
        (X, {str(i): X for i in range(7)}, {}, ValueError, "got 7"),
        (X, {"a": "abc"}, {}, TypeError, r"series\['a'\]: expected numbers"),
        (
            X,
            {"a": [1, 0, 1]},
            {"yscale": "log"},
            ValueError,
            r"series\['a'\]\[1\]: expected a number above zero",
        ),
        (X, {"a": X}, {"yscale": "cubic"}, ValueError, "yscale: expected 'linear' or 'log', got 'cubic'"),
        (
            X,
            {"a": X},
            {"bands": {"b": (X, X)}},
            ValueError,
            r"bands: expected names of curves \(a\), got 'b'",
        ),
        (
            X,
            {"a": X},
            {"bands": {"a": ([9, 9, 9], X)}},
            ValueError,
            r"bands\['a'\]\[0\]: expected the lower bound",
        ),
    ],
)
def test_bad_curves_are_refused(x: Any, series: Any, options: Any, kind: type[Exception], says: str) -> None:
    with pytest.raises(kind, match=says):
        lines(x, series, **AXES, **options)


TABLE = [[0.33, 0.33], [1.0, 0.37], [1.0, 0.94]]
METHODS = ["none", "mean", "masked LM"]
KINDS = ["plain", "conflict"]


def test_bars_are_as_long_as_their_values_and_say_them() -> None:
    ax = bars(TABLE, METHODS, KINDS, xlabel="accuracy")
    widths = np.array([[bar.get_width() for bar in group] for group in ax.containers])
    np.testing.assert_allclose(widths.T, TABLE)
    assert [t.get_text() for t in ax.texts] == [f"{v:.2f}" for v in np.array(TABLE).T.ravel()]
    assert [t.get_text() for t in ax.get_yticklabels()] == METHODS
    assert ax.yaxis_inverted()
    (legend,) = ax.figure.legends
    assert [t.get_text() for t in legend.get_texts()] == KINDS
    assert ax.containers[0][0].get_hatch() != ax.containers[1][0].get_hatch()


def test_six_kinds_of_bars_are_light_enough_for_a_page() -> None:
    ax = bars([[0.1 * j for j in range(1, 7)]] * 3, METHODS, list("abcdef"), xlabel="accuracy")
    assert len({group[0].get_hatch() for group in ax.containers}) == 6
    drawn = io.StringIO()
    ax.figure.savefig(drawn, format="svg")
    assert len(drawn.getvalue()) < 60_000


def test_the_group_stands_beside_its_name() -> None:
    ax = bars(TABLE, METHODS, KINDS, xlabel="accuracy")
    middles = np.array([[bar.get_y() + bar.get_height() / 2 for bar in group] for group in ax.containers])
    np.testing.assert_allclose(middles.mean(axis=0), [0, 1, 2], atol=1e-12)


def test_chance_is_a_line_with_its_name() -> None:
    ax = bars(TABLE, METHODS, KINDS, xlabel="accuracy", chance=0.25, limit=2)
    assert list(ax.lines[0].get_xdata()) == [0.25, 0.25]
    assert "chance" in [t.get_text() for t in ax.texts]
    assert ax.get_xlim()[1] > 2


def test_names_keep_their_places_when_something_is_added_later() -> None:
    for ax in (lines(X, SERIES, **AXES), bars(TABLE, METHODS, KINDS, xlabel="accuracy")):
        before = ax.get_position().bounds
        ax.set_title("two\nlines")
        ax.figure.canvas.draw()
        assert ax.get_position().bounds == before
        assert ax.figure.get_size_inches()[0] == pytest.approx(4.4)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ([[1, 2]], r"values: expected shape \[3, 2\], got \[1, 2\]"),
        ([[1, 0], [1, -2], [0, 0]], r"values\[1, 1\] \(mean → conflict\): expected zero or more, got -2"),
        (
            [[1, 0], [1, math.nan], [0, 0]],
            r"values\[1, 1\] \(mean → conflict\): expected a finite number, got nan",
        ),
    ],
)
def test_bad_tables_are_refused(values: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        bars(values, METHODS, KINDS, xlabel="accuracy")
