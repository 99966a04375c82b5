"""One of every widget, small, and what a reader does to it: for what has to hold of all of them."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from playwright.sync_api import Locator, Page
from torch import nn

from tests.waiting import wait_until
from tests.widgets import bears, maps
from tests.widgets import test_bears_model as bears_model
from tests.widgets import test_block_builder as blocks
from tests.widgets import test_cost_calculator as costs
from tests.widgets import test_digit_reader as digits
from tests.widgets import test_induction_explorer as induction
from tests.widgets import test_length_curves as lengths
from tests.widgets import test_next_token as next_token
from tests.widgets import test_paint_mixer as paints
from tests.widgets import test_qkv_bench as qkv
from tests.widgets import test_state_matrix as state
from tests.widgets import test_token_cutter as cutter
from tests.widgets import test_token_walk as walk
from tests.widgets import test_translation as translation
from tests.widgets import test_unroller as unroller
from tests.widgets.playgrounds import small_playground
from tests.widgets.seq2seqs import seq2seq, stepper
from unrolled import Look, widgets
from unrolled.nn import BERT, GPT, LSTM, RNN, BertConfig, Encoder, GPTConfig
from unrolled.nn.blocks import EncoderBlock
from unrolled.timeline import Setting

__all__ = ["WIDGETS", "Example", "change", "looks", "settle", "tables", "wait_for_tables"]


@dataclass(frozen=True)
class Example:
    """A widget, and how a reader changes it.

    Attributes:
        make: makes it.
        work: does to it what no plain control does, such as typing a sentence; after the plain ones.
        table: whether a table stands beneath.
    """

    make: Callable[[], Any]
    work: Callable[[Locator], None] = lambda widget: None
    table: bool = True


def _bears_model() -> widgets.BearsModel:
    torch.manual_seed(3)
    model = BERT(
        BertConfig(
            bears_model.FIRST + len(bears_model.WORDS),
            7,
            6,
            2,
            2,
            n_token_types=0,
            dropout=0.0,
            norm_eps=1e-5,
        )
    )
    model.encoder = Encoder(2, 6, 2, 11)
    return bears_model.make(model.half().double().eval())  # numbers that a page keeps


def _explored() -> Any:
    """Return what `explore` gives a page, whatever the test's own environment."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UNROLLED_BOOK", "1")
        return widgets.explore(lambda base, exponent: base**exponent, base=[2, 3, 5], exponent=range(4))


def _pictures() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UNROLLED_BOOK", "1")
        return widgets.explore(
            lambda w: widgets.AttentionMap(maps.weights(2, 3, 3, seed=w), maps.WORDS), w=range(3)
        )


def _token_walk() -> widgets.TokenWalk:
    torch.manual_seed(13)
    return walk.make(nn.ModuleList(EncoderBlock(walk.D, 2, 23) for _ in range(2)).double().eval())


def _next_token() -> widgets.NextTokenBench:
    torch.manual_seed(9)
    tokens, prompt, longest = next_token.TOKENS, next_token.PROMPT, next_token.MAX_LEN
    model = GPT(GPTConfig(len(tokens), longest, 6, 2, 2)).half().double().eval()
    chances = next_token.logits(model, prompt).softmax(-1).tolist()
    likeliest = sorted(zip(tokens, chances, strict=True), key=lambda one: -one[1])
    return widgets.NextTokenBench(
        model.state_dict(), tokens, prompt, likeliest=likeliest, n_heads=2, max_len=longest, n_special=2
    )


def _unroller() -> widgets.Unroller:
    torch.manual_seed(11)
    d, h = unroller.D, unroller.H
    return unroller.make({"rnn": RNN(d, h).double(), "lstm": LSTM(d, h).double()})


def _relation() -> np.ndarray[Any, Any]:
    return np.eye(3)[[1, 2, 0]]


def _type(label: str, text: str, button: str) -> Callable[[Locator], None]:
    def work(widget: Locator) -> None:
        widget.get_by_role("textbox", name=label, exact=True).fill(text)
        widget.get_by_role("button", name=button, exact=True).first.click()

    return work


def _cell(widget: Locator) -> None:
    widget.locator("td[data-i='2'][data-j='1']").first.click()


