"""The unroller in a browser: torch's states at every step, by mouse, touch and keyboard."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
import torch
from playwright.sync_api import Locator, Page, expect
from torch import Tensor

from tests.widgets.notebook import NOTEBOOK
from unrolled.nn import LSTM, RNN
from unrolled.widgets import Unroller, bundle

D, H = 5, 3
WORDS = ["don't", "eat", "the", "delicious", "pizza", "i", "bears"]
SENTENCE = "Don't eat the delicious pizza."
VECTORS = {
    word: torch.randn(D, generator=torch.Generator().manual_seed(n)).tolist() for n, word in enumerate(WORDS)
}
UNITS = ["one", "two", "three"]
Mount = Callable[..., None]


@pytest.fixture(scope="module")
def models() -> dict[str, RNN | LSTM]:
    torch.manual_seed(11)
    return {"rnn": RNN(D, H).double(), "lstm": LSTM(D, H).double()}


@pytest.fixture
def widget(models: dict[str, RNN | LSTM]) -> Unroller:
    return make(models)


def make(models: dict[str, RNN | LSTM], **options: Any) -> Unroller:
    weights: Any = {kind: model.cells[0].kernel_weights() for kind, model in models.items()}  # type: ignore[operator]
    return Unroller(VECTORS, options.pop("sentence", SENTENCE), units=UNITS, **weights, **options)


def read(page: Page, name: str) -> Tensor:
    return torch.tensor(
        json.loads(page.locator(".unrolled").get_attribute(f"data-{name}") or ""), dtype=torch.float64
    )


def agree(page: Page, models: dict[str, RNN | LSTM], kind: str, sentence: str, step: int) -> None:
    """Compare the widget's states with the package's, and what is written at `step` with both."""
    tokens = re.findall(r"[\w']+", sentence.lower().replace("’", "'"))
    x = torch.tensor([VECTORS[token] for token in tokens], dtype=torch.float64)
    with torch.no_grad():
        h = models[kind](x[None])[0][0]
    torch.testing.assert_close(read(page, "h"), h, rtol=0, atol=1e-9)
    box = page.locator(".unrolled")
    expect(box).to_have_attribute("data-cell", kind)
    expect(box).to_have_attribute("data-step", str(step))
    now = h[step - 1] if step else torch.zeros(H)
    shown = page.get_by_role("grid").get_by_role("row", name="hidden state h").get_by_role("gridcell")
    assert shown.all_inner_texts() == [digits(value) for value in now.tolist()]
    expect(page.locator("[aria-current=step]")).to_have_text(
        (["start", *re.findall(r"[\w'’]+", sentence)])[step]
    )


def digits(value: float) -> str:
    return f"{value:.2f}".replace("-0.00", "0.00").replace("-", "−")


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


def test_every_step_shows_torchs_numbers(page: Page, mount: Mount, widget: Unroller, models: Any) -> None:
    mount(page, widget)
    agree(page, models, "rnn", SENTENCE, 1)
    for step in range(2, 6):
        button(page, "Next word").click()
        agree(page, models, "rnn", SENTENCE, step)
    expect(button(page, "Next word")).to_be_focused()
    page.keyboard.press("Enter")  # there is none
    agree(page, models, "rnn", SENTENCE, 5)
    page.get_by_label("Cell", exact=True).select_option("LSTM")
    agree(page, models, "lstm", SENTENCE, 5)
    for part, values in widget.states("lstm").items():
        torch.testing.assert_close(read(page, part), torch.from_numpy(values), rtol=0, atol=1e-9)
    page.get_by_label("Words read").press("Home")
    agree(page, models, "lstm", SENTENCE, 0)
    expect(page.get_by_role("status").filter(has_text="every state starts at zero")).to_be_visible()
    page.get_by_label("Words read").press("ArrowRight")
    agree(page, models, "lstm", SENTENCE, 1)
    button(page, "delicious").click()
    agree(page, models, "lstm", SENTENCE, 4)
    button(page, "Back").click()
    agree(page, models, "lstm", SENTENCE, 3)
    trace = widget.states("lstm")["trace"][2]
    expect(page.get_by_role("status").filter(has_text="word 3 of 5")).to_contain_text(
        f"Trace of “Don't”: {trace:.2f}."
    )


def test_the_film_shows_all_numbers_on_demand(page: Page, mount: Mount, widget: Unroller) -> None:
    mount(page, widget)
    film = page.locator(".u-film")
    expect(film.locator(".u-film-number").first).to_be_hidden()
    button(page, "Numbers").click()
    states = widget.states("rnn")["h"]
    for unit, values in zip(UNITS, states.T.tolist(), strict=True):
        cells = film.get_by_role("row", name=unit, exact=False).get_by_role("cell")
        assert cells.all_inner_texts() == ["0.00", *map(digits, values)]
    for bar, value in zip(
        film.get_by_role("row", name="two").locator(".u-signed > span").all(), [0, *states[:, 1]], strict=True
    ):
        style = bar.evaluate("el => [parseFloat(el.style.left), parseFloat(el.style.width)]")
        assert style == pytest.approx([50 + min(0, 50 * value), 50 * abs(value)], abs=0.01)
        assert bool(bar.evaluate("el => el.classList.contains('is-minus')")) == (value < 0)


def test_any_cell_tells_its_arithmetic_by_mouse_and_keyboard(page: Page, mount: Mount, models: Any) -> None:
    widget = make(models, cell="lstm", step=2)
    mount(page, widget)
    now = {part: values[1] for part, values in widget.states().items()}
    before = widget.states()["c"][0]
    sum_line, grid = page.locator(".u-one-sum"), page.get_by_role("grid")
    expect(sum_line).to_have_text(
        f"one: h = o · tanh(c) = {now['o'][0]:.2f} · tanh({digits(now['c'][0])}) = {digits(now['h'][0])}"
    )
    grid.get_by_role("row", name="cell state c").get_by_role("gridcell").nth(1).click()
    expect(sum_line).to_contain_text(f"two: c = f · last c + i · g = {now['f'][1]:.2f} · ")
    expect(sum_line).to_contain_text(digits(before[1]))
    expect(sum_line).to_contain_text(f"= {digits(now['c'][1])}")
    page.keyboard.press("ArrowUp")
    expect(sum_line).to_contain_text("g = tanh(word ")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")  # the top row already
    expect(sum_line).to_contain_text(re.compile(rf"^one: f = σ\(word .* \+ state .*\) = {now['f'][0]:.2f}$"))
    focused = page.locator("td:focus")
    expect(focused).to_have_attribute("aria-label", (sum_line.text_content() or "").removeprefix("one: "))
    button(page, "Next word").click()
    expect(sum_line).to_contain_text(f"= {widget.states()['f'][2][0]:.2f}")


def test_a_forced_gate_changes_what_is_remembered(page: Page, mount: Mount, models: Any) -> None:
    widget = make(models, cell="lstm", step=5)
    mount(page, widget)
    page.get_by_label("Forget gate f").select_option("forced to 0")
    widget.forced = {"f": 0}
    for part, values in widget.states().items():
        torch.testing.assert_close(read(page, part), torch.from_numpy(values), rtol=0, atol=1e-9)
    row = page.get_by_role("grid").get_by_role("row", name="forget gate f").get_by_role("gridcell")
    expect(row.first).to_contain_text("0.00")
    row.first.click()
    expect(page.locator(".u-one-sum")).to_have_text("one: f = 0.00, forced by you")
    page.get_by_label("Cell", exact=True).select_option("RNN")
    expect(page.get_by_label("Forget gate f")).to_be_hidden()
    agree(page, models, "rnn", SENTENCE, 5)
    button(page, "Reset").click()
    agree(page, models, "lstm", SENTENCE, 5)
    expect(page.get_by_label("Forget gate f")).to_have_value("0")


def test_the_reader_types_a_sentence(page: Page, mount: Mount, widget: Unroller, models: Any) -> None:
    mount(page, widget)
    field = page.get_by_label("Sentence")
    field.fill("  Bears don’t   eat the pizza, I eat the pizza!")
    field.press("Enter")
    sentence = "Bears don’t eat the pizza I eat the pizza"
    agree(page, models, "rnn", sentence, 1)
    page.get_by_label("Words read").press("End")
    agree(page, models, "rnn", sentence, 9)
    for wrong, says in (
        (
            "eat the piza",
            "Expected words that have a vector here, got “piza”. Known words near “piza”: pizza.",
        ),
        ("", "Expected at least one word, got nothing."),
        ("eat " * 25, "Expected at most 24 words, got 25."),
    ):
        field.fill(wrong)
        button(page, "Read").click()
        expect(page.locator(".u-error").filter(has_text=says)).to_be_visible()
        agree(page, models, "rnn", sentence, 9)
    field.fill("eat pizza")
    button(page, "Read").click()
    agree(page, models, "rnn", "eat pizza", 2)


def test_it_plays_to_the_end_and_stops(page: Page, mount: Mount, widget: Unroller, models: Any) -> None:
    page.clock.install(time=0)
    mount(page, widget)
    page.clock.pause_at(
        3600
    )  # from here on it goes as fast as this test, and no busy machine lets it run ahead
    page.get_by_label("Words read").press("End")
    button(page, "Play").click()
    agree(page, models, "rnn", SENTENCE, 0)  # from the start again
    page.clock.run_for(1200)
    agree(page, models, "rnn", SENTENCE, 1)
    button(page, "Pause").click()
    page.clock.run_for(5000)
    agree(page, models, "rnn", SENTENCE, 1)
    button(page, "Play").click()
    page.clock.run_for(20_000)
    agree(page, models, "rnn", SENTENCE, 5)
    expect(button(page, "Play")).to_be_visible()


def test_a_kernel_hears_and_is_heard(page: Page, widget: Unroller, models: Any) -> None:
    page.goto("about:blank")
    kept = ["cell", "forced", "sentence", "step"]
    page.evaluate(NOTEBOOK, {"esm": bundle.esm(widget.name), "state": widget.state(), "kept": kept})
    page.get_by_label("Cell", exact=True).select_option("LSTM")
    page.get_by_label("Input gate i").select_option("forced to 1")
    page.get_by_label("Sentence").fill("eat pizza")
    button(page, "Read").click()
    button(page, "Next word").click()
    saved = page.evaluate("saved.at(-1)")
    assert saved == {"cell": "lstm", "forced": {"i": 1}, "sentence": "eat pizza", "step": 2}
    widget.set_state(saved)  # Python takes what came, whatever came first
    for name, value in (("forced", {}), ("sentence", "Bears eat the pizza"), ("step", 4), ("cell", "rnn")):
        page.evaluate("([name, value]) => model.set(name, value)", [name, value])
    agree(page, models, "rnn", "Bears eat the pizza", 4)
    page.evaluate("stop()")
    page.evaluate("model.set('step', 1)")
    agree(page, models, "rnn", "Bears eat the pizza", 4)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [375, 1000])
@pytest.mark.parametrize("cell", ["rnn", "lstm"])
def test_accessible_and_never_wider_than_the_page(
    new_page: Any, mount: Mount, models: Any, violations: Any, theme: str, width: int, cell: str
) -> None:
    page = new_page(viewport={"width": width, "height": 800}, has_touch=True)
    mount(page, make(models, cell=cell, step=3, title="Reading"), theme=theme)
    button(page, "Numbers").tap()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    sizes = page.locator(".unrolled :is(button, select, input, td[tabindex])").evaluate_all(
        "all => all.filter(el => el.offsetParent).map(el => el.getBoundingClientRect())"
    )
    assert min(min(size["width"], size["height"]) for size in sizes) >= 24
    button(page, "pizza").tap()
    now, frame = button(page, "pizza").bounding_box(), page.locator(".u-film .u-scroll").bounding_box()
    assert now
    assert frame
    assert frame["x"] <= now["x"]
    assert now["x"] + now["width"] <= frame["x"] + frame["width"] + 1


def test_text_is_never_markup(page: Page, mount: Mount) -> None:
    one = torch.ones(1, 1)
    zero = torch.zeros(1)
    widget = Unroller(
        {"x<b>y</b>z": [1.0]}, "x<b>y</b>z", rnn=(one, one, zero, zero), units=["<i>u</i>"], title="<u>t</u>"
    )
    mount(page, widget)
    expect(page.locator("main :is(b, i, u)")).to_have_count(0)
    expect(page.locator(".u-title")).to_have_text("<u>t</u>")


def test_fallback_holds_the_numbers(new_page: Any, widget: Unroller) -> None:
    page = new_page(java_script_enabled=False)
    page.set_content(widget.static_html())
    expect(page.locator("table")).to_have_count(4)  # RNN; LSTM: states, two pairs of gates
    states = widget.states("lstm")
    rows = page.locator("table").nth(1).locator("tbody tr").all()
    assert len(rows) == 5
    for t, row in enumerate(rows):
        numbers = [*states["h"][t], *states["c"][t], states["trace"][t]]
        assert row.locator("td").all_inner_texts() == [digits(value) for value in numbers]
    expect(page.locator("caption").nth(2)).to_have_text(
        "LSTM: forget gate f and input gate i after each word"
    )
