"""The words of the bears plane are moved by mouse, touch, keyboard and typing."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.waiting import wait_until
from tests.widgets.bears import LANDMARKS, SENTENCES, VECTORS, agree, handle, mount, state
from unrolled.widgets.bears_plane import BearsPlane


@pytest.fixture
def widget() -> BearsPlane:
    return BearsPlane(VECTORS, SENTENCES, landmarks=LANDMARKS)


def centre(page: Page, word: str) -> tuple[float, float]:
    handle(page, word).scroll_into_view_if_needed()
    box = handle(page, word).locator(".u-dot").bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_keyboard_moves_a_word(page: Page, widget: BearsPlane) -> None:
    mount(page, widget)
    love = handle(page, "love")
    love.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    assert state(page)[list(VECTORS).index("love")] == [0.35, 0.8]
    expect(love).to_have_attribute("aria-valuetext", "x: 0.35, y: 0.80")
    expect(page.locator(".u-live")).to_contain_text("love at (0.35, 0.80). bears in “I love bears”")
    expect(love).to_be_focused()
    agree(page, SENTENCES)
    for _ in range(9):
        page.keyboard.press("Shift+ArrowLeft")
    assert state(page)[list(VECTORS).index("love")][0] == -widget.limit  # and not beyond the plane


def test_the_plane_is_one_tab_stop_and_pages_lead_to_the_other_words(page: Page, widget: BearsPlane) -> None:
    mount(page, widget)
    handle(page, "bears").focus()
    expect(page.locator(".u-keys")).to_be_visible()
    visited = []
    for _ in range(8):
        page.keyboard.press("PageDown")
        visited.append(page.evaluate("document.activeElement.getAttribute('aria-label')"))
        expect(page.locator(".u-handle[tabindex='0']")).to_have_count(1)
    assert visited == [
        "love",
        "pain",
        "won",
        "game",
        "I",
        "she",
        "the",
        "bears",
    ]  # never honey: nobody says it
    page.keyboard.press("PageUp")
    expect(handle(page, "the")).to_be_focused()
    expect(page.get_by_label("Word", exact=True).locator("option:checked")).to_have_text("the")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Word", exact=True)).to_be_focused()
    expect(page.locator(".u-keys")).to_be_hidden()
    page.get_by_label("Word", exact=True).select_option("honey")
    page.keyboard.press("Shift+Tab")
    expect(handle(page, "honey")).to_be_focused()
    assert "Page Up and Page Down" in (page.locator(".u-plane").get_attribute("aria-label") or "")


def test_mouse_drags_a_word(page: Page, widget: BearsPlane) -> None:
    mount(page, widget)
    x, y = centre(page, "game")
    unit = pixels_per_unit(page, widget)
    page.mouse.move(x + 3, y + 2)
    page.mouse.down()
    page.mouse.move(x + 3 - unit / 2, y + 2 - unit, steps=4)
    page.mouse.up()
    page.mouse.move(x, y)  # let go: it follows no more
    assert np.allclose(state(page)[list(VECTORS).index("game")], [1.4 - 0.5, -0.6 + 1.0], atol=0.02)
    agree(page, SENTENCES)


def test_of_two_words_in_one_place_the_one_the_sentences_use_is_dragged(page: Page) -> None:
    x, y = VECTORS["pain"]
    vectors = {"before": [x + 0.01, y], **VECTORS, "behind": [x, y - 0.01]}
    mount(page, BearsPlane(vectors, SENTENCES, landmarks=LANDMARKS))
    first = state(page)
    px, py = centre(page, "behind")
    page.mouse.move(px, py)
    page.mouse.down()
    page.mouse.move(px + 30, py - 30, steps=4)
    page.mouse.up()
    assert [w for w, a, b in zip(vectors, first, state(page), strict=True) if a != b] == ["pain"]


Finger = Callable[..., None]


@pytest.fixture
def phone(new_page: Any, widget: BearsPlane) -> tuple[Page, Finger]:
    """Return a page with room to scroll, and a function that moves fingers on it."""
    page = new_page(has_touch=True, viewport={"width": 375, "height": 740})
    page.clock.install(time=0)
    mount(page, widget)
    # From here on no time passes by itself: on a busy machine a finger on its way had rested on a word.
    page.clock.pause_at(3600)
    page.add_style_tag(content="body { padding-bottom: 200vh }")
    session = page.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        at = [{"x": px, "y": py, "id": i} for i, (px, py) in enumerate(points)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})

    return page, touch


def pixels_per_unit(page: Page, widget: BearsPlane) -> float:
    width: float = page.locator(".u-plane").evaluate("plane => plane.getBoundingClientRect().width")
    return width / (2 * widget.limit)


def test_a_finger_that_goes_sideways_drags_a_word_anywhere(
    phone: tuple[Page, Finger], widget: BearsPlane
) -> None:
    page, touch = phone
    x, y = centre(page, "pain")
    unit = pixels_per_unit(page, widget)
    before = page.evaluate("scrollY")
    touch("touchStart", (x, y))
    for right, up in ((0.25, 0.1), (0.5, 0.5), (0.75, 1.0), (1.0, 1.0)):
        touch("touchMove", (x + right * unit, y - up * unit))
    touch("touchEnd")
    assert np.allclose(state(page)[list(VECTORS).index("pain")], [-1.3 + 1.0, -0.5 + 1.0], atol=0.02)
    assert page.evaluate("scrollY") == before
    agree(page, SENTENCES)


@pytest.mark.parametrize("word", ["pain", "bears"])
def test_swiping_up_over_a_word_scrolls_the_page(phone: tuple[Page, Finger], word: str) -> None:
    page, touch = phone
    first = state(page)
    x, y = centre(page, word)
    before, now = page.evaluate("[scrollY, Date.now()]")
    touch("touchStart", (x, y))
    for up in (10, 30, 60, 100, 150):
        touch("touchMove", (x + up / 10, y - up))
    touch("touchEnd")
    assert page.evaluate("Date.now()") == now  # however long it took, the finger has not rested
    wait_until(page, "before => scrollY > before + 50", arg=before)
    assert state(page) == first


def test_a_finger_that_rests_on_a_word_takes_it_up_and_down(
    phone: tuple[Page, Finger], widget: BearsPlane
) -> None:
    page, touch = phone
    x, y = centre(page, "pain")
    unit = pixels_per_unit(page, widget)
    before = page.evaluate("scrollY")
    touch("touchStart", (x, y))
    page.clock.run_for(400)
    expect(page.locator(".u-plane.is-dragging")).to_have_count(1)
    for up in (0.25, 0.5, 1.0):
        touch("touchMove", (x, y - up * unit))
    touch("touchEnd")
    assert np.allclose(state(page)[list(VECTORS).index("pain")], [-1.3, -0.5 + 1.0], atol=0.02)
    assert page.evaluate("scrollY") == before


def test_two_fingers_move_no_word(phone: tuple[Page, Finger]) -> None:
    page, touch = phone
    first = state(page)
    x, y = centre(page, "pain")
    touch("touchStart", (x, y))
    touch("touchStart", (x, y), (x + 60, y))
    for apart in (20, 40, 80):
        touch("touchMove", (x - apart, y), (x + 60 + apart, y))
    touch("touchEnd")
    page.clock.run_for(1000)
    assert state(page) == first
    expect(page.locator(".u-plane.is-dragging")).to_have_count(0)
    assert page.evaluate("visualViewport.scale") > 1.1


def test_a_tap_chooses_the_nearest_word_and_moves_none(phone: tuple[Page, Finger]) -> None:
    page, _ = phone
    first = state(page)
    x, y = centre(page, "won")
    page.touchscreen.tap(x + 2, y)
    expect(handle(page, "won")).to_be_focused()
    expect(page.get_by_label("Word", exact=True).locator("option:checked")).to_have_text("won")
    page.clock.run_for(1000)
    assert state(page) == first


def test_typed_coordinates_move_a_word_exactly(page: Page, widget: BearsPlane) -> None:
    mount(page, widget)
    page.get_by_label("Word", exact=True).select_option("won")
    for axis, text in (("x", "−1,25"), ("y", "0.125")):
        page.get_by_label(axis, exact=True).fill(text)
        page.get_by_label(axis, exact=True).press("Tab")
    assert state(page)[list(VECTORS).index("won")] == [-1.25, 0.125]
    agree(page, SENTENCES)


HOSTILE = "<img/src=x/onerror=alert(1)>"


@pytest.mark.parametrize("bad", ["NaN", "Infinity", "-∞", "1e999", "2.5", "", "0x1", HOSTILE])
def test_a_bad_number_is_refused_and_the_page_goes_on(page: Page, widget: BearsPlane, bad: str) -> None:
    mount(page, widget)
    before = state(page)
    field = page.get_by_label("x", exact=True)
    field.fill(bad)
    field.press("Tab")
    got = f"“{bad}”" if bad else "nothing"
    message = page.get_by_text(f"Expected a number between −2 and 2, got {got}.")
    expect(message).to_be_visible()
    expect(field).to_have_attribute("aria-invalid", "true")
    assert state(page) == before
    field.fill("0.5")
    field.press("Enter")
    expect(message).to_have_count(0)
    assert state(page)[list(VECTORS).index("bears")] == [0.5, 0.3]
    agree(page, SENTENCES)
