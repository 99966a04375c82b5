"""The checks of chapter 16: patches put together again, and how many scores a picture costs.

>>> from unrolled.exercises.pictures import check_scores
>>> check_scores(lambda side, patch: (side // patch) ** 2).passed
False

Each takes what the learner made and returns a `Result`, which a notebook shows as the last line of a cell.
A check never raises because of a learner's code.
"""

from collections.abc import Callable
from numbers import Real

from torch import Tensor

from unrolled.exercises._check import Case, Exercise, Misconception
from unrolled.exercises._draw import gaussian
from unrolled.exercises._said import attempt, describe, failed, passed, refusal
from unrolled.exercises.result import Result

__all__ = ["check_scores", "check_together"]

PATCH = 2
# Patches along each side, and pictures: different primes, as far as a square allows.
SHAPES = [(9,), (25,), (7, 9)]


def _side(cut: Tensor) -> int:
    return int(cut.shape[-2] ** 0.5 + 0.5)


def _together(cut: Tensor) -> Tensor:
    n = _side(cut)
    squares = cut.reshape(*cut.shape[:-2], n, n, PATCH, PATCH)
    return squares.transpose(-3, -2).reshape(*cut.shape[:-2], n * PATCH, n * PATCH)


def _strips(cut: Tensor) -> Tensor:
    n = _side(cut)
    return cut.reshape(*cut.shape[:-2], n * PATCH, n * PATCH)


def _turned(cut: Tensor) -> Tensor:
    return _together(cut).transpose(-1, -2)


def _columns_first(cut: Tensor) -> Tensor:
    n = _side(cut)
    swapped = cut.reshape(*cut.shape[:-2], n, n, PATCH**2).transpose(-3, -2)
    return _together(swapped.reshape(cut.shape))


def _inside_turned(cut: Tensor) -> Tensor:
    inside = cut.reshape(*cut.shape[:-1], PATCH, PATCH).transpose(-1, -2)
    return _together(inside.reshape(cut.shape))


TOGETHER = [
    Misconception(
        "strips",
        _strips,
        "The shape is right, and the pixels lie in strips: one patch after another along a row. Rows of "
        "patches and rows inside a patch must stand next to each other before the last reshape.",
    ),
    Misconception(
        "turned", _turned, "That is the picture, mirrored at its diagonal: rows and columns are exchanged."
    ),
    Misconception(
        "columns first",
        _columns_first,
        "Each patch is right and stands in the wrong place: patches go row after row, and you laid them down "
        "column after column.",
    ),
    Misconception(
        "inside turned",
        _inside_turned,
        "Each patch is in its place and mirrored inside: its pixels go row after row.",
    ),
]


def check_together(fn: object) -> Result:
    """Check ``fn(patches)``: the 2 × 2 patches ``[..., N, 4]`` of a square picture put together again."""
    cases = [Case({"patches": gaussian(*shape, PATCH**2)}, batched=len(shape) > 1) for shape in SHAPES]
    return Exercise("the picture", _together, cases, TOGETHER).check(fn)


Count = Callable[[int, int], float]
FORGOTTEN: list[tuple[Count, str]] = [
    (lambda side, patch: (side // patch) ** 4, "The class token looks and is looked at too: N + 1 tokens."),
    (lambda side, patch: (side // patch) ** 2, "That is the number of patches. Each token looks at each."),
    (
        lambda side, patch: (side // patch) ** 2 + 1,
        "That is the number of tokens. Each of them looks at each.",
    ),
    (
        lambda side, patch: (side // patch + 1) ** 2,
        "A picture has side / patch patches in *each* direction, and one class token for all of them.",
    ),
    (
        lambda side, patch: (side**2 + 1) ** 2,
        "That would be one token for each pixel. A patch of patch × patch pixels is one token.",
    ),
]


def check_scores(fn: object) -> Result:
    """Check ``fn(side, patch)``: how many scores a head computes for a picture, class token included."""
    if refused := refusal(fn, ["side", "patch"]):
        return refused
    assert callable(fn)
    for side, patch in ((8, 2), (224, 16), (35, 5)):
        case = f"for side={side}, patch={patch}"
        got, ended = attempt(fn, side, patch, case=case, returns="Your function returns nothing yet.")
        if ended:
            return ended
        if isinstance(got, bool) or not isinstance(got, Real):
            return failed(f"{case.capitalize()}: expected a number, got {describe(got)}.")
        expected = ((side // patch) ** 2 + 1) ** 2
        if got != expected:
            told = next((message for count, message in FORGOTTEN if count(side, patch) == got), "")
            end = f"{case.capitalize()}: expected {expected:,}, got {got:,}."
            return failed(f"{told}\n{end}" if told else end)
    return passed("Right for pictures of 8, 35 and 224 pixels: (N + 1)², where N = (side / patch)².")
