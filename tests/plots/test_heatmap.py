"""The attention map and the matrix: the right numbers in the right cells, and bad input refused by name."""

import math
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt
from matplotlib.colors import to_hex
from playwright.sync_api import Page

from unrolled.plots import attention_map, matrix, show
from unrolled.plots.style import SEQUENTIAL, contrast

WEIGHTS = [[0.9, 0.02, 0.08], [0.25, 0.5, 0.25]]
TOKENS = ["i", "love"]
KEYS = ["honey", "bears", "$x"]


def cells(ax: Any) -> np.ndarray:
    return np.asarray(ax.collections[0].get_array())


@pytest.mark.parametrize(
    "weights",
    [WEIGHTS, np.array(WEIGHTS), torch.tensor(WEIGHTS, requires_grad=True), torch.tensor(WEIGHTS).bfloat16()],
)
def test_tensors_arrays_and_lists_draw_the_same_map(weights: Any) -> None:
    ax = attention_map(weights, TOKENS, KEYS)
    np.testing.assert_allclose(cells(ax), WEIGHTS, atol=2e-3)
    assert [t.get_text() for t in ax.get_yticklabels()] == TOKENS
    assert [t.get_text() for t in ax.get_xticklabels()] == KEYS
    assert ax.collections[0].get_clim() == (0, 1)


def test_queries_run_downwards_and_keys_stand_on_top() -> None:
    ax = attention_map(np.eye(3), KEYS)
    assert ax.yaxis_inverted()
    assert ax.xaxis.get_label_position() == "top"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("is looked at →", "← looks")
    assert [t.get_text() for t in ax.get_xticklabels()] == KEYS


def test_every_number_stands_in_its_cell_in_ink_that_is_not_pure_black() -> None:
    ax = attention_map(WEIGHTS, TOKENS, KEYS)
    written = {t.get_position(): t.get_text() for t in ax.texts}
    assert written == {(j, i): f"{w:.2f}" for i, row in enumerate(WEIGHTS) for j, w in enumerate(row)}
    assert "#000000" not in {to_hex(t.get_color()) for t in ax.texts}
    assert {to_hex(t.get_color()) for t in ax.texts} == {"#010102", "#fffffe"}


