"""The picture of an unrolled network: its texts, its arrows, and what it refuses."""

from typing import Any

import pytest
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from unrolled.plots import unrolling

STATES = ["h₀", "h₁", "h₂", "h₃"]


def texts(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts if text.get_text()]


def arrows(ax: Axes) -> list[tuple[float, float]]:
    """Return where each arrow points."""
    return [text.xy for text in ax.texts if hasattr(text, "xy")]


def test_one_cell_for_each_word_and_the_states_between() -> None:
    ax = unrolling(["don't", "eat", "$5"], STATES, cell="RNN")
    assert sorted(texts(ax)) == sorted(["don't", "eat", "$5", *STATES, *["RNN"] * 3])
    assert sum(isinstance(patch, FancyBboxPatch) for patch in ax.patches) == 3
    assert len(arrows(ax)) == 3 + 4
    at = {text.get_text(): text.get_position() for text in ax.texts}
    assert at["h₀"][0] < at["don't"][0] < at["h₁"][0] < at["eat"][0] < at["h₂"][0] < at["$5"][0] < at["h₃"][0]
    plt.close(ax.figure)


def test_outputs_stand_above() -> None:
    _, ax = plt.subplots()
    assert unrolling(["a", "b"], STATES[:3], outputs=["p", "q"], ax=ax, title="two") is ax
    at = {text.get_text(): text.get_position() for text in ax.texts}
    assert at["p"][1] > 0.5 > at["a"][1]
    assert len(arrows(ax)) == 2 + 3 + 2
    assert ax.get_title() == "two"
    plt.close(ax.figure)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"inputs": []}, ValueError, "inputs"),
        ({"inputs": ["a"] * 9}, ValueError, "inputs: expected 1 to 8, got 9"),
        ({"states": ["h"] * 3}, ValueError, "states"),
        ({"outputs": ["p"]}, ValueError, "outputs"),
        ({"inputs": "abc"}, TypeError, "inputs"),
    ],
)
def test_says_what_it_expected(given: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        unrolling(**{"inputs": ["a", "b", "c"], "states": STATES, **given})
