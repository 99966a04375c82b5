"""A scene as SVG and as PNG, and a widget as one file for ever."""

import base64
import io
import warnings
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.looking.scene import Line, Map, Scene, Text
from unrolled.widgets import bundle

if TYPE_CHECKING:
    from unrolled.looking.widget import Look

__all__ = ["page", "to_png", "to_svg"]

INK, MUTED, LINE = "#1b2430", "#56606e", "#08357f"
FONT = "DejaVu Sans, Verdana, sans-serif"
# A line is as wide as its weight is large, up to this.
WIDEST = 4.0
# Letters of other scripts that matplotlib's own typeface lacks show as boxes: the SVG has them.
ANCHORS = {"start": "left", "middle": "center", "end": "right"}
LACKING = "Glyph .* missing from font"

STYLE = """
:root { color-scheme: light dark; }
body { margin: 0; padding: 1rem; background: light-dark(#ffffff, #10151c);
  color: light-dark(#1b2430, #e6eaf0); font: 1rem/1.45 system-ui, sans-serif; }
main { max-width: 80rem; margin: auto; }
h1 { font-size: 1.25rem; margin: 0 0 .6rem; overflow-wrap: anywhere; }
"""


def to_svg(scene: Scene) -> str:
    """Return a scene as SVG; every text is escaped."""
    body = "".join(_svg_mark(mark) for mark in scene.marks)
    size = f'width="{scene.width:.0f}" height="{scene.height:.0f}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {scene.width:.0f} {scene.height:.0f}" '
        f'role="img" font-family="{FONT}"><title>{_xml(scene.title)}</title><desc>{_xml(scene.about)}</desc>'
        f'<rect width="100%" height="100%" fill="#ffffff"/>{body}</svg>\n'
    )


def _svg_mark(mark: Text | Line | Map) -> str:
    if isinstance(mark, Line):
        return (
            f'<line x1="{mark.x1:.1f}" y1="{mark.y1:.1f}" x2="{mark.x2:.1f}" y2="{mark.y2:.1f}" '
            f'stroke="{LINE}" stroke-width="{_wide(mark):.2f}" stroke-opacity="{_strong(mark):.2f}"/>'
        )
    if isinstance(mark, Map):
        place = f'x="{mark.x:.1f}" y="{mark.y:.1f}" width="{mark.width:.1f}" height="{mark.height:.1f}"'
        image = base64.b64encode(_image(mark)).decode("ascii")
        return (
            f'<image {place} preserveAspectRatio="none" style="image-rendering:pixelated" '
            f'href="data:image/png;base64,{image}"/>'
            f'<rect {place} fill="none" stroke="#788392" stroke-width="0.6"/>'
        )
    turned = f' transform="rotate(-90 {mark.x:.1f} {mark.y:.1f})"' if mark.turned else ""
    bold = ' font-weight="700"' if mark.bold else ""
    return (
        f'<text x="{mark.x:.1f}" y="{mark.y:.1f}" font-size="{mark.size:.1f}" text-anchor="{mark.anchor}" '
        f'fill="{MUTED if mark.muted else INK}" xml:space="preserve"{bold}{turned}>{_xml(mark.text)}</text>'
    )


def _wide(mark: Line) -> float:
    return 0.4 + (WIDEST - 0.4) * mark.strength


def _strong(mark: Line) -> float:
    return 0.15 + 0.85 * mark.strength


def _xml(text: str) -> str:
    """Return a text as XML may hold it: it forbids control characters, also as references."""
    allowed = "".join(
        letter
        if (letter >= " " and letter not in "\x7f\ufffe\uffff") or letter in "\t\n"
        else "\N{REPLACEMENT CHARACTER}"
        for letter in text
    )
    return escape(allowed)


def _scale() -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Return red, green and blue of 256 shares, on the scale that all figures of the course have."""
    from unrolled.plots.style import SEQUENTIAL

    colours: np.ndarray[Any, np.dtype[np.uint8]] = SEQUENTIAL(np.linspace(0, 1, 256), bytes=True)[:, :3]
    return colours


def _shades(mark: Map) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Return which of them every cell has."""
    return np.rint(255 * np.clip(mark.shares, 0, 1)).astype(np.uint8)


def _image(mark: Map) -> bytes:
    """Return the cells as PNG, large enough that a program which smooths leaves them apart."""
    from PIL import Image

    shades = _shades(mark)
    rows, columns = shades.shape
    shades = shades.repeat(max(1, round(mark.height / rows)), 0).repeat(
        max(1, round(mark.width / columns)), 1
    )
    image = Image.fromarray(shades)
    image.putpalette(_scale().tobytes())
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return file.getvalue()


def to_png(scene: Scene, scale: float = 2.0) -> bytes:
    """Return a scene as PNG, `scale` pixels for each of its units."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from matplotlib.patches import Rectangle

    width, height = round(scene.width), round(scene.height)
    # At 72 dots an inch a point is a unit.
    figure = Figure(figsize=(width / 72, height / 72), dpi=72 * scale, facecolor="#ffffff")
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(height, 0))
    axes.set_axis_off()
    for mark in scene.marks:
        if isinstance(mark, Line):
            axes.add_line(
                Line2D(
                    [mark.x1, mark.x2], [mark.y1, mark.y2], color=LINE, alpha=_strong(mark),
                    linewidth=_wide(mark), solid_capstyle="butt",
                )
            )  # fmt: skip
        elif isinstance(mark, Map):
            extent = (mark.x, mark.x + mark.width, mark.y + mark.height, mark.y)
            axes.imshow(
                _scale()[_shades(mark)], extent=extent, interpolation="nearest", aspect="auto", zorder=1
            )
            axes.add_patch(
                Rectangle(
                    (mark.x, mark.y), mark.width, mark.height, fill=False, edgecolor="#788392", linewidth=0.6
                )
            )
        else:
            axes.text(
                mark.x, mark.y, mark.text, fontsize=mark.size, color=MUTED if mark.muted else INK,
                ha=ANCHORS[mark.anchor], va="baseline", rotation=90 if mark.turned else 0,
                rotation_mode="anchor", weight="bold" if mark.bold else "normal", parse_math=False,
                family="DejaVu Sans",
            )  # fmt: skip
    axes.set(xlim=(0, width), ylim=(height, 0))
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", LACKING)
        figure.savefig(file, format="png", dpi=72 * scale)
    return file.getvalue()


def page(look: "Look") -> str:
    """Return one HTML file that needs nothing beside it."""
    title = escape(look.title or "Attention")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<link rel="icon" href="data:,"><title>{title}</title>'
        f"<style>{bundle.stylesheet()}{STYLE}</style></head>"
        f"<body><main><h1>Attention</h1>{look.static_html()}</main>"
        f"<script>{bundle.page_script((look.name,))}</script></body></html>\n"
    )
