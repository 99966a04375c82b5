"""Drawings of mechanisms: boxes, arrows between them, and shapes on the arrows.

A `Diagram` is laid out by hand on a grid of character-sized units, so that a drawing looks the same on
every machine, and it can tell itself: `alt` lists its arrows in words. Parts may have a `step`; drawn up to
one step, what comes later is pale, so that a reader can follow a drawing one step at a time.
`unrolled.plots.drawings` holds those of the course.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from matplotlib.axes import Axes
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch, PathPatch
from matplotlib.path import Path

from unrolled.plots._display import Shown, show
from unrolled.plots.style import COLOURS, FONT_SIZE, INK, axes_or_new, style

__all__ = ["Diagram", "Kind", "Point"]

Point = tuple[float, float]
"""A place on a drawing, in its units: right, then up."""
Kind = Literal["learned", "fixed", "op", "data", "frame"]
"""What a box stands for, which decides its look."""
Side = Literal["left", "right", "above", "below"]

UNIT = 0.36  # inches: 12 units are as wide as a phone shows at full size
SMALL = FONT_SIZE - 2
PALE = "#8c8c8c"  # 3:1 on white and on a dark page
RADIUS = 0.36  # of a circle with a sign in it
LINE_HEIGHT = 1.27 * FONT_SIZE  # points from one line of a box to the next


@dataclass(frozen=True)
class _Box:
    text: str
    x: float
    y: float
    width: float
    height: float
    kind: Kind
    step: int


@dataclass(frozen=True)
class _Arrow:
    start: str | Point
    end: str | Point
    label: str
    via: tuple[Point, ...]
    side: Side | None
    dashed: bool
    step: int


class Diagram:
    """Boxes and arrows, with a text for those who do not see them.

    Args:
        told: what the drawing shows, in a sentence or two; the arrows are listed behind it.
        width: of the drawing, in units of 0.36 inches; twelve fill a phone.
        height: likewise.

    Raises:
        ValueError: `told` is empty, or a size is not positive.
    """

    def __init__(self, told: str, width: float, height: float) -> None:
        if not told.strip():
            raise ValueError("told: expected a text that says what the drawing shows, got an empty one")
        if not (width > 0 and height > 0):
            raise ValueError(f"expected a positive width and height, got {width} and {height}")
        self.told, self.width, self.height = told.strip(), width, height
        self._boxes: dict[str, _Box] = {}
        self._arrows: list[_Arrow] = []
        self._notes: list[tuple[str, Point, int]] = []

    def box(
        self,
        name: str,
        at: Point,
        text: str | None = None,
        *,
        kind: Kind = "learned",
        size: Point | None = None,
        step: int = 0,
    ) -> None:
        """Put a box at its middle `at`.

        Args:
            name: what arrows call it.
            at: its middle.
            text: what stands in it; its name unless given.
            kind: ``"learned"`` holds parameters (thick edge), ``"fixed"`` computes without any (thin edge),
                ``"op"`` is a sign in a circle, ``"data"`` a text without an edge, ``"frame"`` a dashed frame
                around others, its text in the upper left corner.
            size: width and height; fitted to the text unless given.
            step: from which step on it is drawn in ink.

        Raises:
            ValueError: there is a box of this name, or no such kind.
        """
        if name in self._boxes:
            raise ValueError(f"box {name!r}: there is one of this name already")
        if kind not in get_args(Kind):
            raise ValueError(f"kind: expected one of {', '.join(get_args(Kind))}, got {kind!r}")
        text = name if text is None else text
        lines = text.split("\n")
        fitted = (2 * RADIUS, 2 * RADIUS) if kind == "op" else _fitted(lines, kind)
        width, height = fitted if size is None else size
        self._boxes[name] = _Box(text, *at, width, height, kind, step)

    def arrow(
        self,
        start: str | Point,
        end: str | Point,
        label: str = "",
        *,
        via: Sequence[Point] = (),
        side: Side | None = None,
        dashed: bool = False,
        step: int = 0,
    ) -> None:
        """Draw an arrow between two boxes, or from or to a point.

        Args:
            start: the name of a box, or a point.
            end: likewise.
            label: what stands beside it, such as a shape.
            via: points at which the arrow turns.
            side: where the label stands; over a level piece and to the right of an upright one unless given.
            dashed: for what is copied or looked up rather than computed.
            step: from which step on it is drawn in ink.

        Raises:
            ValueError: there is no box of that name.
        """
        for place in (start, end):
            if isinstance(place, str) and place not in self._boxes:
                raise ValueError(f"arrow: expected a box of {', '.join(self._boxes)}, got {place!r}")
        self._arrows.append(_Arrow(start, end, label, tuple(via), side, dashed, step))

    def note(self, text: str, at: Point, *, step: int = 0) -> None:
        """Put a small text at a point."""
        self._notes.append((text, at, step))

    @property
    def steps(self) -> int:
        """The number of the last step."""
        return max((box.step for box in self._boxes.values()), default=0)

    @property
    def alt(self) -> str:
        """What the drawing shows, and every arrow in words, in the order in which they were drawn."""
        ways = []
        for arrow in self._arrows:
            if isinstance(arrow.start, str) and isinstance(arrow.end, str):
                shape = f" ({_plain(arrow.label)})" if arrow.label else ""
                ways.append(f"{self._called(arrow.start)} to {self._called(arrow.end)}{shape}")
        return self.told + (f" Arrows: {'; '.join(ways)}." if ways else "")

    def _called(self, name: str) -> str:
        box = self._boxes[name]
        return _plain(name if box.kind == "op" else box.text)

    def draw(self, step: int | None = None, ax: Axes | None = None) -> Axes:
        """Draw on `ax`, or on a new figure; up to a step, or everything.

        Raises:
            ValueError: there is no such step.
        """
        if step is not None and not 0 <= step <= self.steps:
            raise ValueError(f"step: expected 0 to {self.steps}, got {step}")
        until = self.steps if step is None else step
        with style():
            ax = axes_or_new(ax, self.width * UNIT, self.height * UNIT)
            ax.set(xlim=(0, self.width), ylim=(0, self.height), aspect="equal")
            ax.set_axis_off()
            for box in self._boxes.values():
                _draw_box(ax, box, box.step <= until)
            for arrow in self._arrows:
                self._draw_arrow(ax, arrow, arrow.step <= until)
            for text, (x, y), since in self._notes:
                ink = INK if since <= until else PALE
                ax.text(x, y, text, ha="center", va="center", fontsize=SMALL, color=ink, parse_math=False)
        return ax

    def show(self, step: int | None = None, caption: str | None = None) -> Shown:
        """Return the drawing as the last value of a cell, with its text; see `unrolled.plots.show`."""
        return show(self.draw(step), self.alt, caption)

    def _draw_arrow(self, ax: Axes, arrow: _Arrow, drawn: bool) -> None:
        ink = INK if drawn else PALE
        points = self._route(arrow)
        look: dict[str, Any] = {
            "color": ink,
            "linewidth": 1.3,
            "linestyle": (0, (3, 2)) if arrow.dashed else "-",
        }
        if len(points) > 2:
            path = Path(points[:-1], [Path.MOVETO] + [Path.LINETO] * (len(points) - 2))
            ax.add_patch(PathPatch(path, fill=False, joinstyle="round", **look))
        ax.add_patch(
            FancyArrowPatch(
                points[-2], points[-1], arrowstyle="-|>", mutation_scale=9, shrinkA=0, shrinkB=0, **look
            )
        )  # fmt: skip
        if arrow.label:
            self._label(ax, points, arrow, ink)

    def _route(self, arrow: _Arrow) -> list[Point]:
        """Return the points of an arrow, cut off at the edges of the boxes it joins."""
        inner = list(arrow.via)
        first, last = self._middle(arrow.start), self._middle(arrow.end)
        if not inner:
            first, last = self._aligned(arrow.start, arrow.end, first, last)
        start = self._edge(arrow.start, (inner or [last])[0], 0.0)
        end = self._edge(arrow.end, (inner or [first])[-1], 0.06)
        return [start, *inner, end]

    def _middle(self, place: str | Point) -> Point:
        if isinstance(place, str):
            return self._boxes[place].x, self._boxes[place].y
        return place

    def _aligned(
        self, start: str | Point, end: str | Point, first: Point, last: Point
    ) -> tuple[Point, Point]:
        """Let an arrow between a narrow box and a wide one above or beside it run upright or level."""
        (sx, sy), (ex, ey) = first, last
        wide = self._boxes[end] if isinstance(end, str) else None
        if wide is not None and wide.kind != "op" and abs(sx - ex) <= wide.width / 2 and sy != ey:
            return first, (sx, ey)
        broad = self._boxes[start] if isinstance(start, str) else None
        if broad is not None and broad.kind != "op" and abs(sx - ex) <= broad.width / 2 and sy != ey:
            return (ex, sy), last
        return first, last

    def _edge(self, place: str | Point, towards: Point, gap: float) -> Point:
        """Return where the way from a box towards a point leaves the box."""
        if not isinstance(place, str):
            return place
        box = self._boxes[place]
        # An upright or level way keeps its line; any other starts from the middle.
        inside_x = abs(towards[0] - box.x) <= box.width / 2
        inside_y = abs(towards[1] - box.y) <= box.height / 2
        if box.kind != "op" and inside_x and not inside_y:
            return towards[0], box.y + math.copysign(box.height / 2 + gap, towards[1] - box.y)
        if box.kind != "op" and inside_y and not inside_x:
            return box.x + math.copysign(box.width / 2 + gap, towards[0] - box.x), towards[1]
        dx, dy = towards[0] - box.x, towards[1] - box.y
        distance = math.hypot(dx, dy) or 1.0
        if box.kind == "op":
            reach = (RADIUS + gap) / distance
        else:
            reach = min(
                (box.width / 2 + gap) / abs(dx) if dx else math.inf,
                (box.height / 2 + gap) / abs(dy) if dy else math.inf,
            )
        return box.x + dx * reach, box.y + dy * reach

    def _label(self, ax: Axes, points: list[Point], arrow: _Arrow, ink: str) -> None:
        pieces = list(itertools.pairwise(points))
        (x0, y0), (x1, y1) = max(pieces, key=lambda piece: math.dist(*piece))
        level = abs(x1 - x0) > abs(y1 - y0)
        side = arrow.side or ("above" if level else "right")
        x, y = (x0 + x1) / 2, (y0 + y1) / 2
        offset, aligned = {
            "left": ((-0.14, 0.0), ("right", "center")),
            "right": ((0.14, 0.0), ("left", "center")),
            "above": ((0.0, 0.1), ("center", "bottom")),
            "below": ((0.0, -0.12), ("center", "top")),
        }[side]
        ax.text(
            x + offset[0], y + offset[1], arrow.label,
            ha=aligned[0], va=aligned[1], fontsize=SMALL, color=ink, parse_math=False,
        )  # fmt: skip


def _fitted(lines: list[str], kind: Kind) -> Point:
    """Return a size in which the text has room: letters are about 0.29 units wide and lines 0.56 high."""
    margin = 0.1 if kind == "data" else 0.5
    return 0.29 * max(map(len, lines)) + margin, 0.56 * len(lines) + (0.1 if kind == "data" else 0.3)


def _plain(text: str) -> str:
    return " ".join(text.split())


def _draw_box(ax: Axes, box: _Box, drawn: bool) -> None:
    ink = INK if drawn else PALE
    if box.kind == "op":
        ax.add_patch(Circle((box.x, box.y), RADIUS, facecolor="none", edgecolor=ink, linewidth=1.3))
    elif box.kind != "data":
        edge, width, line = {
            "learned": (COLOURS[0], 2.4, "-"),
            "fixed": (INK, 1.1, "-"),
            "frame": (INK, 1.0, (0, (4, 3))),
        }[box.kind]
        ax.add_patch(
            FancyBboxPatch(
                (box.x - box.width / 2, box.y - box.height / 2), box.width, box.height,
                boxstyle="round,pad=0,rounding_size=0.16", facecolor="none",
                edgecolor=edge if drawn else PALE, linewidth=width, linestyle=line,
            )
        )  # fmt: skip
    if box.kind == "frame":
        x, y = box.x - box.width / 2 + 0.18, box.y + box.height / 2 - 0.16
        ax.text(x, y, box.text, ha="left", va="top", fontsize=SMALL, color=ink, parse_math=False)
    else:
        # Line by line: a page has other letters than matplotlib measures, and centres each line by itself.
        lines = box.text.split("\n")
        for k, line in enumerate(lines):
            down = (k - (len(lines) - 1) / 2) * LINE_HEIGHT
            ax.annotate(
                line, (box.x, box.y), (0, -down), textcoords="offset points",
                ha="center", va="center", color=ink, parse_math=False, annotation_clip=False,
            )  # fmt: skip
