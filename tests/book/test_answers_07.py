"""Chapter 7: the clocks of the built page turn as `unrolled.nn` does, and its curves are those recorded."""

import json
from collections.abc import Callable

import pytest
import torch
from playwright.sync_api import Locator, Page, expect
from torch import Tensor

from tests.book.answers import Open, close, read
from unrolled.data.spanish import BUCKETS
from unrolled.nn import Rotary, Sinusoidal
from unrolled.training.results import read_result

CHAPTER = "07_positions.html"
OpenClock = Callable[[str], Locator]


@pytest.fixture
def open_clock(where: str, page: Page) -> OpenClock:
    """Return a function that opens the chapter and returns the clock of a title."""

    def open_it(title: str) -> Locator:
        page.goto(where + CHAPTER)
        clocks = page.locator('.unrolled-widget[data-widget="position-clock"][data-mounted="true"]')
        expect(clocks).to_have_count(2)
        widget = clocks.filter(has=page.locator(".u-title", has_text=title))
        widget.scroll_into_view_if_needed()
        return widget

    return open_it


@pytest.fixture(autouse=True)
def in_float64() -> object:
    """The tables of positions take the default type."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


def move(widget: Locator, t: int, s: int) -> None:
    for label, value in (("Position t, solid hands", t), ("Position s, dashed hands", s)):
        widget.get_by_label(label).fill(str(value))


def shown(widget: Locator) -> tuple[Tensor, Tensor]:
    box = widget.locator(".unrolled[data-vector]")
    return read(box, "vector"), read(box, "match")


def test_the_encodings_are_the_packages(open_clock: OpenClock) -> None:
    widget = open_clock("Positional encodings, as hands")
    table = Sinusoidal(16, 128).table
    for t, s in ((3, 8), (4, 3), (100, 3), (0, 19), (127, 127)):
        move(widget, t, s)
        vector, match = shown(widget)
        close(vector, table[t])
        close(match, table[t] @ table[s])
    # The things to try: both move, and the dot product does not; 19 places apart it beats 2 places apart.
    move(widget, 3, 8)
    before = shown(widget)[1]
    widget.get_by_role("button", name="Both on by 5").click()
    vector, match = shown(widget)
    close(vector, table[8])
    close(match, before)
    move(widget, 10, 29)
    far = shown(widget)[1]
    move(widget, 10, 12)
    assert far > shown(widget)[1]


def test_the_key_is_heard_best_three_places_before(open_clock: OpenClock) -> None:
    widget = open_clock("A query and a key, turned")
    state = json.loads(widget.locator('script[type="application/json"]').text_content() or "")
    query, key = (torch.tensor(state[name]) for name in ("query", "key"))
    turn = Rotary(8, 64)
    queries, keys = turn(query.expand(64, 8)), turn(key.expand(64, 8))
    scores = []
    for s in range(14, 26):
        move(widget, 20, s)
        vector, match = shown(widget)
        close(vector, queries[20])
        close(match, queries[20] @ keys[s])
        scores.append(match.item())
    assert 14 + max(range(len(scores)), key=scores.__getitem__) == 17
    before = shown(widget)[1]
    widget.get_by_role("button", name="Both on by 5").click()
    close(shown(widget)[0], queries[25])
    close(shown(widget)[1], before)


def test_the_curves_are_the_recorded_ones(open_widget: Open) -> None:
    widget = open_widget(CHAPTER, "length-curves")
    results = {"LSTM, dot attention": "spanish-dot", "transformer": "spanish-transformer"}
    slider = widget.get_by_role("slider", name="Length")
    for figure, name in {"exact match": "exact", "token accuracy": "tokens"}.items():
        widget.get_by_label("Figure").select_option(figure)
        slider.press("Home")
        for low, high in BUCKETS:
            numbers = widget.locator(".unrolled[data-numbers]").get_attribute("data-numbers")
            got = json.loads(numbers or "")
            assert list(got) == list(results)
            for model, result in results.items():
                y = torch.tensor(read_result(result)["metrics"][f"{name} {low}-{high}"])
                found = torch.tensor([float(got[model][part]) for part in ("mean", "least", "greatest")])
                close(found, torch.stack([y.mean(), y.min(), y.max()]))
            slider.press("ArrowRight")
