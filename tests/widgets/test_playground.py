"""The playground answers what torch answers, and shows how each of its numbers came about."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from playwright.sync_api import Browser, Locator, Page, expect
from torch import Tensor

from tests.widgets.conftest import widget_page
from tests.widgets.every import settle
from tests.widgets.playgrounds import HEADS, TEXT, small_model, small_playground, store, tokenizer
from unrolled.probe import walkthrough
from unrolled.tap import edit
from unrolled.widgets import Playground
from unrolled.widgets.playground import PARTS, address, lay_beside

Mount = Callable[..., None]
HOSTILE = "<img src=x onerror=alert(1)>\x00\x07\u202e\ufeff ‏مرحبا भालू 🐻\ud7ff"


@pytest.fixture
def errors(page: Page) -> list[str]:
    """Return what the page complains of."""
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("console", lambda message: message.type == "error" and said.append(message.text))
    return said


def shown(page: Page, what: str) -> Any:
    """Return something of what the page shows, once it rests."""
    settle(page)
    return page.evaluate(
        f"(() => {{ const {{ shown }} = document.querySelector('.unrolled'); return {what}; }})()"
    )


def ending(page: Page) -> Tensor:
    return torch.tensor(shown(page, "[...shown.ending]"))


def logits(ids: list[int], **changes: Any) -> Tensor:
    with torch.no_grad(), edit(small_model(), changes):
        return small_model()(torch.tensor([ids]))[0, -1]


def agree(page: Page, ids: list[int], **changes: Any) -> None:
    assert shown(page, "shown.ways[0].ids") == ids
    torch.testing.assert_close(ending(page), logits(ids, **changes), rtol=1e-4, atol=1e-4)


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).first.click()
    settle(page)


def type_in(page: Page, text: str, label: str = "Your text") -> None:
    page.get_by_role("textbox", name=label, exact=True).fill(text)
    settle(page)


def chip(page: Page, place: int) -> Locator:
    return page.locator(".u-pg-chips").first.get_by_role("radio").nth(place)


def test_the_prepared_text_needs_no_model(page: Page, mount: Mount, errors: list[str]) -> None:
    page.add_init_script("window.Worker = function () { throw new Error('no thread'); };")
    mount(page, small_playground())
    ids = tokenizer().encode(TEXT)
    chances = logits(ids).softmax(-1)
    first = page.locator(".u-next li").first
    expect(first.locator(".u-share-number")).to_have_text(f"{(logits(ids) / 0.8).softmax(-1).max():.2f}")
    page.get_by_role("button", name="Show as a table").click()
    cells = page.locator(".unrolled-fallback tbody tr").first.locator("td").all_inner_texts()
    assert cells[1] == f"{chances.max():.2f}" or abs(float(cells[1]) - float(chances.max())) < 0.011
    expect(page.locator(".u-pg-lens")).to_have_count(2)
    assert errors == []
    # What does need it says why there is none, and the example stays.
    type_in(page, "bears")
    expect(page.get_by_role("alert")).to_contain_text("no thread")
    expect(first).to_be_visible()


def test_what_is_typed_is_read_as_torch_reads_it(page: Page, mount: Mount, errors: list[str]) -> None:
    mount(page, small_playground())
    for text in ("I love bears", "Bears won", "Bears won the game", "b", HOSTILE):
        type_in(page, text)
        agree(page, tokenizer().encode(text)[-29:])
    assert errors == []
    expect(page.locator("img")).to_have_count(0)


def test_tokens_are_drawn_taken_back_and_chosen(page: Page, mount: Mount) -> None:
    mount(page, small_playground())
    ids = tokenizer().encode(TEXT)
    texts = []
    for _ in range(2):
        press(page, "Reset")
        for _ in range(3):
            press(page, "Draw the next token")
        texts.append(shown(page, "shown.ways[0].ids"))
        agree(page, texts[-1])
    assert texts[0] == texts[1]
    assert len(texts[0]) == len(ids) + 3
    press(page, "Take one back")
    agree(page, texts[0][:-1])
    page.locator(".u-token").nth(4).click()
    agree(page, [*texts[0][:-1], shown(page, "shown.ways[0].ids.at(-1)")])
    # As long as the context is, and no longer.
    page.get_by_role("button", name="Draw 20").click()
    expect(page.locator(".u-live")).to_contain_text("The context is full")
    assert len(shown(page, "shown.ways[0].ids")) == 29
    expect(page.locator(".u-pg-chip.is-written")).to_have_count(29 - len(ids))


def test_greedy_writing_is_torch_s(page: Page, mount: Mount) -> None:
    mount(page, small_playground())
    page.get_by_role("slider", name="Temperature").press("Home")
    expected = tokenizer().encode(TEXT)
    for _ in range(4):
        press(page, "Draw the next token")
        expected.append(int(logits(expected).argmax()))
        assert shown(page, "shown.ways[0].ids") == expected


def test_a_head_a_block_and_a_token_are_switched_off_and_on(page: Page, mount: Mount) -> None:
    mount(page, small_playground())
    ids = tokenizer().encode(TEXT)

    def without(context: Tensor) -> Tensor:
        context[:, 1] = 0
        return context

    press(page, "Head 2")
    agree(page, ids, **{"layers.0.attention.context": without})
    expect(page.get_by_text("Switched off: head 2 of block 1.")).to_be_visible()
    press(page, "Head 2")
    agree(page, ids)
    press(page, "This block")
    expect(page.get_by_text("Switched off: block 1.")).to_be_visible()
    assert (ending(page) - logits(ids)).abs().max() > 1e-3
    press(page, "This block")
    chip(page, 1).click()
    press(page, "Hide this token from the others")
    torch.testing.assert_close(  # its own way is the same: nobody else looks at it
        torch.tensor(shown(page, "[...shown.ways[0].trace.logits]")), logits(ids[:2]), rtol=1e-4, atol=1e-4
    )
    assert (ending(page) - logits(ids)).abs().max() > 1e-3
    expect(chip(page, 1)).to_have_class(re.compile("is-hidden"))
    press(page, "Hide this token from the others")
    agree(page, ids)


def test_a_button_that_was_set_back_works_at_the_first_press(page: Page, mount: Mount) -> None:
    mount(page, small_playground())
    for name in ("Head 2", "Compare with a second text"):
        button = page.get_by_role("button", name=name, exact=True).first
        before = button.get_attribute("aria-pressed")
        press(page, name)
        press(page, "Reset")
        expect(button).to_have_attribute("aria-pressed", str(before))
        press(page, name)
        expect(button).not_to_have_attribute("aria-pressed", str(before))
        press(page, "Reset")
    for place in (1, 2):  # one button, for whichever token is chosen
        chip(page, place).click()
        press(page, "Hide this token from the others")
        expect(chip(page, place)).to_have_class(re.compile("is-hidden"))


def test_each_number_is_told_with_the_arithmetic_that_made_it(page: Page, mount: Mount) -> None:
    mount(page, small_playground())
    type_in(page, "I love bears")
    ids = tokenizer().encode("I love bears")
    walk, last = walkthrough(small_model(), torch.tensor(ids)), len(ids) - 1
    strips = page.locator(".u-pg-strip-row:visible")
    kinds = set()
    for k in range(strips.count()):
        strip = strips.nth(k)
        kinds.add(strip.locator("xpath=..").get_attribute("data-part"))
        strip.press("Enter")
        panel = page.locator(".u-pg-numbers")
        expect(panel).to_have_count(1)
        page.get_by_role("slider", name="Number").press("ArrowRight")
        value = panel.locator(".u-pg-number")
        expect(value).to_contain_text("Number 2 = ")
        told = value.inner_text().split("= ")[1]
        # What is added, multiplied or normed ends in the number itself.
        text = panel.locator(".u-pg-arithmetic").inner_text().replace("−", "-")
        assert told.replace("−", "-") in text.split(" = ", 1)[1], (strip.get_attribute("aria-label"), text)
    assert kinds >= {
        "word",
        "place",
        "embedded",
        "norm",
        "query",
        "key",
        "value",
        "context",
        "joined",
        "projected",
    }
    assert kinds >= {"middle", "secondNorm", "up", "hidden", "down", "output", "final"}
    query = page.get_by_role("button", name="Query (block 1, head 2)")
    query.press("Enter")
    page.get_by_role("slider", name="Number").press("End")
    expected = walk["0.query"][1, last, -1]
    expect(page.locator(".u-pg-number")).to_have_text(f"Number 3 = {expected:.4f}".replace("-", "−"))
    rows = page.locator(".u-pg-terms tbody tr")
    terms = [float(row.locator("td").last.inner_text().replace("−", "-")) for row in rows.all()]
    bias = small_model().layers[0].attention.qkv_proj.bias[5].item()
    assert sum(terms) + bias == pytest.approx(float(expected), abs=5e-4)
    page.get_by_role("button", name="Close", exact=True).click()
    expect(query).to_be_focused()


def test_it_is_busy_until_the_number_that_was_asked_for_is_there(page: Page, mount: Mount) -> None:
    mount(page, small_playground())
    page.get_by_role("textbox", name="Your text").fill("Bears won")
    settle(page)
    page.get_by_role("button", name="Head 2", exact=True).first.click()
    settle(page)
    asked = page.get_by_role("button", name="Query (block 1, head 1)").evaluate(
        "el => { el.click(); return el.closest('.unrolled').getAttribute('aria-busy'); }"
    )
    assert asked == "true"
    settle(page)
    expect(page.locator(".u-pg-number")).to_have_text(re.compile("^Number 1 = "), timeout=1)


def test_a_weight_is_explained_and_set_by_hand(page: Page, mount: Mount) -> None:
    mount(page, small_playground())
    ids = tokenizer().encode(TEXT)
    last = len(ids) - 1
    page.locator(".u-pg-weights").first.locator("button").nth(2).click()
    panel = page.locator(".u-pg-numbers")
    weight = walkthrough(small_model(), torch.tensor(ids))["0.weights"][0, last, 2]
    expect(panel).to_contain_text("Weight of attention (block 1, head 1)")
    expect(panel).to_contain_text(f"= {weight:.4f}")
    expect(panel).to_contain_text("Softmax: e^(score − largest score)")
    page.get_by_role("slider", name="by hand").press("End")
    settle(page)

    def alone(weights: Tensor) -> Tensor:
        weights[0, 0, last] = 0
        weights[0, 0, last, 2] = 1
        return weights

    agree(page, ids, **{"layers.0.attention.weights": alone})
    expect(page.get_by_text("Weights set by hand: 1.")).to_be_visible()
    press(page, "Give back the model’s own weights")
    agree(page, ids)


def test_two_texts_are_read_side_by_side(page: Page, mount: Mount) -> None:
    mount(page, small_playground())
    type_in(page, "I love bears")
    press(page, "Compare with a second text")
    type_in(page, "Bears won the bears", "A second text")
    ids = [tokenizer().encode(text) for text in ("I love bears", "Bears won the bears")]
    assert shown(page, "shown.ways.map((way) => way.ids)") == ids
    walks = [walkthrough(small_model(), torch.tensor(one)) for one in ids]
    vectors = [walk["0.query"][0, -1] for walk in walks]
    cosine = torch.cosine_similarity(*vectors, dim=0)
    strip = page.locator("[data-part='query']").first
    expect(strip.locator(".u-pg-strip-full")).to_contain_text(f"cos {cosine:.2f}".replace("-", "−"))
    expect(strip.locator("canvas")).to_have_count(2)
    press(page, "Compare with a second text")
    expect(strip.locator("canvas")).to_have_count(1)


def test_of_ten_thousand_words_it_says_what_it_keeps(page: Page, mount: Mount, errors: list[str]) -> None:
    mount(page, small_playground())
    text = "Bears won the game, " * 2500 + "I love bears"
    type_in(page, text)
    ids = tokenizer().encode(text)
    expect(page.get_by_text(f"The model sees 29 tokens: the last of {len(ids):,}.")).to_be_visible()
    agree(page, ids[-29:])
    type_in(page, "")
    expect(page.get_by_role("alert")).to_contain_text("Expected at least one character, got an empty text.")
    type_in(page, "bears")
    agree(page, tokenizer().encode("bears"))
    assert errors == []


def beside(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Lay a page and its weights, as the book does; return the file of the weights."""
    monkeypatch.setenv("UNROLLED_BOOK", "1")
    weights = store(folder / "small.safetensors")
    walk = walkthrough(small_model(), torch.tensor(tokenizer().encode(TEXT)))
    widget = Playground(weights, tokenizer().merges, TEXT, walk, n_heads=HEADS)
    assert widget.weights["data"] == ""
    content = weights.read_bytes()
    file = folder / "site" / address(weights.stem, content)
    lay_beside(content, file)
    (folder / "site" / "page.html").write_text(widget_page(widget), encoding="utf-8")
    return file


