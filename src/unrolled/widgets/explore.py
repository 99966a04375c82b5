"""`interact` that also works in a page without a kernel: every outcome is computed when the book is built.

Used in chapters 1, 4, 5, 6, 11 and 12.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from itertools import product
from typing import Any

import ipywidgets

from unrolled.widgets._explored import Explored
from unrolled.widgets._grids import control, read_grids, spell
from unrolled.widgets._outcomes import Outcome, run
from unrolled.widgets.base import in_book

__all__ = ["Explored", "explore"]

MAX_POINTS = 400
MAX_BYTES = 1_500_000


def explore(
    fn: Callable[..., Any], **grids: Iterable[Any] | Mapping[str, Any]
) -> Explored | ipywidgets.interactive:
    """Let the reader try `fn` at every point of a grid of arguments, with or without a kernel.

    In a live notebook this is what `ipywidgets.interact` displays, with a control for each argument. While
    the book is built, `fn` runs at every point; what it returns, displays and prints is kept in the page.
    Write it as the last line of a cell, which displays it.

    Args:
        fn: any function that returns, displays or prints something. A matplotlib figure counts too.
        **grids: for each argument of `fn` its values: a list, tuple, range, array, or ``{label: value}``.

    Returns:
        What to display: the controls and the outcome; in the page all outcomes.

    Raises:
        TypeError: an argument `fn` does not have, one that is missing, or a grid that is not a list.
        ValueError: an empty grid, more than 400 points, or outcomes of more than 1.5 MB.
        RuntimeError: `fn` raised an error; the message names the point.

    Example:
        >>> explore(lambda scale: round(scale**0.5, 2), scale=[1, 4, 9])  # doctest: +SKIP
    """
    axes = read_grids(fn, grids)
    n_points = math.prod(len(grid.values) for grid in axes)
    if n_points > MAX_POINTS:
        sizes = " x ".join(str(len(grid.values)) for grid in axes)
        raise ValueError(f"explore: expected at most {MAX_POINTS} points, got {sizes} = {n_points:,}")
    if not in_book():
        return ipywidgets.interactive(
            fn, {"auto_display": True}, **{grid.name: control(grid) for grid in axes}
        )
    outcomes: list[Outcome] = []
    size = 0
    for values in product(*(range(len(grid.values)) for grid in axes)):
        at = spell({grid.name: grid.labels[i] for grid, i in zip(axes, values, strict=True)})
        point = {grid.name: grid.values[i] for grid, i in zip(axes, values, strict=True)}
        outcomes.append(run(fn, point, at))
        size += len(outcomes[-1].html.encode())
        if size > MAX_BYTES:
            raise ValueError(
                f"explore: expected outcomes of at most {MAX_BYTES / 1e6:g} MB in all, got more than that "
                f"after {len(outcomes)} of {n_points} points; use fewer points or smaller figures"
            )
    return Explored(_title(fn), axes, outcomes)


def _title(fn: Callable[..., Any]) -> str:
    name = getattr(fn, "__name__", "")
    return name.replace("_", " ").strip() if name.isidentifier() else "Outcome"
