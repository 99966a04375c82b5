"""Curves with their names at their ends, and bars with their values."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from unrolled.plots._arrays import labels, numbers
from unrolled.plots.style import (
    COLOURS,
    DASHES,
    FONT_SIZE,
    HATCHES,
    INK,
    MARKERS,
    WIDTH,
    axes_or_new,
    freeze,
    laid_out,
    legend_above,
    style,
)

__all__ = ["bars", "lines"]


def lines(
    x: Any,
    series: Mapping[str, Any],
    *,
    ax: Axes | None = None,
    xlabel: str,
    ylabel: str,
    bands: Mapping[str, tuple[Any, Any]] | None = None,
    yscale: Literal["linear", "log"] = "linear",
    title: str | None = None,
) -> Axes:
    """Draw up to six curves over `x`, each named at its end and told apart by colour, dash and marker.

    Args:
        x: the N places: a tensor, an array or a list.
        series: a name and N values for each curve.
        ax: where to draw; a new figure unless given.
        xlabel: what `x` is.
        ylabel: what the values are.
        bands: for a curve's name, its lower and upper bound, such as the least and the greatest over seeds.
        yscale: ``"linear"`` or ``"log"``.
        title: a line above.

    Raises:
        TypeError: `x` or a curve holds no numbers.
        ValueError: another length, a number that is not finite or, on a log scale, not above zero, no
            curve or more than six, a band without its curve or upside down.
    """
    places = numbers("x", x, ("N",))
    if not 1 <= len(series) <= len(COLOURS):
        raise ValueError(f"series: expected 1 to {len(COLOURS)} curves, got {len(series)}")
    if yscale not in ("linear", "log"):
        raise ValueError(f"yscale: expected 'linear' or 'log', got {yscale!r}")
    curves = {name: _values(f"series[{name!r}]", y, places, yscale) for name, y in series.items()}
    ranges = _bands(bands or {}, curves, places, yscale)
    with style():
        own, ax = ax is None, axes_or_new(ax, WIDTH, 3.0)
        ax.set_yscale(yscale)
        for (name, y), colour, dash, marker in zip(curves.items(), COLOURS, DASHES, MARKERS, strict=False):
            if name in ranges:
                ax.fill_between(places, *ranges[name], color=colour, alpha=0.2, linewidth=0)
            ax.plot(
                places, y, color=colour, linestyle=dash, marker=marker, markersize=5, label=name,
                markevery=max(1, len(places) // 10),
            )  # fmt: skip
        ax.set(xlabel=xlabel, ylabel=ylabel)
        if title is not None:
            ax.set_title(title)
        _name_ends(ax, places, curves)
        if own:
            freeze(ax)
    return ax


def _values(name: str, y: Any, places: NDArray[Any], yscale: str) -> NDArray[Any]:
    values = numbers(name, y, ("N",))
    if values.shape != places.shape:
        raise ValueError(f"{name}: expected {len(places)} values, one per x, got {len(values)}")
    if yscale == "log" and (values <= 0).any():
        i = int(np.argmax(values <= 0))
        raise ValueError(f"{name}[{i}]: expected a number above zero on a log scale, got {values[i]:g}")
    return values


def _bands(
    bands: Mapping[str, tuple[Any, Any]], curves: dict[str, NDArray[Any]], places: NDArray[Any], yscale: str
) -> dict[str, tuple[NDArray[Any], NDArray[Any]]]:
    ranges = {}
    for name, (low, high) in bands.items():
        if name not in curves:
            raise ValueError(f"bands: expected names of curves ({', '.join(curves)}), got {name!r}")
        lower = _values(f"bands[{name!r}] lower", low, places, yscale)
        upper = _values(f"bands[{name!r}] upper", high, places, yscale)
        if (lower > upper).any():
            i = int(np.argmax(lower > upper))
            raise ValueError(
                f"bands[{name!r}][{i}]: expected the lower bound first, got {lower[i]:g} above {upper[i]:g}"
            )
        ranges[name] = (lower, upper)
    return ranges


def _name_ends(ax: Axes, places: NDArray[Any], curves: dict[str, NDArray[Any]]) -> None:
    """Write each curve's name to the right of its end, and spread names that would touch."""
    figure = laid_out(ax)
    last = int(np.argmax(places))
    ends = {name: (places[last], y[last]) for name, y in curves.items()}
    heights = {name: float(ax.transData.transform(end)[1]) * 72 / figure.dpi for name, end in ends.items()}
    order = sorted(heights, key=lambda name: heights[name])
    spread = _spread([heights[name] for name in order], 1.3 * FONT_SIZE)
    for name, height in zip(order, spread, strict=True):
        colour = COLOURS[list(curves).index(name)]
        ax.annotate(
            name,
            ends[name],
            (16, height - heights[name]),
            textcoords="offset points",
            color=INK,
            va="center",
            annotation_clip=False,
            parse_math=False,
            # The name is in black ink, to be read; the line to it has the curve's colour.
            arrowprops={
                "arrowstyle": "-",
                "color": colour,
                "linewidth": 1.2,
                "shrinkA": 1,
                "shrinkB": 4,
                # from the middle of the name's left edge, so that it crosses no other name
                "relpos": (0, 0.5),
            },
        )


