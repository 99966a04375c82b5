"""Length curves in a browser: numpy's means and ranges at every length, by mouse, touch and keyboard."""

import json
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.widgets.notebook import NOTEBOOK
from unrolled.widgets import LengthCurves, bundle

Mount = Callable[..., None]
LENGTHS = [(6, 10), (16, 20), (26, 30), (41, 50), (51, 74)]
MODELS = ["no attention", "dot", "<b>additive</b>"]


def figures(seed: int = 0, seeds: int = 3) -> dict[str, dict[str, Any]]:
    rng = np.random.default_rng(seed)
    return {
        name: {m: top * rng.uniform(0, 1, (seeds, len(LENGTHS))).round(3) for m in MODELS}
        for name, top in (("exact match", 1), ("BLEU", 100))
    }


def numbers(page: Page) -> dict[str, Any]:
    return dict(json.loads(page.locator(".unrolled").get_attribute("data-numbers") or "{}"))


def agree(page: Page, by_model: dict[str, Any], at: int, models: list[str] = MODELS, digits: int = 2) -> None:
    got = numbers(page)
    assert list(got) == models
    rows = page.locator(".u-lengths .u-roles tbody tr")
    expect(rows).to_have_count(len(models))
    for row, m in zip(rows.all(), models, strict=True):
        y = np.asarray(by_model[m])[:, at]
        expected = [y.mean(), y.min(), y.max()]
        assert [got[m][part] for part in ("mean", "least", "greatest")] == pytest.approx(expected, abs=1e-6)
        assert row.locator("td").all_inner_texts() == [f"{v:.{digits}f}" for v in expected]


def test_every_length_by_keyboard(page: Page, mount: Mount) -> None:
    data = figures()
    mount(page, LengthCurves(LENGTHS, data, trained_to=45))
    slider = page.get_by_role("slider", name="Length, source words")
    slider.focus()
    for at, (low, high) in enumerate(LENGTHS):
        agree(page, data["exact match"], at)
        text = f"{low}–{high}" + {41: ", never trained on above 45", 51: ", never trained on"}.get(low, "")
        expect(slider).to_have_attribute("aria-valuetext", text)
        page.keyboard.press("ArrowRight")
    page.get_by_label("Figure").select_option("BLEU")
    agree(page, data["BLEU"], 4, digits=1)
    said = page.locator(".u-live")
    expect(said).to_contain_text("BLEU at 51–74 source words, never trained on: no attention")


@pytest.mark.parametrize("touch", [False, True])
def test_a_pointer_picks_the_nearest_length(new_page: Any, mount: Mount, touch: bool) -> None:
    page = new_page(has_touch=touch, viewport={"width": 375 if touch else 900, "height": 800})
    data = figures(1)
    mount(page, LengthCurves(LENGTHS, data, trained_to=45))
    plot = page.locator(".u-curves")
    for at in (2, 4, 0):
        mark = plot.locator(".u-model").first.locator(".u-sign").nth(at).bounding_box()
        assert mark
        x = mark["x"] + mark["width"] / 2 + 6  # not right upon it
        y = mark["y"] + mark["height"] / 2
        page.touchscreen.tap(x, y) if touch else page.mouse.move(x, y)
        agree(page, data["exact match"], at)


def test_models_are_switched_off_and_on(page: Page, mount: Mount) -> None:
    data = figures()
    mount(page, LengthCurves(LENGTHS, data))
    button = page.get_by_role("button", name="dot", exact=True)
    button.press("Enter")
    expect(button).to_have_attribute("aria-pressed", "false")
    agree(page, data["exact match"], 0, ["no attention", "<b>additive</b>"])
    expect(page.locator(".u-curves .u-model")).to_have_count(2)
    button.click()
    agree(page, data["exact match"], 0)
    for name in MODELS:
        page.get_by_role("button", name=name, exact=True).click()
    agree(page, data["exact match"], 0, [])
    expect(page.locator(".u-live")).to_contain_text("no model is shown")


def points(path: str | None) -> np.ndarray:
    return np.array([[float(part) for part in pair.split()] for pair in re.split("[ML]", path or "")[1:]])


def test_curves_stand_where_their_numbers_are(page: Page, mount: Mount) -> None:
    data = figures()
    mount(page, LengthCurves(LENGTHS, data, trained_to=45))
    lines = page.locator(".u-curves .u-line")
    floor, ceiling = (float(line.get_attribute("y1") or 0) for line in (lines.first, lines.last))
    for k, m in enumerate(MODELS):
        group = page.locator(".u-curves .u-model").nth(k)
        y = data["exact match"][m]
        drawn = points(group.locator(".u-curve").get_attribute("d"))
        assert np.allclose((floor - drawn[:, 1]) / (floor - ceiling), y.mean(axis=0), atol=0.002)
        steps = np.diff(drawn[:, 0]) / np.diff([8, 18, 28, 45.5, 62.5])
        assert np.allclose(steps, steps[0], rtol=0.02)
        seeds = group.locator(".u-seed")
        expect(seeds).to_have_count(3)
        for s in range(3):
            row = points(seeds.nth(s).get_attribute("d"))
            assert np.allclose((floor - row[:, 1]) / (floor - ceiling), y[s], atol=0.002)
    # What was never trained on begins between the last length trained on and the first beyond.
    edge = float(page.locator(".u-untrained").get_attribute("x") or 0)
    assert drawn[3, 0] - 0.5 <= edge <= drawn[4, 0]
    expect(page.locator(".u-curves").get_by_text("never trained on")).to_be_visible()


