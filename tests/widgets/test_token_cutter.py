"""The token cutter in a browser: the ids of the tokenizers library for whatever is typed, at every merge."""

import json
import random
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.data.published import awkward
from tests.widgets.notebook import NOTEBOOK
from unrolled.data.text import corpus
from unrolled.data.tokenizers import BytePairs, gpt2_words
from unrolled.widgets import TokenCutter, bundle

TEXT = "Once upon a time there were three bears. 🐻 Grüße!\n  two  spaces"
PAIRS = BytePairs.train([corpus(20_000), "Grüße, 你好 नमस्ते 🐻🐻 bears bears"] * 2, vocab_size=401)
TEXTS = [text for text in awkward() if len(text) <= 600 and "\r" not in text]  # a text area has no \r


def make(text: str = TEXT, **options: Any) -> TokenCutter:
    return TokenCutter(PAIRS.merges, text, **options)


def shorter(rules: int) -> BytePairs:
    """Return the tokenizer that has learned the first so many rules, and no more."""
    model = PAIRS.description()
    model["model"]["merges"] = model["model"]["merges"][:rules]
    kept = {i for pair in PAIRS.merges[:rules] for i in pair} | set(range(261))
    model["model"]["vocab"] = {t: i for t, i in model["model"]["vocab"].items() if i in kept}
    return BytePairs(model)


def ids(page: Page) -> list[int]:
    shown: list[int] = json.loads(page.locator(".unrolled").evaluate("el => el.dataset.ids"))
    return shown


def test_python_cuts_as_the_library_does() -> None:
    for text in TEXTS:
        assert [i for i, _ in make(text).cut()] == PAIRS.encode(text), text
        assert b"".join(piece for _, piece in make(text).cut()) == text.encode()


@pytest.mark.parametrize("rules", [0, 1, 13, 97])
def test_python_cuts_by_the_first_rules(rules: int) -> None:
    tokenizer = shorter(rules)
    for text in TEXTS:
        assert [i for i, _ in make(text, rules=rules).cut()] == tokenizer.encode(text), text


def test_what_is_typed_has_the_ids_of_the_library(page: Page, mount: Callable[..., None]) -> None:
    mount(page, make())
    assert ids(page) == PAIRS.encode(TEXT)
    field = page.get_by_role("textbox", name="Your text")
    rng = random.Random(5)
    letters = "ab eEé 's.\n\t1½٣\xa0\u200b🐻न你\x1c\x85"
    drawn = ["".join(rng.choices(letters, k=23)) for _ in range(30)]
    for text in (*TEXTS, *drawn):
        field.fill(text)
        assert ids(page) == PAIRS.encode(text), text


def test_words_are_cut_as_python_cuts_them(page: Page, mount: Callable[..., None]) -> None:
    mount(page, make(rules=0))
    first = page.locator(".u-pieces li.is-first")
    for text in TEXTS[:60]:
        page.get_by_role("textbox", name="Your text").fill(text)
        assert first.count() == len(gpt2_words(text)), text


def test_merge_by_merge_with_the_keyboard(page: Page, mount: Callable[..., None]) -> None:
    text = "three bears there"
    mount(page, make(text, rules=0))
    assert ids(page) == shorter(0).encode(text)
    expect(page.locator(".u-rule")).to_contain_text("every byte is a token")
    button = page.get_by_role("button", name="Next merge in this text")
    button.focus()
    used = json.loads(page.locator(".unrolled").evaluate("el => el.dataset.used"))
    assert len(used) > 3
    before = len(ids(page))
    for n in used:
        page.keyboard.press("Enter")
        left, right, made = PAIRS.merges[n]
        seen = [PAIRS.token(i).replace(" ", "␣") for i in (left, right, made)]
        expect(page.locator(".u-rule")).to_contain_text(f"Merge {n + 1}: {seen[0]} + {seen[1]} → {seen[2]}.")
        assert ids(page) == shorter(n + 1).encode(text)
        assert len(ids(page)) < before
        before = len(ids(page))
        expect(page.locator(".u-pieces .is-new").first).to_contain_text(seen[2])
    expect(button).to_be_focused()
    expect(button).to_have_attribute("aria-disabled", "true")
    page.keyboard.press("Enter")
    assert ids(page) == PAIRS.encode(text)
    page.get_by_role("button", name="One merge back").press("Space")
    assert ids(page) == shorter(used[-1]).encode(text)
    slider = page.get_by_role("slider", name="Merges learned")
    slider.press("Home")
    assert ids(page) == shorter(0).encode(text)
    expect(slider).to_have_attribute("aria-valuetext", f"0 of {len(PAIRS.merges)}")
    slider.press("ArrowRight")
    assert ids(page) == shorter(1).encode(text)
    page.get_by_role("textbox", name="Your text").fill("bears")
    page.get_by_role("button", name="Reset").click()
    assert ids(page) == shorter(0).encode(text)


