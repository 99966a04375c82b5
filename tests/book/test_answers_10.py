"""Chapter 10: the model in the page gives the numbers of torch, and writes what the package writes."""

import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import torch
from playwright.sync_api import Locator, expect

from tests.book.answers import Open, close, read, state_of
from unrolled.data.bears_tokens import WORDS
from unrolled.data.special_tokens import SPECIAL
from unrolled.generate import generate, keep_top_k, keep_top_p
from unrolled.nn import GPT, GPTConfig
from unrolled.widgets.packed import unpack

CHAPTER = "10_gpt.html"


@pytest.fixture(scope="module")
def state(built_book: Path) -> dict[str, Any]:
    """What the page gives its widget."""
    return state_of(built_book / CHAPTER, "next-token")


@pytest.fixture(scope="module")
def model(state: dict[str, Any]) -> GPT:
    """The model, trained while the page was built, with the numbers the page has: 8 bits, in float64."""
    tensors = {name: torch.tensor(array) for name, array in unpack(state["packed"]).items()}
    vocabulary, width = tensors["token_embedding.weight"].shape
    sizes = {"d_model": width, "n_heads": state["n_heads"], "n_layers": state["n_layers"]}
    made = GPT(GPTConfig(vocabulary, state["max_len"], **sizes)).double().eval()
    missing, unexpected = made.load_state_dict(tensors, strict=False)
    # The output layer shares its matrix with the embedding.
    assert (missing, unexpected) == (["lm_head.weight"], [])
    return made


def logits_of(model: GPT, ids: list[int]) -> torch.Tensor:
    with torch.no_grad():
        return model(torch.tensor([ids]))[0, -1]


@pytest.fixture
def bench(open_widget: Open) -> Locator:
    """The widget of the opened page, answering."""
    return open_widget(CHAPTER, "next-token").locator(".unrolled").first


def ids_of(bench: Locator) -> list[int]:
    return [int(i) for i in read(bench, "ids").tolist()]


def agree(bench: Locator, model: GPT) -> None:
    close(read(bench, "logits"), logits_of(model, ids_of(bench)))


def begin(bench: Locator, text: str) -> None:
    bench.get_by_label("What it begins from").fill(text)
    bench.get_by_role("button", name="Begin from this").click()


def pick(bench: Locator, label: str, place: int) -> None:
    bench.get_by_label(label, exact=True).evaluate(
        "(el, value) => { el.value = value; el.dispatchEvent(new Event('input', { bubbles: true })); }", place
    )


def test_the_table_without_javascript_is_that_of_torch(
    state: dict[str, Any], model: GPT, built_book: Path
) -> None:
    assert state["tokens"] == list(WORDS)
    html = (built_book / CHAPTER).read_text(encoding="utf-8")
    (table,) = [t for t in re.findall(r"<table.*?</table>", html, re.DOTALL) if "likeliest next" in t]
    shares, best = logits_of(model, state["prompt"]).softmax(-1).topk(10)
    assert re.findall(r">(\d\.\d\d)<", table) == [f"{p:.2f}" for p in shares.tolist()]
    names = [unescape(name) for name in re.findall(r"<th[^>]*>([^<]+)</th>", table)]
    assert names[-10:] == [WORDS[i] for i in best.tolist()]


def test_greedy_writing_is_that_of_the_package_with_and_without_the_cache(bench: Locator, model: GPT) -> None:
    agree(bench, model)
    pick(bench, "Temperature", 0)
    for start in ("<bos> she bears the", "<bos> bears", "<bos> i love"):
        begin(bench, start)
        prompt = torch.tensor([ids_of(bench)])
        bench.get_by_role("button", name="Write 20").click()
        written = ids_of(bench)
        assert written == generate(model, prompt, 20)[0].tolist()
        agree(bench, model)
    bench.get_by_role("button", name="Keep keys and values").click()
    assert ids_of(bench) == written
    agree(bench, model)


def test_top_k_and_top_p_keep_what_the_package_keeps(bench: Locator, model: GPT) -> None:
    pick(bench, "Top p", 4)  # 0.9
    for text in ("<bos> bears", "<bos> bears won", "<bos> bears won the"):
        begin(bench, text)
        expected = keep_top_p(logits_of(model, ids_of(bench)), 0.9).softmax(-1)
        close(read(bench, "shares"), expected)
        expect(bench).to_contain_text(f"{int((expected > 0).sum())} of {len(WORDS)} tokens can be drawn")
    pick(bench, "Top p", 6)
    pick(bench, "Top k", 2)  # 3
    close(read(bench, "shares"), keep_top_k(logits_of(model, ids_of(bench)), 3).softmax(-1))


def test_a_bear_is_an_animal_or_a_team_until_the_next_word_is_chosen(bench: Locator, model: GPT) -> None:
    expect(bench.locator(".u-given")).to_have_text("<bos> bears")
    start = ids_of(bench)
    assert start == [SPECIAL.bos, WORDS.index("bears")]
    for verb, expected in (("won", {"the"}), ("eat", {"honey", "fish", "apples", "berries"})):
        begin(bench, f"<bos> bears {verb}")
        agree(bench, model)
        assert bench.locator(".u-token-name").first.inner_text() in expected
    order = logits_of(model, ids_of(bench)).argsort(descending=True).tolist()
    bench.locator(".u-token").nth(1).click()
    assert ids_of(bench) == [*start, WORDS.index("eat"), order[1]]
    bench.get_by_role("button", name="Take one back").click()
    agree(bench, model)
