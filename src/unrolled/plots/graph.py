"""Attention as a directed graph: who hands something to whom, and how much."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch
from matplotlib.path import Path
from numpy.typing import NDArray

from unrolled.plots import _arrays
from unrolled.plots.heatmap import SLACK
from unrolled.plots.style import COLOURS, INK, axes_or_new, freeze, style

__all__ = ["graph"]

SIZE = 3.2
SMALL = 9.0
BEND = 0.17
NODE = 0.26  # what an arrow keeps off a node's middle, where the circle has radius 1
Point = tuple[float, float]


def graph(
    weights: Any,
    tokens: Sequence[str],
    keys: Sequence[str] | None = None,
    *,
    least: float = 0.01,
    numbers: bool = True,
    ax: Axes | None = None,
    title: str | None = None,
) -> Axes:
    """Draw attention as arrows from the token looked at to the one that looks, as wide as the weight.

    Within one sequence the tokens stand in a circle, and a loop is its attention to itself. Between two,
    those looked at stand on the left and those that look on the right.

    Args:
        weights: attention weights ``[T, S]``: a tensor, an array or nested lists.
        tokens: the T tokens that look, and also those looked at unless `keys` are given.
        keys: the S tokens that are looked at, of another sequence.
        least: weights below this have no arrow.
        numbers: write each weight at its arrow.
        ax: where to draw; a new figure unless given.
        title: a line above.

    Raises:
        TypeError: weights or tokens are of another kind.
        ValueError: shapes and labels disagree, a weight is not finite or not between 0 and 1, or there are
            more than 8 tokens.
    """
    names = _arrays.labels("tokens", tokens)
    others = names if keys is None else _arrays.labels("keys", keys)
    array = _arrays.numbers("weights", weights, ("tokens", "keys"), (names, others))
    if array.shape != (len(names), len(others)):
        raise ValueError(
            f"weights: expected shape [{len(names)}, {len(others)}], one row and one column per label, got "
            f"{list(array.shape)}"
        )
    if max(array.shape) > 8:
        raise ValueError(
            f"graph: expected at most 8 tokens, got {max(array.shape)}: draw plots.attention_map"
        )
    if (array < -SLACK).any() or (array > 1 + SLACK).any():
        i, j = np.argwhere((array < -SLACK) | (array > 1 + SLACK))[0]
        raise ValueError(f"weights[{i}, {j}]: expected a weight between 0 and 1, got {array[i, j]:g}")
    with style():
        own, ax = ax is None, axes_or_new(ax, SIZE, SIZE)
        ax.set_axis_off()
        ax.set_aspect("equal")
        if keys is None:
            _circle(ax, array, names, least, numbers)
        else:
            _columns(ax, array, names, others, least, numbers)
        if title is not None:
            ax.set_title(title)
        if own:
            freeze(ax)
    return ax


def _circle(ax: Axes, array: NDArray[Any], names: list[str], least: float, numbers: bool) -> None:
    count = len(names)
    # The first token stands at the upper left, the next to its right, as in a sentence.
    start = math.pi / 2 + (math.pi / count if count > 1 else 0)
    angles = [start - 2 * math.pi * n / count for n in range(count)]
    at = [(math.cos(a), math.sin(a)) for a in angles]
    for i, j in np.argwhere(array >= least):
        if i == j:
            _loop(ax, at[i], angles[i], array[i, i], numbers)
        else:
            _arrow(ax, at[j], at[i], array[i, j], BEND, numbers)
    for (x, y), name in zip(at, names, strict=True):
        _node(ax, x, y, name)
    ax.set_xlim(-2.0, 2.0)
    low, high = min(y for _, y in at), max(y for _, y in at)
    ax.set_ylim(low - 1.05, high + 1.0)


def _columns(
    ax: Axes, array: NDArray[Any], names: list[str], others: list[str], least: float, numbers: bool
) -> None:
    tall = max(len(names), len(others))
    height = 0.75 * (tall - 1)

    def column(count: int, x: float) -> list[Point]:
        return [(x, height * (0.5 - (n + 0.5) / count) * tall / max(tall - 1, 1)) for n in range(count)]

    left, right = column(len(others), -1.0), column(len(names), 1.0)
    for i, j in np.argwhere(array >= least):
        _arrow(ax, left[j], right[i], array[i, j], 0.0, numbers and array[i, j] >= 0.3, along=0.3)
    for (x, y), name in [*zip(left, others, strict=True), *zip(right, names, strict=True)]:
        _node(ax, x, y, name)
    ax.set_xlim(-1.75, 1.75)
    ax.set_ylim(-height / 2 - 0.5, height / 2 + 0.5)


def _node(ax: Axes, x: float, y: float, name: str) -> None:
    ax.text(x, y, name, ha="center", va="center", color=INK, parse_math=False, zorder=3)


def _patch(ax: Axes, weight: float, **way: Any) -> None:
    width = 0.5 + 3.5 * weight
    ax.add_patch(
        FancyArrowPatch(
            mutation_scale=1,
            arrowstyle=f"-|>,head_length={3.5 + 1.6 * width},head_width={1.4 + 1.1 * width}",
            linewidth=width, color=COLOURS[0], shrinkA=0, shrinkB=0, capstyle="butt", joinstyle="miter",
            zorder=2, **way,
        )
    )  # fmt: skip


def _arrow(
    ax: Axes, start: Point, end: Point, weight: float, bend: float, numbers: bool, along: float = 0.5
) -> None:
    """Draw an arrow between two nodes that keeps off their names, and its number beside it."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = math.hypot(dx, dy)
    ux, uy = dx / length, dy / length
    keep = NODE + 0.12 * abs(ux)  # names are wider than high
    a = (start[0] + keep * ux, start[1] + keep * uy)
    b = (end[0] - keep * ux, end[1] - keep * uy)
    _patch(ax, weight, posA=a, posB=b, connectionstyle=f"arc3,rad={bend}")
    if numbers:
        # arc3 bends to the right of its direction, by half of rad times the length in the middle.
        off = 0.5 * bend * math.dist(a, b) + 0.15
        x, y = a[0] + along * (b[0] - a[0]) + off * uy, a[1] + along * (b[1] - a[1]) - off * ux
        _number(ax, x, y, weight)


def _loop(ax: Axes, at: Point, angle: float, weight: float, numbers: bool) -> None:
    """Draw how much a token attends to itself: a loop on the outer side of its node."""
    x, y = at
    ends = [
        (x + far * 1.25 * math.cos(angle + turn), y + far * math.sin(angle + turn))
        for far, turn in ((0.24, 0.75), (0.85, 0.62), (0.85, -0.62), (0.27, -0.75))
    ]
    _patch(ax, weight, path=Path(ends, [Path.MOVETO, *[Path.CURVE4] * 3]))
    if numbers:
        _number(ax, x + 0.92 * 1.1 * math.cos(angle), y + 0.88 * math.sin(angle), weight)


def _number(ax: Axes, x: float, y: float, weight: float) -> None:
    ax.text(x, y, f"{weight:.2f}", ha="center", va="center", fontsize=SMALL, color=INK, zorder=4)