def test_touch_moves_the_slider(new_page: Any, mount: Callable[..., None]) -> None:
    page = new_page(has_touch=True, viewport={"width": 360, "height": 740})
    mount(page, make())
    box = page.get_by_role("slider").bounding_box()
    assert box
    page.touchscreen.tap(box["x"] + 2, box["y"] + box["height"] / 2)
    assert len(ids(page)) > len(PAIRS.encode(TEXT))
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_lengths_are_said(page: Page, mount: Callable[..., None]) -> None:
    mount(page, make("🐻 bears"))
    n = len(PAIRS.encode("🐻 bears"))
    said = f"{n} tokens for 7 characters, 10 bytes: {10 / n:.2f} bytes per token. Vocabulary: 401."
    expect(page.locator(".u-live")).to_have_text(said)
    page.get_by_role("textbox", name="Your text").fill("")
    expect(page.locator(".u-live")).to_have_text("0 tokens for 0 characters, 0 bytes. Vocabulary: 401.")
    page.get_by_role("slider").press("Home")
    page.get_by_role("textbox", name="Your text").fill("🐻\xa0")
    expect(page.locator(".u-pieces bdi")).to_have_text(["F0", "9F", "90", "BB", "C2", "A0"])


def test_a_text_that_is_too_long_is_told_and_the_last_one_kept(
    page: Page, mount: Callable[..., None]
) -> None:
    mount(page, make("a bear"))
    field = page.get_by_role("textbox", name="Your text")
    field.fill("🐻" * 601)
    expect(page.get_by_text("Expected at most 600 characters, got 601.")).to_be_visible()
    expect(field).to_have_attribute("aria-invalid", "true")
    assert ids(page) == PAIRS.encode("a bear")
    field.fill("b" * 500)
    expect(page.get_by_text("Expected at most")).to_have_count(0)
    assert ids(page) == PAIRS.encode("b" * 500)


def test_text_is_never_markup(page: Page, mount: Callable[..., None]) -> None:
    hostile = "<img src=x onerror=alert(1)></script><b>b</b>\u202egnp.exe"
    mount(page, make(hostile, title="<u>t</u>"))
    page.get_by_role("textbox", name="Your text").fill(hostile + "<i>x</i>")
    expect(page.locator("main :is(img, b, i, u)")).to_have_count(0)
    assert ids(page) == PAIRS.encode(hostile + "<i>x</i>")


def test_a_kernel_hears_and_is_heard(page: Page) -> None:
    widget = make("bears")
    page.goto("about:blank")
    given = {"esm": bundle.esm(widget.name), "state": widget.state(), "kept": ["text", "rules"]}
    page.evaluate(NOTEBOOK, given)
    page.get_by_role("textbox", name="Your text").fill("wolves")
    page.get_by_role("slider").press("Home")
    assert page.evaluate("saved.at(-1)") == {"text": "wolves", "rules": 0}
    page.evaluate("model.set('rules', 7)")
    page.evaluate("model.set('text', 'pigs')")
    assert ids(page) == shorter(7).encode("pigs")
    expect(page.get_by_role("textbox", name="Your text")).to_have_value("pigs")
    page.evaluate("stop()")
    page.evaluate("model.set('text', 'wolves')")
    assert ids(page) == shorter(7).encode("pigs")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1000])
def test_accessible_and_never_wider_than_the_page(
    new_page: Any, mount: Callable[..., None], violations: Callable[[Page], list[str]], theme: str, width: int
) -> None:
    page = new_page(viewport={"width": width, "height": 800})
    mount(page, make("a" * 300 + TEXT + "\u0301", rules=11), theme=theme)
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_fallback_holds_the_tokens(new_page: Any, mount: Callable[..., None]) -> None:
    page = new_page(java_script_enabled=False)
    mount(page, make("🐻 b\n", rules=0))
    rows = page.locator("tbody tr")
    place = dict(zip("🐻 b\n".encode(), shorter(0).encode("🐻 b\n"), strict=True))
    expected = [("F0", 0xF0), ("9F", 0x9F), ("90", 0x90), ("BB", 0xBB), ("␣", 32), ("b", 98), ("↵", 10)]
    assert [row.locator("th").inner_text() for row in rows.all()] == [name for name, _ in expected]
    cells = [row.locator("td").all_inner_texts() for row in rows.all()]
    assert cells == [[str(place[byte]), "1"] for _, byte in expected]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (
            {"merges": [(5, 6, 262)]},
            r"^merges: expected rule 0 to make token 261 of two between 5 and 260, got ",
        ),
        ({"merges": [(5, 261, 261)]}, r"rule 0 .*got \(5, 261, 261\)$"),
        ({"merges": [(4, 6, 261)]}, r"rule 0 .*got \(4, 6, 261\)$"),
        ({"text": "a" * 601}, "^text: expected at most 600 characters, got 601$"),
        ({"rules": 141}, "^rules: expected 0 to 140, got 141$"),
        ({"rules": -1}, "^rules: expected 0 to 140, got -1$"),
    ],
)
def test_python_says_what_it_expected(wrong: dict[str, Any], said: str) -> None:
    assert len(PAIRS.merges) == 140
    with pytest.raises(ValueError, match=said):
        TokenCutter(**{"merges": PAIRS.merges, "text": TEXT, **wrong})
