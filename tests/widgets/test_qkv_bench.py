"""The QKV bench in a browser: written, asked, switched, reset, by mouse, touch and keyboard."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import torch
from playwright.sync_api import Locator, Page, expect

from tests.widgets.notebook import NOTEBOOK
from tests.widgets.test_qkv import HAND, RESULTS, by_torch
from unrolled.widgets import QKVBench, bundle

Mount = Callable[..., None]
FEATURES = ["animal", "enduring", "team", "somebody"]
SHE = [[0.0, 0, 0, 1], [1, 1, 1, 0], [0, 0, 0, 0], [0, 1, 0, 0]]
START: dict[str, Any] = {
    **{key: HAND[key] for key in ("X", "W_q", "W_k", "W_v")},
    "tokens": ["I", "love", "bears"],
    "features": FEATURES,
    "source": SHE,
    "source_tokens": ["She", "bears", "the", "pain"],
    "note": "hand-made",
}
EYE = torch.eye(4)
SETTINGS = {
    "by hand": START,
    "identity": START
    | {"W_q": EYE, "W_k": EYE, "W_v": EYE, "scale": False, "source": None, "source_tokens": None},
}


def bench_of(page: Page) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what stands on the bench, and what the widget made of it, in full."""
    data = page.locator(".unrolled").evaluate("el => ({ ...el.dataset })")
    made = {name: json.loads(data[f"made{name[0].upper()}{name[1:]}"]) for name in RESULTS}
    return json.loads(data["bench"]), made


def agree(page: Page) -> dict[str, Any]:
    """Compare every matrix with torch, and the cells with their numbers; return the bench."""
    bench, made = bench_of(page)
    expected = by_torch(bench)
    for name in RESULTS:
        got = torch.tensor(made[name], dtype=torch.float64)
        torch.testing.assert_close(got, expected[name], rtol=1e-9, atol=1e-9)
        cells = sheet(page, name).locator("td.u-ask-cell").all_inner_texts()
        assert cells == [
            f"{x + 0.0:.2f}".replace("-", "−") for x in got.round(decimals=10).flatten().tolist()
        ], name
    return bench


def sheet(page: Page, name: str) -> Locator:
    return page.locator(f'table.u-sheet[aria-label^="{name}: "]')


def cell(page: Page, name: str, i: int, j: int) -> Locator:
    return sheet(page, name).locator("tbody tr").nth(i).locator("td").nth(j)


def said(page: Page) -> str:
    return page.locator(".u-arithmetic").inner_text()


def test_shows_the_numbers_of_torch_and_asks_one(page: Page, mount: Mount) -> None:
    mount(page, QKVBench(SETTINGS))
    agree(page)
    assert page.locator(".u-arithmetic p").all_inner_texts() == [
        "weight bears → love", "exp(2.12) = 8.34", "Sum of the row: 2.03 + 8.34 + 0.24 = 10.61",
        "Weight: 8.34 / 10.61 = 0.79",
    ]  # fmt: skip
    cell(page, "Q", 2, 0).click()
    assert "1·0 + 1·1 + 1·1 + 0·0 = 2" in said(page)
    framed = page.locator(".is-from")
    assert framed.count() == 4 + 4  # a row of X and a column of W_q
    assert [framed.nth(n).input_value() for n in range(4)] == ["1", "1", "1", "0"]
    cell(page, "context", 1, 1).click()
    assert said(page).startswith("context of love, number 2")


def test_the_keyboard_goes_from_cell_to_cell(page: Page, mount: Mount) -> None:
    mount(page, QKVBench(SETTINGS))
    cell(page, "scores", 0, 0).focus()
    assert said(page).startswith("score I → I")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    assert said(page).startswith("score bears → love")
    assert "3 / √2 = 2.12" in said(page)
    page.keyboard.press("End")
    assert said(page).startswith("score bears → bears")
    page.keyboard.press("ArrowDown")  # stays within the sheet
    assert said(page).startswith("score bears → bears")
    assert sheet(page, "scores").locator("td[tabindex='0']").count() == 1
    page.keyboard.press("Tab")
    assert said(page).startswith("weight")


def test_a_written_number_counts_at_once(page: Page, mount: Mount) -> None:
    mount(page, QKVBench(SETTINGS))
    field = page.get_by_label("W_q, enduring, 1", exact=True)
    field.fill("-2.5")
    bench = agree(page)
    assert bench["W_q"][1] == [-2.5, 0]
    field.press("Enter")  # on to the row below
    expect(page.get_by_label("W_q, team, 1", exact=True)).to_be_focused()
    page.keyboard.press("PageUp")
    assert agree(page)["W_q"][2] == [1.5, 0]
    page.keyboard.press("ArrowLeft")  # the caret moves within the number first
    page.keyboard.press("ArrowRight")
    expect(page.get_by_label("W_q, team, 1", exact=True)).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_label("W_q, team, 2", exact=True)).to_be_focused()
    page.get_by_label("X, love, somebody", exact=True).fill("0,25")  # as half the world writes it
    assert agree(page)["X"][1] == [1, 0, 0, 0.25]


