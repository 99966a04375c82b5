"""A picture of attention as a few marks on a plane, drawn by `export` as SVG or PNG."""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from unrolled.looking.widget import Look

__all__ = ["Line", "Map", "Mark", "Scene", "Text", "scene"]

SIZE = 13.0  # of the letters
MARGIN = 16.0
CELL = 22.0
# The widest label, in letters of middling width.
LONGEST = 18
LONGEST_TITLE = 80
MAX_LINES = 600
Array = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Text:
    """Some letters; `anchor` is where x is: start, middle or end. Turned ones are read upwards."""

    x: float
    y: float
    text: str
    anchor: str = "start"
    size: float = SIZE
    bold: bool = False
    muted: bool = False
    turned: bool = False


@dataclass(frozen=True)
class Line:
    """A line whose strength is a weight's."""

    x1: float
    y1: float
    x2: float
    y2: float
    strength: float


@dataclass(frozen=True)
class Map:
    """Shares from 0 to 1 as the shades of cells."""

    x: float
    y: float
    width: float
    height: float
    shares: Array = field(repr=False)


Mark = Text | Line | Map


@dataclass(frozen=True)
class Scene:
    """A picture, what it is called, and what it says to whom it cannot be shown."""

    width: float
    height: float
    title: str
    about: str
    marks: list[Mark]


def scene(look: "Look") -> Scene:
    """Return the picture that the traits of `look` choose."""
    one = look.attentions[look.shown]
    maps = look.weights()
    maps = np.where(maps >= look.least, maps, 0.0)
    layer, head = one["layers"][look.layer], one["heads"][look.head]
    draw: dict[str, Callable[[], tuple[str, list[Mark], float, float]]] = {
        "head": lambda: (f"{layer}, {head}", *_head(look, one, maps[look.layer, look.head])),
        "layer": lambda: (layer, *_layer(look, one, maps[look.layer])),
        "model": lambda: ("all layers and heads", *_model(look, one, maps)),
    }
    which, marks, width, height = draw[look.view]()
    title = ": ".join([*([look.title] if look.title else []), f"{one['name']}, {which}"])
    told = list(look.notes)
    if look.least > 0:
        told.append(f"Weights below {look.least:g} are left out.")
    heading = Text(MARGIN, MARGIN + 1.2 * SIZE, _short(title, LONGEST_TITLE), size=1.15 * SIZE, bold=True)
    width, top = max(width, 1.25 * _width(heading.text), 390.0) + 2 * MARGIN, heading.y
    moved: list[Mark] = [heading]
    moved += [_down(mark, top + 0.8 * SIZE) for mark in marks]
    at = top + 0.8 * SIZE + height + 1.2 * SIZE
    for line in _wrapped(" ".join(told), int((width - 2 * MARGIN) / (0.52 * 0.85 * SIZE))):
        moved.append(Text(MARGIN, at, line, size=0.85 * SIZE, muted=True))
        at += 1.2 * SIZE
    about = f"{title}. Rows look, columns are looked at. {' '.join(told)}"
    return Scene(width, at + MARGIN - 0.8 * SIZE, title, about, moved)


def _head(look: "Look", one: dict[str, Any], map_: Array) -> tuple[list[Mark], float, float]:
    """Return one head as a map, or as lines from the tokens that look to those looked at."""
    tokens = [_short(visible(token)) for token in one["tokens"]]
    keys = [_short(visible(key)) for key in one["keys"]]
    left = MARGIN + max(map(_width, tokens)) + 8
    if look.drawing == "lines":
        return _lines(look, map_, tokens, keys, left)
    top = max(map(_width, keys)) + 8
    across, down = CELL * len(keys), CELL * len(tokens)
    marks: list[Mark] = [Map(left, top, across, down, map_ / look.full)]
    marks += [
        Text(left - 8, top + CELL * (i + 0.5) + 0.35 * SIZE, token, "end", bold=i == look.token)
        for i, token in enumerate(tokens)
    ]
    marks += [
        Text(left + CELL * (j + 0.5) + 0.35 * SIZE, top - 8, key, turned=True) for j, key in enumerate(keys)
    ]
    legend, height = _legend(look, left, top + down + 12)
    return marks + legend, left + across - MARGIN, top + down + 12 + height


