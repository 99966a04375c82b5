"""The bears plane in a browser: the numbers torch computes, whoever asks for them."""

import json
import math
from typing import Any

import numpy as np
import pytest
import torch
from playwright.sync_api import Page, expect

from tests.widgets.bears import (
    LANDMARKS,
    SENTENCES,
    VECTORS,
    agree,
    digits,
    handle,
    mount,
    set_scale,
    shown,
    state,
    torch_says,
    type_sentence,
)
from tests.widgets.notebook import NOTEBOOK
from unrolled.widgets import bundle
from unrolled.widgets.bears_plane import BearsPlane


@pytest.fixture
def widget() -> BearsPlane:
    return BearsPlane(VECTORS, SENTENCES, landmarks=LANDMARKS)


def test_shows_the_numbers_of_torch(page: Page, widget: BearsPlane) -> None:
    mount(page, widget)
    agree(page, SENTENCES)
    expect(page.locator(".u-plane .u-arrow")).to_have_count(3)
    contexts = [json.loads(c.get_attribute("data-context") or "") for c in page.locator(".u-card").all()]
    apart = [np.hypot(*np.subtract(contexts[i], contexts[j])) for i, j in ((0, 1), (1, 2), (0, 2))]
    assert min(apart) > 0.5  # one word, three places


@pytest.mark.parametrize("seed", range(5))
def test_random_vectors_and_scales_equal_torch(page: Page, seed: int) -> None:
    rng = np.random.default_rng(seed)
    scale = float(rng.uniform(0, 20))
    mount(page, BearsPlane((list(VECTORS), rng.normal(0, 1.5, (len(VECTORS), 2))), SENTENCES, scale=scale))
    agree(page, SENTENCES, scale)


def test_names_the_nearest_landmark(page: Page, widget: BearsPlane) -> None:
    mount(page, widget)
    for card, sentence, name in zip(page.locator(".u-card").all(), SENTENCES, LANDMARKS, strict=True):
        _, context = torch_says(state(page), sentence.lower().strip(".").split(), 1.0)
        by_hand = min(LANDMARKS, key=lambda place: math.dist(LANDMARKS[place], context.tolist()))
        assert by_hand == name
        expect(card.locator(".u-landing")).to_contain_text(f"nearest to {name}")


def test_equal_lengths_can_be_taken_back(page: Page, widget: BearsPlane) -> None:
    mount(page, widget)
    button = page.get_by_role("button", name="Equal lengths")
    places = "JSON.parse(document.querySelector('.unrolled').dataset.landmarks)"
    expect(button).to_have_attribute("aria-pressed", "false")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    assert np.allclose(np.hypot(*np.array(state(page)).T), 1.0)
    assert np.allclose([math.hypot(*place) for place in page.evaluate(places).values()], 1.0)
    # The landmark called nearest is the nearest of those that are drawn now.
    for card in page.locator(".u-card").all():
        point = json.loads(card.get_attribute("data-context") or "")
        drawn = page.evaluate(places)
        by_hand = min(drawn, key=lambda name: math.dist(drawn[name], point))
        expect(card.locator(".u-landing")).to_contain_text(f"nearest to {by_hand}")
    handle(page, "love").focus()
    page.keyboard.press("ArrowRight")
    moved = state(page)[list(VECTORS).index("love")]
    button.click()
    expect(button).to_have_attribute("aria-pressed", "false")
    expected = [moved if word == "love" else list(v) for word, v in VECTORS.items()]
    assert state(page) == expected  # what the reader moved meanwhile stays where it was put
    assert page.evaluate(places) == {name: list(place) for name, place in LANDMARKS.items()}
    button.click()
    page.get_by_role("button", name="Reset").click()
    expect(button).to_have_attribute("aria-pressed", "false")
    assert state(page) == [list(v) for v in VECTORS.values()]
    assert page.evaluate(places) == {name: list(place) for name, place in LANDMARKS.items()}


def test_the_simple_plane_offers_less_and_says_more_in_words(page: Page) -> None:
    mount(page, BearsPlane(VECTORS, SENTENCES, landmarks=LANDMARKS, simple=True))
    for label in ("Word", "x", "y", "Your own sentence"):
        expect(page.get_by_label(label, exact=True)).to_be_visible()
    names = page.get_by_role("button").all_inner_texts()
    assert names == ["Reset", "Show", "Show as a table", "Copy link", "SVG", "PNG", "CSV"]
    expect(page.get_by_label("Multiply every score by")).to_have_count(0)
    _, context = torch_says(state(page), ["i", "love", "bears"], 1.0)
    x, y = digits(context)
    expect(page.locator(".u-landing").first).to_have_text(f"ends up at ({x}, {y}), nearest to animal")
    assert "x̂" not in page.locator(".unrolled").inner_text()
    type_sentence(page, "zebra bears")
    expect(page.locator(".u-card")).to_have_count(3)


