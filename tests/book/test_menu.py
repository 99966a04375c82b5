"""The contents on a phone: they open over the page, keep the focus, and leave the page where it was."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

PHONE = {"width": 360, "height": 740}
WITHIN = "document.activeElement === document.body || document.activeElement.closest('.contents') !== null"


@pytest.fixture
def phone(sample_book: Path, new_page: Callable[..., Page]) -> Page:
    page = new_page(viewport=PHONE, has_touch=True)
    page.goto(f"{sample_book.as_uri()}/index.html")
    page.goto(f"{sample_book.as_uri()}/04_everything.html")
    page.evaluate("document.fonts.ready")
    page.evaluate("scrollTo(0, 1009)")
    return page


def opened(page: Page) -> int:
    """Open the contents; return how far the page had been scrolled."""
    before: int = page.evaluate("scrollY")
    # A finger, not a locator: that would scroll the page itself.
    place = page.locator(".menu-open").bounding_box()
    assert place
    page.touchscreen.tap(place["x"] + 9, place["y"] + 9)
    expect(page.get_by_role("navigation", name="The book")).to_be_visible()
    return before


@pytest.mark.parametrize("way", ["link", "escape"])
def test_the_page_stays_where_it_was(phone: Page, way: str) -> None:
    before = opened(phone)
    assert before > 0
    assert phone.evaluate("scrollY") == before
    if way == "link":
        phone.get_by_role("link", name="Close").tap()
    else:
        phone.keyboard.press("Escape")
    expect(phone.get_by_role("navigation", name="The book")).to_be_hidden()
    assert phone.evaluate("scrollY") == before
    expect(phone.locator(".menu-open")).to_be_focused()


def test_back_leaves_the_page_and_opens_nothing(phone: Page) -> None:
    opened(phone)
    phone.get_by_role("link", name="Close").tap()
    phone.go_back()
    assert phone.url.endswith("/index.html")
    phone.go_forward()
    expect(phone.get_by_role("navigation", name="The book")).to_be_hidden()


def test_the_focus_stays_among_the_contents(phone: Page) -> None:
    opened(phone)
    expect(phone.get_by_role("link", name="Close")).to_be_focused()
    expect(phone.get_by_role("dialog", name="Contents of the book")).to_be_visible()
    stops = phone.locator(".contents :is(a, input)").count()
    assert stops > 2
    for _ in range(stops + 2):
        phone.keyboard.press("Tab")
        assert phone.evaluate(WITHIN)
    # What lies beneath is no part of the page for a screen reader either, and is again when they close.
    assert phone.locator("main").evaluate("el => el.inert")
    phone.keyboard.press("Escape")
    assert not phone.locator("main").evaluate("el => el.inert")


def test_the_page_one_is_on_closes_them(phone: Page) -> None:
    opened(phone)
    phone.locator(".contents .current > a").tap()
    expect(phone.get_by_role("navigation", name="The book")).to_be_hidden()
    expect(phone.locator("main")).not_to_have_attribute("inert", "")


def test_turned_on_its_side_the_page_is_no_longer_covered(phone: Page) -> None:
    opened(phone)
    phone.set_viewport_size({"width": 1280, "height": 900})
    expect(phone.get_by_role("heading", level=1)).to_be_visible()
    assert not phone.locator("main").evaluate("el => el.inert")
    assert phone.evaluate("getComputedStyle(document.documentElement).overflowY") == "visible"


def test_without_a_script_the_link_shows_them(sample_book: Path, new_page: Callable[..., Page]) -> None:
    page = new_page(viewport=PHONE, java_script_enabled=False)
    page.goto(f"{sample_book.as_uri()}/04_everything.html")
    page.locator(".menu-open").click()
    expect(page.get_by_role("navigation", name="The book")).to_be_visible()
    page.get_by_role("link", name="Close").click()
    expect(page.get_by_role("navigation", name="The book")).to_be_hidden()
