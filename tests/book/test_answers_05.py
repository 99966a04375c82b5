"""The widgets of chapter 5 show the numbers torch computes, from a server and from disk."""

import json
from typing import Any

import pytest
import torch
from playwright.sync_api import Locator, Page, expect
from torch import Tensor

from tests.book.answers import Open, close, digits, read
from unrolled.nn import attend, attention_scores, attention_weights, causal_mask

CHAPTER = "05_queries_keys_values.html"
X = [[0.0, 0, 0, 1], [1, 0, 0, 1], [1, 1, 1, 0]]
SHE = [[0.0, 0, 0, 1], [1, 1, 1, 0], [0, 0, 0, 0], [0, 1, 0, 0]]
W_Q = [[0.0, 1], [1, 0], [1, 0], [0, 0]]
W_K = [[1.0, 0], [-1, 0], [-1, 0], [0, 1]]
W_V = [[1.0, 0], [0, 1], [0, 1], [0, 0]]
EYE: list[list[float]] = torch.eye(4).tolist()


@pytest.fixture
def bench(open_widget: Open) -> Locator:
    return open_widget(CHAPTER, "qkv-bench")


def agrees(
    bench: Locator,
    x: Any = X,
    w: Any = (W_Q, W_K, W_V),
    *,
    source: Any = None,
    mask: Tensor | None = None,
    scale: bool = True,
) -> Tensor:
    """Compare every matrix and every printed digit with torch; return the weights."""
    tokens, matrices = torch.tensor(x).double(), [torch.tensor(m).double() for m in w]
    looked_at = tokens if source is None else torch.tensor(source).double()
    query, key, value = (t @ m for t, m in zip((tokens, looked_at, looked_at), matrices, strict=True))
    scores = attention_scores(query, key, scale=query.shape[1] ** -0.5 if scale else 1.0)
    weights = attention_weights(scores, mask)
    box = bench.locator(".unrolled[data-bench]")
    names = ("Q", "K", "V", "scores", "weights", "context")
    made = (query, key, value, scores, weights, attend(weights, value))
    for name, expected in zip(names, made, strict=True):
        close(read(box, f"made-{name.lower()}"), expected)
        cells = bench.locator(f'table[aria-label^="{name}: "] td.u-ask-cell').all_inner_texts()
        assert cells == digits(expected + 0.0), name
    return weights


def test_the_hand_made_numbers_and_their_arithmetic(bench: Locator, page: Page) -> None:
    weights = agrees(bench)
    assert weights[2].argmax() == 1
    lines = bench.locator(".u-arithmetic p")
    expect(lines).to_have_text(
        ["weight bears → love", "exp(2.12) = 8.34", "Sum of the row: 2.03 + 8.34 + 0.24 = 10.61",
         "Weight: 8.34 / 10.61 = 0.79"]
    )  # fmt: skip
    # By keyboard from the weight to the scores of its row, and to the query.
    bench.locator('table[aria-label^="scores: "] td[tabindex="0"]').focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowRight"):
        page.keyboard.press(key)
    expect(lines).to_have_text(["score bears → love", "q(bears) · k(love) = 2·1 + 1·1 = 3", "3 / √2 = 2.12"])


def test_what_the_text_asks_the_reader_to_try(bench: Locator) -> None:
    """Bears without its other senses asks for no hint; with a row of W_v the word I begins to speak."""
    for feature in ("enduring", "team"):
        bench.get_by_label(f"X, bears, {feature}", exact=True).fill("0")
    plain = [X[0], X[1], [1.0, 0, 0, 0]]
    agrees(bench, plain)
    assert (
        bench.locator('table[aria-label^="Q: "] tbody tr').nth(2).locator("td").first.inner_text() == "0.00"
    )
    bench.get_by_label("W_v, somebody, 1", exact=True).fill("3")
    agrees(bench, plain, (W_Q, W_K, [*W_V[:3], [3.0, 0]]))
    bench.get_by_label("Start from").select_option("chapter 4: identity matrices")
    weights = agrees(bench, X, (EYE, EYE, EYE), scale=False)
    assert round(weights[2, 2].item(), 3) == 0.844  # the number of chapter 4


def test_masks_and_a_row_of_nothing(bench: Locator) -> None:
    bench.get_by_role("button", name="Causal mask").click()
    agrees(bench, mask=causal_mask(3))
    bench.get_by_label("I is a real token").uncheck()
    weights = agrees(bench, mask=causal_mask(3) & torch.tensor([False, True, True]))
    assert (weights[0] == 0).all()
    expect(bench.locator(".u-silence")).to_have_text("I may attend to nothing: zeros, not NaN.")
    bench.get_by_role("button", name="Divide by √2").click()
    agrees(bench, mask=causal_mask(3) & torch.tensor([False, True, True]), scale=False)
    bench.get_by_role("button", name="Reset").click()
    agrees(bench)


def test_another_source(bench: Locator) -> None:
    bench.get_by_role("button", name="Cross-attention").click()
    agrees(bench, source=SHE)
    bench.get_by_label("She is a real token").uncheck()
    agrees(bench, source=SHE, mask=torch.tensor([False, True, True, True]))
    bench.get_by_label("Start from").select_option("the paint shop")
    state = json.loads(bench.locator(".unrolled[data-bench]").get_attribute("data-bench") or "")
    assert state["cross"]
    weights = agrees(bench, state["X"], [state[name] for name in ("W_q", "W_k", "W_v")], source=state["Z"])
    assert weights.shape == (2, 5)


def test_the_root_of_every_width(open_widget: Open, page: Page) -> None:
    widget = open_widget(CHAPTER, "explore")
    slider = widget.get_by_role("slider", name="d_k =")
    slider.focus()
    page.keyboard.press("Home")
    generator = torch.Generator().manual_seed(0)
    for d in (1, 4, 16, 64, 256, 1024):
        query = torch.randn(2000, 1, d, generator=generator)
        scores = attention_scores(query, torch.randn(2000, 8, d, generator=generator))[:, 0]
        told = []
        for name, s in (("divided by √d", scores / d**0.5), ("not divided", scores)):
            a = torch.softmax(s, dim=-1)
            entropy = -(a * a.clamp(min=1e-30).log()).sum(-1).mean()
            jacobian = torch.diag_embed(a) - a[..., None] * a[..., None, :]
            told.append(
                f"{name}: variance {s.var():.1f}, largest weight {a.amax(-1).mean():.2f}, "
                f"entropy {entropy:.2f}, gradient {jacobian.flatten(1).norm(dim=-1).median():.4f}"
            )
        expect(slider).to_have_attribute("aria-valuetext", f"{d}")
        expect(widget.locator(".u-outcome figcaption")).to_have_text(". ".join(told) + ".")
        page.keyboard.press("ArrowRight")