def test_live_text_reads_the_weights_and_the_place(page: Page, widget: BearsPlane) -> None:
    mount(page, widget)
    handle(page, "I").focus()
    page.keyboard.press("ArrowUp")
    weights, context = torch_says(state(page), ["i", "love", "bears"], 1.0)
    i, love, bears, x, y = digits([*weights, *context])
    shares = f"I {i}, love {love}, bears {bears}"
    expected = f"bears in “I love bears”: {shares}; x̂ = ({x}, {y}), nearest to animal."
    expect(page.locator(".u-live[role=status]")).to_contain_text(expected)


def test_scale_sharpens_until_bears_hears_only_itself(page: Page, widget: BearsPlane) -> None:
    mount(page, widget)
    set_scale(page, 2)
    expect(page.get_by_text("× 4", exact=True)).to_be_visible()
    agree(page, SENTENCES, scale=4.0)
    page.get_by_role("button", name="Equal lengths").click()
    assert np.allclose(np.hypot(*np.array(state(page)).T), 1.0)
    set_scale(page, 4)
    agree(page, SENTENCES, scale=64.0)
    last = json.loads(page.locator(".u-card").first.get_attribute("data-weights") or "")
    assert last[-1] > 0.99
    set_scale(page, -10)
    agree(page, SENTENCES, scale=0.0)
    assert shown(page.locator(".u-card").nth(1)) == "0.25 0.25 0.25 0.25"


def test_reset_brings_everything_back(page: Page, widget: BearsPlane) -> None:
    mount(page, widget)
    handle(page, "love").focus()
    page.keyboard.press("ArrowLeft")
    set_scale(page, 3)
    type_sentence(page, "love bears")
    page.get_by_role("button", name="Reset").click()
    assert state(page) == [list(v) for v in VECTORS.values()]
    agree(page, SENTENCES)
    expect(page.get_by_label("Your own sentence")).to_have_value("")


def test_a_kernel_hears_and_is_heard(page: Page, widget: BearsPlane) -> None:
    page.goto("about:blank")
    given = {"esm": bundle.esm(widget.name), "state": widget.state(), "kept": ["vectors", "scale"]}
    page.evaluate(NOTEBOOK, given)
    handle(page, "love").focus()
    page.keyboard.press("ArrowUp")
    set_scale(page, 1)
    saved = page.evaluate("saved.at(-1)")
    assert saved["scale"] == 2.0
    assert saved["vectors"] == state(page)
    widget.vectors = saved["vectors"]  # the kernel takes them
    page.evaluate("v => model.set('vectors', v)", [[0.5, 0.25]] * len(VECTORS))
    assert state(page) == [[0.5, 0.25]] * len(VECTORS)
    page.evaluate("model.set('scale', 3)")  # a factor the slider did not have
    expect(page.get_by_text("× 3", exact=True)).to_be_visible()
    agree(page, SENTENCES, scale=3.0)
    page.evaluate("stop()")
    page.evaluate("model.set('scale', 1)")
    expect(page.get_by_text("× 3", exact=True)).to_be_visible()  # it no longer listens


def test_two_on_a_page_live_apart(page: Page, widget: BearsPlane) -> None:
    mount(page, widget, BearsPlane(VECTORS, ["I love bears"]))
    first, second = page.locator(".unrolled").all()
    second.get_by_role("slider", name="love", exact=True).focus()
    page.keyboard.press("ArrowUp")
    assert json.loads(first.get_attribute("data-vectors") or "") == [list(v) for v in VECTORS.values()]
    assert json.loads(second.get_attribute("data-vectors") or "")[4] == [0.25, 1.4]


def test_fallback_holds_the_numbers_of_torch(new_page: Any, widget: BearsPlane) -> None:
    page = new_page(java_script_enabled=False)
    page.set_content(widget.static_html())
    tables = page.locator("table").all()
    assert len(tables) == 1 + len(SENTENCES)
    rows = tables[0].locator("tbody tr").all()
    spoken = " ".join(SENTENCES).lower().replace(".", "").split()
    assert len(rows) == len(set(spoken))
    for row in rows:
        cells = row.locator("td").all_inner_texts()
        assert cells == digits(VECTORS[row.locator("th").inner_text()])
    for table, sentence in zip(tables[1:], SENTENCES, strict=True):
        words = sentence.lower().strip(".").split()
        weights, context = torch_says([list(v) for v in VECTORS.values()], words, 1.0)
        _, got, (x, y) = widget.attention(sentence)
        torch.testing.assert_close(torch.tensor(got, dtype=torch.float64), weights, rtol=0, atol=1e-12)
        torch.testing.assert_close(torch.tensor([x, y], dtype=torch.float64), context, rtol=0, atol=1e-12)
        assert [cell for cell in table.locator("td").all_inner_texts() if cell] == digits(weights)
        caption = table.locator("caption").inner_text()
        assert sentence in caption
        assert f"({digits(context)[0]}, {digits(context)[1]})" in caption