@pytest.mark.parametrize("scheme", ["file", "http"])
def test_the_weights_come_when_the_reader_types_and_are_refused_when_altered(
    browser: Browser,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    serve: Callable[[Path], str],
    scheme: str,
) -> None:
    weights = beside(tmp_path, monkeypatch)
    site = weights.parents[2]
    context = browser.new_context()  # watched here: a file will be missing
    page, asked, said = context.new_page(), [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(serve(site) + "page.html" if scheme == "http" else (site / "page.html").as_uri())
    settle(page)
    assert not any("playground" in url for url in asked)
    parts = [weights.with_name(f"{weights.name}.{part}.js") for part in range(PARTS)]
    good = {path: path.read_bytes() for path in [weights, *parts]}

    def spoil(how: Callable[[bytes], bytes]) -> None:
        path = weights if scheme == "http" else parts[3]
        path.write_bytes(how(good[path]))

    def altered(content: bytes) -> bytes:
        at = len(content) // 2
        return content[:at] + (b"A" if content[at : at + 1] != b"A" else b"B") + content[at + 1 :]

    alert = page.locator(".u-playground > .u-error")
    spoil(altered)
    type_in(page, "I love bears")
    expect(alert).to_contain_text("The weights are altered: expected the SHA-256")
    spoil((lambda content: content[:-64]) if scheme == "http" else (lambda _: b'unrolledWeights("");'))
    press(page, "Try again")
    expect(alert).to_contain_text(f"The weights are cut: expected {len(good[weights])} bytes, got")
    (weights if scheme == "http" else parts[3]).unlink()
    press(page, "Try again")
    expect(alert).to_contain_text(
        "The weights did not come" if scheme == "http" else "The weights are not there"
    )
    expect(page.locator(".u-next li").first).to_be_visible()
    spoil(lambda content: content)
    press(page, "Try again")
    expect(alert).to_be_empty()
    agree(page, tokenizer().encode("I love bears"))
    assert len(said) == 1
    assert re.search("404|ERR_FILE_NOT_FOUND", said[0])
    context.close()


def test_typing_on_and_on_keeps_no_more(page: Page, mount: Mount) -> None:
    mount(page, small_playground())
    client = page.context.new_cdp_session(page)

    def heap() -> float:
        client.send("HeapProfiler.collectGarbage")
        return float(client.send("Runtime.getHeapUsage")["usedSize"])

    def change(times: int) -> None:
        for k in range(times):
            type_in(page, f"I love bears {'love ' * (k % 4)}")

    change(30)
    before = heap()
    change(60)
    assert heap() < 1.1 * before


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_has_nothing_against_it(
    page: Page, mount: Mount, violations: Callable[[Page], list[str]], theme: str
) -> None:
    mount(page, small_playground(title="The playground"), theme=theme)
    type_in(page, "Bears won")
    press(page, "Compare with a second text")
    page.get_by_role("button", name="Query (block 1, head 1)").click()
    expect(page.locator(".u-pg-terms")).to_be_visible()
    assert violations(page) == []


def test_tokens_are_chosen_by_keyboard(page: Page, mount: Mount) -> None:
    mount(page, small_playground())
    ids = tokenizer().encode(TEXT)
    chip(page, len(ids) - 1).press("Home")
    settle(page)
    expect(chip(page, 0)).to_be_focused()
    expect(chip(page, 0)).to_have_attribute("aria-checked", "true")
    assert shown(page, "shown.ways[0].trace.t") == 0
    page.keyboard.press("ArrowRight")
    settle(page)
    assert shown(page, "shown.ways[0].trace.t") == 1
    expect(page.locator(".u-pg-out")).to_contain_text("In your text it is")


def refused(**options: Any) -> Any:
    walk = walkthrough(small_model(), torch.tensor(tokenizer().encode(TEXT)))
    return {"merges": tokenizer().merges, "text": TEXT, "walk": walk, "n_heads": HEADS, **options}


def test_what_does_not_belong_together_is_refused(tmp_path: Path) -> None:
    weights = store(tmp_path / "small.safetensors")
    for options, message in (
        ({"n_heads": 4}, "n_heads: expected a divisor of d_model=6, got 4"),
        ({"merges": tokenizer().merges[:-1]}, r"merges: expected 13 for 274 tokens, got 12"),
        ({"text": "Bears"}, "walk: expected that of 'Bears', got that of 'She bears the pain'"),
    ):
        with pytest.raises(ValueError, match=message):
            Playground(weights, **refused(**options))
    other = tmp_path / "other.safetensors"
    other.write_bytes(b"no weights")
    with pytest.raises(ValueError, match=r"other.safetensors: expected the weights of a GPT"):
        Playground(other, **refused())
    with pytest.raises(FileNotFoundError):
        Playground(tmp_path / "none.safetensors", **refused())
    assert json.dumps(small_playground().state())
