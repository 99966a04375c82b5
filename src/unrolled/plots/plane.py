"""Vectors in the plane, with labels that keep out of one another's way."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.text import Annotation
from matplotlib.transforms import Bbox
from numpy.typing import NDArray

from unrolled.plots import _arrays
from unrolled.plots.style import (
    COLOURS,
    INK,
    MARKERS,
    WIDTH,
    axes_or_new,
    freeze,
    laid_out,
    legend_above,
    style,
)

__all__ = ["plane"]

# Where a label may stand, seen from its point; nearer and simpler places first.
PLACES = [
    (distance * dx, distance * dy, "left" if dx > 0 else "right" if dx < 0 else "center")
    for distance in (7, 14, 24, 36)
    for dx, dy in (
        (1, 0.5),
        (-1, 0.5),
        (1, -0.5),
        (-1, -0.5),
        (0, 1),
        (0, -1),
        (0.4, 1),
        (-0.4, 1),
        (0.4, -1),
        (-0.4, -1),
        (1, 1.6),
        (-1, 1.6),
        (1, -1.6),
        (-1, -1.6),
    )
]


# What a place costs: a square pixel outside the axes, one that covers something, a line to the point, and
# each pixel that is missing until every other point is CLEAR typographic points farther than the label's own.
OUTSIDE = 20.0
COVERED = 10.0
LEADER = 200.0
ASTRAY = 100.0
CLEAR = 6.0
ROUNDS = 8


def plane(
    points: Any,
    labels: Sequence[str],
    *,
    arrows: Iterable[tuple[int, int]] | None = None,
    groups: Sequence[str] | None = None,
    vectors: bool = False,
    ax: Axes | None = None,
    xlabel: str | None = None,
    ylabel: str | None = None,
    title: str | None = None,
) -> Axes:
    """Draw vectors of two numbers as labelled points of a plane whose axes have one scale.

    Args:
        points: ``[N, 2]``: a tensor, an array or nested lists.
        labels: N texts; an empty one leaves its point without a label.
        arrows: pairs ``(i, j)`` of rows: an arrow from point i to point j, such as from x to x̂.
        groups: N names; each group has a colour and a marker of its own, and a legend.
        vectors: also draw each vector from the origin.
        ax: where to draw; a new figure unless given.
        xlabel: a line beneath.
        ylabel: a line at the left.
        title: a line above.

    Raises:
        TypeError: points, labels or arrows are of another kind.
        ValueError: not two numbers per point, another number of labels or groups, or a number not finite.
        IndexError: an arrow names a point that is not there.
    """
    names = _arrays.labels("labels", labels)
    array = _arrays.numbers("points", points, ("points", "2"), (names, ("x", "y")))
    if array.shape != (len(names), 2):
        raise ValueError(
            f"points: expected shape [{len(names)}, 2], one row per label, got {list(array.shape)}"
        )
    members = [""] * len(names) if groups is None else _arrays.labels("groups", groups, len(names))
    kinds = list(dict.fromkeys(members))
    if len(kinds) > len(COLOURS):
        raise ValueError(f"groups: expected at most {len(COLOURS)}, got {len(kinds)}")
    pairs = _pairs(arrows, len(names))
    with style():
        own, ax = ax is None, axes_or_new(ax, WIDTH, WIDTH * 0.85)
        shown = []
        for kind, colour, marker in zip(kinds, COLOURS, MARKERS, strict=False):
            mine = array[[member == kind for member in members]]
            (points,) = ax.plot(*mine.T, marker, color=colour, markersize=7, zorder=3)
            shown.append((kind, points))
        segments = [(array[i], array[j]) for i, j in pairs]
        for start, end in segments:
            _arrow(ax, start, end, "#808080")
        if vectors:
            for point, member in zip(array, members, strict=True):
                _arrow(ax, np.zeros(2), point, COLOURS[kinds.index(member)])
            segments += [(np.zeros(2), point) for point in array]
        _frame(ax, array)
        ax.set(xlabel=xlabel or "", ylabel=ylabel or "")
        if title is not None:
            ax.set_title(title)
        if len(kinds) > 1:
            legend_above(ax, [(kind, points) for kind, points in shown if kind], own)
        _place(ax, array, names, segments)
        if own:
            freeze(ax)
    return ax


def _pairs(arrows: Iterable[tuple[int, int]] | None, count: int) -> list[tuple[int, int]]:
    pairs = [] if arrows is None else list(arrows)
    for n, pair in enumerate(pairs):
        if not (isinstance(pair, tuple | list) and len(pair) == 2 and all(isinstance(i, int) for i in pair)):
            raise TypeError(f"arrows[{n}]: expected a pair of point numbers (from, to), got {pair!r:.60}")
        if not all(0 <= i < count for i in pair):
            raise IndexError(f"arrows[{n}]: expected point numbers from 0 to {count - 1}, got {pair}")
    return pairs


def _arrow(ax: Axes, start: NDArray[Any], end: NDArray[Any], colour: str) -> None:
    ax.annotate(
        "",
        xy=(end[0], end[1]),
        xytext=(start[0], start[1]),
        arrowprops={"arrowstyle": "-|>", "color": colour, "linewidth": 1.5, "shrinkA": 3, "shrinkB": 4},
        zorder=2,
    )


def _frame(ax: Axes, array: NDArray[Any]) -> None:
    """Give both axes one scale, keep the origin in sight, and leave room for labels at the edges."""
    if not array.any():  # nothing but the origin: a unit square
        ax.update_datalim([(-1, -1), (1, 1)])
    for line in (ax.axhline, ax.axvline):
        line(0, color="#808080", linewidth=0.6, zorder=0)
    ax.margins(0.16)
    ax.set_aspect("equal", adjustable="datalim")
    ax.locator_params(nbins=5)


def _place(ax: Axes, array: NDArray[Any], names: list[str], segments: list[tuple[Any, Any]]) -> None:
    """Put each label where it covers little and is nearest to its own point, trying near places first."""
    figure = laid_out(ax)
    unit = figure.dpi / 72
    dots = ax.transData.transform(array)
    taken = [Bbox.from_bounds(x - 5 * unit, y - 5 * unit, 10 * unit, 10 * unit) for x, y in dots]
    for start, end in segments:
        a, b = ax.transData.transform([start, end])
        for share in np.linspace(0, 1, 25):
            x, y = a + share * (b - a)
            taken.append(Bbox.from_bounds(x - 2 * unit, y - 2 * unit, 4 * unit, 4 * unit))
    frame = ax.get_window_extent()
    texts = {
        i: ax.annotate(
            name, (array[i][0], array[i][1]), (0, 0), textcoords="offset points", color=INK, va="center",
            zorder=4, parse_math=False,
        )
        for i, name in enumerate(names) if name
    }  # fmt: skip
    # The box of each label at each place, and what it costs whatever the other labels do.
    boxes = {i: [_move(text, place) for place in PLACES] for i, text in texts.items()}
    fixed = {i: [_cost(box, place, taken, frame) + _astray(box, i, dots, unit)
                 for box, place in zip(boxes[i], PLACES, strict=True)] for i in texts}  # fmt: skip
    chosen: dict[int, int] = {}
    # The longest first, which fit in few places; then round again, until none wants to move.
    order = sorted(texts, key=lambda i: -boxes[i][0].width)
    for _ in range(ROUNDS):
        before = dict(chosen)
        for i in order:
            others = [boxes[j][k].padded(3 * unit) for j, k in chosen.items() if j != i]
            costs = [
                cost + COVERED * sum(_overlap(box, other) for other in others)
                for cost, box in zip(fixed[i], boxes[i], strict=True)
            ]
            chosen[i] = costs.index(min(costs))
        if chosen == before:
            break
    for i, text in texts.items():
        place = PLACES[chosen[i]]
        _move(text, place)
        if _far(place):
            _leader(ax, array[i], place)


def _leader(ax: Axes, point: NDArray[Any], place: tuple[float, float, str]) -> None:
    """Draw a thin line from a point to a label that had to move away."""
    ax.annotate(
        "", (point[0], point[1]), place[:2], textcoords="offset points",
        arrowprops={"arrowstyle": "-", "color": "#808080", "linewidth": 0.6}, zorder=1,
    )  # fmt: skip


def _move(text: Annotation, place: tuple[float, float, str]) -> Bbox:
    text.set_position(place[:2])
    text.set_horizontalalignment(place[2])  # type: ignore[arg-type]
    return text.get_window_extent()


def _far(place: tuple[float, float, str]) -> bool:
    """Tell whether a label there needs a line to its point."""
    return abs(place[0]) + abs(place[1]) > 20


def _cost(box: Bbox, place: tuple[float, float, str], taken: list[Bbox], frame: Bbox) -> float:
    covered = sum(_overlap(box, other) for other in taken)
    outside = box.width * box.height - _overlap(box, frame)
    return (
        COVERED * covered + OUTSIDE * outside + 0.01 * (place[0] ** 2 + place[1] ** 2) + LEADER * _far(place)
    )


def _astray(box: Bbox, own: int, dots: NDArray[Any], unit: float) -> float:
    """Return what it costs that a label stands about as near to another point as to its own."""
    corners = np.array([[box.x0, box.y0], [box.x1, box.y1]])
    gaps = np.hypot(*np.maximum(0, np.maximum(corners[0] - dots, dots - corners[1])).T)
    # Points that coincide share their labels.
    others = gaps[np.hypot(*(dots - dots[own]).T) > unit]
    return ASTRAY * max(0.0, float(gaps[own] + CLEAR * unit - others.min(initial=np.inf)))


def _overlap(a: Bbox, b: Bbox) -> float:
    width = min(a.x1, b.x1) - max(a.x0, b.x0)
    height = min(a.y1, b.y1) - max(a.y0, b.y0)
    return width * height if width > 0 and height > 0 else 0.0
