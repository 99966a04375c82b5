"""Drawings of mechanisms: boxes and arrows where they belong, told in words, and legible."""

import itertools
import math
import re
from collections.abc import Callable

import pytest
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.transforms import Bbox

from unrolled.plots import Diagram, drawings
from unrolled.plots.diagram import PALE
from unrolled.plots.style import COLOURS, INK, laid_out

ALL = [getattr(drawings, name) for name in drawings.__all__]


def small() -> Diagram:
    d = Diagram("x goes through a layer.", 7, 5)
    d.box("x", (1, 1), kind="data")
    d.box("layer", (4, 1), "W x")
    d.box("plus", (4, 3), "+", kind="op", step=1)
    d.arrow("x", "layer", "[B, T]")
    d.arrow("layer", "plus", step=1)
    d.arrow("x", "plus", via=[(1, 3)], step=1)
    return d


def ends(ax: Axes) -> list[list[tuple[float, float]]]:
    """Return where each arrow's last piece begins and ends."""
    arrows = [patch for patch in ax.patches if isinstance(patch, FancyArrowPatch)]
    return [list(patch._posA_posB) for patch in arrows]  # type: ignore[attr-defined]


def test_arrows_run_from_edge_to_edge() -> None:
    (x_layer, layer_plus, x_plus) = ends(small().draw())
    layer_left = 4 - (0.29 * 3 + 0.5) / 2
    assert x_layer[1] == pytest.approx((layer_left - 0.06, 1))
    assert 1 < x_layer[0][0] < 2
    assert layer_plus[1] == pytest.approx((4, 3 - 0.36 - 0.06))
    assert x_plus == [pytest.approx((1, 3)), pytest.approx((4 - 0.42, 3))]


def test_an_arrow_from_a_narrow_box_into_a_wide_one_runs_upright() -> None:
    d = Diagram("Two into one.", 9, 5)
    d.box("wide", (4, 3), size=(7, 1))
    d.box("narrow", (2, 1), size=(1, 1))
    d.arrow("narrow", "wide")
    d.arrow("wide", "narrow")
    up, down = ends(d.draw())
    assert up[0][0] == up[1][0] == down[0][0] == down[1][0] == 2


def test_it_tells_itself_with_shapes() -> None:
    assert small().alt == ("x goes through a layer. Arrows: x to W x ([B, T]); W x to plus; x to plus.")
    assert "Arrows" not in Diagram("Nothing yet.", 3, 2).alt
    assert small().show().alt == small().alt


def test_what_comes_later_is_pale_and_nothing_moves() -> None:
    d = small()
    assert d.steps == 1
    first, last = d.draw(step=0), d.draw()
    assert [patch.get_edgecolor() for patch in last.patches].count(plt.matplotlib.colors.to_rgba(PALE)) == 0  # type: ignore[attr-defined]
    pale = [p for p in first.patches if p.get_edgecolor() == plt.matplotlib.colors.to_rgba(PALE)]  # type: ignore[attr-defined]
    assert len(pale) == 4  # the circle, two arrows, and the first piece of the one that turns
    assert ends(first) == ends(last)


def test_thick_blue_edges_hold_parameters() -> None:
    d = Diagram("Kinds.", 9, 3)
    d.box("learned", (2, 1))
    d.box("fixed", (6, 1), kind="fixed")
    learned, fixed = (patch for patch in d.draw().patches if isinstance(patch, FancyBboxPatch))
    to_rgba = plt.matplotlib.colors.to_rgba  # type: ignore[attr-defined]
    assert learned.get_edgecolor() == to_rgba(COLOURS[0])
    assert fixed.get_edgecolor() == to_rgba(INK)
    assert learned.get_linewidth() > 2 * fixed.get_linewidth()


