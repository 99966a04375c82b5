"""Chapter 11: the model in the page is the stored one, tensor by tensor, over http and from disk."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from playwright.sync_api import Page, expect
from torch import Tensor

from tests.book.answers import Open, state_of
from unrolled.data import bears
from unrolled.data.bears_tokens import word_id
from unrolled.data.special_tokens import SPECIAL
from unrolled.nn import BERT
from unrolled.probe import bert_layers, without_head
from unrolled.training.stored import stored
from unrolled.widgets import bundle
from unrolled.widgets.packed import unpack

CHAPTER = "11_bert.html"
SENTENCES = [
    "She bears the pain while the rockets won the cup",
    "Bears won the game",
    "I love bears",
]


@pytest.fixture(scope="module")
def state(built_book: Path) -> dict[str, Any]:
    """What the page gives its widget."""
    return state_of(built_book / CHAPTER, "bears-model")


@pytest.fixture(scope="module")
def model(state: dict[str, Any]) -> BERT:
    """The stored model with the numbers the page has: rounded to 8 bits, computed in float64."""
    bert = stored("bears").model.double()
    rounded = {name: torch.tensor(array) for name, array in unpack(state["packed"]).items()}
    missing, unexpected = bert.load_state_dict(rounded, strict=False)
    # The output layer shares its matrix with the embedding.
    assert (missing, unexpected) == (["head.decoder.weight"], [])
    assert isinstance(bert, BERT)
    return bert


def tokens_of(text: str) -> tuple[Tensor, int]:
    words = bears.tokenize(text)
    at = words.index("bears")
    ids = torch.tensor([[word_id(word) for word in words]])
    ids[0, at] = SPECIAL.mask
    return ids, at


def close(got: Any, expected: Tensor) -> None:
    torch.testing.assert_close(torch.tensor(got, dtype=torch.float64), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("text", SENTENCES)
def test_every_tensor_of_the_page_is_torchs(
    page: Page, state: dict[str, Any], model: BERT, text: str
) -> None:
    ids, _ = tokens_of(text)
    code = bundle._inline(["transformer", "unpack"])
    body = """const weights = $unpack.unpack(given.packed);
    return $transformer.bert(given.ids, weights, { nHeads: given.nHeads, nLayers: given.nLayers });"""
    given = {"packed": state["packed"], "ids": ids[0].tolist(), "nHeads": state["n_heads"],
             "nLayers": state["n_layers"]}  # fmt: skip
    got = page.evaluate(f"(given) => {{ {code} {body} }}", given)
    seen = bert_layers(model, ids)
    close(got["embedded"], seen.vectors[0][0])
    for block, vectors, weights in zip(got["blocks"], seen.vectors[1:], seen.weights, strict=True):
        close(block["output"], vectors[0])
        close([head["weights"] for head in block["attention"]["heads"]], weights[0])
    with torch.no_grad():
        close(got["vectors"], model.encode(ids)[0])
        close(got["logits"], model(ids)[0])


def test_the_two_sentences_get_the_senses_of_the_model(
    open_widget: Open, state: dict[str, Any], model: BERT
) -> None:
    widget = open_widget(CHAPTER, "bears-model")
    answers = json.loads(widget.locator(".unrolled").get_attribute("data-answers") or "")
    centroids = torch.tensor(state["centroids"], dtype=torch.float64)
    assert model.head is not None
    for text, sense, answer in zip(SENTENCES[:2], ("endure", "team"), answers, strict=True):
        ids, at = tokens_of(text)
        with torch.no_grad():
            vector = model.head.norm(model.head.activation(model.head.dense(model.encode(ids)[0, at])))
        close(answer["vector"], vector)
        close(answer["distances"], (centroids - vector).norm(dim=1))
        assert bears.SENSES[int((centroids - vector).norm(dim=1).argmin())] == sense
    verdicts = widget.locator(".u-verdict p")
    expect(verdicts.nth(0)).to_have_text("Nearest: endure")
    expect(verdicts.nth(1)).to_have_text("Nearest: team")


def test_a_reader_types_a_sentence_and_switches_a_head_off(open_widget: Open, model: BERT) -> None:
    widget = open_widget(CHAPTER, "bears-model")
    field = widget.get_by_label("Sentence B", exact=True).locator("input")
    field.fill("I love bears")
    field.press("Enter")
    expect(widget.locator(".u-verdict p").nth(1)).to_have_text("Nearest: animal")
    widget.get_by_role("group", name="Layer 2", exact=True).get_by_role("button", name="head 2").click()
    after = json.loads(widget.locator(".unrolled").get_attribute("data-answers") or "")
    ids, at = tokens_of("I love bears")
    assert model.head is not None
    with without_head(model.encoder.layers[1], 1), torch.no_grad():
        vector = model.head.norm(model.head.activation(model.head.dense(model.encode(ids)[0, at])))
    close(after[1]["vector"], vector)
    field.fill("I love beers")
    field.press("Enter")
    expect(widget.locator(".u-error").nth(1)).to_contain_text("Known words near “beers”: bears")
