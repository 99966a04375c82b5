"""The drawing of the bears plane: accessible, within the page, every label in its place."""

import json
import math
import re
from typing import Any

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.widgets.bears import (
    LANDMARKS,
    SENTENCES,
    VECTORS,
    handle,
    mount,
    type_sentence,
)
from unrolled.widgets.bears_plane import BearsPlane

AXE = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}


@pytest.fixture
def widget() -> BearsPlane:
    return BearsPlane(VECTORS, SENTENCES, landmarks=LANDMARKS)


def test_a_dot_stands_where_the_word_lands_and_a_line_joins_it_to_its_mark(
    page: Page, widget: BearsPlane
) -> None:
    mount(page, widget)
    unit = page.locator(".u-plane").evaluate("plane => plane.getBoundingClientRect().width") / (
        2 * widget.limit
    )
    ends = page.locator(".u-leader").evaluate_all(
        "all => all.map(el => ['x1', 'y1', 'x2', 'y2'].map(name => Number(el.getAttribute(name))))"
    )
    dots = page.locator(".u-tip").evaluate_all(
        "all => all.map(el => [Number(el.getAttribute('cx')), Number(el.getAttribute('cy'))])"
    )
    marks = page.locator(".u-plane .u-mark").evaluate_all(
        "all => all.map(el => el.getAttribute('transform').match(/[\\d.]+/g).map(Number))"
    )
    assert len(ends) == len(dots) == len(marks) == 3
    for card, end, dot, mark in zip(page.locator(".u-card").all(), ends, dots, marks, strict=True):
        x, y = json.loads(card.get_attribute("data-context") or "")
        landed = [(x + widget.limit) * unit, (widget.limit - y) * unit]
        assert np.allclose(dot, landed, atol=1)
        assert np.allclose(end, [*dot, *mark], atol=1e-6)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [375, 1000])
def test_accessible_and_never_wider_than_the_page(
    new_page: Any, widget: BearsPlane, scheme: str, width: int
) -> None:
    page = new_page(color_scheme=scheme, viewport={"width": width, "height": 800})
    mount(page, widget)
    type_sentence(page, "bears <b>bold</b> love")
    type_sentence(page, "bears love honey")
    page.get_by_label("x", exact=True).fill("NaN")
    page.get_by_label("x", exact=True).press("Tab")
    found = Axe().run(page, options=AXE).response["violations"]
    assert [(v["id"], [n["html"] for n in v["nodes"]]) for v in found] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


# The ink's box in pixels, without the halo around it.
BOX = """el => {
  const { x, y, width, height } = el.getBBox(), { e, f } = el.getCTM();
  return { x: x + e, y: y + f, width, height };
}"""


@pytest.mark.parametrize("width", [375, 1000])
@pytest.mark.parametrize("crowd", [{}, {"I": (0.1, -0.2), "she": (0.11, -0.2), "the": (0.12, -0.2)}])
def test_labels_keep_apart(new_page: Any, crowd: dict[str, tuple[float, float]], width: int) -> None:
    page = new_page(viewport={"width": width, "height": 800})
    mount(page, BearsPlane(VECTORS | crowd, SENTENCES, landmarks=LANDMARKS))
    labels = page.locator(".u-plane :is(.u-word, .u-place, .u-mark)").all()
    assert len(labels) == len(VECTORS) + len(LANDMARKS) + len(SENTENCES)
    boxes = [(label.text_content(), label.evaluate(BOX)) for label in labels]
    for i, (one, a) in enumerate(boxes):
        for other, b in boxes[:i]:
            across = min(a["x"] + a["width"], b["x"] + b["width"]) - max(a["x"], b["x"])
            down = min(a["y"] + a["height"], b["y"] + b["height"]) - max(a["y"], b["y"])
            assert min(across, down) < 1.5, f"{one!r} covers {other!r}"


def test_a_label_of_an_unused_word_stays_close_or_away(page: Page) -> None:
    crowd = {f"word{i}": (0.02 * i, 1.0) for i in range(30)}
    mount(page, BearsPlane({"bears": (0.3, 0.3), "love": (0.2, 0.9), **crowd}, ["love bears"]))
    drawn = page.locator(".u-plane .u-word").all_text_contents()
    assert {"bears", "love"} <= set(drawn)
    assert len(drawn) < 2 + len(crowd)
    for word in set(drawn) & set(crowd):
        label = page.locator(".u-word", has_text=re.compile(f"^{word}$")).evaluate(BOX)
        x, y = handle(page, word).evaluate("el => [el.getCTM().e, el.getCTM().f]")
        across = max(label["x"] - x, x - label["x"] - label["width"], 0)
        down = max(label["y"] - y, y - label["y"] - label["height"], 0)
        assert math.hypot(across, down) < 16, word
