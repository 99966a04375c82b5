"""Chapter 3's widgets in the built book: torch's scores, weights and words, by the hand of a reader too."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import torch
from playwright.sync_api import Locator, Page, expect
from torch import Tensor

from tests.book.answers import close, digits, read
from unrolled.data.spanish import BUCKETS, Pair
from unrolled.nn.seq2seq import Seq2Seq, Seq2SeqConfig
from unrolled.tap import record
from unrolled.training.results import read_result
from unrolled.training.stored import stored

CHAPTER = "03_attention.html"
Titled = Callable[[str], Locator]


@pytest.fixture
def titled(where: str, page: Page) -> Titled:
    """Return a function that opens the chapter and returns its widget with this title, answering."""

    def open_it(title: str) -> Locator:
        page.goto(where + CHAPTER)
        heading = page.locator(".unrolled-widget[data-mounted='true']").filter(
            has=page.get_by_text(title, exact=True)
        )
        expect(heading).to_have_count(1)
        heading.scroll_into_view_if_needed()
        return heading

    return open_it


class Stepper:
    """A decoder stepper of the page, and the same model in torch."""

    def __init__(self, widget: Locator) -> None:
        self.widget, self.box = widget, widget.locator(".unrolled[data-written]")
        self.state: dict[str, Any] = json.loads(
            widget.locator('script[type="application/json"]').text_content() or ""
        )
        weights = {name: torch.tensor(w, dtype=torch.float64) for name, w in self.state["weights"].items()}
        d_model = weights["source_embedding.weight"].shape[1]
        config = Seq2SeqConfig(
            len(self.state["source_words"]),
            len(self.state["target_words"]),
            d_model,
            weights["combine.weight"].shape[1] // 2,
            bidirectional="encoder.cells.1.input_proj.weight" in weights,
        )
        self.model = Seq2Seq(config).double().requires_grad_(False)
        self.model.load_state_dict(weights)
        self.target = self.state["target_words"]

    def press(self, name: str) -> None:
        self.widget.get_by_role("button", name=name, exact=True).click()

    def choose(self, sentence: str) -> None:
        self.widget.get_by_label("Sentence", exact=True).select_option(label=sentence)

    def written(self) -> list[str]:
        return list(json.loads(self.box.get_attribute("data-written") or ""))

    def agrees(self, sentence: str, given: dict[int, Tensor] | None = None, shown: int = -1) -> list[str]:
        """Compare all steps with torch, whose scores at some steps are `given`; return the words."""
        end = [self.state["source_end"]] if self.state["source_end"] else []
        ids = [self.state["source_words"].index(w) for w in [*sentence.split(), *end]]
        memory = self.model.encode(torch.tensor([ids]))
        word, state, words, steps = self.target.index(self.state["bos"]), None, list[str](), list[Any]()
        assert self.model.score is not None
        while len(words) < self.state["max_len"] and not (words and words[-1] == self.state["eos"]):
            own = (given or {}).get(len(words))
            scores: list[Tensor] = []

            def swap(module: Any, args: Any, out: Tensor, own: Any = own, scores: Any = scores) -> Tensor:
                scores.append(out if own is None else own[None, None])
                return scores[0]

            hook = self.model.score.register_forward_hook(swap)
            with record(self.model, "weights") as heard:
                logits, state = self.model.decode(torch.tensor([[word]]), memory, state)
            hook.remove()
            weights = heard["weights"][0][0, 0]
            steps.append((scores[0][0, 0], weights, weights @ memory.outputs[0], logits[0, 0].softmax(-1)))
            word = int(logits[0, 0].argmax())
            words.append(self.target[word])
        assert self.written() == words
        for name, expected in zip(("scores", "weights", "context", "shares"), steps[shown], strict=True):
            close(read(self.box, name), expected)
        printed = self.widget.locator(".u-scores .u-share-number").all_inner_texts()
        assert printed == digits(steps[shown][1])
        return words


def pull(stepper: Stepper, word: int, key: str) -> Tensor:
    """Pull at one score, and return all scores of the step."""
    stepper.widget.locator(".u-scores input[type=range]").nth(word).press(key)
    return read(stepper.box, "scores")


def test_the_napkin(titled: Titled) -> None:
    stepper = Stepper(titled("Let's go, with attention"))
    weights = stepper.widget.locator(".u-scores .u-share-number")
    expect(weights).to_have_text(["0.40", "0.60"])
    assert stepper.written() == ["vamos"]
    stepper.press("Next word")
    expect(weights).to_have_text(["0.34", "0.66"])
    assert stepper.agrees("let's go") == ["vamos", "<eos>"]
    for sentence, first in stepper.state["translations"].items():
        stepper.choose(sentence)
        stepper.press("To the end")
        words = stepper.agrees(sentence)
        assert words == [("ve" if sentence.count("now") == 4 else first), "<eos>"]


def test_the_three_tasks_at_the_napkin(titled: Titled) -> None:
    stepper = Stepper(titled("Let's go, with attention"))
    given = pull(stepper, 0, "Home")  # task 1: nothing of "let's", and still an invitation
    stepper.press("To the end")
    stepper.press("Back")
    assert stepper.written() == ["vamos"]
    close(read(stepper.box, "scores"), given)
    stepper.choose("let's go now")  # task 2
    given = pull(stepper, 2, "End")
    assert stepper.written() == ["ve"]
    stepper.press("To the end")
    assert stepper.agrees("let's go now", {0: given}) == ["ve", "<eos>"]
    stepper.choose("let's go now now now now")  # task 3
    given = pull(stepper, 0, "End")
    stepper.press("To the end")
    assert stepper.agrees("let's go now now now now", {0: given}) == ["vamos", "<eos>"]


def test_pulling_at_the_paths_of_a_trained_translator(titled: Titled) -> None:
    stepper = Stepper(titled("Pull at the paths"))
    for sentence, right in stepper.state["translations"].items():
        stepper.choose(sentence)
        stepper.press("To the end")
        assert stepper.agrees(sentence) == [*right.split(), "<eos>"]
    book = "the girl reads the red book"
    stepper.choose(book)
    stepper.press("To the end")
    stepper.widget.locator(".u-steps button").nth(4).click()
    given = pull(stepper, 4, "End")  # the step of "libro" looks at "red"
    assert stepper.agrees(book, {4: given}, 4)[:5] == ["la", "niña", "lee", "el", "rojo"]
    pull(stepper, 4, "Home")
    given = pull(stepper, 2, "End")  # ... at "reads"
    assert stepper.agrees(book, {4: given}, 4)[4] == "coche"
    stepper.choose("don't eat the pizza")
    stepper.press("To the end")
    stepper.widget.locator(".u-steps button").first.click()
    given = pull(stepper, 1, "End")
    assert stepper.agrees("don't eat the pizza", {0: given}, 0)[:3] == ["como", "la", "pizza"]
    for field in stepper.widget.locator(".u-scores li > input").all():
        field.fill("0")
        field.press("Enter")
    words = stepper.agrees("don't eat the pizza", {0: torch.zeros(5, dtype=torch.float64)}, 0)
    assert words[:3] == ["duermo", "la", "pizza"]


def the_map(widget: Locator) -> Tensor:
    state = json.loads(widget.locator('script[type="application/json"]').text_content() or "")
    return torch.tensor(state["weights"], dtype=torch.float64)[0, 0]


def test_the_map_is_the_trained_models(titled: Titled) -> None:
    widget = titled("No comas la pizza")
    shipped = stored("spanish-dot")
    source = "don't eat the delicious looking and smelling pizza"
    target = "no comas la pizza de aspecto y olor deliciosos"
    pair = Pair(tuple(source.split()), tuple(target.split()), ())
    (weights,) = shipped.recipe.task().attention(shipped.model, [pair])  # type: ignore[attr-defined]
    close(the_map(widget), weights.double())
    widget.get_by_role("button", name="Numbers").click()
    cells = widget.locator("td[data-i]")
    assert cells.all_text_contents() == digits(weights)


def test_the_curves_are_the_recorded_ones(titled: Titled) -> None:
    widget = titled("One vector, and a path for each word")
    state = json.loads(widget.locator('script[type="application/json"]').text_content() or "")
    names = {"exact match": "exact", "token accuracy": "tokens", "BLEU": "bleu", "negations kept": "negation"}
    files = {"one context vector": "none"}
    slider = widget.get_by_role("slider", name="Length")
    for figure, name in names.items():
        widget.get_by_label("Figure").select_option(figure)
        slider.press("Home")
        for low, high in BUCKETS:
            box = widget.locator(".unrolled[data-numbers]")
            got = json.loads(box.get_attribute("data-numbers") or "")
            assert list(got) == list(state["figures"][figure])
            for model, numbers in got.items():
                stem = files.get(model, model.replace(" ", "-"))
                y = torch.tensor(
                    read_result(f"spanish-{stem}")["metrics"][f"{name} {low}-{high}"], dtype=torch.float64
                )
                expected = torch.stack([y.mean(), y.min(), y.max()])
                found = [numbers[part] for part in ("mean", "least", "greatest")]
                close(torch.tensor(found, dtype=torch.float64), expected)
            slider.press("ArrowRight")
