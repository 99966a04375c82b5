"""The sentences the tests of the bears plane use, and how they read and work a plane in a browser."""

import json
from typing import Any

import torch
from playwright.sync_api import Locator, Page, expect

from unrolled.nn import SimpleSelfAttention
from unrolled.tap import record
from unrolled.widgets import bundle
from unrolled.widgets.bears_plane import BearsPlane

VECTORS = {
    "I": (0.1, -0.15), "she": (-0.1, -0.2), "the": (0.05, 0.1), "bears": (0.35, 0.3),
    "love": (0.25, 1.3), "honey": (0.6, 1.2), "pain": (-1.3, -0.5), "won": (1.1, -0.75), "game": (1.4, -0.6),
}  # fmt: skip
SENTENCES = ["I love bears", "She bears the pain.", "Bears won the game"]
LANDMARKS = {"animal": (0.4, 1.4), "endure": (-1.3, -0.8), "team": (1.4, -1.0)}


def mount(page: Page, *widgets: BearsPlane) -> None:
    page.set_content(
        "<!doctype html><html lang=en><meta name=viewport content='width=device-width, initial-scale=1'>"
        f"<title>Bears</title><style>body {{ background: light-dark(#fff, #111); color-scheme: light dark }}"
        f"{bundle.stylesheet()}</style><main>{''.join(w.static_html() for w in widgets)}</main>"
    )
    page.add_script_tag(content=bundle.page_script(tuple(dict.fromkeys(w.name for w in widgets))))


def torch_says(vectors: list[list[float]], words: list[str], scale: float) -> list[torch.Tensor]:
    """Return weights and context of "bears", in float64, by the package."""
    names = [word.lower() for word in VECTORS]
    x = torch.tensor([vectors[names.index(word)] for word in words], dtype=torch.float64)
    model = SimpleSelfAttention(scale)
    with record(model, "weights") as rec:
        context = model(x)
    at = words.index("bears")
    return [rec["weights"][0][at], context[at]]


def state(page: Page) -> list[list[float]]:
    vectors: list[list[float]] = json.loads(page.locator(".unrolled").get_attribute("data-vectors") or "")
    return vectors


def shown(card: Locator) -> str:
    return " ".join(card.locator(".u-share-number").all_inner_texts())


def digits(values: Any) -> list[str]:
    return [f"{value:.2f}".replace("-", "−") for value in values]


def agree(page: Page, sentences: list[str], scale: float = 1.0) -> None:
    """Compare every card, to 1e-6 in its data and to the digits it shows, with torch."""
    vectors = state(page)
    cards = page.locator(".u-card")
    assert cards.count() == len(sentences)
    for i, sentence in enumerate(sentences):
        words = sentence.lower().strip(".").split()
        weights, context = torch_says(vectors, words, scale)
        card = cards.nth(i)
        got = torch.tensor(json.loads(card.get_attribute("data-weights") or ""), dtype=torch.float64)
        torch.testing.assert_close(got, weights, rtol=0, atol=1e-6)
        got = torch.tensor(json.loads(card.get_attribute("data-context") or ""), dtype=torch.float64)
        torch.testing.assert_close(got, context, rtol=0, atol=1e-6)
        assert shown(card) == " ".join(digits(weights))
        x, y = digits(context)
        expect(card.locator(".u-landing")).to_contain_text(f"x̂ = ({x}, {y})")


def handle(page: Page, word: str) -> Locator:
    return page.get_by_role("slider", name=word, exact=True)


def set_scale(page: Page, steps: int) -> None:
    slider = page.get_by_label("Multiply every score by")
    slider.focus()
    for _ in range(abs(steps)):
        page.keyboard.press("ArrowRight" if steps > 0 else "ArrowLeft")


def type_sentence(page: Page, text: str) -> None:
    page.get_by_label("Your own sentence").fill(text)
    page.get_by_role("button", name="Show", exact=True).click()
