"""Pictures of arrays by matplotlib: arrays in, Axes out.

Every function takes tensors, arrays or nested lists, draws on the `ax` it is given or on a new figure,
and returns the Axes. `show(ax, alt=...)` as the last line of a cell displays it in the book's colours.

Used from chapter 1 on.
"""

from unrolled.plots import drawings
from unrolled.plots._display import show
from unrolled.plots.diagram import Diagram
from unrolled.plots.graph import graph
from unrolled.plots.heatmap import attention_map, matrix
from unrolled.plots.lines import bars, lines
from unrolled.plots.plane import plane
from unrolled.plots.style import style
from unrolled.plots.unrolling import unrolling

__all__ = [
    "Diagram",
    "attention_map",
    "bars",
    "drawings",
    "graph",
    "lines",
    "matrix",
    "plane",
    "show",
    "style",
    "unrolling",
]
