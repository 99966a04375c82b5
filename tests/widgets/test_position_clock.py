"""The position clock: its vectors and scores are those of `unrolled.nn.positional`."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
import torch
from playwright.sync_api import Page, expect
from torch import Tensor

from unrolled.nn import Rotary, Sinusoidal
from unrolled.widgets import bundle
from unrolled.widgets.base import number
from unrolled.widgets.position_clock import PositionClock

D, MAX_LEN = 10, 61
Mount = Callable[..., None]


def vectors() -> tuple[Tensor, Tensor]:
    g = torch.Generator().manual_seed(21)
    query, key = torch.randn(2, D, generator=g, dtype=torch.float64)
    return query, key


@pytest.fixture(autouse=True)
def in_float64() -> Any:
    """The tables of positions take the default type."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


@pytest.fixture
def widget() -> PositionClock:
    query, key = vectors()
    return PositionClock(D, MAX_LEN, query=query.tolist(), key=key.tolist(), t=7, s=19)


def data(page: Page, name: str) -> Tensor:
    return torch.tensor(json.loads(page.locator(".unrolled").get_attribute(f"data-{name}") or ""))


def close(got: Any, expected: Tensor) -> None:
    torch.testing.assert_close(torch.as_tensor(got), expected, rtol=0, atol=1e-10)


def pick(page: Page, label: str, value: int) -> None:
    page.get_by_label(label).evaluate(
        "(el, value) => { el.value = value; el.dispatchEvent(new Event('input', { bubbles: true })); }", value
    )


def test_all_positions_equal_torch(page: Page) -> None:
    query, _ = vectors()
    body = """return { waves: given.ts.map((t) => $positions.sinusoidal(t, given.d)),
        turned: given.ts.map((t) => $positions.rotary(given.query, t)) };"""
    given = {"ts": list(range(MAX_LEN)), "d": D, "query": query.tolist()}
    got = page.evaluate(f"(given) => {{ {bundle._inline(['positions'])} {body} }}", given)
    close(got["waves"], Sinusoidal(D, MAX_LEN).table)
    close(got["turned"], Rotary(D, MAX_LEN)(query.expand(MAX_LEN, D)))


def test_it_shows_the_vector_and_the_match(page: Page, mount: Mount, widget: PositionClock) -> None:
    mount(page, widget)
    table = Sinusoidal(D, MAX_LEN).table
    close(data(page, "vector"), table[7])
    close(data(page, "match"), table[7] @ table[19])
    expect(page.locator(".u-match")).to_have_text(
        f"w(t) · w(s) = {float(table[7] @ table[19]):.2f}, at a distance of 12".replace("-", "−")
    )
    expect(page.locator(".u-clocks li")).to_have_count(D // 2)
    page.get_by_label("How positions come in").select_option(label="turned: rotary")
    query, key = vectors()
    turn = Rotary(D, MAX_LEN)
    turned = turn(query.expand(MAX_LEN, D))[7]
    close(data(page, "vector"), turned)
    close(data(page, "match"), turned @ turn(key.expand(MAX_LEN, D))[19])


@pytest.mark.parametrize("kind", ["sinusoidal", "rotary"])
def test_moving_both_changes_no_match(page: Page, mount: Mount, kind: Any) -> None:
    query, key = vectors()
    mount(page, PositionClock(D, MAX_LEN, query=query.tolist(), key=key.tolist(), t=7, s=19, kind=kind))
    before = data(page, "match")
    vector = data(page, "vector")
    page.get_by_role("button", name="Both on by 5").click()
    expect(page.get_by_label("Position t, solid hands")).to_have_value("12")
    close(data(page, "match"), before)
    assert (data(page, "vector") - vector).abs().max() > 0.1
    pick(page, "Position s, dashed hands", 25)
    assert (data(page, "match") - before).abs() > 1e-3
    for _ in range(2):
        page.get_by_role("button", name="Both back by 5").click()
    expect(page.get_by_label("Position t, solid hands")).to_have_value("2")
    page.get_by_role("button", name="Both back by 5").click()
    expect(page.locator(".u-live")).to_have_text(f"Positions go from 0 to {MAX_LEN - 1}.")
    expect(page.get_by_label("Position t, solid hands")).to_have_value("2")


def test_hands_stand_where_sine_and_cosine_are(page: Page, mount: Mount, widget: PositionClock) -> None:
    mount(page, widget)
    wave = Sinusoidal(D, MAX_LEN).table[7].view(-1, 2)
    for (sine, cosine), clock in zip(wave.tolist(), page.locator(".u-clocks svg").all(), strict=True):
        hand = clock.locator(".u-hand:not(.u-other)")
        x, y = (float(hand.get_attribute(name) or "nan") for name in ("x2", "y2"))
        assert (x - 30) / 24 == pytest.approx(cosine, abs=1e-3)
        assert (30 - y) / 24 == pytest.approx(sine, abs=1e-3)


def test_without_a_script_there_is_a_table_of_both_positions() -> None:
    query, key = vectors()
    t, s = torch.tensor([7]), torch.tensor([19])
    table, rotary = Sinusoidal(D, MAX_LEN).table, Rotary(D, MAX_LEN)
    both = {
        "sinusoidal": (table[7], table[19]),
        "rotary": (rotary(query[None], t)[0], rotary(key[None], s)[0]),
    }
    for kind, expected in both.items():
        given: Any = {"query": query.tolist(), "key": key.tolist(), "kind": kind}
        html = PositionClock(D, MAX_LEN, t=7, s=19, **given).fallback_html()
        assert "turn of 6.3" in html
        assert f"= {number(float(expected[0] @ expected[1]))}, at a distance of 12." in html
        cells = re.findall("<td>([^<]+)</td>", html)
        assert cells == [number(value) for value in torch.cat(expected).tolist()]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1200])
def test_it_is_accessible_and_fits(
    new_page: Callable[..., Page],
    mount: Mount,
    violations: Callable[[Page], list[str]],
    widget: PositionClock,
    theme: str,
    width: int,
) -> None:
    page = new_page(viewport={"width": width, "height": 900}, color_scheme=theme)
    mount(page, widget, theme=theme)
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for control in page.locator(".unrolled :is(button, select, input)").all():
        size = control.bounding_box()
        assert size is not None
        assert min(size["width"], size["height"]) >= 24


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"d": 7}, "d: expected an even number from 2 to 64, got 7"),
        ({"max_len": 1}, "max_len: expected 2 to 1000, got 1"),
        ({"t": 128}, "t: expected a position from 0 to 127, got 128"),
        ({"kind": "learned"}, "kind: expected 'sinusoidal' or 'rotary', got 'learned'"),
        ({"base": 1}, "base: expected more than 1, got 1"),
        ({"query": [1.0]}, r"query: expected 16 finite numbers, got \[1\]"),
        ({"key": [float("nan")] * 16}, "key: expected 16 finite numbers"),
    ],
)
def test_what_is_no_clock_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PositionClock(**change)
