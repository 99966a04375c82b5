"""Matrices as coloured cells: attention weights (0 to 1) and scores (around zero)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap
from numpy.typing import NDArray

from unrolled.plots._arrays import labels, numbers
from unrolled.plots.style import (
    DIVERGING,
    FONT_SIZE,
    SCALES,
    SEQUENTIAL,
    WIDTH,
    axes_or_new,
    ink_on_both,
    style,
)

__all__ = ["attention_map", "matrix"]

MOST_NUMBERS = 8  # up to 8 x 8 cells hold a number each
SLACK = 1e-3  # float16 weights overshoot one by this much


def attention_map(
    weights: Any,
    tokens: Sequence[str],
    keys: Sequence[str] | None = None,
    *,
    ax: Axes | None = None,
    numbers: bool | None = None,
    title: str | None = None,
) -> Axes:
    """Draw who looks at whom: one row per token that looks, one column per token that is looked at.

    The scale runs from 0 to 1 in every map, so that two maps can be compared.

    Args:
        weights: attention weights ``[T, S]``: a tensor, an array or nested lists.
        tokens: the T tokens that look, and also those looked at unless `keys` are given.
        keys: the S tokens that are looked at.
        ax: where to draw; a new figure unless given.
        numbers: write the numbers into the cells; unless given, up to 8 x 8 cells.
        title: a line above.

    Raises:
        TypeError: weights or tokens are of another kind.
        ValueError: shapes and labels disagree, or a weight is not finite or not between 0 and 1.

    Example:
        >>> from unrolled import plots
        >>> ax = plots.attention_map([[0.75, 0.25], [0.5, 0.5]], ["two", "words"])
        >>> [label.get_text() for label in ax.get_yticklabels()]
        ['two', 'words']
    """
    rows = labels("tokens", tokens)
    columns = rows if keys is None else labels("keys", keys)
    array = _matrix("weights", weights, rows, columns)
    outside = np.argwhere((array < -SLACK) | (array > 1 + SLACK))
    if len(outside):
        i, j = outside[0]
        raise ValueError(
            f"weights[{i}, {j}] ({rows[i]} → {columns[j]}): expected a weight between 0 and 1, got "
            f"{array[i, j]:g}; scores are drawn by plots.matrix"
        )
    drawn = _cells(array, rows, columns, ax, SEQUENTIAL, (0.0, 1.0), numbers, 2, title)
    # The widget of the same name says it in the same words. Turned, the second arrow points down.
    drawn.set_xlabel("is looked at →", labelpad=7)
    drawn.set_ylabel("← looks")
    return drawn


def matrix(
    values: Any,
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    ax: Axes | None = None,
    numbers: bool | None = None,
    digits: int = 2,
    limit: float | None = None,
    xlabel: str | None = None,
    ylabel: str | None = None,
    title: str | None = None,
) -> Axes:
    """Draw numbers around zero, such as scores or word vectors: orange below zero, blue above.

    Args:
        values: ``[rows, columns]``: a tensor, an array or nested lists.
        rows: a label for each row.
        columns: a label for each column.
        ax: where to draw; a new figure unless given.
        numbers: write the numbers into the cells; unless given, up to 8 x 8 cells.
        digits: decimals of those numbers.
        limit: the value that has the full colour; the largest absolute value unless given.
        xlabel: a line for the columns.
        ylabel: a line for the rows.
        title: a line above.

    Raises:
        TypeError: values or labels are of another kind.
        ValueError: shapes and labels disagree, a value is not finite, or `limit` is not above zero.
    """
    row_labels, column_labels = labels("rows", rows), labels("columns", columns)
    array = _matrix("values", values, row_labels, column_labels)
    if limit is not None and not (np.isfinite(limit) and limit > 0):
        raise ValueError(f"limit: expected a finite number above zero, got {limit}")
    top = limit or float(np.abs(array).max()) or 1.0
    drawn = _cells(array, row_labels, column_labels, ax, DIVERGING, (-top, top), numbers, digits, title)
    drawn.set_xlabel(xlabel or "", labelpad=7)
    drawn.set_ylabel(ylabel or "")
    return drawn


def _matrix(name: str, values: Any, rows: list[str], columns: list[str]) -> NDArray[Any]:
    array = numbers(name, values, ("rows", "columns"), (rows, columns))
    if array.shape != (len(rows), len(columns)):
        raise ValueError(
            f"{name}: expected shape [{len(rows)}, {len(columns)}], one row and one column per label, "
            f"got {list(array.shape)}"
        )
    return array


def _cells(
    array: NDArray[Any],
    rows: list[str],
    columns: list[str],
    ax: Axes | None,
    colours: Colormap,
    limits: tuple[float, float],
    written: bool | None,
    digits: int,
    title: str | None,
) -> Axes:
    n_rows, n_columns = array.shape
    if written is None:
        written = n_rows <= MOST_NUMBERS and n_columns <= MOST_NUMBERS
    margin = 0.6 + 0.09 * max(map(len, rows))
    cell = min(0.75, (WIDTH - margin) / n_columns) if n_columns <= 24 else 0.16
    # A label stands upright unless it fits the width of its column.
    upright = 0.09 * max(map(len, columns)) > cell
    top = 0.5 + (0.075 * max(map(len, columns)) if upright else 0.1) + (0.3 if title else 0)
    small = min(FONT_SIZE, max(6.0, cell * 72 * 0.8))
    with style():
        ax = axes_or_new(ax, margin + cell * n_columns, top + cell * n_rows)
        mesh = ax.pcolormesh(
            np.arange(n_columns + 1) - 0.5,
            np.arange(n_rows + 1) - 0.5,
            array,
            cmap=colours,
            vmin=limits[0],
            vmax=limits[1],
            # The lightest cells need an edge on white paper.
            edgecolors="#808080" if cell > 0.3 else "#b4b4b4",
            linewidth=0.5 if cell > 0.3 else 0.3,
        )
        # By this name `show` finds the cells, to give them their colours in the dark theme.
        mesh.set_gid(colours.name)
        ax.set_aspect("equal")
        ax.invert_yaxis()
        ax.xaxis.tick_top()
        ax.xaxis.set_label_position("top")
        ax.tick_params(length=0)
        # Tokens are a reader's text: a dollar sign in them is not a formula.
        ax.set_xticks(
            range(n_columns), columns, rotation=90 if upright else 0, fontsize=small, parse_math=False
        )
        ax.set_yticks(range(n_rows), rows, fontsize=small, parse_math=False)
        for spine in ax.spines.values():
            spine.set_visible(False)
        if title is not None:
            ax.set_title(title, pad=10)
        if written:
            _write(ax, array, colours, limits, digits, cell)
    return ax


def _write(
    ax: Axes, array: NDArray[Any], colours: Colormap, limits: tuple[float, float], digits: int, cell: float
) -> None:
    low, high = limits
    texts = [[f"{value:.{digits}f}".replace("-", "−") for value in row] for row in array]
    # A digit is about 0.6 as wide as it is high.
    longest = max(len(text) for row in texts for text in row)
    size = min(FONT_SIZE, max(5.0, cell * 72 * 0.92 / (0.62 * longest)))
    for (i, j), value in np.ndenumerate(array):
        share = float(np.clip((value - low) / (high - low), 0, 1))
        ink = ink_on_both(colours(share), SCALES[colours.name][1](share))
        ax.text(j, i, texts[i][j], ha="center", va="center", fontsize=size, color=ink)
