"""The interlude: the built page's widget gives the ids of the package's pieces, over http and from disk."""

import json

import pytest
from playwright.sync_api import Locator, expect

from tests.book.answers import Open
from unrolled.data.tales import pieces

PAGE = "interlude_tokens.html"


@pytest.fixture
def widget(open_widget: Open) -> Locator:
    return open_widget(PAGE, "token-cutter")


def ids(widget: Locator) -> list[int]:
    found: list[int] = json.loads(widget.locator(".unrolled").evaluate("el => el.dataset.ids"))
    return found


def test_what_is_typed_is_cut_as_the_package_cuts_it(widget: Locator) -> None:
    tokenizer = pieces()
    assert tokenizer.decode(ids(widget)).startswith("Once upon a time there were three unbearable bears.")
    field = widget.get_by_role("textbox", name="Your text")
    for text in ("  two  spaces, it's 2026", "भालू 🐻 <eos>", "ÉCOLE école", "b" + "e" * 498 + "r", ""):
        field.fill(text)
        assert ids(widget) == tokenizer.encode(text)


def test_merge_by_merge_by_keyboard_down_to_bytes_and_back(widget: Locator) -> None:
    tokenizer = pieces()
    widget.get_by_role("textbox", name="Your text").fill("three bears")
    whole = ids(widget)
    back = widget.get_by_role("button", name="One merge back")
    back.focus()
    lengths = [len(whole)]
    while back.get_attribute("aria-disabled") != "true":
        back.press("Enter")
        lengths.append(len(ids(widget)))
    assert lengths == sorted(lengths)
    assert lengths[-1] == len("three bears")
    expect(widget.locator(".u-rule")).to_contain_text("every byte is a token")
    on = widget.get_by_role("button", name="Next merge in this text")
    for _ in lengths[1:]:
        on.press("Enter")
    assert ids(widget) == whole == tokenizer.encode("three bears")