def _spread(heights: list[float], gap: float) -> list[float]:
    """Return ascending heights at least `gap` apart, moved as little as possible.

    Heights that would touch form a block around their common middle; blocks that touch merge.
    """
    blocks: list[list[float]] = []  # [sum of (height - index * gap), count]
    for i, height in enumerate(heights):
        blocks.append([height - i * gap, 1.0])
        while len(blocks) > 1 and blocks[-2][0] / blocks[-2][1] > blocks[-1][0] / blocks[-1][1]:
            total, count = blocks.pop()
            blocks[-1][0] += total
            blocks[-1][1] += count
    starts = [total / count for total, count in blocks for _ in range(int(count))]
    return [start + i * gap for i, start in enumerate(starts)]


def bars(
    values: Any,
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    ax: Axes | None = None,
    xlabel: str,
    limit: float | None = None,
    chance: float | None = None,
    digits: int = 2,
    title: str | None = None,
) -> Axes:
    """Draw a table, such as accuracy per method and kind of sentence, as groups of horizontal bars.

    Args:
        values: ``[rows, columns]``, none below zero: a tensor, an array or nested lists.
        rows: the groups, such as methods, from top to bottom.
        columns: the bars of each group, such as kinds of sentences; up to six.
        ax: where to draw; a new figure unless given.
        xlabel: what the values are.
        limit: the value at the right end; the largest unless given.
        chance: a value worth a line, such as that of guessing.
        digits: decimals at the bars.
        title: a line above.

    Raises:
        TypeError: values or labels are of another kind.
        ValueError: shapes and labels disagree, or a value is not finite or below zero.
    """
    groups, kinds = labels("rows", rows), labels("columns", columns)
    array = numbers("values", values, ("rows", "columns"), (groups, kinds))
    if array.shape != (len(groups), len(kinds)):
        raise ValueError(f"values: expected shape [{len(groups)}, {len(kinds)}], got {list(array.shape)}")
    if not 1 <= len(kinds) <= len(COLOURS):
        raise ValueError(f"columns: expected 1 to {len(COLOURS)}, got {len(kinds)}")
    if (array < 0).any():
        i, j = np.argwhere(array < 0)[0]
        raise ValueError(
            f"values[{i}, {j}] ({groups[i]} → {kinds[j]}): expected zero or more, got {array[i, j]:g}"
        )
    thick = 0.8 / len(kinds)
    with style():
        own, ax = ax is None, axes_or_new(ax, WIDTH, 0.9 + len(groups) * (0.25 * len(kinds) + 0.15))
        shown = []
        for j, kind in enumerate(kinds):
            at = np.arange(len(groups)) - 0.4 + (j + 0.5) * thick
            drawn = ax.barh(
                at, array[:, j], thick * 0.92, color=COLOURS[j], hatch=HATCHES[j], edgecolor="#ffffff",
                linewidth=0,
            )  # fmt: skip
            shown.append((kind, drawn))
            ax.bar_label(drawn, [f"{value:.{digits}f}" for value in array[:, j]], padding=3, color=INK)
        if chance is not None:
            ax.axvline(chance, color="#808080", linewidth=1, linestyle=(0, (4, 3)), zorder=0)
            ax.text(
                chance, 1, "chance", transform=ax.get_xaxis_transform(), ha="center", va="bottom", fontsize=9
            )
        ax.set_yticks(range(len(groups)), groups, parse_math=False)
        ax.tick_params(axis="y", length=0)
        ax.invert_yaxis()
        # Room at the right end for the longest bar's number.
        ax.set_xlim(0, 1.14 * (limit or float(array.max()) or 1.0))
        ax.set_xlabel(xlabel)
        if title is not None:
            ax.set_title(title)
        if len(kinds) > 1:
            legend_above(ax, shown, own)
        if own:
            freeze(ax)
    return ax
