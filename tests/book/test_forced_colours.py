"""The page in the system's own colours: what a background says elsewhere is said by a mark or a border."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page

NewPage = Callable[..., Page]


@pytest.fixture(params=["light", "dark"])
def chapter(request: pytest.FixtureRequest, sample_book: Path, new_page: NewPage) -> Page:
    page = new_page(
        forced_colors="active", color_scheme=request.param, viewport={"width": 375, "height": 740}
    )
    page.goto(f"{sample_book.as_uri()}/04_everything.html")
    return page


def greys(box: Locator) -> list[int]:
    image = Image.open(io.BytesIO(box.screenshot())).convert("L")
    return list(image.tobytes())


def test_a_choice_that_is_open_shows_it(chapter: Page) -> None:
    choice = chapter.locator(".quiz-choice").first
    mark = "el => getComputedStyle(el.querySelector('summary'), '::before').backgroundColor"
    closed = choice.evaluate(mark)
    choice.evaluate("el => { el.open = true }")
    assert choice.evaluate(mark) != closed


def test_the_page_one_is_on_stands_out_in_the_contents(chapter: Page) -> None:
    chapter.set_viewport_size({"width": 1280, "height": 900})
    current, other = (
        chapter.locator(selector).first.evaluate("el => getComputedStyle(el).borderLeftWidth")
        for selector in (".contents .current > a", ".contents li:not(.current) > a:not(.sections a)")
    )
    assert (current, other) == ("4px", "0px")


def test_words_searched_for_are_marked(chapter: Page) -> None:
    chapter.goto(chapter.url + "?highlight=numerators")
    fold = chapter.locator("article mark").first
    ground = "el => getComputedStyle(el).backgroundColor"
    assert fold.evaluate(ground) != chapter.locator("body").evaluate(ground)


def test_no_shade_lies_over_what_scrolls(chapter: Page) -> None:
    """The covers of the shades are of the book's own colours, and would hide the system's text."""
    for selector in ("article pre", ".scrolls", ".equation-body"):
        assert set(
            chapter.locator(selector).evaluate_all(
                "all => all.map(el => getComputedStyle(el).backgroundImage)"
            )
        ) == {"none"}


def test_a_figure_is_drawn_in_the_systems_ink(chapter: Page) -> None:
    ink = chapter.locator(".unrolled-figure svg").first
    drawn = greys(ink)
    assert max(drawn) - min(drawn) > 150
    text = ink.locator("text").first.evaluate("el => getComputedStyle(el).fill")
    assert text == chapter.locator("body").evaluate("el => getComputedStyle(el).color")


def test_motion_is_switched_off_also_in_what_css_draws(sample_book: Path, new_page: NewPage) -> None:
    page = new_page(reduced_motion="reduce")
    page.goto(f"{sample_book.as_uri()}/04_everything.html")
    marker = page.locator("details.sd-dropdown > summary").first
    assert marker.evaluate("el => getComputedStyle(el, '::before').transitionDuration") == "0s"
    everything = page.locator("body *").evaluate_all(
        """all => all.flatMap((el) => ["", "::before", "::after"].map((part) => getComputedStyle(el, part)))
          .filter((style) => /[1-9]/.test(style.transitionDuration + style.animationDuration)).length"""
    )
    assert everything == 0
