"""What is typed or pasted is read as it looks: by every widget that takes text, and by its Python side."""

import re
import sys
from collections.abc import Callable
from typing import Any

import pytest
import torch
from playwright.sync_api import Page, expect

from tests.widgets import bears, seq2seqs, test_bears_model
from tests.widgets.test_qkv_bench import SETTINGS
from unrolled._typed import plain_text
from unrolled.data.bears import tokenize
from unrolled.nn import GPT, GPTConfig
from unrolled.widgets import BearsPlane, NextTokenBench, QKVBench, Unroller, bundle
from unrolled.widgets._sentence import word_ids
from unrolled.widgets.base import Widget

Mount = Callable[..., None]
WORDS = ["bears", "don't", "honey", "i", "love", "नमस्ते", "niña"]

# "I don't love bears" with a soft hyphen, a no-break space, a zero-width space and joiner, a newline, a
# byte-order mark, marks of direction and a variation selector.
PASTED = (
    "\ufeff\u202aI\u00a0do\u00adn\u2019t\r\n\u200b\u2067lo\u200dve\u2069\u3000be\u200ca\ufe0frs\u202c\u200f"
)
PLAIN = "I don\u2019t love bears"


def run(page: Page, body: str, given: Any) -> Any:
    modules = bundle._inline(["typed", "sentence", "next-token"])
    return page.evaluate(f"(given) => {{ {modules} {body} }}", given)


def test_python_and_the_page_read_every_character_alike(page: Page) -> None:
    """All but the surrogates, which are no characters."""
    there = [c for c in range(sys.maxunicode + 1) if not 0xD800 <= c <= 0xDFFF]
    left = run(
        page, "return given.map((c) => $typed.plainText(`x${String.fromCodePoint(c)}y`).length - 2)", there
    )
    ours = [len(plain_text(f"x{chr(c)}y").encode("utf-16-le")) // 2 - 2 for c in there]
    differ = [hex(c) for c, a, b in zip(there, left, ours, strict=True) if a != b]
    assert differ == []
    assert left[0x200B] == 0 < left[0x41]


@pytest.mark.parametrize("text", [PASTED, "e\u034f\u0301a", "  \t\u2028a\u0085b\x00", "", "\u200b\u2060"])
def test_python_and_the_page_read_a_text_alike(page: Page, text: str) -> None:
    assert run(page, "return $typed.plainText(given)", text) == plain_text(text)


def test_what_cannot_be_seen_is_not_read() -> None:
    assert plain_text(PASTED) == PLAIN
    assert plain_text("man\u0303ana") == "ma\u00f1ana"


@pytest.mark.parametrize(
    "text", [PASTED, "DON'T, love!", "(Niña)", "nin\u0303a", "नमस्ते!", "I", "“honey”", "\u2018don\u02bct"]
)
def test_python_and_the_page_find_the_same_words(page: Page, text: str) -> None:
    found = run(page, "return $sentence.readWords(given[0], given[1]).ids", [text, WORDS])
    assert found == word_ids(text, WORDS)
    assert found


def test_a_word_is_the_one_that_is_written_so_before_one_with_other_capitals(page: Page) -> None:
    words = ["us", "US", "<eos>"]
    for text, wanted in (("US", [1]), ("us", [0]), ("Us", [0]), ("(US)", [1])):
        assert run(page, "return $sentence.readWords(given[0], given[1]).ids", [text, words]) == wanted
        assert word_ids(text, words) == wanted


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hony", "out of the 36 known, such as honey; got 'hony'"),
        ("zzz " * 5, "out of the 36 known; got 'zzz', 'zzz', 'zzz' and 2 more"),
    ],
)
def test_of_many_words_python_names_those_that_are_near(text: str, message: str) -> None:
    words = [*WORDS, *(f"w{n}" for n in range(29))]
    with pytest.raises(ValueError, match=message):
        word_ids(text, words)


def test_the_corpus_reads_the_same_text() -> None:
    assert tokenize("\ufeffI\u00a0lo\u00adve be\u200bars\u2060.") == ("i", "love", "bears")


