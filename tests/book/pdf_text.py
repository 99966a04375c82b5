"""The letters of a page of a PDF, and where each is drawn: enough of the format for what Chromium writes."""

import re
from functools import cache
from typing import Any, NamedTuple

from tools.pdf.document import Document
from tools.pdf.values import Name, Word

Matrix = tuple[float, float, float, float, float, float]
UNIT: Matrix = (1, 0, 0, 1, 0, 0)


class Glyph(NamedTuple):
    """What is drawn at once, as text, with its left and right end and its base line in points from below."""

    text: str
    left: float
    right: float
    base: float


class Font(NamedTuple):
    """How many bytes a character takes, what it says, and how wide it is in units of the font's size."""

    bytes_each: int
    says: dict[int, str]
    widths: dict[int, float]
    otherwise: float


def times(a: Matrix, b: Matrix) -> Matrix:
    """Return the matrix that does `a` first and then `b`."""
    return (
        a[0] * b[0] + a[1] * b[2],
        a[0] * b[1] + a[1] * b[3],
        a[2] * b[0] + a[3] * b[2],
        a[2] * b[1] + a[3] * b[3],
        a[4] * b[0] + a[5] * b[2] + b[4],
        a[4] * b[1] + a[5] * b[3] + b[5],
    )


def says(cmap: str) -> dict[int, str]:
    """Return what each code of a font stands for."""
    found: dict[int, str] = {}
    for block in re.findall(r"beginbfchar\n(.*?)endbfchar", cmap, re.DOTALL):
        for code, text in re.findall(r"<(\w+)> <(\w+)>", block):
            found[int(code, 16)] = bytes.fromhex(text).decode("utf-16-be")
    for block in re.findall(r"beginbfrange\n(.*?)endbfrange", cmap, re.DOTALL):
        for first, last, text in re.findall(r"<(\w+)> <(\w+)> <(\w+)>", block):
            for step in range(int(last, 16) - int(first, 16) + 1):
                found[int(first, 16) + step] = chr(ord(bytes.fromhex(text).decode("utf-16-be")) + step)
    return found


def font(pdf: Document, about: dict[str, Any]) -> Font:
    """Read a font of the PDF."""
    meaning = says(pdf.get(about["ToUnicode"]).data.decode())
    if about["Subtype"] == "Type3":
        scale, first = about["FontMatrix"][0], about["FirstChar"]
        return Font(1, meaning, {first + k: scale * w for k, w in enumerate(pdf.get(about["Widths"]))}, 0)
    inner = pdf.get(pdf.get(about["DescendantFonts"])[0])
    widths: dict[int, float] = {}
    listed = list(pdf.get(inner.get("W", [])))
    while listed:
        start, then = listed.pop(0), listed.pop(0)
        many = then if isinstance(then, list) else [listed.pop(0)] * (then - start + 1)
        widths |= {start + k: w / 1000 for k, w in enumerate(many)}
    return Font(2, meaning, widths, inner.get("DW", 1000) / 1000)


@cache
def glyphs(pdf: Document, page: int) -> list[Glyph]:
    """Return what is written on a page, from 1, in the order in which it is drawn."""
    drawn: list[Glyph] = []
    forms = pdf.pages[page - 1]["Resources"]
    _draw(pdf, pdf.content(page), forms, UNIT, drawn)
    return drawn


def _draw(
    pdf: Document, content: list[Any], resources: dict[str, Any], ctm: Matrix, drawn: list[Glyph]
) -> None:
    fonts = pdf.get(resources.get("Font", {}))
    read = cache(lambda name: font(pdf, pdf.get(fonts[name])))
    stack, given, size, name, line = [], [], 0.0, "", UNIT
    for token in content:
        if not isinstance(token, Word):
            given.append(token)
            continue
        if token == "q":
            stack.append(ctm)
        elif token == "Q":
            ctm = stack.pop()
        elif token == "cm":
            ctm = times(tuple(given[-6:]), ctm)
        elif token == "Tf":
            name, size = given[-2:]
        elif token == "Tm":
            line = tuple(given[-6:])
        elif token == "Td":
            line = times((1, 0, 0, 1, *given[-2:]), line)
        elif token == "Tj":
            _show(read(name), given[-1], size, times(line, ctm), drawn)
        elif token == "Do" and isinstance(given[-1], Name):
            form = pdf.get(pdf.get(resources["XObject"])[given[-1]])
            if form.about["Subtype"] == "Form":
                inner = times(tuple(form.about.get("Matrix", UNIT)), ctm)
                _draw(pdf, pdf.tokens_of(form), pdf.get(form.about["Resources"]), inner, drawn)
        if token not in ("[", "]", "<<", ">>"):
            given = []


def _show(font: Font, text: bytes, size: float, at: Matrix, drawn: list[Glyph]) -> None:
    along = 0.0
    for k in range(0, len(text), font.bytes_each):
        code = int.from_bytes(text[k : k + font.bytes_each], "big")
        width = size * font.widths.get(code, font.otherwise)
        # No letter of a page of the book is written upwards: what is turned counts at its foot.
        left, right = at[4] + along * at[0], at[4] + (along + width) * at[0]
        drawn.append(
            Glyph(font.says.get(code, ""), min(left, right), max(left, right), at[5] + along * at[1])
        )
        along += width


def lines(written: list[Glyph]) -> list[str]:
    """Return the lines of a page from above, a space where there is a gap."""
    rows: dict[int, list[Glyph]] = {}
    for one in written:
        rows.setdefault(round(one.base), []).append(one)
    said = []
    for base in sorted(rows, reverse=True):
        text, end = "", None
        for one in sorted(rows[base], key=lambda one: one.left):
            text += (" " if end is not None and one.left - end > 1.2 else "") + one.text
            end = one.right
        said.append(" ".join(text.split()))
    return said
