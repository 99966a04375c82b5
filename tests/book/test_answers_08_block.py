"""Chapter 8: one word's way through the built page is that of the stored model, over http and from disk."""

from collections.abc import Sequence

import pytest
import torch
from playwright.sync_api import Locator, Page, expect
from torch import Tensor

from tests.book.answers import Open, close, read
from unrolled.data.bears_tokens import encode_words
from unrolled.nn import Encoder
from unrolled.training.stored import stored
from unrolled.widgets.packed import pack, unpack

CHAPTER = "08_block.html"
SENTENCES = ["she bears the pain", "the bears won the game", "the bears love the forest"]
BOTH = ("attention", "feedforward")


@pytest.fixture
def widget(open_widget: Open) -> Locator:
    return open_widget(CHAPTER, "token-walk")


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    """Return the blocks of the stored model as the page has them: 8 bits a weight."""
    blocks = stored("bears").model.encoder
    assert isinstance(blocks, Encoder)
    rounded = unpack(pack(blocks.layers.state_dict(), 8))
    blocks.double().layers.load_state_dict({name: torch.from_numpy(t) for name, t in rounded.items()})
    return blocks


def walk(
    encoder: Encoder,
    sentence: str,
    *,
    norm: str = "pre",
    around: bool = True,
    sublayers: Sequence[str] = BOTH,
) -> Tensor:
    """Return the vectors of a sentence before the first block and after each, ``[3, T, D]``."""
    model = stored("bears").model
    tokens, _ = encode_words([sentence.split()])
    with torch.no_grad():
        x = model.embedding_norm(model.positions(model.token_embedding(tokens))).double()
        seen = [x]
        for block in encoder.layers:
            for name in sublayers:
                normed = getattr(block, f"{name}_norm")
                brought = getattr(block, name)(normed(x) if norm == "pre" else x)
                x = x + brought if around else brought
                x = normed(x) if norm == "post" else x
            seen.append(x)
    return torch.cat(seen)


def agrees(widget: Locator, seen: Tensor, *, token: int = 1, layer: int = 1) -> None:
    box = widget.locator(".unrolled[data-output]")
    scale = max(1.0, float(seen.abs().max()) / 10)  # without norms numbers are in the thousands
    close(read(box, "output") / scale, seen[layer, token] / scale)
    close(read(box, "lengths") / scale, seen[:, token].norm(dim=-1) / scale)


def test_every_word_of_every_sentence_goes_torchs_way(widget: Locator, encoder: Encoder) -> None:
    for sentence in SENTENCES:
        widget.get_by_label("Sentence", exact=True).select_option(label=sentence)
        words = sentence.split()
        for layer in (1, 2):
            widget.get_by_label("Block", exact=True).select_option(label=str(layer))
            for token in range(len(words)):
                widget.locator(".u-tokens button").nth(token).click()
                agrees(widget, walk(encoder, sentence), token=token, layer=layer)
        widget.get_by_role("button", name="bears", exact=True).click()


def test_what_the_chapter_gives_to_try_happens(widget: Locator, encoder: Encoder) -> None:
    def press(name: str) -> None:
        widget.get_by_role("button", name=name, exact=True).click()

    def choose(sentence: str) -> Tensor:
        widget.get_by_label("Sentence", exact=True).select_option(label=sentence)
        return read(widget.locator(".unrolled[data-output]"), "output")

    agrees(widget, walk(encoder, SENTENCES[0]))
    press("Attention")
    outputs = [choose(sentence) for sentence in SENTENCES]
    assert torch.equal(outputs[0], outputs[1])
    assert torch.equal(outputs[0], outputs[2])
    agrees(widget, walk(encoder, SENTENCES[2], sublayers=["feedforward"]))
    press("Attention")
    press("Feed-forward")
    choose(SENTENCES[1])
    agrees(widget, walk(encoder, SENTENCES[1], sublayers=["attention"]))
    press("Feed-forward")
    press("Residual connection")
    agrees(widget, walk(encoder, SENTENCES[1], around=False))
    press("Residual connection")
    widget.get_by_label("Norms", exact=True).select_option(label="none")
    agrees(widget, walk(encoder, SENTENCES[1], norm="none"))
    widget.get_by_label("Norms", exact=True).select_option(label="after each sum (post)")
    agrees(widget, walk(encoder, SENTENCES[1], norm="post"))
    press("Reset")
    agrees(widget, walk(encoder, SENTENCES[0]))


def test_it_is_worked_by_keyboard(widget: Locator, encoder: Encoder, page: Page) -> None:
    widget.get_by_role("button", name="Residual connection", exact=True).focus()
    page.keyboard.press("Space")
    agrees(widget, walk(encoder, SENTENCES[0], around=False))
    widget.locator(".u-tokens button").nth(3).focus()
    page.keyboard.press("Enter")
    agrees(widget, walk(encoder, SENTENCES[0], around=False), token=3)
    expect(widget.locator(".u-live")).to_contain_text("Token pain. “pain” goes into block 1 with length")