def _plane(widget: Locator) -> None:
    _type("Your own sentence", "I love honey bears", "Show")(widget)
    widget.get_by_role("slider", name="pain", exact=True).press("ArrowUp")


def _bench(widget: Locator) -> None:
    widget.get_by_role("textbox", name="X, bears, team").fill("1.5")
    widget.get_by_role("gridcell", name="scores, I looks at love").first.click()


def _cost(widget: Locator) -> None:
    widget.get_by_role("textbox", name="Components, d", exact=True).fill("40")
    widget.get_by_role("textbox", name="Peak, 10¹² operations/s", exact=True).fill("1.25")


def _decoder(widget: Locator) -> None:
    widget.get_by_role("button", name="To the end").click()
    widget.locator("button.u-step").first.click()


def _write(widget: Locator) -> None:
    _type("What it begins from", "ab", "Begin from this")(widget)
    for _ in range(3):
        widget.get_by_role("button", name="Write one").click()


def _step(widget: Locator) -> None:
    _type("Sentence", "I eat pizza", "Read")(widget)
    widget.get_by_role("button", name="Next word").click()
    widget.locator(".u-one-step tbody td").nth(1).click()


def _head_and_cell(widget: Locator) -> None:
    widget.get_by_role("button", name="layer 1, head 2").click()
    widget.get_by_role("radio", name="love").click()
    widget.get_by_role("radio", name="love").press("ArrowRight")


def _cutter(widget: Locator) -> None:
    widget.get_by_role("textbox", name="Your text").fill("bears, 🐻 bears")
    widget.get_by_role("button", name="One merge back").click()


def _digit(widget: Locator) -> None:
    widget.get_by_role("button", name="Rubber", exact=True).click()
    widget.locator("[role='gridcell']").nth(7).press("5")
    widget.locator(".u-patch").first.click()


def _playground(widget: Locator) -> None:
    widget.get_by_role("textbox", name="Your text").fill("Bears won")
    settle(widget.page)
    widget.get_by_role("button", name="Draw the next token").click()
    settle(widget.page)
    widget.get_by_role("button", name="Head 2", exact=True).first.click()
    widget.get_by_role("button", name="Query (block 1, head 1)").click()


def _token(widget: Locator) -> None:
    widget.locator(".u-tokens button").first.click()


WIDGETS: dict[str, Example] = {
    "attention-map": Example(
        lambda: widgets.AttentionMap(maps.weights(2, 3, 3, 3), maps.WORDS, title="A map"), _cell
    ),
    "bears-model": Example(_bears_model, _type("Sentence A", "bears won", "Read")),
    "bears-plane": Example(
        lambda: widgets.BearsPlane(bears.VECTORS, bears.SENTENCES, landmarks=bears.LANDMARKS), _plane
    ),
    "bertviz-head-view": Example(lambda: widgets.BertvizHeadView(maps.weights(2, 3, 3, 3), maps.WORDS)),
    "bertviz-model-view": Example(lambda: widgets.BertvizModelView(maps.weights(2, 3, 3, 3), maps.WORDS)),
    "block-builder": Example(
        blocks.make, lambda widget: widget.get_by_role("button", name="Biases", exact=True).click()
    ),
    "cost-calculator": Example(lambda: widgets.CostCalculator(costs.SMALL), _cost),
    "decoder-stepper": Example(lambda: stepper(seq2seq(None)), _decoder),
    "decoder-stepper, attending": Example(lambda: stepper(seq2seq("dot")), _decoder),
    "digit-reader": Example(lambda: digits.make(digits.small_vit()), _digit),
    "explore": Example(_explored),
    "explore, pictures": Example(_pictures, table=False),
    "head-browser": Example(
        lambda: widgets.HeadBrowser(maps.weights(2, 3, 3, 3), maps.WORDS, relations={"next": _relation()}),
        _cell,
    ),
    "induction-explorer": Example(
        lambda: induction.make(induction.TwoLayers()), _type("Letters", "abcdabc", "Read")
    ),
    "length-curves": Example(lambda: widgets.LengthCurves(lengths.LENGTHS, lengths.figures(), trained_to=45)),
    "look": Example(
        lambda: Look.of(maps.weights(2, 3, 3, 3), maps.WORDS, title="A model"),
        _head_and_cell,
    ),
    "next-token": Example(_next_token, _write),
    "paint-mixer": Example(lambda: widgets.PaintMixer(paints.PAINTS, paints.SCORES)),
    "playground": Example(small_playground, _playground),
    "position-clock": Example(lambda: widgets.PositionClock(10, 61, t=7, s=19)),
    "position-clock, rotary": Example(lambda: widgets.PositionClock(10, 61, t=7, s=19, kind="rotary")),
    "qkv-bench": Example(lambda: widgets.QKVBench({"bears": qkv.START, "again": qkv.START}), _bench),
    "state-matrix": Example(
        lambda: state.make(rule="gated"),
        lambda widget: widget.get_by_role("textbox", name="Pairs, in order").fill("Olga nuts, Misha honey"),
    ),
    "token-cutter": Example(cutter.make, _cutter),
    "token-walk": Example(_token_walk, _token),
    "training-timeline": Example(
        lambda: widgets.TrainingTimeline(Setting(3, 340.0, 7.0, 130.0, 5)),
        lambda widget: widget.get_by_role("button", name="Overlap", exact=True).click(),
    ),
    "translation": Example(
        lambda: widgets.TranslationView([translation.example(0), translation.example(1)]), _cell
    ),
    "unroller": Example(_unroller, _step),
}
"""By name: of every widget of the bundle at least one, and more where it has two faces."""


