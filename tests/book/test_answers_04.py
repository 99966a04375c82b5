"""Every widget of the built book shows the numbers torch computes, from a server and from disk."""

import json
import math
import re
from typing import Any

import pytest
import torch
from playwright.sync_api import Locator, Page, expect
from torch import Tensor

from tests.book.answers import Open, close, digits, read
from unrolled.data.plane import bears_plane
from unrolled.nn import attend, attention_scores, attention_weights
from unrolled.widgets import PaintMixer

CHAPTER = "04_self_attention.html"
BEARS = ["I love bears", "She bears the pain", "Bears won the game"]
# The vectors chapter 4 picks by hand: animal, enduring, team, somebody.
WORDS = ["I", "love", "bears"]
HAND = [[0.0, 0.0, 0.0, 1.0], [1.0, 0.0, 0.0, 1.0], [1.0, 1.0, 1.0, 0.0]]


def hand_weights(c: float = 1.0) -> Tensor:
    """Return the attention weights of the hand-made vectors, ``[3, 3]``, scores times c."""
    x = torch.tensor(HAND, dtype=torch.float64)
    return attention_weights(attention_scores(x, x, scale=c))


class Plane:
    """The bears plane of a page, and the words it offers."""

    def __init__(self, widget: Locator) -> None:
        self.box = widget.locator(".unrolled[data-vectors]")
        self.cards = widget.locator(".u-card")
        self.widget = widget
        self.words = [
            word.lower()
            for word in widget.get_by_label("Word", exact=True).locator("option").all_inner_texts()
        ]

    def vectors(self) -> Tensor:
        return read(self.box, "vectors")

    def write(self, sentence: str) -> None:
        field = self.widget.get_by_label("Your own sentence")
        field.fill(sentence)
        field.press("Enter")

    def handle(self, word: str) -> Locator:
        return self.widget.get_by_role("slider", name=word, exact=True)

    def agrees(self, sentences: list[str], vectors: Tensor) -> list[Tensor]:
        """Compare each card's data and printed digits with torch; return where each sentence takes bears."""
        close(self.vectors(), vectors)
        expect(self.cards).to_have_count(len(sentences))
        landed = []
        for card, sentence in zip(self.cards.all(), sentences, strict=True):
            tokens = re.findall(r"\w+", sentence.lower())
            x = vectors[[self.words.index(token) for token in tokens]]
            weights = attention_weights(attention_scores(x, x))
            at = tokens.index("bears")
            context = attend(weights, x)[at]
            close(read(card, "weights"), weights[at])
            close(read(card, "context"), context)
            assert card.locator(".u-share-number").all_inner_texts() == digits(weights[at])
            pair = "({},\u00a0{})".format(*digits(context))
            assert pair in (card.locator(".u-landing").text_content() or "")
            landed.append(context)
        return landed


class TestBearsPlane:
    @pytest.fixture(params=["index.html", CHAPTER])
    def plane(self, request: pytest.FixtureRequest, open_widget: Open) -> Plane:
        return Plane(open_widget(request.param, "bears-plane"))

    @pytest.fixture
    def vectors(self, plane: Plane) -> Tensor:
        """Return the package's own vectors of the words the page offers."""
        return bears_plane().vectors.lookup(plane.words).double()

    def test_given_and_typed_sentences_get_torchs_answer(self, plane: Plane, vectors: Tensor) -> None:
        places = plane.agrees(BEARS, vectors)
        assert min(math.dist(places[i], places[j]) for i, j in ((0, 1), (1, 2), (0, 2))) > 0.5
        plane.write("the bears love honey and the forest")
        plane.agrees([*BEARS, "the bears love honey and the forest"], vectors)

    def test_an_unknown_word_gets_a_message_and_the_page_goes_on(self, plane: Plane, vectors: Tensor) -> None:
        plane.write("zebra bears")
        expect(plane.widget.locator(".u-error").filter(has_text="zebra")).to_be_visible()
        plane.agrees(BEARS, vectors)
        plane.write("Bears lost the cup")
        expect(plane.widget.locator(".u-error").filter(has_text="zebra")).to_have_count(0)
        plane.agrees([*BEARS, "Bears lost the cup"], vectors)

    def test_a_word_moved_by_keyboard_or_mouse_changes_the_answer(
        self, plane: Plane, vectors: Tensor, page: Page
    ) -> None:
        before = plane.agrees(BEARS, vectors)
        plane.handle("love").focus()
        page.keyboard.press("Shift+ArrowLeft")
        page.keyboard.press("ArrowDown")
        moved = vectors.clone()
        moved[plane.words.index("love")] += torch.tensor([-0.5, -0.1])
        after = plane.agrees(BEARS, moved)
        assert math.dist(before[0], after[0]) > 0.01
        assert torch.equal(before[1], after[1])  # love is not in this one

        dot = plane.handle("pain").locator(".u-dot").bounding_box()  # no other word lies near
        assert dot
        x, y = dot["x"] + dot["width"] / 2, dot["y"] + dot["height"] / 2
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + 50, y - 40, steps=4)
        page.mouse.up()
        dragged = plane.vectors()
        right, up = (dragged - moved)[plane.words.index("pain")].tolist()
        assert right > 0.2
        assert up > 0.2
        moved[plane.words.index("pain")] = dragged[plane.words.index("pain")]  # and no other word has moved
        assert math.dist(plane.agrees(BEARS, moved)[1], after[1]) > 0.01
        plane.widget.get_by_role("button", name="Reset").click()
        plane.agrees(BEARS, vectors)


