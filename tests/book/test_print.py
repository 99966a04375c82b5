"""A chapter on paper: hints and solutions are read, quiz answers are not given away, margins are there."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect


@pytest.fixture
def chapter(built_book: Path, serve: Callable[[Path], str], new_page: Callable[..., Page]) -> Page:
    page = new_page(viewport={"width": 720, "height": 1000}, color_scheme="dark")
    # From a server: from disk a page may not read its own style sheet's rules.
    chapters = built_book.glob("[0-9][0-9]_*.html")
    folds = {path.name: path.read_text(encoding="utf-8").count("sd-dropdown") for path in chapters}
    page.goto(serve(built_book) + max(folds, key=lambda name: folds[name]))
    return page


def height(page: Page, selector: str) -> list[float]:
    """Return how high each one's box is painted: nothing that is folded has a height."""
    heights: list[float] = page.locator(selector).evaluate_all(
        "all => all.map(el => el.checkVisibility() ? el.getBoundingClientRect().height : 0)"
    )
    return heights


def test_hints_and_solutions_unfold_and_quiz_answers_do_not(chapter: Page) -> None:
    hints, feedback = "details.sd-dropdown > .sd-summary-content", ".quiz-feedback"
    assert len(height(chapter, hints)) >= 10
    assert len(height(chapter, feedback)) >= 8
    assert not any(height(chapter, hints))
    chapter.emulate_media(media="print")
    assert all(height(chapter, hints))
    assert not any(height(chapter, feedback))
    # Beneath each quiz stands where its answers are, and nothing lies over what comes next.
    notes = chapter.locator(".quiz").evaluate_all(
        "all => all.map(el => getComputedStyle(el, '::after').content)"
    )
    assert set(notes) == {'"The answers are on the page."'}
    ends = chapter.locator("details.sd-dropdown").evaluate_all(
        """all => all.map(fold => fold.getBoundingClientRect().bottom
            - fold.querySelector('.sd-summary-content').getBoundingClientRect().bottom)"""
    )
    assert min(ends) >= 0


def test_what_only_a_screen_needs_is_left_out(chapter: Page) -> None:
    chapter.emulate_media(media="print")
    for selector in (".topbar", ".contents", ".neighbours", ".copy"):
        expect(chapter.locator(selector).first).to_be_hidden()
    paper = chapter.evaluate("getComputedStyle(document.body).backgroundColor")
    assert min(map(int, re.findall(r"\d+", paper)[:3])) > 240  # light, also for readers of the dark theme
    margins = chapter.evaluate(
        """[...document.styleSheets].flatMap(sheet => [...sheet.cssRules])
            .filter(rule => rule instanceof CSSPageRule).map(rule => rule.style.marginTop)"""
    )
    assert margins == ["16mm"]