RAMP = np.linspace(0, 1, 64).reshape(8, 8)
# A canvas turns any colour the browser computes into red, green and blue.
FILLS = """() => {
    const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    const rgb = (el) => {
        canvas.fillStyle = getComputedStyle(el).fill;
        canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3).map((c) => c / 255);
    };
    const all = (selector) => [...document.querySelectorAll(selector)].map(rgb);
    return [all("path[style*='stroke: #808080']"), all("text[style*='light-dark'], text[style*='#0101'], "
        + "text[style*='#ffff']")];
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("draw", ["attention_map", "matrix"])
def test_in_both_themes_a_cell_has_its_own_colour_and_ink_that_reads_on_it(
    new_page: Callable[..., Page], scheme: Literal["light", "dark"], draw: str
) -> None:
    labels = list("abcdefgh")
    ax = attention_map(RAMP, labels) if draw == "attention_map" else matrix(2 * RAMP - 1, labels, labels)
    page = new_page(color_scheme=scheme)
    page.set_content(f"<style>:root {{ color-scheme: light dark }}</style>{show(ax, 'A ramp').html()}")
    cells, inks = page.evaluate(FILLS)
    assert len(cells) == len(inks) == 64
    for cell, ink in zip(cells, inks, strict=True):
        assert contrast(tuple(cell), tuple(ink)) >= 4.5
    shade = [contrast(tuple(cell), "#ffffff" if scheme == "light" else "#000000") for cell in cells]
    # Next to nothing lies near the paper, and more stands out more.
    at_zero = shade[0] if draw == "attention_map" else shade[31]
    assert at_zero < 1.6
    rising = shade if draw == "attention_map" else shade[32:]
    assert rising == sorted(rising)
    assert rising[-1] > 8


@pytest.mark.parametrize("size", [3, 40])
def test_every_cell_and_no_other_mark_has_a_colour_for_the_dark_theme(size: int) -> None:
    html = show(attention_map(np.full((size, size), 1 / size), ["w"] * size, numbers=False), "Even").html()
    assert html.count("light-dark(") == size * size
    # The same colour outside of a map stays as it is.
    _, plain = plt.subplots()
    plain.bar([0], [1], color=to_hex(SEQUENTIAL(0.5)))
    assert "light-dark(" not in show(plain, "A bar").html()


@pytest.mark.parametrize(
    ("size", "asked", "shown"), [(8, None, 64), (9, None, 0), (9, True, 81), (2, False, 0)]
)
def test_numbers_are_left_out_of_large_maps_unless_asked_for(
    size: int, asked: bool | None, shown: int
) -> None:
    assert len(attention_map(np.eye(size), ["w"] * size, numbers=asked).texts) == shown


def test_a_map_draws_on_the_axes_it_is_given() -> None:
    with plt.rc_context({"figure.constrained_layout.use": True}):
        _, (left, right) = plt.subplots(1, 2)
    assert attention_map(np.eye(2), TOKENS, ax=right, title="after") is right
    assert right.get_title() == "after"
    assert not left.collections


def test_a_dollar_sign_is_no_formula() -> None:
    attention_map(np.eye(2), ["$a_", "$b^"]).figure.canvas.draw()


@pytest.mark.parametrize("limit", [None, 8.0])
def test_a_matrix_is_centred_on_zero(limit: float | None) -> None:
    ax = matrix([[4.0, -1.0]], ["s"], ["a", "b"], limit=limit, digits=1, xlabel="to", ylabel="from")
    top = limit or 4.0
    assert ax.collections[0].get_clim() == (-top, top)
    assert [t.get_text() for t in ax.texts] == ["4.0", "−1.0"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("to", "from")


def test_a_matrix_of_zeros_can_be_drawn() -> None:
    matrix(np.zeros((2, 2)), TOKENS, TOKENS).figure.canvas.draw()


@pytest.mark.parametrize(
    ("weights", "tokens", "kind", "says"),
    [
        (np.eye(3), TOKENS, ValueError, r"weights: expected shape \[2, 2\].*got \[3, 3\]"),
        ([0.5, 0.5], TOKENS, ValueError, r"weights: expected shape \[rows, columns\].*got \[2\]"),
        (np.zeros((0, 0)), [], ValueError, r"none of them zero, got \[0, 0\]"),
        (
            [[1, 0], [math.nan, 1]],
            TOKENS,
            ValueError,
            r"weights\[1, 0\] \(love → i\): expected a finite number, got nan",
        ),
        (
            [[1, math.inf], [0, 1]],
            TOKENS,
            ValueError,
            r"weights\[0, 1\] \(i → love\): expected a finite.*got inf",
        ),
        ([[1, 0], [3.5, 1]], TOKENS, ValueError, r"weights\[1, 0\] \(love → i\): expected a weight.*got 3.5"),
        ([[1, -0.5], [0, 1]], TOKENS, ValueError, r"got -0.5; scores are drawn by plots.matrix"),
        ([["a", "b"]], TOKENS, TypeError, "weights: expected numbers"),
        ([[1, 0], [1]], TOKENS, TypeError, "weights: expected numbers"),
        (np.eye(2), "ab", TypeError, "tokens: expected a list of texts, got the single text 'ab'"),
        (np.eye(2), ["a", 3], TypeError, r"tokens\[1\]: expected a text, got int"),
    ],
)
def test_bad_input_is_refused_by_name(weights: Any, tokens: Any, kind: type[Exception], says: str) -> None:
    with pytest.raises(kind, match=says):
        attention_map(weights, tokens)
    assert not plt.get_fignums()


def test_a_limit_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="limit: expected a finite number above zero, got -1"):
        matrix([[1.0]], ["a"], ["b"], limit=-1)


def test_axes_must_be_axes() -> None:
    with pytest.raises(TypeError, match="ax: expected matplotlib Axes, got str"):
        attention_map(np.eye(2), TOKENS, ax="here")  # type: ignore[arg-type]