def test_the_attention_map_shows_the_weights_of_the_hand_made_vectors(open_widget: Open, page: Page) -> None:
    widget = open_widget(CHAPTER, "attention-map")
    weights = hand_weights()
    cells = widget.locator(".u-grid tbody td")
    numbers = widget.get_by_role("button", name="Numbers")
    numbers.click()
    expect(numbers).to_have_attribute("aria-pressed", "true")
    size = cells.first.evaluate("cell => parseFloat(getComputedStyle(cell).fontSize)")
    assert size > 10  # without the button the numbers have no size
    assert cells.all_inner_texts() == digits(weights)
    state = json.loads(widget.locator('script[type="application/json"]').text_content() or "")
    close(torch.tensor(state["weights"], dtype=torch.float64)[0, 0], weights)
    # From row to row by keyboard: the bars are that row.
    cells.first.focus()
    for i, word in enumerate(WORDS):
        expect(widget.locator(".u-bars-title")).to_have_text(f"{word} attends to")
        assert widget.locator(".u-bars .u-value").all_inner_texts() == digits(weights[i])
        page.keyboard.press("ArrowDown")


def test_explore_shows_the_map_of_each_factor(open_widget: Open, page: Page) -> None:
    widget = open_widget(CHAPTER, "explore")
    slider = widget.get_by_label("c =")
    slider.focus()
    page.keyboard.press("Home")
    for c in (0, 0.25, 0.5, 1, 2, 4, 8):
        expect(slider).to_have_attribute("aria-valuetext", f"{c:g}")
        figure = widget.locator(".u-outcome svg[role=img]")
        expect(figure).to_have_attribute("aria-label", f"Attention weights, all scores multiplied by {c:g}")
        texts = " ".join(figure.locator("text").all_text_contents())
        assert re.findall(r"\d\.\d\d", texts.replace(f"times {c:g}", "")) == digits(hand_weights(c))
        page.keyboard.press("ArrowRight")


class TestPaintMixer:
    @staticmethod
    def agrees(widget: Locator, mixer: PaintMixer) -> None:
        """Compare scores, amounts, printed digits and colour with torch and the package's own mixer."""
        box = widget.locator(".unrolled[data-mixed]")
        close(read(box, "scores"), torch.tensor(mixer.scores, dtype=torch.float64))
        amounts = torch.softmax(torch.tensor(mixer.scores, dtype=torch.float64), 0)
        close(read(box, "weights"), amounts)
        assert widget.locator(".u-amount output").all_inner_texts() == digits(amounts)
        assert box.get_attribute("data-mixed") == mixer.mixed()
        expect(widget.locator(".u-result p")).to_contain_text(mixer.mixed())
        fill = widget.locator(".u-can ellipse").first.evaluate("el => getComputedStyle(el).fill")
        painted = "#" + "".join(f"{int(part):02x}" for part in re.findall(r"\d+", fill))
        assert painted == mixer.mixed()

    def test_scores_set_by_keyboard_mix_what_torch_mixes(self, open_widget: Open) -> None:
        widget = open_widget(CHAPTER, "paint-mixer")
        state: dict[str, Any] = json.loads(
            widget.locator('script[type="application/json"]').text_content() or ""
        )
        mixer = PaintMixer(dict(zip(state["names"], state["colours"], strict=True)), [1, 0, 2, 0, 0])
        self.agrees(widget, mixer)
        before = mixer.mixed()
        for name, key, score in (("blue", "End", 5.0), ("red", "ArrowLeft", 1.9), ("green", "Home", -5.0)):
            widget.get_by_label(f"Score of {name}").press(key)
            scores = list(mixer.scores)
            scores[mixer.names.index(name)] = score
            mixer.scores = scores
            self.agrees(widget, mixer)
        assert mixer.mixed() != before
        widget.get_by_role("button", name="Reset").click()
        mixer.scores = [1, 0, 2, 0, 0]
        self.agrees(widget, mixer)