def test_without_a_limit_nothing_is_marked(page: Page, mount: Mount) -> None:
    mount(page, LengthCurves([3, 5, 7], {"loss": {"rnn": [2.5, 120.0, 30.0]}}, unit="steps"))
    expect(page.locator(".u-untrained")).to_have_count(0)
    expect(page.get_by_label("Figure")).to_have_count(0)
    assert page.locator(".u-curves .u-tick").all_text_contents()[:5] == ["0", "50", "100", "150", "200"]
    assert numbers(page) == {"rnn": {"mean": 2.5, "least": 2.5, "greatest": 2.5}}


def test_a_kernel_hears_and_is_heard(page: Page) -> None:
    data = figures()
    widget = LengthCurves(LENGTHS, data)
    page.goto("about:blank")
    page.evaluate(NOTEBOOK, {"esm": bundle.esm(widget.name), "state": widget.state(), "kept": ["figure"]})
    page.get_by_label("Figure").select_option("BLEU")
    assert page.evaluate("saved.at(-1)") == {"figure": "BLEU"}
    page.evaluate("model.set('figure', 'exact match')")
    agree(page, data["exact match"], 0)
    page.evaluate("stop()")
    page.evaluate("model.set('figure', 'BLEU')")
    agree(page, data["exact match"], 0)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [375, 1000])
def test_accessible_and_never_wider_than_the_page(
    new_page: Any, mount: Mount, violations: Callable[[Page], list[str]], theme: str, width: int
) -> None:
    page = new_page(viewport={"width": width, "height": 800})
    mount(page, LengthCurves(LENGTHS, figures(), trained_to=45, title="By length"), theme=theme)
    page.get_by_role("button", name="dot", exact=True).click()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    expect(page.locator(".unrolled b")).to_have_count(0)
    sizes = page.locator(".unrolled :is(button, select, input)").evaluate_all(
        "all => all.map(el => Math.min(el.getBoundingClientRect().width, el.getBoundingClientRect().height))"
    )
    assert min(sizes) >= 24


def test_the_fallback_holds_the_numbers(new_page: Any) -> None:
    page = new_page(java_script_enabled=False)
    data = figures()
    page.set_content(LengthCurves(LENGTHS, data, trained_to=45).static_html())
    table = page.locator("table").first
    heads = table.locator("th[scope=col]").all_inner_texts()
    assert heads == [
        "6–10",
        "16–20",
        "26–30",
        "41–50 (never trained on above 45)",
        "51–74 (never trained on)",
    ]
    rows = table.locator("tbody tr")
    expect(rows).to_have_count(9)
    y = data["exact match"]["dot"]
    for row, values in zip((3, 4, 5), (y.mean(0), y.min(0), y.max(0)), strict=True):
        assert rows.nth(row).locator("td").all_inner_texts() == [f"{v:.2f}" for v in values]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lengths": []}, "lengths: expected 1 to 40, got 0"),
        ({"lengths": [(6, 10), (1, 3)]}, "expected them in rising order"),
        ({"lengths": [(10, 6), (11, 12)]}, "expected numbers or pairs"),
        ({"figures": {}}, "figures: expected one or more"),
        ({"figures": {"a": {}}}, "expected 1 to 6 models, got 0"),
        (
            {"figures": {"a": {"m": [1, 2]}, "b": {"n": [1, 2]}}},
            r"figures\['b'\]: expected the models \['m'\]",
        ),
        ({"figures": {"a": {"m": [1, 2, 3]}}}, r"expected shape \[seeds, 2\] with 1 to 20 seeds, got \[3\]"),
        ({"figures": {"a": {"m": [1, float("nan")]}}}, "expected finite numbers, zero or more"),
        ({"figures": {"a": {"m": [1, -1]}}}, "expected finite numbers, zero or more"),
    ],
)
def test_python_says_what_it_expected(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LengthCurves(**{"lengths": [1, 2], "figures": {"a": {"m": [0, 1]}}, **change})


def test_wrong_kinds_are_named() -> None:
    with pytest.raises(TypeError, match=r"figures: expected \{figure: \{model: values\}\}"):
        LengthCurves([1, 2], {"a": [1, 2]})  # type: ignore[dict-item]
    widget = LengthCurves([1, 2], {"a": {"m": [0, 1]}})
    with pytest.raises(ValueError, match="figure: expected one of"):
        widget.figure = "b"
