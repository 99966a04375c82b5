"""What widgets say is true of what is on the page: names, scales, separators, and what is switched off."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from playwright.sync_api import Page, expect

from tests.waiting import wait_until
from tests.widgets import test_bears_model, test_token_walk
from tests.widgets.maps import weights
from tests.widgets.test_typed import attending, bench, bert, decoder, gpt, plane, unroller
from unrolled.widgets import (
    BearsPlane,
    HeadBrowser,
    LengthCurves,
    PaintMixer,
    PositionClock,
    TokenWalk,
    Unroller,
)
from unrolled.widgets._grids import _grid
from unrolled.widgets.base import Widget

Mount = Callable[..., None]
BOOK = Path(__file__).parents[2] / "book"


def mixer() -> Widget:
    return PaintMixer({"red": "#c8102e", "blue": "#0057b8"})


def curves() -> Widget:
    return LengthCurves([3, 5, 11], {"exact match": {"rnn": [0.9, 0.7, 0.2]}, "BLEU": {"rnn": [70, 50, 13]}})


def clock() -> Widget:
    return PositionClock(8, 64)


def browser() -> Widget:
    return HeadBrowser(weights(2, 3, 5, 5), list("vwxyz"))


def walk() -> TokenWalk:
    return test_token_walk.make(test_token_walk.two_blocks())


@pytest.mark.parametrize(
    "make", [unroller, plane, bert, decoder, attending, gpt, bench, mixer, curves, clock, browser, walk]
)
def test_no_field_makes_a_phone_zoom_in(new_page: Callable[..., Page], mount: Mount, make: Any) -> None:
    """IOS enlarges the page when a field of less than 16 px is touched. Wide screens keep the text's size."""
    for options in (
        {"viewport": {"width": 360, "height": 740}},
        {"viewport": {"width": 1000, "height": 700}, "has_touch": True, "is_mobile": True},
    ):
        page = new_page(**options)
        mount(page, make())
        sizes = page.locator(".unrolled :is(input, select, textarea)").evaluate_all(
            "all => all.map(el => parseFloat(getComputedStyle(el).fontSize))"
        )
        assert min(sizes, default=16) >= 16


@pytest.mark.parametrize("width", [320, 360, 1000])
def test_every_number_on_the_bench_is_whole(new_page: Callable[..., Page], mount: Mount, width: int) -> None:
    page = new_page(viewport={"width": width, "height": 740})
    mount(page, bench())
    for name, text in (
        ("W_q, enduring, 1", "-0.05"), ("W_q, animal, 2", "−19.75"), ("X, love, team", "0.0013"),
        ("W_v, team, 1", "-0,5"),
    ):  # fmt: skip
        field = page.get_by_label(name, exact=True)
        field.fill(text)
        field.blur()
    fields = page.locator("input.u-number")
    assert (
        fields.evaluate_all("all => all.filter(el => el.scrollWidth > el.clientWidth).map(el => el.value)")
        == []
    )
    values = fields.evaluate_all("all => all.map(el => el.value)")
    assert {"−0.05", "−19.75", "1.3e−3", "−0.5"} <= set(values)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    small = page.get_by_label("X, love, team", exact=True)
    small.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".u-error:not(:empty)")).to_have_count(0)


def test_a_tiny_number_of_the_bench_is_one_it_takes_back(page: Page, mount: Mount) -> None:
    mount(page, bench())
    field = page.get_by_label("W_q, enduring, 1", exact=True)
    field.fill("-0.0000001")
    field.blur()
    field.focus()
    expect(field).to_have_value("−1e−7")
    page.keyboard.press("Enter")
    expect(page.locator(".u-error:not(:empty)")).to_have_count(0)


@pytest.mark.parametrize("make", [mixer, attending, clock, unroller])
def test_swiping_up_over_a_slider_scrolls_the_page(
    new_page: Callable[..., Page], mount: Mount, make: Any
) -> None:
    page = new_page(has_touch=True, is_mobile=True, viewport={"width": 375, "height": 740})
    mount(page, make())
    page.add_style_tag(content="body { padding-bottom: 200vh }")
    slider = page.locator("input[type=range]:visible").last
    slider.scroll_into_view_if_needed()
    box, before, first = slider.bounding_box(), page.evaluate("scrollY"), slider.input_value()
    assert box
    session = page.context.new_cdp_session(page)
    x, y = box["x"] + box["width"] * 0.8, box["y"] + box["height"] / 2
    session.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for up in (10, 30, 60, 100, 150):
        at = {"x": x + up / 10, "y": y - up}
        session.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [at]})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    wait_until(page, "before => scrollY > before + 50", arg=before)
    assert slider.input_value() == first


