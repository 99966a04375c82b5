"""The picture that other sites show beside a link to a page, drawn from the page's title.

Left the title; right a map of attention that every title has of its own: its letters look at each other, most
at their like. Run ``python -m tools.cards "A title" file.png`` to look at one.
"""

import io
import math
import sys
from pathlib import Path

import matplotlib
from PIL import Image, ImageDraw, ImageFont

from tools import course

__all__ = ["SIZE", "card", "letters", "weights"]

FONTS = Path(__file__).parents[1] / "book" / "_assets" / "fonts"
SIZE = (1200, 630)
"""What the sites that show such pictures ask for: wide and high, in pixels."""

# The picture is drawn in numbers of colours: first those from paper to ink, between which edges of letters
# lie, then those of the map from bare to full.
_STEPS = 16
_INK, _MUTED, _ACCENT = _STEPS - 1, 11, 2 * _STEPS - 1
_COLOURS = (((253, 253, 251), (27, 34, 44)), ((237, 243, 250), (29, 90, 163)))
_VOWELS = "aeiouy"
_TEXT_WIDTH, _MAP, _EDGE = 600, 430, 70


def letters(title: str) -> str:
    """Return what of a title looks at itself: its letters, small, at most 40."""
    return "".join(letter for letter in title.casefold() if letter.isalpha())[:40]


def weights(text: str) -> list[list[float]]:
    """Return how much each letter attends to each: a softmax of 3 for its like, 1 for its kind, 0 else.

    Returns:
        One row for each letter of `text`; each sums to 1.
    """
    rows = []
    for one in text:
        scores = [3.0 if one == other else float((one in _VOWELS) == (other in _VOWELS)) for other in text]
        powers = [math.exp(score) for score in scores]
        rows.append([power / sum(powers) for power in powers])
    return rows


def card(title: str) -> bytes:
    """Return the picture of a page with this title, as a PNG of `SIZE`.

    Raises:
        ValueError: the title is empty.
    """
    if not title.strip():
        raise ValueError(f"title: expected some text, got {title!r}")
    image = Image.new("L", SIZE)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, SIZE[0], 14), fill=_ACCENT)
    _map(draw, letters(title))
    small = _font(course.title(), 34)
    draw.text((_EDGE, 62), course.title(), font=small, fill=_MUTED)
    lines, font = _fitted(title)
    step = round(font.size * 1.2)
    top = (SIZE[1] - step * len(lines)) // 2 + 14
    for number, line in enumerate(lines):
        draw.text((_EDGE, top + number * step), line, font=font, fill=_INK)
    image.putpalette(
        [
            round(a + (b - a) * step / (_STEPS - 1))
            for first, last in _COLOURS
            for step in range(_STEPS)
            for a, b in zip(first, last, strict=True)
        ]
    )
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def _font(text: str, size: int, bold: bool = False) -> ImageFont.FreeTypeFont:
    """Return the book's font, or matplotlib's where the book's has not all letters of `text`."""
    ours = FONTS / f"unrolled-text{'-bold' * bold}.woff2"
    font = ImageFont.truetype(ours, size, layout_engine=ImageFont.Layout.BASIC)
    if all(font.getmask(letter).getbbox() for letter in text if not letter.isspace()):
        return font
    other = Path(matplotlib.get_data_path(), "fonts", "ttf", f"DejaVuSerif{'-Bold' * bold}.ttf")
    return ImageFont.truetype(other, size, layout_engine=ImageFont.Layout.BASIC)


def _map(draw: ImageDraw.ImageDraw, text: str) -> None:
    left, top = SIZE[0] - _EDGE - _MAP, (SIZE[1] - _MAP) // 2 + 7
    cell = _MAP / max(1, len(text))
    gap = max(1, round(cell * 0.12))
    for i, row in enumerate(weights(text)):
        for j, weight in enumerate(row):
            # Against the most of the row: a long title has small weights, and should not look pale.
            colour = _STEPS + round((_STEPS - 1) * weight / max(row))
            x, y = left + round(j * cell), top + round(i * cell)
            right, bottom = left + round((j + 1) * cell) - gap, top + round((i + 1) * cell) - gap
            draw.rectangle((x, y, max(x, right), max(y, bottom)), fill=colour)


def _fitted(title: str) -> tuple[list[str], ImageFont.FreeTypeFont]:
    """Return the title in lines, in the largest letters that have room for all of them."""
    for size in range(84, 15, -4):
        font = _font(title, size, bold=True)
        lines = _lines(title, font)
        if len(lines) * size * 1.2 <= 400 and all(font.getlength(line) <= _TEXT_WIDTH for line in lines):
            break
    return lines, font


def _lines(title: str, font: ImageFont.FreeTypeFont) -> list[str]:
    lines: list[str] = []
    for word in title.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and font.getlength(longer) <= _TEXT_WIDTH:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


if __name__ == "__main__":
    Path(sys.argv[2]).write_bytes(card(sys.argv[1]))
