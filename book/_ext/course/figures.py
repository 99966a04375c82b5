"""The figures in a page, in as few characters as show the same: a map of 26 by 26 has 676 outlines."""

import re

__all__ = ["lighter_figures"]

_FIGURE = re.compile(r'<figure class="unrolled-figure">.*?</figure>', re.DOTALL)
_PATH = re.compile(r'(<path\b[^>]* d=")(M [^"]*)"')
# Matplotlib writes one step a line: a letter, and the numbers that go with it.
_STEP = re.compile(r"([MLCQz])((?: -?\d+(?:\.\d+)?(?:e-?\d+)?)*)\s*")
_DIGITS = 2  # behind the point: a hundredth of a pixel is not seen


def lighter_figures(body: str) -> str:
    """Return a page with its figures made lighter."""
    return _FIGURE.sub(lambda figure: _PATH.sub(_shorter, figure[0]), body)


def _shorter(path: re.Match[str]) -> str:
    """Return a path in hundredths, its level and upright lines with one number."""
    steps = _STEP.findall(path[2])
    if "".join(letter + numbers for letter, numbers in steps) != re.sub(r"\s*\n", "", path[2]):
        return path[0]  # something else than Matplotlib has drawn it
    out, before = "", ["", ""]
    for letter, numbers in steps:
        given = [f"{round(float(number), _DIGITS) + 0.0:.{_DIGITS}f}" for number in numbers.split()]
        written = [number.rstrip("0").rstrip(".") for number in given]
        if letter == "L" and written[1] == before[1]:
            out += f"H{written[0]}"
        elif letter == "L" and written[0] == before[0]:
            out += f"V{written[1]}"
        else:
            out += letter + " ".join(written)
        before = written[-2:] or ["", ""]
    return f'{path[1]}{out}"'
