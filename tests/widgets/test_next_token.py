"""The next-token bench writes what the package writes, and says what it does."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import torch
from playwright.sync_api import Locator, Page, expect

from unrolled.nn import GPT, GPTConfig
from unrolled.widgets.next_token import NextTokenBench

LETTERS = [*"abcd ", "\n"]
TOKENS = ["<pad>", "<bos>", *LETTERS]
MAX_LEN = 11
PROMPT = [2, 3, 6, 4]  # "ab c"
Mount = Callable[..., None]


@pytest.fixture(scope="module")
def gpt() -> GPT:
    """Return a small model in half precision's numbers, computed in float64."""
    g = torch.Generator().manual_seed(9)
    model = GPT(GPTConfig(len(TOKENS), MAX_LEN, 6, 2, 2))
    for parameter in model.parameters():
        parameter.data = (torch.randn(parameter.shape, generator=g) * 0.6).half().float()
    return model.double().eval()


def make(model: GPT, prompt: list[int] = PROMPT, **options: Any) -> NextTokenBench:
    chances = logits(model, prompt).softmax(-1)
    best = chances.argsort(descending=True)[:3].tolist()
    given: dict[str, Any] = {"n_heads": 2, "max_len": MAX_LEN, "n_special": 2, **options}
    return NextTokenBench(
        model.state_dict(), TOKENS, prompt, likeliest=[(TOKENS[i], float(chances[i])) for i in best], **given
    )


def logits(model: GPT, ids: list[int]) -> torch.Tensor:
    with torch.no_grad():
        return model(torch.tensor([ids]))[0, -1]


def box(page: Page) -> Locator:
    return page.locator(".unrolled")


def data(page: Page, name: str) -> Any:
    return json.loads(box(page).get_attribute(f"data-{name}") or "")


def agree(page: Page, model: GPT) -> None:
    torch.testing.assert_close(
        torch.tensor(data(page, "logits"), dtype=torch.float64),
        logits(model, data(page, "ids")),
        rtol=0,
        atol=1e-8,
    )


def pick(page: Page, label: str, place: int) -> None:
    page.get_by_label(label, exact=True).evaluate(
        "(el, value) => { el.value = value; el.dispatchEvent(new Event('input', { bubbles: true })); }", place
    )


def test_the_next_token_is_that_of_torch(page: Page, mount: Mount, gpt: GPT) -> None:
    mount(page, make(gpt))
    assert data(page, "ids") == PROMPT
    agree(page, gpt)
    chances = logits(gpt, PROMPT).softmax(-1)
    order = chances.argsort(descending=True).tolist()
    names = page.locator(".u-token-name").all_inner_texts()
    assert names == [{" ": "␣", "\n": "↵"}.get(TOKENS[i], TOKENS[i]) for i in order]
    assert page.locator(".u-share-number").all_inner_texts() == [f"{chances[i]:.2f}" for i in order]


def test_writing_with_and_without_the_cache_is_the_same(page: Page, mount: Mount, gpt: GPT) -> None:
    mount(page, make(gpt, temperature=0))
    expected = list(PROMPT)
    for _ in range(4):
        page.get_by_role("button", name="Write one").click()
        expected.append(int(logits(gpt, expected).argmax()))
        assert data(page, "ids") == expected
        agree(page, gpt)
    expect(page.locator(".u-cache-box")).to_contain_text("ran 1 of 8 tokens through the model")
    expect(page.locator(".u-cache-box")).to_contain_text(f"{2 * 2 * 8 * 6} numbers are kept")
    expect(page.locator(".u-cache-strip .is-held")).to_have_count(7)
    kept = data(page, "logits")
    page.get_by_role("button", name="Keep keys and values").click()
    expect(page.locator(".u-cache-box")).to_contain_text("ran 8 of 8 tokens through the model")
    torch.testing.assert_close(torch.tensor(data(page, "logits")), torch.tensor(kept), rtol=0, atol=1e-10)


def test_work_is_counted_from_the_shapes(page: Page, mount: Mount, gpt: GPT) -> None:
    """Four projections, two layers of the feed-forward, scores and mixtures, and the output layer."""
    mount(page, make(gpt))
    page.get_by_role("button", name="Write one").click()
    d, ff, layers, seen = 6, 24, 2, 5
    one = layers * (4 * d * d + 2 * d * ff + 2 * seen * d) + d * len(TOKENS)
    expect(page.locator(".u-cache-box")).to_contain_text(f"{one:,} multiply-adds")
    page.get_by_role("button", name="Keep keys and values").click()
    pairs = seen * (seen + 1) // 2
    every = layers * (seen * (4 * d * d + 2 * d * ff) + 2 * pairs * d) + seen * d * len(TOKENS)
    expect(page.locator(".u-cache-box")).to_contain_text(f"{every:,} multiply-adds")