def _lines(
    look: "Look", map_: Array, tokens: list[str], keys: list[str], left: float
) -> tuple[list[Mark], float, float]:
    right = left + 150.0

    def row(i: int) -> float:
        return CELL * (i + 0.5) + SIZE

    there = [(i, j) for i, j in np.argwhere(map_ > 0).tolist() if look.token in (-1, i)]
    there = sorted(there, key=lambda place: -map_[place])[:MAX_LINES]
    marks: list[Mark] = [Line(left, row(i), right, row(j), float(map_[i, j])) for i, j in reversed(there)]
    marks += [
        Text(left - 8, row(i) + 0.35 * SIZE, token, "end", bold=i == look.token)
        for i, token in enumerate(tokens)
    ]
    marks += [Text(right + 8, row(j) + 0.35 * SIZE, key) for j, key in enumerate(keys)]
    height = row(max(len(tokens), len(keys)))
    if len(there) == MAX_LINES:
        marks.append(Text(MARGIN, height + SIZE, f"The {MAX_LINES} largest weights.", muted=True))
        height += 2 * SIZE
    return marks, right + 8 + max(map(_width, keys)) - MARGIN, height


def _layer(look: "Look", one: dict[str, Any], maps: Array) -> tuple[list[Mark], float, float]:
    """Return the heads of one layer, four in a row."""
    side, gap = 150.0, 16.0
    columns = min(4, len(maps))
    marks: list[Mark] = []
    for k, map_ in enumerate(maps):
        x, y = MARGIN + (side + gap) * (k % columns), (side + gap + SIZE) * (k // columns)
        marks += [Text(x, y + SIZE, one["heads"][k]), Map(x, y + 1.5 * SIZE, side, side, map_ / look.full)]
    height = (side + gap + SIZE) * ceil(len(maps) / columns)
    legend, more = _legend(look, MARGIN, height + 12)
    return marks + legend, (side + gap) * columns - gap, height + 12 + more


def _model(look: "Look", one: dict[str, Any], maps: Array) -> tuple[list[Mark], float, float]:
    """Return all heads, a row for each layer."""
    side, gap = 60.0, 6.0
    left = MARGIN + max(map(_width, one["layers"])) + 8
    marks: list[Mark] = [
        Text(left + (side + gap) * j + side / 2, SIZE, name, "middle", size=0.85 * SIZE)
        for j, name in enumerate(one["heads"])
    ]
    for i, layer in enumerate(maps):
        y = 1.6 * SIZE + (side + gap) * i
        marks.append(Text(left - 8, y + side / 2 + 0.35 * SIZE, one["layers"][i], "end"))
        marks += [
            Map(left + (side + gap) * j, y, side, side, map_ / look.full) for j, map_ in enumerate(layer)
        ]
    height = 1.6 * SIZE + (side + gap) * len(maps)
    legend, more = _legend(look, left, height + 6)
    return marks + legend, left + (side + gap) * maps.shape[1] - gap - MARGIN, height + 6 + more


def _legend(look: "Look", x: float, y: float) -> tuple[list[Mark], float]:
    """Return what the shades mean."""
    before = _width("weight 0") + 8
    return [
        Text(x, y + SIZE, "weight 0", muted=True),
        Map(x + before, y + 0.1 * SIZE, 110, SIZE, np.linspace(0, 1, 11)[None]),
        Text(x + before + 118, y + SIZE, f"{look.full:g}", muted=True),
    ], 1.6 * SIZE


def visible(token: str) -> str:
    """Return a token as a reader can see it: what is only space, or nothing at all, gets a sign."""
    if token == "":
        return "∅"
    token = token.replace("\n", "↵")
    return "␣" * len(token) if token.isspace() else token


def _width(text: str) -> float:
    """Return about how wide a text is: nobody measures letters without a browser."""
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    return 0.62 * SIZE * (len(text) + 0.7 * wide)


def _short(text: str, most: int = LONGEST) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _wrapped(text: str, most: int) -> list[str]:
    """Return the lines of a text; a word that is longer than one is cut."""
    lines = [""]
    for word in text.split():
        word = _short(word, most)
        lines.append(word) if len(lines[-1]) + len(word) >= most else lines.append(
            f"{lines.pop()} {word}".strip()
        )
    return [line for line in lines if line]


def _down(mark: Mark, by: float) -> Mark:
    """Return a mark moved down."""
    if isinstance(mark, Line):
        return replace(mark, y1=mark.y1 + by, y2=mark.y2 + by)
    return replace(mark, y=mark.y + by)
