"""The bears model in a page: every answer is torch's, whatever is typed and whichever head is off."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import torch
from playwright.sync_api import Page, expect

from unrolled.nn import BERT, BertConfig, Encoder
from unrolled.tap import record
from unrolled.widgets import bundle
from unrolled.widgets.bears_model import BearsModel

WORDS = ["bears", "honey", "i", "love", "pain", "she", "the", "won"]
FIRST, HIDDEN = 5, 4
SENTENCES = ["I love bears", "She bears the pain"]
SENSES = ["animal", "endure", "team"]
Mount = Callable[..., None]


def small_bert() -> BERT:
    """Return a small model in half precision's numbers, computed in float64."""
    g = torch.Generator().manual_seed(3)
    model = BERT(BertConfig(FIRST + len(WORDS), 7, 6, 2, 2, n_token_types=0, dropout=0.0, norm_eps=1e-5))
    model.encoder = Encoder(2, 6, 2, 11)
    for parameter in model.parameters():
        parameter.data = (torch.randn(parameter.shape, generator=g) * 0.5).half().float()
    return model.double().eval()


@pytest.fixture(scope="module")
def bert() -> BERT:
    return small_bert()


def known() -> dict[str, torch.Tensor]:
    g = torch.Generator().manual_seed(5)
    return {sense: torch.randn(7, 6, generator=g) + 2 * i for i, sense in enumerate(SENSES)}


def by_torch(model: BERT, text: str) -> dict[str, torch.Tensor]:
    """Return vector, distances, chances and attention of the hidden "bears"."""
    assert model.head is not None
    words = text.lower().split()
    at = words.index("bears")
    tokens = torch.tensor([[FIRST + WORDS.index(word) for word in words]])
    tokens[0, at] = HIDDEN
    with torch.no_grad(), record(model, "*.weights") as heard:
        hidden = model.encode(tokens)[0, at]
        vector = model.head.norm(model.head.activation(model.head.dense(hidden)))
        logits = model.head.decoder(vector)
    centroids = torch.stack([rows.mean(0) for rows in known().values()]).double()
    return {
        "vector": vector,
        "distances": (centroids - vector).norm(dim=1),
        "chances": logits.softmax(-1),
        "attention": torch.stack(
            [heard[f"encoder.layers.{i}.attention.weights"][0][0, :, at] for i in range(2)]
        ),
    }


@pytest.fixture
def widget(bert: BERT) -> BearsModel:
    return make(bert)


def make(model: BERT, sentences: list[str] = SENTENCES, **options: Any) -> BearsModel:
    return BearsModel(
        model.state_dict(),
        WORDS,
        hidden=HIDDEN,
        n_heads=2,
        n_layers=2,
        known=known(),
        sentences=sentences,
        expected=[by_torch(model, text)["distances"].tolist() for text in sentences],
        max_words=7,
        **options,
    )


def answers(page: Page) -> list[dict[str, Any] | None]:
    shown: list[dict[str, Any] | None] = json.loads(
        page.locator(".unrolled").get_attribute("data-answers") or ""
    )
    return shown


def agree(page: Page, model: BERT, texts: list[str]) -> None:
    for text, got in zip(texts, answers(page), strict=True):
        assert got is not None
        expected = by_torch(model, text)
        for name in ("vector", "distances", "attention"):
            torch.testing.assert_close(
                torch.tensor(got[name], dtype=torch.float64), expected[name], rtol=0, atol=1e-5
            )


def test_both_sentences_get_the_numbers_of_torch(
    page: Page, mount: Mount, widget: BearsModel, bert: BERT
) -> None:
    mount(page, widget)
    agree(page, bert, SENTENCES)
    for text, panel in zip(SENTENCES, page.locator(".u-reader").all(), strict=True):
        expected = by_torch(bert, text)
        nearest = SENSES[int(expected["distances"].argmin())]
        expect(panel.locator(".u-verdict p")).to_have_text(f"Nearest: {nearest}")
        chances = expected["chances"][FIRST:]
        best = [WORDS[i] for i in chances.argsort(descending=True)[:5].tolist()]
        names = panel.locator(".u-shares").first.locator(".u-share-word").all_inner_texts()
        assert [name.lower() for name in names] == best
        shares = panel.locator(".u-shares").first.locator(".u-share-number").all_inner_texts()
        assert shares == [f"{chances[WORDS.index(word)]:.2f}" for word in best]


def test_a_head_is_switched_off_and_on(page: Page, mount: Mount, widget: BearsModel, bert: BERT) -> None:
    mount(page, widget)
    before = answers(page)
    switch = page.get_by_role("group", name="Layer 2", exact=True).get_by_role("button", name="head 1")
    switch.click()
    expect(switch).to_have_attribute("aria-pressed", "false")
    projection = bert.encoder.layers[1].attention.out_proj.weight
    kept = projection.detach().clone()
    projection.data[:, :3] = 0
    try:
        agree(page, bert, SENTENCES)
    finally:
        projection.data.copy_(kept)
    expect(page.locator(".u-live")).to_contain_text("Layer 2, head 1 off. A: nearest to")
    page.get_by_role("button", name="All heads on").click()
    expect(switch).to_have_attribute("aria-pressed", "true")
    assert answers(page) == before