def test_a_token_is_chosen_by_hand_and_taken_back(page: Page, mount: Mount, gpt: GPT) -> None:
    mount(page, make(gpt))
    before = data(page, "logits")
    third = page.locator(".u-token").nth(2)
    third.focus()
    page.keyboard.press("Enter")
    order = logits(gpt, PROMPT).argsort(descending=True).tolist()
    assert data(page, "ids") == [*PROMPT, order[2]]
    agree(page, gpt)
    expect(page.locator(".u-token").nth(2)).to_be_focused()
    page.get_by_role("button", name="Take one back").click()
    assert data(page, "ids") == PROMPT
    torch.testing.assert_close(torch.tensor(data(page, "logits")), torch.tensor(before), rtol=0, atol=1e-12)
    page.get_by_role("button", name="Take one back").click()
    assert data(page, "ids") == PROMPT


def test_rules_rule_out_and_the_seed_decides(page: Page, mount: Mount, gpt: GPT) -> None:
    mount(page, make(gpt, top_k=2, top_p=0.95))
    assert sum(share > 0 for share in data(page, "shares")) <= 2
    expect(page.locator(".u-next .is-out")).to_have_count(len(TOKENS) - 2)
    expect(page.locator(".u-bench-side")).to_contain_text(f"2 of {len(TOKENS)} tokens can be drawn")
    pick(page, "Temperature", 0)
    assert sorted(data(page, "shares"))[-2:] == [0, 1]
    pick(page, "Temperature", 9)
    pick(page, "Top k", 4)  # the slider's last place: all
    written = []
    for _ in range(2):
        page.get_by_role("button", name="Begin from this").click()
        page.get_by_role("button", name="Write 20").click()
        written.append(data(page, "ids"))
    assert written[0] == written[1]
    assert len(written[0]) == MAX_LEN
    page.get_by_role("button", name="Write one").click()
    expect(page.locator(".u-live")).to_contain_text(f"The context is full: this model sees {MAX_LEN} tokens.")
    assert data(page, "ids") == written[0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Expected at least one token to begin from, got nothing"),
        ("abz<", "Expected tokens the model knows, got “z”, “<”. The list of characters names all"),
        ("a" * MAX_LEN, f"Expected fewer than {MAX_LEN} tokens, got {MAX_LEN}"),
    ],
)
def test_what_cannot_begin_is_said_and_nothing_is_lost(
    page: Page, mount: Mount, gpt: GPT, text: str, message: str
) -> None:
    mount(page, make(gpt))
    page.get_by_label("What it begins from").fill(text)
    page.get_by_role("button", name="Begin from this").click()
    expect(page.locator(".u-bench .u-error")).to_contain_text(message)
    assert data(page, "ids") == PROMPT
    page.get_by_label("What it begins from").fill("da\n")
    page.get_by_role("button", name="Begin from this").click()
    expect(page.locator(".u-bench .u-error")).to_be_empty()
    assert data(page, "ids") == [5, 2, 7]
    agree(page, gpt)


def test_words_are_joined_by_what_they_were_given(page: Page, mount: Mount, gpt: GPT) -> None:
    mount(page, make(gpt, joiner="|"))
    expect(page.get_by_label("What it begins from")).to_have_value("a|b| |c")


def test_without_a_script_there_is_a_table(gpt: GPT) -> None:
    html = make(gpt).fallback_html()
    best = int(logits(gpt, PROMPT).argmax())
    assert "after “ab c”" in html
    assert f"<td>{logits(gpt, PROMPT).softmax(-1)[best]:.2f}</td>" in html


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1200])
def test_it_is_accessible_and_fits(
    new_page: Callable[..., Page],
    mount: Mount,
    violations: Callable[[Page], list[str]],
    gpt: GPT,
    theme: str,
    width: int,
) -> None:
    page = new_page(viewport={"width": width, "height": 900}, color_scheme=theme)
    mount(page, make(gpt, title="Next"), theme=theme)
    page.get_by_role("button", name="Write 20").click()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for control in page.locator(".unrolled :is(button, select, input, textarea)").all():
        size = control.bounding_box()
        assert size is not None
        assert min(size["width"], size["height"]) >= 24


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tokens": TOKENS[:-1]}, "tokens: expected 8, one for each row of the embedding, got 7"),
        ({"n_heads": 4}, "n_heads: expected a divisor of d_model=6, got 4"),
        ({"n_heads": 0}, "n_heads: expected a divisor of d_model=6, got 0"),
        ({"max_len": 0}, "max_len: expected 1 to 512, got 0"),
        ({"prompt": []}, "prompt: expected 1 to 10 tokens, got 0"),
        ({"prompt": [2, 1]}, "prompt: expected ids from 2 to 7, got 1"),
    ],
)
def test_what_does_not_belong_together_is_refused(gpt: GPT, change: dict[str, Any], message: str) -> None:
    given: dict[str, Any] = {
        "tokens": TOKENS, "prompt": PROMPT, "likeliest": [], "n_heads": 2, "max_len": MAX_LEN, "n_special": 2,
    }  # fmt: skip
    with pytest.raises(ValueError, match=message):
        NextTokenBench(gpt.state_dict(), **{**given, **change})