def test_what_is_no_number_is_refused_and_nothing_changes(page: Page, mount: Mount) -> None:
    mount(page, QKVBench(SETTINGS))
    field = page.get_by_label("W_v, team, 2", exact=True)
    for text, got in (("much", "“much”"), ("21", "“21”"), ("", "nothing"), ("1e3", "“1e3”")):
        field.fill(text)
        field.blur()
        message = page.locator(".u-error").filter(has_text="expected a number")
        expect(message).to_contain_text(f"team, 2: expected a number from −20 to 20, got {got}. It stays 1.")
        expect(field).to_have_attribute("aria-invalid", "true")
        assert agree(page)["W_v"][2] == [0, 1]
    field.fill("3")
    expect(page.locator(".u-error").filter(has_text="expected")).to_have_count(0)
    assert agree(page)["W_v"][2] == [0, 3]


def test_every_switch_is_torchs(page: Page, mount: Mount) -> None:
    mount(page, QKVBench(SETTINGS))
    scale = page.get_by_role("button", name="Divide by √2")
    scale.click()
    expect(scale).to_have_attribute("aria-pressed", "false")
    assert agree(page)["scale"] is False
    page.get_by_role("button", name="Causal mask").click()
    assert agree(page)["causal"] is True
    expect(cell(page, "weights", 0, 1)).to_have_class("u-ask-cell u-shade is-masked")
    cell(page, "weights", 0, 1).click()
    assert "love stands after I" in said(page)
    page.get_by_label("I is a real token").uncheck()
    agree(page)
    # With the causal mask "I" sees only itself, and it is padding: nothing is left.
    expect(page.locator(".u-silence")).to_have_text("I may attend to nothing: zeros, not NaN.")
    page.get_by_role("button", name="Cross-attention").click()
    bench = agree(page)
    assert bench["cross"]
    expect(page.get_by_role("button", name="Causal mask")).to_have_count(0)
    expect(page.get_by_role("button", name="Cross-attention")).to_be_focused()
    assert sheet(page, "weights").locator("td.u-ask-cell").count() == 3 * 4
    page.get_by_label("pain is a real token").uncheck()
    page.get_by_label("Z, the, team", exact=True).fill("1")
    bench = agree(page)
    assert bench["realZ"] == [True, True, True, False]
    assert bench["Z"][2] == [0, 0, 1, 0]
    cell(page, "K", 2, 0).click()
    assert said(page).startswith("key of the, number 1")
    assert "of Z times" in said(page)


def test_identity_matrices_are_chapter_4(page: Page, mount: Mount) -> None:
    mount(page, QKVBench(SETTINGS))
    page.get_by_label("Start from").select_option("identity")
    bench = agree(page)
    x = torch.tensor(bench["X"], dtype=torch.float64)
    weights = torch.softmax(x @ x.mT, -1)
    torch.testing.assert_close(torch.tensor(bench_of(page)[1]["weights"], dtype=torch.float64), weights)
    expect(page.get_by_role("button", name="Cross-attention")).to_have_count(0)  # it has no other source
    expect(page.get_by_text("hand-made")).to_be_visible()


def test_reset(page: Page, mount: Mount) -> None:
    mount(page, QKVBench(SETTINGS))
    start, _ = bench_of(page)
    page.get_by_label("X, I, animal", exact=True).fill("7")
    page.get_by_role("button", name="Cross-attention").click()
    page.get_by_label("She is a real token").uncheck()
    assert bench_of(page)[0] != start
    page.get_by_role("button", name="Reset").click()
    assert agree(page) == start


def test_touch_asks_a_cell_and_switches_a_token(new_page: Any, mount: Mount) -> None:
    page = new_page(has_touch=True, viewport={"width": 375, "height": 740})
    mount(page, QKVBench(SETTINGS))
    cell(page, "V", 2, 1).tap()
    assert said(page).startswith("value of bears, number 2")
    page.get_by_label("love is a real token").tap()
    assert agree(page)["realX"] == [True, False, True]
    small = page.locator("td.u-ask-cell, .u-sheet input").evaluate_all(
        "all => all.map(el => el.getBoundingClientRect()).filter(b => b.width < 24 || b.height < 24).length"
    )
    assert small == 0


