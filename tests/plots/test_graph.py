"""Attention as a graph: an arrow for every weight that counts, to the token that looks."""

import re
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.patches import FancyArrowPatch

from unrolled.plots import graph

WORDS = ["I", "love", "bears"]
WEIGHTS = [[1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [0.2, 0.795, 0.005]]


def arrows(ax: Any) -> list[FancyArrowPatch]:
    return [patch for patch in ax.patches if isinstance(patch, FancyArrowPatch)]


def texts(ax: Any) -> dict[str, tuple[float, float]]:
    return {text.get_text(): text.get_position() for text in ax.texts}


@pytest.mark.parametrize("weights", [WEIGHTS, np.array(WEIGHTS), torch.tensor(WEIGHTS, requires_grad=True)])
def test_an_arrow_for_each_weight_that_counts(weights: Any) -> None:
    ax = graph(weights, WORDS)
    assert len(arrows(ax)) == 5  # two are zero, one is below the least
    assert len(arrows(graph(weights, WORDS, least=0.001))) == 6
    written = [text for text in texts(ax) if re.fullmatch(r"\d\.\d\d", text)]
    assert set(written) == {"1.00", "0.50", "0.20", "0.80"}
    assert set(WORDS) <= set(texts(ax))
    assert not [t for t in texts(graph(weights, WORDS, numbers=False)) if t not in WORDS]


def test_arrows_lead_to_the_token_that_looks_and_are_as_wide_as_their_weight() -> None:
    ax = graph([[0.0, 1.0], [0.3, 0.0]], ["a", "b"])
    place = texts(ax)
    for arrow, start, end in zip(arrows(ax), "ba", "ab", strict=True):
        tail, head = arrow._posA_posB
        assert np.hypot(*np.subtract(tail, place[start])) < np.hypot(*np.subtract(tail, place[end]))
        assert np.hypot(*np.subtract(head, place[end])) < np.hypot(*np.subtract(head, place[start]))
    assert arrows(ax)[0].get_linewidth() > 2 * arrows(ax)[1].get_linewidth()


def test_numbers_stand_beside_their_own_arrow() -> None:
    """The arrow there and the arrow back bend apart, and each number lies on the side of its own."""
    ax = graph([[0.0, 0.6], [0.4, 0.0]], ["a", "b"])
    ax.figure.canvas.draw()
    place = {text.get_text(): text.get_window_extent() for text in ax.texts}
    boxes = {
        name: arrow.get_window_extent() for name, arrow in zip(("0.60", "0.40"), arrows(ax), strict=True)
    }
    for own, other in (("0.60", "0.40"), ("0.40", "0.60")):
        middle = (place[own].y0 + place[own].y1) / 2  # the two nodes stand side by side
        far = {name: abs(middle - (box.y0 + box.y1) / 2) for name, box in boxes.items()}
        assert far[own] < far[other]


def test_two_sequences_stand_in_two_columns() -> None:
    ax = graph(torch.full((3, 4), 0.25), WORDS, ["She", "bears", "the", "pain"])
    assert len(arrows(ax)) == 12
    columns = sorted({x for x, _ in (text.get_position() for text in ax.texts)})
    assert len(columns) == 2
    for arrow in arrows(ax):
        tail, head = arrow._posA_posB
        assert tail[0] < head[0]


def test_everything_lies_inside() -> None:
    ax = graph(WEIGHTS, WORDS, title="t")
    ax.figure.canvas.draw()
    frame = ax.get_window_extent()
    for text in ax.texts:
        box = text.get_window_extent()
        assert frame.contains(box.x0, box.y0)
        assert frame.contains(box.x1, box.y1)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([[0.5, 0.5]], r"expected shape \[3, 3\], one row and one column per label, got \[1, 2\]"),
        (
            [[0.1, 0, 0], [0, -0.4, 0], [0, 0, 1]],
            r"weights\[1, 1\]: expected a weight between 0 and 1, got -0.4",
        ),
        ([[0.1, 0, 0], [0, float("nan"), 0], [0, 0, 1]], "expected a finite number"),
    ],
)
def test_says_what_it_expected(weights: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        graph(weights, WORDS)


def test_too_many_tokens_are_sent_to_the_map() -> None:
    with pytest.raises(ValueError, match=r"at most 8 tokens, got 9: draw plots\.attention_map"):
        graph(torch.full((9, 9), 1 / 9), list("abcdefghi"))