@pytest.mark.parametrize(
    ("typed", "known", "joiner", "wanted"),
    [
        ("<bos>\u00a0Bea\u00adrs\n won, ", ["<bos>", "bears", "won"], " ", ["<bos>", "bears", "won"]),
        ("Ab\u200b\u00a0C\r\n", [*"abc \n"], "", [*"ab c\n"]),
        ("aA", [*"aA"], "", ["a", "A"]),
        ("Za", [*"zaA"], "", [None, "a"]),  # it knows capitals: this one is another letter
        ("क\u200dष", ["क", "\u200d", "ष"], "", ["क", "\u200d", "ष"]),  # a joiner it knows is a character
        ("क\u200dष", ["क", "ष"], "", ["क", "ष"]),
        ("a\tb", [*"ab"], "", ["a", None, "b"]),
    ],
)
def test_a_prompt_is_mended_only_where_the_model_does_not_know_it(
    page: Page, typed: str, known: list[str], joiner: str, wanted: list[str | None]
) -> None:
    ids = run(page, "return $next_token.tokensOf(given[0], given[1], given[2]).ids", [typed, known, joiner])
    assert [known[i] if i >= 0 else None for i in ids] == wanted


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("−0,05", -0.05), ("\u2013.5", -0.5), ("\u200b+1.\u00a0", 1), ("1e\u22123", 0.001), ("-0", 0),
        *((wrong, None) for wrong in ("1e999", "NaN", "Infinity", "0x1", "1,0,0", "1 0", "", "--1", "२")),
    ],
)  # fmt: skip
def test_a_number_is_read_as_it_looks(page: Page, text: str, value: float | None) -> None:
    got = run(
        page,
        "const x = $typed.readNumber(given, 20); return [Number.isNaN(x) ? null : x, Object.is(x, -0)]",
        text,
    )
    assert got == [value, False]


def test_half_an_emoji_is_never_quoted(page: Page) -> None:
    said = run(page, "return $sentence.readWords(given, ['bears']).error", "🐻" * 50)
    assert f"“{'🐻' * 39}…”" in said


# Type a text at once, and send it where there is something to send it with.
TYPE = """(el, text) => {
    el.value = text;
    for (const kind of ["input", "change"]) el.dispatchEvent(new Event(kind, { bubbles: true }));
    if (el.form) el.form.requestSubmit();
    else el.closest(".u-field")?.nextElementSibling?.click?.();
}"""

# "I love bears" for vocabularies that have no "don't", and the words it shows.
SHORT = PASTED.replace("do\u00adn\u2019t", "")
SHOWN = ["I", "love", "bears"]
GO = "Let\u2019s\u00a0g\u00ado\u200b!"


def unroller() -> Widget:
    one, zero = torch.ones(1, 1), torch.zeros(1)
    vectors = {word: [float(n)] for n, word in enumerate(WORDS)}
    return Unroller(vectors, "bears", rnn=(one, one, zero, zero))


def plane() -> Widget:
    return BearsPlane(bears.VECTORS, bears.SENTENCES)


def decoder() -> Widget:
    return seq2seqs.stepper(seq2seqs.seq2seq(None))


def attending() -> Widget:
    return seq2seqs.stepper(seq2seqs.seq2seq("dot"))


def bench() -> Widget:
    return QKVBench(SETTINGS)


def bert() -> Widget:
    return test_bears_model.make(test_bears_model.small_bert())


def gpt() -> Widget:
    names = ["<bos>", *WORDS]
    torch.manual_seed(2)
    model = GPT(GPTConfig(len(names), 11, 6, 2, 1)).eval()
    return NextTokenBench(
        model.state_dict(), names, [1], likeliest=[], n_heads=2, max_len=11, n_special=1, joiner=" "
    )