def test_the_arithmetic_stays_in_sight_and_hides_no_focused_cell(new_page: Any, mount: Mount) -> None:
    page = new_page(viewport={"width": 375, "height": 700})
    mount(page, QKVBench(SETTINGS))
    for name in ("Q", "K", "V", "scores", "weights", "context"):
        cell(page, name, 2, 1).focus()
        expect(page.locator(".u-arithmetic")).to_be_in_viewport(ratio=1)
        box, panel = cell(page, name, 2, 1).bounding_box(), page.locator(".u-arithmetic").bounding_box()
        assert box
        assert panel
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= panel["y"] or box["y"] >= panel["y"] + panel["height"], name


def test_on_a_phone_two_lanes_stand_side_by_side(new_page: Any, mount: Mount) -> None:
    page = new_page(viewport={"width": 375, "height": 740})
    mount(page, QKVBench(SETTINGS))
    page.add_style_tag(content="html { font-size: 112.5% } body { margin: 0 1.1rem }")  # as in the book
    tops = [box["y"] for name in ("Q", "K") if (box := sheet(page, name).bounding_box())]
    assert tops[0] == pytest.approx(tops[1], abs=1)
    cut = page.locator(".u-sheet-scroll").evaluate_all(
        "all => all.filter(el => el.scrollWidth > el.clientWidth).length"
    )
    assert cut == 0


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [375, 1000])
def test_accessible_and_never_wider_than_the_page(
    new_page: Any, mount: Mount, violations: Callable[[Page], list[str]], theme: str, width: int
) -> None:
    page = new_page(color_scheme=theme, viewport={"width": width, "height": 800})
    mount(page, QKVBench(SETTINGS, title="The bench"), theme=theme)
    page.get_by_role("button", name="Causal mask").click()
    page.get_by_label("W_q, enduring, 1", exact=True).fill("x")
    page.get_by_label("W_q, enduring, 1", exact=True).blur()
    assert violations(page) == []
    page.get_by_role("button", name="Cross-attention").click()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_kernel_hears_and_is_heard(page: Page) -> None:
    widget = QKVBench(SETTINGS)
    page.goto("about:blank")
    page.evaluate(
        NOTEBOOK, {"esm": bundle.esm(widget.name), "state": widget.state(), "kept": ["setting", "bench"]}
    )
    page.get_by_label("X, I, team", exact=True).fill("2")
    sent = page.evaluate("saved.at(-1)")
    assert sent["bench"]["X"][0] == [0, 0, 2, 1]
    widget.bench = sent["bench"]
    for name, expected in widget.results().items():
        torch.testing.assert_close(torch.tensor(expected), by_torch(sent["bench"])[name])
    page.evaluate("b => model.set('bench', b)", sent["bench"] | {"causal": True, "cross": True})
    assert agree(page)["cross"]
    page.get_by_label("Start from").select_option("identity")
    assert page.evaluate("saved.at(-1)")["setting"] == 1
    widget.setting = 1
    assert widget.bench["W_q"] == EYE.tolist()
    page.evaluate("stop()")
    page.evaluate("b => model.set('bench', b)", sent["bench"])
    assert len(bench_of(page)[0]["W_q"][0]) == 4  # it no longer listens


def test_text_is_never_markup(page: Page, mount: Mount) -> None:
    evil = ["<img src=x onerror=alert(1)>", "</script><b>b</b>", "<i>i</i>"]
    mount(
        page,
        QKVBench(
            {"<u>n</u>": START | {"tokens": evil, "note": "<s>s</s>"}, "two": START}, title="<em>t</em>"
        ),
    )
    cell(page, "weights", 2, 1).click()
    assert evil[1] in said(page)
    expect(page.locator("main :is(img, b, i, u, s, em)")).to_have_count(0)


def test_fallback_holds_every_matrix(new_page: Any) -> None:
    page = new_page(java_script_enabled=False)
    widget = QKVBench({"masked": START | {"cross": True, "source_real": [False] * 4}})
    page.set_content(widget.static_html())
    captions = page.locator("caption").all_inner_texts()
    assert [text.split(",")[0].split()[0] for text in captions] == [
        "X", "Z", "W_q", "W_k", "W_v", "Q", "K", "V", "Scores", "Weights", "Context"
    ]  # fmt: skip
    made = widget.results()
    numbers = page.locator("table").nth(8).locator("td:not(thead td)").all_inner_texts()
    assert numbers == [f"{x:.2f}".replace("-", "−") for x in made["scores"].flatten()]
    expect(page.locator("table").nth(9)).to_contain_text("bears (may attend to nothing)")
    assert (made["weights"] == 0).all()