def test_swiping_over_curves_picks_no_length(new_page: Callable[..., Page], mount: Mount) -> None:
    page = new_page(has_touch=True, is_mobile=True, viewport={"width": 375, "height": 740})
    mount(page, curves())
    page.add_style_tag(content="body { padding-bottom: 200vh }")
    box = page.locator(".u-curves").bounding_box()
    assert box
    session = page.context.new_cdp_session(page)
    x, y = box["x"] + box["width"] - 30, box["y"] + box["height"] / 2
    session.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for up in (10, 30, 60, 100):
        session.send(
            "Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [{"x": x, "y": y - up}]}
        )
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    wait_until(page, "scrollY > 20")
    expect(page.locator(".unrolled")).to_have_attribute("data-at", "0")


def test_a_state_is_told_with_its_units(page: Page, mount: Mount) -> None:
    """Not "1 −0.30, 2 −0.76", which is a subtraction."""
    w_x, w_h, zero = torch.tensor([[-0.31], [-1.0]]), torch.zeros(2, 2), torch.zeros(2)
    mount(page, Unroller({"no": [1.0]}, "no", rnn=(w_x, w_h, zero, zero)))
    expect(page.locator(".u-live")).to_contain_text("Hidden state: unit 1: −0.30; unit 2: −0.76.")


def test_a_landing_below_zero_has_no_minus_zero() -> None:
    plane = BearsPlane({"bears": (-0.001, -0.5)}, ["bears"], limit=2)
    assert "It moves to (0.00, −0.50)" in plane.fallback_html()


def test_a_grid_of_numbers_has_real_minus_signs() -> None:
    assert _grid("c", [-1, 0, 2.5, -1e-7, 1234567]).labels == ["−1", "0", "2.5", "−1e−07", "1234567"]
    assert _grid("word", ["half-time"]).labels == ["half-time"]


def test_no_axis_is_named_after_a_setting() -> None:
    """An axis says what is measured; "w = 1.1" belongs above the figure."""
    named = [
        f"{path.name}: {match[0]}"
        for path in sorted(BOOK.glob("*.md"))
        for match in re.finditer(r"\b[xy]label=f?\"[^\"]* = [^\"]*\"", path.read_text(encoding="utf-8"))
    ]
    assert named == []


def test_a_walk_says_what_is_off(page: Page, mount: Mount, violations: Callable[[Page], list[str]]) -> None:
    mount(page, walk())
    path, live = page.locator(".u-path"), page.locator(".u-live")
    expect(path).to_contain_text("attention adds")
    page.get_by_role("button", name="Attention", exact=True).click()
    expect(live).to_contain_text(re.compile(r"Attention off\. .* attention is off, the feed-forward adds \d"))
    expect(path).not_to_contain_text("attention adds")
    expect(path).to_contain_text("attention would add (off)")
    expect(path).not_to_contain_text("what attention added")
    expect(page.get_by_text("would attend to in block 1")).to_contain_text("; attention is off")
    page.get_by_role("button", name="Feed-forward", exact=True).click()
    expect(live).to_contain_text(re.compile(r"attention is off, the feed-forward is off, and it comes out"))
    expect(path).not_to_contain_text("feed-forward adds")
    assert violations(page) == []
    page.get_by_role("button", name="Reset").click()
    expect(path).to_contain_text("attention adds")
    expect(path).not_to_contain_text("(off)")


