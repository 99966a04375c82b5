"""The sentences a reader types under the bears plane: shown, or told what is wrong with them."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.widgets.bears import LANDMARKS, SENTENCES, VECTORS, agree, handle, mount, type_sentence
from unrolled.widgets import bundle
from unrolled.widgets.bears_plane import BearsPlane


@pytest.fixture
def widget() -> BearsPlane:
    return BearsPlane(VECTORS, SENTENCES, landmarks=LANDMARKS)


def test_words_stand_as_they_were_typed(page: Page) -> None:
    lower = {word.lower(): point for word, point in VECTORS.items()}
    widget = BearsPlane(lower, SENTENCES)
    mount(page, widget)
    shown_words = [card.locator(".u-share-word").all_inner_texts() for card in page.locator(".u-card").all()]
    assert shown_words == [sentence.strip(".").split() for sentence in SENTENCES]
    assert "I" in page.get_by_label("Word", exact=True).locator("option").all_inner_texts()
    expect(handle(page, "I")).to_have_count(1)
    assert '<th scope="col">I</th>' in widget.fallback_html()
    assert '<th scope="row">I</th>' in widget.fallback_html()


def test_a_refused_sentence_takes_the_earlier_one_with_it(page: Page, widget: BearsPlane) -> None:
    mount(page, widget)
    type_sentence(page, "bears love honey")
    agree(page, [*SENTENCES, "bears love honey"])
    type_sentence(page, "bears love zebra")
    agree(page, SENTENCES)
    expect(page.locator(".u-plane .u-arrow")).to_have_count(3)


def test_the_limits_of_a_sentence_are_told_beforehand(page: Page, widget: BearsPlane) -> None:
    mount(page, widget)
    field = page.get_by_label("Your own sentence")
    hint_text = "Up to 12 words, “bears” among them, out of the plane's 9, which are I, she, "
    expect(field).to_have_accessible_description(re.compile(hint_text))
    hint = page.locator(".u-own .u-help").bounding_box()
    form = page.locator(".u-own").bounding_box()
    assert hint
    assert form
    assert hint["width"] > 0.95 * form["width"]


@pytest.mark.parametrize(
    ("word", "near"),
    [("lve", ["love"]), ("gaem", []), ("hony", ["honey"]), ("saw", []), ("zebra", []), ("o", [])],
)
def test_only_words_that_are_near_are_suggested(page: Page, word: str, near: list[str]) -> None:
    source = f"([word, words]) => {{ {bundle._inline(['sentence'])} return $sentence.nearby(word, words); }}"
    assert page.evaluate(source, [word, [*VECTORS, "a", "at", "day"]]) == near


HOSTILE = "<img/src=x/onerror=alert(1)>"


def test_a_typed_sentence_gets_its_own_arrow(page: Page, widget: BearsPlane) -> None:
    mount(page, widget)
    type_sentence(page, "  “LOVE,  bears”:  Honey! ")
    agree(page, [*SENTENCES, "love bears honey"])
    expect(page.locator(".u-plane .u-arrow")).to_have_count(4)
    type_sentence(page, "bears love bears")  # replaces it
    agree(page, [*SENTENCES, "bears love bears"])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", ["Expected at least one word, got nothing."]),
        (" ?! ", ["Expected at least one word, got “?!”."]),
        ("bears lve", ["that have a vector here, got “lve”.", "Known words near “lve”: love."]),
        ("bears zebra", ["got “zebra”. The list of words names all there are."]),
        ("bears " * 200, ["Expected at most 12 words, got 200."]),
        ("I love honey", ["Expected “bears” in the sentence, got “I love honey”."]),
        (f"bears love {HOSTILE}", [f"got “{HOSTILE}”."]),
        ("bears <img src=x onerror=alert(1)>", ["got “<img”, “src=x”, “onerror=alert(1)>”."]),
        (f"bears {'x' * 5000}", [f"got “{'x' * 39}…”."]),
    ],
    ids=["empty", "marks", "unknown", "far", "200 words", "no bears", "hostile", "hostile words", "long"],
)
def test_a_bad_sentence_is_explained_and_the_page_goes_on(
    page: Page, widget: BearsPlane, text: str, says: list[str]
) -> None:
    mount(page, widget)
    type_sentence(page, text)
    field = page.get_by_label("Your own sentence")
    message = page.locator(f"[id='{(field.get_attribute('aria-describedby') or '').split()[1]}']")
    for part in says:
        expect(message).to_contain_text(part)
    expect(page.locator(".unrolled img")).to_have_count(0)
    agree(page, SENTENCES)
    type_sentence(page, "I love bears")
    expect(message).to_be_empty()
    agree(page, [*SENTENCES, "I love bears"])
