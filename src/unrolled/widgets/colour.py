"""Colours as numbers: from "#rrggbb" to light and back, and plain names. js/colour.mjs does the same."""

import re

import numpy as np
from numpy.typing import NDArray

__all__ = ["NAMES", "linear", "mix", "nearest_name", "rgb", "to_hex"]

Array = NDArray[np.float64]

NAMES = {
    "black": "#000000", "charcoal": "#36393f", "dark grey": "#5a5a5a", "grey": "#808080",
    "mid grey": "#a0a0a0", "light grey": "#c0c0c0", "white": "#ffffff", "cream": "#fff5d6",
    "beige": "#d9c7a0",
    "brown": "#7b4a21", "dark brown": "#472a14", "tan": "#c49a6c", "ochre": "#c08a1e",
    "maroon": "#7a1022", "dark red": "#a01020", "red": "#dd1c1a", "brick red": "#b3472f",
    "coral": "#ff7f5c", "salmon": "#f5a08c", "pink": "#ffb6c8", "hot pink": "#ff4f9a",
    "magenta": "#e0149c", "plum": "#8a3a78", "purple": "#7a2a9e", "violet": "#8a5ce6",
    "lavender": "#c4b5f0", "indigo": "#3f2a9a", "navy": "#14235c", "dark blue": "#123a8c",
    "blue": "#1a5fe0", "steel blue": "#4a7ea8", "slate": "#66788a", "sky blue": "#6fc0f5",
    "pale blue": "#c3e0f5", "cyan": "#1ecfe6", "turquoise": "#3ec9b8", "teal": "#0f7f80",
    "dark green": "#0f4a26", "green": "#1e9a3c", "sea green": "#3c8a66", "emerald": "#12b070",
    "mint": "#b0f0cf", "sage": "#9db38c", "olive": "#78781e", "moss": "#5a6e36",
    "lime": "#a5de2a", "light green": "#90dd80", "khaki": "#bdb46a", "yellow": "#ffe11e",
    "pale yellow": "#fff39c", "mustard": "#d8ab1e", "gold": "#f0b820", "orange": "#ff8c1a",
    "dark orange": "#d9660a", "peach": "#ffcfa6", "apricot": "#fbb06a", "rose": "#d9627c",
    "pale pink": "#f3d9dc", "dusty pink": "#d6a8ac", "dusty rose": "#b87f84", "mauve": "#a98fb0",
    "pale mauve": "#cdbdd2", "dark mauve": "#6a5072", "grey brown": "#7d6c60", "pale brown": "#b79d88",
    "dark purple": "#3c1a4a", "wine": "#5a1a30", "grey blue": "#8b9bb4", "pale grey blue": "#c2cbd8",
    "dark slate": "#3a4656", "dark teal": "#12474c", "grey teal": "#6f9396", "pale teal": "#b3d0d0",
    "grey green": "#7d9180", "pale green": "#cfe3cd", "dark moss": "#38422a", "deep green": "#2b5c3f",
    "pale grey": "#e2e2e2", "smoky teal": "#40595b", "grey maroon": "#6b4b4d",
    "dark grey green": "#55675a", "violet blue": "#5a52c8",
    "dark rose": "#8c4a58", "terracotta": "#a5604a", "pale yellow green": "#d9e6a0",
}  # fmt: skip
"""Plain words for colours, chosen by eye; `nearest_name` finds the one for any other colour."""

# The eye forgives a lighter or darker shade of a name before it forgives another hue.
HUE_COUNTS = 2.5

# From linear sRGB to the responses of the eye's cones, and from their cube roots to OKLab (Ottosson, 2020).
_CONES = np.array([
    [0.4122214708, 0.5363325363, 0.0514459929],
    [0.2119034982, 0.6806995451, 0.1073969566],
    [0.0883024619, 0.2817188376, 0.6299787005],
])  # fmt: skip
_OKLAB = np.array([
    [0.2104542553, 0.7936177850, -0.0040720468],
    [1.9779984951, -2.4285922050, 0.4505937099],
    [0.0259040371, 0.7827717662, -0.8086757660],
])  # fmt: skip


def rgb(colour: str) -> Array:
    """Return red, green and blue between 0 and 1.

    Raises:
        ValueError: `colour` is not ``"#rrggbb"``.
    """
    if not isinstance(colour, str) or not re.fullmatch("#[0-9a-fA-F]{6}", colour):
        raise ValueError(f'colour: expected "#rrggbb", got {colour!r}')
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255


def linear(colour: str) -> Array:
    """Return the amounts of red, green and blue light: sRGB with its gamma curve undone (IEC 61966-2-1)."""
    c = rgb(colour)
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def to_hex(light: Array) -> str:
    """Return ``"#rrggbb"`` for amounts of red, green and blue light."""
    c = np.clip(light, 0.0, 1.0)
    c = np.where(c <= 0.0031308, 12.92 * c, 1.055 * c ** (1 / 2.4) - 0.055)
    # Half up, as JavaScript rounds.
    return "#" + "".join(f"{int(np.floor(255 * part + 0.5)):02x}" for part in c)


def mix(amounts: Array, colours: list[str]) -> str:
    """Return the weighted average of the colours' light as ``"#rrggbb"``."""
    return to_hex(amounts @ np.stack([linear(colour) for colour in colours]))


def nearest_name(colour: str) -> str:
    """Return the plain name whose colour looks most like this one.

    That is the nearest in OKLab (lightness, and two axes of hue), the axes of hue drawn out by `HUE_COUNTS`.
    """
    here = _oklab(colour)
    stretch = np.array([1.0, HUE_COUNTS, HUE_COUNTS])
    return min(NAMES, key=lambda name: float(np.sum((stretch * (_oklab(NAMES[name]) - here)) ** 2)))


def _oklab(colour: str) -> Array:
    lab: Array = _OKLAB @ np.cbrt(_CONES @ linear(colour))
    return lab