@pytest.mark.parametrize("kind", ["sinusoidal", "rotary"])
def test_the_clocks_curve_has_a_scale(page: Page, mount: Mount, kind: Any) -> None:
    mount(
        page,
        PositionClock(8, 64, kind=kind, query=[1.0, -2, 0.5, 3, 0, 1, 1, 0], key=[2.0, 1, 0, -1, 1, 0, 2, 1]),
    )
    curve = page.locator(".u-match-curve")
    said = re.search(r"highest (\S+), lowest (\S+)$", curve.get_attribute("aria-label") or "")
    assert said
    assert said[1] != said[2]
    texts = curve.locator("text").all_text_contents()
    lowest = said[2] if said[2].startswith("−") else "0.00"  # the axis goes down to zero at least
    assert {said[1], lowest} <= set(texts)
    points = [
        [float(c) for c in pair.split(",")]
        for pair in (curve.locator("polyline").get_attribute("points") or "").split()
    ]
    highest = min(y for _, y in points)
    top = curve.locator("text", has_text=said[1]).first
    assert float(top.get_attribute("y") or 0) == pytest.approx(highest + 4, abs=0.1)
    assert (curve.get_attribute("aria-label") or "").startswith("By distance, from −40 to 40")
    expect(page.get_by_text("A bar is full at −")).to_have_count(1)


def test_the_curves_say_what_they_are_of(page: Page, mount: Mount) -> None:
    mount(page, curves())
    expect(page.locator(".u-curves text", has_text="exact match")).to_be_visible()
    page.get_by_label("Figure").select_option("BLEU")
    expect(page.locator(".u-curves text", has_text="BLEU")).to_be_visible()
    expect(page.locator(".u-curves text", has_text="exact match")).to_have_count(0)


@pytest.mark.parametrize("width", [375, 700])
def test_two_maps_with_numbers_show_their_rows_largest_weight(
    new_page: Callable[..., Page], mount: Mount, width: int
) -> None:
    page = new_page(viewport={"width": width, "height": 740})
    map_ = torch.full((11, 11), 0.05)
    map_[:, -1] = 0.5
    mount(page, HeadBrowser(map_.expand(2, -1, -1), [f"token {n}" for n in range(11)]))
    page.get_by_label("Beside it").select_option("head 2")
    page.get_by_role("button", name="Numbers").click()
    for scroller in page.locator(".u-panel .u-scroll").all():
        frame, cell = scroller.bounding_box(), scroller.locator("td[data-i='0'][data-j='10']").bounding_box()
        assert frame
        assert cell
        assert frame["x"] < cell["x"]
        assert cell["x"] + cell["width"] <= frame["x"] + frame["width"] + 5
    left, right = (box for panel in page.locator(".u-panel").all() if (box := panel.bounding_box()))
    assert right["y"] > left["y"] + left["height"]


@pytest.mark.parametrize("width", [320, 375, 1000])
def test_no_word_of_a_list_is_broken(new_page: Callable[..., Page], mount: Mount, width: int) -> None:
    page = new_page(viewport={"width": width, "height": 740})
    mount(
        page,
        BearsPlane(
            {"delicious": (0, 1), "bears": (1, 0), "environments": (1, 1)}, ["delicious environments bears"]
        ),
    )
    lines = page.locator(".u-share-word").evaluate_all(
        "all => all.map(el => { const range = document.createRange(); range.selectNodeContents(el);"
        " return range.getClientRects().length; })"
    )
    assert lines == [1, 1, 1]
    lefts = page.locator(".u-share-bar").evaluate_all("all => all.map(el => el.getBoundingClientRect().left)")
    assert len(set(lefts)) == 1


def test_an_error_is_said_once(page: Page, mount: Mount) -> None:
    mount(page, gpt())
    page.get_by_label("What it begins from").fill("zebra")
    page.get_by_role("button", name="Begin from this").click()
    expect(page.get_by_text("got “zebra”")).to_have_count(1)


def test_the_map_of_senses_has_a_scale(page: Page, mount: Mount) -> None:
    mount(page, bert())
    bar = page.locator(".u-scale-bar")
    widget = test_bears_model.make(test_bears_model.small_bert())
    points = [*(point for sense in widget.known for point in sense), *widget.plane["marks"]]
    unit = 320 / (2 * 1.15 * max(abs(c) for point in points for c in point))
    length = float(page.locator(".u-scale-bar + text").text_content() or "nan")
    drawn = float(bar.get_attribute("x2") or 0) - float(bar.get_attribute("x1") or 0)
    assert drawn == pytest.approx(length * unit)