def change(page: Page, example: Example) -> None:
    """Work every plain control of the page's widget once, and then what is its own."""
    widget = page.locator(".unrolled").first
    for choice in widget.locator("select:visible").all():
        choice.select_option(index=choice.locator("option").count() - 1)
        settle(page)
    for slider in widget.locator("input[type='range']:visible").all():
        slider.press("ArrowRight")
        settle(page)
    for tab in widget.locator("[role='tab'][aria-selected='false']:visible").all():
        tab.click()
    for one in widget.locator(
        "[role='radio'][aria-checked='false']:visible, input[type='radio']:visible"
    ).all()[-1:]:
        one.click()
    for name in ("Numbers", "Equal lengths", "Causal mask", "Feed-forward", "Head 0", "head 1"):
        for button in widget.get_by_role("button", name=name, exact=True).all()[:1]:
            button.click()
    settle(page)
    example.work(widget)
    settle(page)


def settle(page: Page) -> None:
    """Wait until no widget of the page is at work."""
    wait_until(page, "document.querySelector('.unrolled[aria-busy=\"true\"]') === null")


def looks(page: Page) -> list[Any]:
    """Return all that can be seen of the page's widgets: elements, and what stands in their controls."""
    settle(page)
    return page.evaluate(
        """() => {
            const ids = / (id|for|name|tabindex|aria-controls|aria-labelledby|aria-describedby)="[^"]*"/g;
            const said = /<p[^>]*aria-live[^>]*>[^<]*/g;
            return [...document.querySelectorAll(".unrolled-live")].map((el) => [
                el.innerHTML.replace(ids, "").replace(said, "").replace(/ (open|style|class)=""/g, "")
                    .replace(/ class="([^"]*)"/g, (_, names) => names.split(" ").sort().join(" ")),
                [...el.querySelectorAll("input, select, textarea")].map((one) =>
                    ["checkbox", "radio"].includes(one.type) ? one.checked : one.value),
                [...el.querySelectorAll("details")].map((one) => one.open),
            ]);
        }"""
    )


# Captions, and cells row by row.
TABLES = """[...document.querySelectorAll("main > .unrolled-widget > .unrolled-fallback > table")]
    .map((table) => [table.caption.textContent.replace(/\\s/g, " "),
        ...[...table.rows].map((row) => [...row.cells].map((cell) => cell.textContent))])"""


def tables(page: Page) -> list[Any]:
    """Return the tables beneath the page's widget."""
    settle(page)
    return page.evaluate(TABLES)


def wait_for_tables(page: Page, expected: list[Any]) -> None:
    """Wait until the tables beneath the page's widget are these; paper is heard of a moment later."""
    wait_until(
        page,
        f"(wanted) => JSON.stringify({TABLES}) === wanted",
        arg=json.dumps(expected, ensure_ascii=False, separators=(",", ":")),
    )
