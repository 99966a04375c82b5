"""A recurrent network unrolled in time: one cell, drawn once for every word."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from unrolled.plots import _arrays
from unrolled.plots.style import COLOURS, INK, WIDTH, axes_or_new, style

__all__ = ["unrolling"]

MOST_STEPS = 8


def unrolling(
    inputs: Sequence[str],
    states: Sequence[str],
    *,
    outputs: Sequence[str] | None = None,
    cell: str = "cell",
    ax: Axes | None = None,
    title: str | None = None,
) -> Axes:
    """Draw a recurrent network over its steps: an input from below, the state from left to right.

    Args:
        inputs: T texts, one under each cell; eight at most.
        states: T + 1 texts, on the arrow into the first cell, between the cells, and out of the last.
        outputs: T texts, one over each cell; no arrows upwards unless given.
        cell: what stands in each box.
        ax: where to draw; a new figure unless given.
        title: a line above.

    Raises:
        TypeError: the texts are not sequences of strings.
        ValueError: no input or more than eight, or another number of states or outputs.
    """
    below = _arrays.labels("inputs", inputs)
    steps = len(below)
    if not 1 <= steps <= MOST_STEPS:
        raise ValueError(f"inputs: expected 1 to {MOST_STEPS}, got {steps}")
    between = _arrays.labels("states", states, steps + 1)
    above = [] if outputs is None else _arrays.labels("outputs", outputs, steps)
    arrow = {"arrowstyle": "-|>", "color": INK, "linewidth": 1.3, "shrinkA": 0, "shrinkB": 0}
    with style():
        own = ax is None
        ax = axes_or_new(ax, WIDTH, 1.9 if above else 1.5)
        for t, text in enumerate(below):
            ax.add_patch(
                FancyBboxPatch(
                    (t - 0.24, -0.3), 0.48, 0.6, boxstyle="round,pad=0,rounding_size=0.08",
                    facecolor="none", edgecolor=COLOURS[0], linewidth=2,
                )
            )  # fmt: skip
            ax.text(t, 0, cell, ha="center", va="center", parse_math=False)
            ax.text(t, -0.92, text, ha="center", va="center", parse_math=False)
            ax.annotate("", (t, -0.32), (t, -0.76), arrowprops=arrow)
            if above:
                ax.text(t, 0.92, above[t], ha="center", va="center", parse_math=False)
                ax.annotate("", (t, 0.76), (t, 0.32), arrowprops=arrow)
        for t, text in enumerate(between):
            ax.annotate("", (t - 0.26, 0), (t - 0.74, 0), arrowprops=arrow)
            ax.text(t - 0.5, 0.1, text, ha="center", va="bottom", parse_math=False)
        ax.set(xlim=(-0.8, steps - 0.2), ylim=(-1.1, 1.1 if above else 0.5))
        ax.set_axis_off()
        if title is not None:
            ax.set_title(title)
        if own:
            ax.margins(0)
    return ax
