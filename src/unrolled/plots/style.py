"""How every figure of the course looks, and the colours it may use.

Text and axes are pure black, ``#000000``: in the book, `show` turns that into the page's own ink.
Data colours lie in the middle of the lightness scale and stand out by 3:1 on white and on a dark page.
Ink on a coloured cell is never pure black, so it stays what it is in both themes.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, LinearSegmentedColormap, to_rgb
from matplotlib.figure import Figure

__all__ = ["COLOURS", "DIVERGING", "SEQUENTIAL", "contrast", "ink_on", "style"]

Colour = str | tuple[float, float, float] | tuple[float, float, float, float]

INK = "#000000"
FONT_SIZE = 11.0  # at the width of a phone, a figure 4.4 inches wide shows this at about 12 pixels
WIDTH = 4.4

# Told apart also by readers who do not see red and green as two colours; dash, marker and hatch say the same.
COLOURS = ("#2f7fd1", "#d1600f", "#138a66", "#a05cc0", "#a97a00", "#d0458c")
DASHES = ("-", (0, (5, 2)), (0, (1, 1.4)), (0, (6, 2, 1, 2)), (0, (3, 1, 1, 1, 1, 1)), (0, (8, 3)))
MARKERS = ("o", "s", "^", "D", "v", "P")
# Straight lines alone: a page draws dots and circles as thousands of curves, 150 KB a figure.
HATCHES = ("", "///", "\\\\\\", "---", "xxx", "|||")

# One hue, from light to dark in even steps of lightness: readable in print and by everybody.
SEQUENTIAL: Colormap = LinearSegmentedColormap.from_list(
    "unrolled", ["#f3f7fc", "#c9dcf0", "#93bbdf", "#5893c6", "#256aa3", "#0a3d6e"]
)
# The same where paper is dark: in the book, `show` gives each cell both colours, and the page chooses.
SEQUENTIAL_DARK: Colormap = LinearSegmentedColormap.from_list(
    "unrolled_dark", ["#1b2636", "#28425f", "#3a6590", "#5389bd", "#7fb1e0", "#b5d6ff"]
)
# Orange below zero, blue above: a pair that survives colour blindness.
DIVERGING: Colormap = LinearSegmentedColormap.from_list(
    "unrolled_diverging", ["#8a3b04", "#cf6f22", "#eeb27e", "#f5f4f2", "#93bbdf", "#3d7fb8", "#0a3d6e"]
)

DIVERGING_DARK: Colormap = LinearSegmentedColormap.from_list(
    "unrolled_diverging_dark", ["#ffc48a", "#c97a33", "#63401f", "#222832", "#2a4867", "#4f8bc4", "#b5d6ff"]
)
SCALES = {
    light.name: (light, dark) for light, dark in ((SEQUENTIAL, SEQUENTIAL_DARK), (DIVERGING, DIVERGING_DARK))
}

# Ink on a coloured cell: (in the light theme, in the dark theme). A colour a step from black or white stands
# for each pair: by it `show` knows the pair, and a notebook's image looks as in the light theme.
INKS = {
    "#010101": ("#010101", "#010101"),
    "#010102": ("#010101", "#ffffff"),
    "#fffffe": ("#ffffff", "#010101"),
    "#ffffff": ("#ffffff", "#ffffff"),
}

RC: dict[Any, Any] = {
    "font.size": FONT_SIZE,
    "axes.labelsize": FONT_SIZE,
    "axes.titlesize": FONT_SIZE,
    "xtick.labelsize": FONT_SIZE,
    "ytick.labelsize": FONT_SIZE,
    "legend.fontsize": FONT_SIZE,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "savefig.facecolor": "none",
    "legend.frameon": False,
    "legend.facecolor": "none",
    "lines.linewidth": 2.0,
    "hatch.linewidth": 0.8,
    "figure.constrained_layout.use": True,
    "text.usetex": False,
}


def style() -> AbstractContextManager[None]:
    """Return a context that gives figures of your own the course's look."""
    return mpl.rc_context(RC)


def contrast(a: Colour, b: Colour) -> float:
    """Return the contrast ratio of two colours, 1 to 21, as WCAG 2.2 defines it."""
    brighter, darker = sorted((_luminance(a), _luminance(b)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def _luminance(colour: Colour) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def ink_on(cell: Colour) -> str:
    """Return the ink that reads best on a coloured cell; at least 4.5:1 on any colour."""
    # One step from pure black, which `show` would turn into the page's own ink.
    return max(("#010101", "#ffffff"), key=lambda ink: contrast(ink, cell))


def ink_on_both(cell: Colour, dark: Colour) -> str:
    """Return the colour of `INKS` that stands for the best ink on a cell, in either theme."""
    best = (ink_on(cell), ink_on(dark))
    return next(sign for sign, inks in INKS.items() if inks == best)


def axes_or_new(ax: Axes | None, width: float = WIDTH, height: float = 3.0) -> Axes:
    """Return `ax`, or the axes of a new figure."""
    if ax is None:
        return plt.subplots(figsize=(width, height))[1]
    if not isinstance(ax, Axes):
        raise TypeError(f"ax: expected matplotlib Axes, got {type(ax).__name__}")
    return ax


def laid_out(ax: Axes) -> Figure:
    """Return the figure of `ax` after its layout, when sizes and limits are known."""
    figure = ax.get_figure(root=True)
    if figure is None:
        raise ValueError("ax: expected axes that stand in a figure, got axes that were removed from it")
    figure.draw_without_rendering()
    return figure


def freeze(ax: Axes) -> None:
    """Lay the figure out once for all: laid out again at every drawing, labels would drift away."""
    laid_out(ax).set_layout_engine("none")


def legend_above(ax: Axes, drawn: Sequence[tuple[str, Any]], own: bool) -> None:
    """Put the legend over the axes, over the whole figure if it is our `own`; names stay as they are."""
    spacing: dict[str, Any] = {
        "handles": [artist for _, artist in drawn],
        # Matplotlib would hide a name that begins with _ and read $ as mathematics.
        "labels": [str(i) for i in range(len(drawn))],
        "ncols": len(drawn),
        "handlelength": 1.2,
        "handletextpad": 0.4,
        "columnspacing": 1.0,
    }
    figure = ax.get_figure(root=True)
    if own and figure is not None:
        legend = figure.legend(loc="outside upper left", **spacing)
    else:
        legend = ax.legend(loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2, **spacing)
    for text, (name, _) in zip(legend.get_texts(), drawn, strict=True):
        text.set_parse_math(False)
        text.set_text(name)
