"""Show a figure with a text for those who do not see it, in the colours of the page it stands in."""

import hashlib
import io
import math
import os
import re
import sys
from collections import Counter
from collections.abc import Callable
from html import escape
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from unrolled.plots.style import INKS, SCALES

__all__ = ["Shown", "show"]

# Pixels on the screen: the smallest text of a figure is never shown smaller.
LEAST_TEXT = 9.0

_seen: Counter[str] = Counter()


def show(drawn: Axes | Figure, alt: str, caption: str | None = None) -> "Shown":
    """Return `drawn` as the last value of a cell: inline SVG in the book, an image in a notebook.

    In the book the ink follows the page: pure black becomes the colour of the text and white stays away, so
    that one figure reads in light and dark. Ink that lies on a coloured cell must therefore be any other
    colour than pure black, such as ``"#111111"``.

    Args:
        drawn: the figure, or any of its axes.
        alt: what the figure shows, for those who do not see it.
        caption: a line beneath the figure.

    Raises:
        TypeError: `drawn` is neither axes nor a figure.
        ValueError: `alt` is empty.
    """
    if not isinstance(drawn, Axes | Figure):
        raise TypeError(f"show: expected matplotlib Axes or a Figure, got {type(drawn).__name__}")
    if not alt.strip():
        raise ValueError("show: expected alt, a text that says what the figure shows, got an empty one")
    figure = drawn if isinstance(drawn, Figure) else drawn.get_figure(root=True)
    if figure is None:
        raise ValueError("show: expected axes that stand in a figure, got axes that were removed from it")
    return Shown(figure, alt, caption)


class Shown:
    """A figure, its text and its caption, as Jupyter displays them."""

    def __init__(self, figure: Figure, alt: str, caption: str | None) -> None:
        self.figure, self.alt, self.caption = figure, alt, caption
        _forget(figure)

    def __repr__(self) -> str:
        return f"[figure: {self.alt}]" + (f" {self.caption}" if self.caption else "")

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        if os.environ.get("UNROLLED_BOOK") == "1":
            return {"text/html": self.html(), "text/plain": repr(self)}, {}
        image = io.BytesIO()
        self.figure.savefig(image, format="png", dpi=110, bbox_inches="tight", facecolor="white")
        data = {"image/png": image.getvalue(), "text/plain": repr(self)}
        return data, {"image/png": {"alt": self.alt}}

    def html(self) -> str:
        """Return the figure as HTML whose ink is the colour of the text around it."""
        caption = f"<figcaption>{escape(self.caption)}</figcaption>" if self.caption else ""
        return f'<figure class="unrolled-figure"><div>{_svg(self.figure, self.alt)}</div>{caption}</figure>'


def _forget(figure: Figure) -> None:
    """Take `figure` out of pyplot's list, or Jupyter would display it a second time."""
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close(figure)


def _svg(figure: Figure, alt: str) -> str:
    """Return the figure as one SVG element that can stand in a page beside others."""
    for axes in figure.axes:
        if (legend := axes.get_legend()) is not None:
            legend.get_frame().set_facecolor("none")
    drawn = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "unrolled"}):
        figure.savefig(
            drawn,
            format="svg",
            transparent=True,
            bbox_inches="tight",
            metadata={"Date": None, "Creator": None},
        )
    text = drawn.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", text, flags=re.DOTALL)
    # This style sheet would hold for the whole page; the root element says the same.
    text = re.sub(r'<defs>\s*<style type="text/css">.*?</style>\s*</defs>', "", text, flags=re.DOTALL)
    text = _in_tags(r"font: (?:\w+ )*?([\d.]+)px [^;\"]*", r"font-size: \1px", text)
    text = _in_tags(r"font-family: [^;\"]*;?\s*", "", text)
    text = _in_tags(r"#000000\b", "currentColor", text)
    text = _both_themes(text)
    text = _own_ids(text)
    # White space between elements is none of the picture; inside <text> there is none to lose.
    return _root(re.sub(r">\s*\n\s*<", "><", text), alt).strip()


def _in_tags(pattern: str, new: str | Callable[[re.Match[str]], str], text: str) -> str:
    """Replace in tags alone: what a label says stays, whatever it looks like. Labels have no raw ``<``."""
    return re.sub(r"<[^>]*>", lambda tag: re.sub(pattern, new, tag[0]), text)


def _both_themes(text: str) -> str:
    """Give the cells of a heat map, and the ink on them, a colour for each theme; the page chooses."""

    def pair(light: str, dark: str) -> str:
        # A browser that does not know light-dark() keeps the first.
        return f"fill: {light}" if light == dark else f"fill: {light}; fill: light-dark({light}, {dark})"

    for name, (light, dark) in SCALES.items():
        twin = {to_hex(light(i)): to_hex(dark(i)) for i in range(light.N)}

        def in_both(cells: re.Match[str], twin: dict[str, str] = twin) -> str:
            return _in_tags(
                r"fill: (#\w{6})", lambda fill: pair(fill[1], twin.get(fill[1], fill[1])), cells[0]
            )

        text = re.sub(rf'<g id="{name}">.*?</g>', in_both, text, flags=re.DOTALL)
    return _in_tags(r"fill: (#010102|#fffffe)\b", lambda ink: pair(*INKS[ink[1]]), text)


def _own_ids(text: str) -> str:
    """Drop the ids nothing refers to, and make the others unlike those of any other figure of the page."""
    key = hashlib.sha256(text.encode()).hexdigest()[:8]
    _seen[key] += 1
    prefix = f"f{key}-" if _seen[key] == 1 else f"f{key}-{_seen[key]}-"
    used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', "".join(re.findall(r"<[^>]*>", text))))

    def own(match: re.Match[str]) -> str:
        return f' id="{prefix}{match[1]}"' if match[1] in used else ""

    text = _in_tags(r'\sid="([^"]+)"', own, text)
    text = _in_tags(r'xlink:href="#([^"]+)"', rf'href="#{prefix}\1"', text)
    return _in_tags(r"url\(#([^)]+)\)", rf"url(#{prefix}\1)", text)


def _root(text: str, alt: str) -> str:
    """Give the SVG its role, its text, and a size that shrinks with the page to what can be read."""
    head, body = text.split(">", 1)
    box = re.search(r'viewBox="([^"]+)"', head)
    if box is None:
        raise ValueError("matplotlib wrote an SVG without a viewBox")
    width = float(box[1].split()[2])
    # A point is 4/3 of a pixel; text of 10 points then matches the text around it. Where the page is narrower
    # than the smallest text allows, the figure scrolls in its own box.
    sizes = [float(points) for points in re.findall(r"<text[^>]*font-size: ([\d.]+)px", body)]
    least = f"min-width:{math.ceil(width * LEAST_TEXT / min(sizes))}px;" if sizes else ""
    size = f"width:100%;{least}max-width:{width * 4 / 3:.0f}px;height:auto"
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="{box[1]}" role="img" aria-label="{escape(alt)}" fill="currentColor" font-family="inherit" '
        f'style="{size};stroke-linejoin:round;stroke-linecap:butt">{body}'
    )