def test_a_typed_sentence_is_read(page: Page, mount: Mount, widget: BearsModel, bert: BERT) -> None:
    mount(page, widget)
    field = page.get_by_label("Sentence B", exact=True).locator("input")
    field.fill("  The bears won, ")
    field.press("Enter")
    agree(page, bert, [SENTENCES[0], "the bears won"])
    heard = page.locator(".u-reader").nth(1).locator(".u-shares").nth(1)
    assert heard.locator(".u-share-word").all_inner_texts() == ["The", "bears", "won"]
    expect(heard.locator(".u-share-word.u-target")).to_have_text("bears")
    rows = by_torch(bert, "the bears won")["attention"]
    assert heard.locator(".u-share-number").all_inner_texts() == [f"{x:.2f}" for x in rows[1].mean(0)]
    page.get_by_label("Attention of layer").select_option("1")
    page.get_by_label("head", exact=True).select_option("2")
    assert heard.locator(".u-share-number").all_inner_texts() == [f"{x:.2f}" for x in rows[0, 1]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Expected at least one word, got nothing"),
        ("I love honey", "Expected “bears” in the sentence"),
        ("I love hony bears", "Known words near “hony”: honey"),
        ("bears " * 8, "Expected at most 7 words, got 8"),
        ("bears <img src=x onerror=alert(1)>", "Expected words that have a vector here, got “<img”"),
    ],
)
def test_what_cannot_be_read_is_said_and_leaves_no_answer(
    page: Page, mount: Mount, widget: BearsModel, text: str, message: str
) -> None:
    mount(page, widget)
    field = page.get_by_label("Sentence A", exact=True).locator("input")
    field.fill(text)
    field.press("Enter")
    panel = page.locator(".u-reader").first
    expect(panel.locator(".u-error")).to_contain_text(message)
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(panel.locator(".u-told")).to_be_hidden()
    assert answers(page)[0] is None
    assert answers(page)[1] is not None
    assert page.locator("img").count() == 0


def test_the_second_sentence_may_be_left_out(page: Page, mount: Mount, bert: BERT) -> None:
    mount(page, make(bert, SENTENCES[:1]))
    assert answers(page)[1] is None
    expect(page.locator(".u-reader").nth(1).locator(".u-error")).to_be_empty()


def test_the_map_is_the_plane_of_the_centroids(widget: BearsModel) -> None:
    origin = torch.tensor(widget.plane["origin"])
    axes = torch.tensor(widget.plane["axes"])
    torch.testing.assert_close(axes @ axes.T, torch.eye(2), atol=1e-5, rtol=0)
    centroids = torch.tensor(widget.centroids)
    inside = (centroids - origin) @ axes.T @ axes + origin
    torch.testing.assert_close(inside, centroids, atol=1e-4, rtol=0)
    for rows, drawn in zip(known().values(), widget.known, strict=True):
        torch.testing.assert_close(torch.tensor(drawn), (rows - origin) @ axes.T, atol=1e-3, rtol=0)


def test_without_a_script_there_is_a_table(widget: BearsModel, bert: BERT) -> None:
    html = widget.fallback_html()
    for text in SENTENCES:
        assert f'<th scope="row">{text}</th>' in html
        for x in by_torch(bert, text)["distances"].tolist():
            assert f"<td>{x:.2f}</td>" in html


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1200])
def test_it_is_accessible_and_fits(
    new_page: Callable[..., Page],
    mount: Mount,
    violations: Callable[[Page], list[str]],
    bert: BERT,
    theme: str,
    width: int,
) -> None:
    page = new_page(viewport={"width": width, "height": 900}, color_scheme=theme)
    mount(page, make(bert, title="Which bears?"), theme=theme)
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for control in page.locator(".unrolled :is(button, select, input)").all():
        box = control.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 24


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hidden": FIRST}, "hidden: expected the id of a special token, one of 5 before the 8 words, got 5"),
        ({"n_heads": 4}, "n_heads: expected a divisor of d_model=6, got 4"),
        ({"sentences": []}, r"sentences: expected a list of one or two, got \[\]"),
        ({"known": {"a": torch.ones(2, 5), "b": torch.ones(2, 6)}}, r"known: expected \[N, 6\] for 'a'"),
        ({"known": {"a": torch.ones(2, 6)}}, "known: expected two senses or more, got 1"),
        ({"expected": [[1.0]]}, r"expected: expected 2 rows of 3 distances, got \[1\]"),
    ],
)
def test_what_does_not_belong_together_is_refused(bert: BERT, change: dict[str, Any], message: str) -> None:
    given: dict[str, Any] = {
        "hidden": HIDDEN, "n_heads": 2, "n_layers": 2, "known": known(), "sentences": SENTENCES,
        "expected": [[0.0] * 3] * 2, "max_words": 7,
    }  # fmt: skip
    with pytest.raises(ValueError, match=message):
        BearsModel(bert.state_dict(), WORDS, **{**given, **change})


def test_the_script_of_the_page_holds_the_model_once() -> None:
    assert bundle.page_script(("bears-model",)).count("function bert(") == 1
