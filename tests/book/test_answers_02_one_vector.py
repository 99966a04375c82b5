"""Chapter 2's widgets in the built book: torch's translations step by step, and the recorded figures."""

import json
from typing import Any

import pytest
import torch
from playwright.sync_api import Locator, expect
from torch import Tensor

from tests.book.answers import Open, close, digits, read
from unrolled.data.spanish import BUCKETS
from unrolled.nn.seq2seq import Memory, Seq2Seq, Seq2SeqConfig
from unrolled.training.results import read_result

CHAPTER = "02_one_vector.html"


def state_of(widget: Locator) -> dict[str, Any]:
    return dict(json.loads(widget.locator('script[type="application/json"]').text_content() or ""))


class Stepper:
    """The decoder stepper of the page, and the same model in torch."""

    def __init__(self, widget: Locator) -> None:
        self.widget, self.box = widget, widget.locator(".unrolled[data-written]")
        self.state = state_of(widget)
        weights = {name: torch.tensor(w, dtype=torch.float64) for name, w in self.state["weights"].items()}
        d_model, d_hidden = weights["source_embedding.weight"].shape[1], weights["lm_head.weight"].shape[1]
        sizes = len(self.state["source_words"]), len(self.state["target_words"])
        config = Seq2SeqConfig(*sizes, d_model, d_hidden, bidirectional=False, score=None)
        self.model = Seq2Seq(config).double().requires_grad_(False)
        self.model.load_state_dict(weights)

    def press(self, name: str) -> None:
        self.widget.get_by_role("button", name=name, exact=True).click()

    def encoded(self, sentence: str) -> Memory:
        words = [*sentence.split(), self.state["source_end"]]
        return self.model.encode(torch.tensor([[self.state["source_words"].index(w) for w in words]]))

    def written(self, memory: Memory) -> tuple[list[str], Tensor]:
        """Return torch's greedy translation, and the shares of its last step."""
        target, state = self.state["target_words"], None
        word = target.index(self.state["bos"])
        words: list[str] = []
        while len(words) < self.state["max_len"] and not (words and words[-1] == self.state["eos"]):
            logits, state = self.model.decode(torch.tensor([[word]]), memory, state)
            word = int(logits[0, 0].argmax())
            words.append(target[word])
        return words, logits[0, 0].softmax(-1)

    def agrees(self, memory: Memory) -> list[str]:
        """Compare context vector, words and shares with torch; return the words."""
        words, shares = self.written(memory)
        assert json.loads(self.box.get_attribute("data-written") or "") == words
        close(read(self.box, "state"), torch.cat([part.flatten() for part in memory.state]))
        close(read(self.box, "shares"), shares)
        shown = self.widget.locator(".u-next .u-share-number").all_inner_texts()
        assert shown == digits(shares.sort(descending=True).values[:6])
        return words


@pytest.fixture
def stepper(open_widget: Open) -> Stepper:
    return Stepper(open_widget(CHAPTER, "decoder-stepper"))


def test_every_lesson_is_translated_as_torch_does_and_right(stepper: Stepper) -> None:
    lessons = stepper.state["translations"]
    assert lessons["let's go"] == "vamos"
    assert len(lessons) == 15
    for sentence, right in lessons.items():
        stepper.widget.get_by_label("Sentence", exact=True).select_option(sentence)
        stepper.press("To the end")
        words = stepper.agrees(stepper.encoded(sentence))
        assert words == [*right.split(), "<eos>"]
        expect(stepper.widget.locator(".u-verdict")).to_have_text(f"✓ Right: {right} <eos>.")


def test_damage_and_other_context_vectors_change_it_as_in_torch(stepper: Stepper) -> None:
    stepper.widget.get_by_label("Sentence", exact=True).select_option("don't eat the pizza")
    stepper.press("To the end")
    memory = stepper.encoded("don't eat the pizza")
    h, c = (part.clone() for part in memory.state)
    for name in ("h 1", "c 1", "c 3"):
        stepper.widget.get_by_role("button", name=f"{name}:").click()
        (h if name[0] == "h" else c)[0, 0, int(name[2:]) - 1] = 0.0
        stepper.agrees(memory._replace(state=(h, c)))
    stepper.press("Undo the damage")
    scale = stepper.widget.get_by_role("slider", name="Scale")
    scale.press("Home")
    nothing = stepper.agrees(memory._replace(state=(0 * h, 0 * c)))
    stepper.widget.get_by_label("Sentence", exact=True).select_option("let's read")
    stepper.press("To the end")
    assert stepper.agrees(memory._replace(state=(0 * h, 0 * c))) == nothing
    stepper.press("Undo the damage")
    stepper.widget.get_by_label("The other sentence").select_option("she goes")
    stepper.widget.get_by_role("slider", name="Replace").press("End")
    assert stepper.agrees(stepper.encoded("she goes")) == ["ella", "va", "<eos>"]


def test_a_sentence_of_the_readers_own(stepper: Stepper) -> None:
    field = stepper.widget.get_by_label("Your own sentence")
    field.fill("Don't go!")
    field.press("Enter")
    stepper.press("To the end")
    stepper.agrees(stepper.encoded("don't go"))
    field.fill("don't dance")
    field.press("Enter")
    expect(stepper.widget.locator(".u-error").filter(has_text="dance")).to_be_visible()
    stepper.agrees(stepper.encoded("don't go"))


def test_the_curves_are_the_recorded_ones(open_widget: Open) -> None:
    widget = open_widget(CHAPTER, "length-curves")
    metrics = read_result("spanish-none")["metrics"]
    names = {"exact match": "exact", "token accuracy": "tokens", "BLEU": "bleu", "negations kept": "negation"}
    slider = widget.get_by_role("slider", name="Length")
    for figure, name in names.items():
        widget.get_by_label("Figure").select_option(figure)
        slider.press("Home")
        for low, high in BUCKETS:
            y = torch.tensor(metrics[f"{name} {low}-{high}"], dtype=torch.float64)
            box = widget.locator(".unrolled[data-numbers]")
            (got,) = json.loads(box.get_attribute("data-numbers") or "").values()
            expected = torch.stack([y.mean(), y.min(), y.max()])
            close(
                torch.tensor([got[p] for p in ("mean", "least", "greatest")], dtype=torch.float64), expected
            )
            cells = widget.locator(".u-roles td").all_inner_texts()
            assert cells == [f"{v:.{1 if figure == 'BLEU' else 2}f}" for v in expected.tolist()]
            slider.press("ArrowRight")
