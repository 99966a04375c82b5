"""Pictures of arrays by matplotlib: arrays in, Axes out.

Every function takes tensors, arrays or nested lists, draws on the `ax` it is given or on a new figure,
and returns the Axes. `show(ax, alt=...)` as the last line of a cell displays it in the book's colours.
"""

from unrolled.plots._display import show
from unrolled.plots.graph import graph
from unrolled.plots.heatmap import attention_map, matrix
from unrolled.plots.lines import bars, lines
from unrolled.plots.plane import plane
from unrolled.plots.style import style
from unrolled.plots.unrolling import unrolling

__all__ = ["attention_map", "bars", "graph", "lines", "matrix", "plane", "show", "style", "unrolling"]