@pytest.mark.parametrize(
    ("make", "field", "go", "text", "where", "shown"),
    [
        (unroller, "Sentence", "Read", PASTED, ".u-film-word", ["start", *PLAIN.split()]),
        (plane, "Your own sentence", "Show", SHORT, ".u-card:last-child .u-share-word", SHOWN),
        (bert, "Sentence A", "Read", SHORT, ".u-reader:first-child ul:last-child .u-share-word", SHOWN),
        (decoder, "Your own sentence", "Read", GO, "ol >> nth=0 >> .u-step-word", ["let's", "go", "<eos>"]),
        (gpt, "What it begins from", "Begin from this", SHORT, ".u-given", ["i love bears"]),
    ],
)  # fmt: skip
def test_every_widget_reads_a_pasted_sentence_as_it_looks(
    page: Page, mount: Mount, make: Any, field: str, go: str, text: str, where: str, shown: list[str]
) -> None:
    mount(page, make())
    page.get_by_role("textbox", name=field, exact=True).fill(text)
    page.get_by_role("button", name=go, exact=True).first.click()
    assert page.locator(".u-error").all_inner_texts() == [""] * page.locator(".u-error").count()
    expect(page.locator(where).first).to_be_visible()
    assert [text.replace("\u200b", "") for text in page.locator(where).all_inner_texts()] == shown


@pytest.mark.parametrize("make", [unroller, plane, bert, decoder, gpt])
def test_what_is_refused_leads_to_a_list_that_is_there(page: Page, mount: Mount, make: Any) -> None:
    """And that list has every word, whole."""
    widget = make()
    mount(page, widget)
    field = page.locator(".unrolled :is(input[type=text]:not(.u-number):not([inputmode]), textarea)").first
    field.fill("zebra")
    field.locator("xpath=following::button[1]").click()
    name = "The list of words"
    expect(page.locator(".u-error").filter(has_text="“zebra”").first).to_contain_text(
        f"{name} names all there are."
    )
    known = page.get_by_text(f"{name}: all ")
    known.click()
    listed = page.locator(".u-all-words p")
    expect(listed).to_be_visible()
    words: list[str] = (
        getattr(widget, "words", None) or getattr(widget, "source_words", None) or widget.tokens
    )
    wanted = {"I" if word == "i" and make is not gpt else word for word in words if not word.startswith("<")}
    assert set(listed.inner_text().split(", ")) == wanted
    expect(known).to_have_text(f"{name}: all {len(wanted)}")


@pytest.mark.parametrize("make", [unroller, plane, bert, decoder])
def test_no_more_words_are_promised_than_there_are(page: Page, mount: Mount, make: Any) -> None:
    mount(page, make())
    hint = page.locator(".u-help", has_text="Up to ").first.inner_text()
    assert " words, " in hint
    assert " out of " in hint
    assert "words of" not in hint
    assert " of the " not in hint.replace("out of the", "")


# What a careless and what a hostile reader types, wherever a text goes.
TYPED = [
    "", " ", "bears " * 200, "<img src=x onerror=alert(1)>", "</script>", "🐻\u200d❄️", "नमस्ते दुनिया",
    "שלום دب", "NaN", "inf", "1e999", "0,5", "-3", "x" * 4000, "\u202ebears", "constructor", "__proto__",
    "toString", "\ud83d",
]  # fmt: skip


@pytest.mark.parametrize("make", [unroller, plane, bert, decoder, attending, gpt, bench])
def test_whatever_is_typed_the_page_stands(new_page: Callable[..., Page], mount: Mount, make: Any) -> None:
    """No error in the console (see `new_page`), no sideways scrolling, nothing but numbers for numbers."""
    page = new_page(viewport={"width": 320, "height": 700})
    mount(page, make())
    fields = page.locator(".unrolled :is(input[type=text], textarea)")
    for i in {0, 1, 2, fields.count() - 1} & set(range(fields.count())):
        for text in TYPED:
            fields.nth(i).evaluate(TYPE, text)
            assert page.evaluate("document.documentElement.scrollWidth") <= 320, (i, text)
            shown = page.locator(".unrolled").inner_text().replace("not NaN", "").replace("“NaN”", "")
            assert not re.search(r"\b(NaN|undefined|Infinity|null)\b|\[object", shown), (i, text)
    expect(page.locator(".unrolled img")).to_have_count(0)