def test_says_what_it_expected() -> None:
    d = small()
    with pytest.raises(ValueError, match="box 'x': there is one"):
        d.box("x", (3, 3))
    with pytest.raises(
        ValueError, match="kind: expected one of learned, fixed, op, data, frame, got 'round'"
    ):
        d.box("y", (3, 3), kind="round")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="expected a box of x, layer, plus, got 'z'"):
        d.arrow("x", "z")
    with pytest.raises(ValueError, match="step: expected 0 to 1, got 2"):
        d.draw(step=2)
    with pytest.raises(ValueError, match="told"):
        Diagram("  ", 3, 3)
    with pytest.raises(ValueError, match="positive width and height, got 0 and 3"):
        Diagram("Flat.", 0, 3)


@pytest.mark.parametrize("drawing", ALL, ids=drawings.__all__)
def test_every_drawing_is_legible(drawing: Callable[[], Diagram]) -> None:
    """No two texts touch, none is cut off or wider than its box, and no arrow runs through a text."""
    diagram = drawing()
    ax = diagram.draw()
    renderer = laid_out(ax).canvas.get_renderer()  # type: ignore[attr-defined]
    inside = ax.transData.inverted()
    boxes: list[tuple[str, Bbox]] = []
    for text in ax.texts:
        extent = text.get_window_extent(renderer).transformed(inside)
        boxes.append((text.get_text(), extent))
        assert min(extent.x0, extent.y0) >= -0.15, text.get_text()
        assert max(extent.x1 - diagram.width, extent.y1 - diagram.height) <= 0.15, text.get_text()
    touching = [
        (a, b)
        for (a, one), (b, other) in itertools.combinations(boxes, 2)
        if one.x0 < other.x1 and other.x0 < one.x1 and one.y0 < other.y1 and other.y0 < one.y1
    ]
    assert touching == []
    for box in diagram._boxes.values():
        if box.kind in ("learned", "fixed"):
            lines = box.text.split("\n")
            within = [
                e
                for text, e in boxes
                if text in lines
                and abs((e.x0 + e.x1) / 2 - box.x) < 0.1
                and abs((e.y0 + e.y1) / 2 - box.y) < box.height / 2
            ]
            assert len(within) == len(lines), box.text
            extent = Bbox.union(within)
            assert extent.width < box.width, box.text
            assert extent.height < box.height, box.text
    crossed = [
        (arrow.start, arrow.end, text)
        for arrow in diagram._arrows
        for text, extent in boxes
        if text != arrow.label
        and any(_crosses(extent, *piece) for piece in itertools.pairwise(diagram._route(arrow)))
    ]
    assert crossed == []


def _crosses(extent: Bbox, start: tuple[float, float], end: tuple[float, float]) -> bool:
    steps = max(2, math.ceil(math.dist(start, end) / 0.05))
    for n in range(steps + 1):
        x = start[0] + (end[0] - start[0]) * n / steps
        y = start[1] + (end[1] - start[1]) * n / steps
        if extent.x0 < x < extent.x1 and extent.y0 < y < extent.y1:
            return True
    return False


@pytest.mark.parametrize("drawing", ALL, ids=drawings.__all__)
def test_every_drawing_fits_a_phone_and_tells_its_arrows(drawing: Callable[[], Diagram]) -> None:
    diagram = drawing()
    assert diagram.width <= 12.4
    assert re.search("Chapter|interlude", drawing.__doc__ or "")
    named = sum(isinstance(a.start, str) and isinstance(a.end, str) for a in diagram._arrows)
    assert diagram.alt.count(" to ") >= named > 3
    for step in range(diagram.steps + 1):
        plt.close(diagram.draw(step).figure)


def test_the_encoders_states_carry_a_bar_as_in_the_equations_of_chapter_3() -> None:
    told = drawings.attention_paths().alt
    assert "scores: h₁·h̄₁ h₁·h̄₂" in told
    assert ".4 h̄₁ + .6 h̄₂" in told
    assert "(h̄₁)" in told
    assert "(h₁: [B, dₕ])" in told
