"""Chapter 14: the lanes of the built page are those of `unrolled.timeline`, also for what it gives to try."""

import json
from dataclasses import asdict, replace
from typing import Any

import pytest
from playwright.sync_api import Locator, Page

from tests.book.answers import Open
from unrolled.timeline import Setting, Timeline, timeline

CHAPTER = "14_many_gpus.html"
START = Setting(4, 500.0, 5.0, 300.0, 4)


@pytest.fixture
def widget(open_widget: Open) -> Locator:
    return open_widget(CHAPTER, "training-timeline")


def shown(widget: Locator) -> dict[str, Any]:
    data = widget.locator(".unrolled[data-step]").evaluate("el => ({ ...el.dataset })")
    return {name: json.loads(data[name]) for name in ("setting", "step")}


def agrees(widget: Locator, setting: Setting) -> Timeline:
    got, step = shown(widget), timeline(setting)
    assert got["setting"] == pytest.approx(asdict(setting))
    for lane in ("compute", "wire"):
        for one, other in zip(got["step"][lane], getattr(step, lane), strict=True):
            assert one == pytest.approx(asdict(other), abs=1e-6)
    assert got["step"]["step"] == pytest.approx(step.step_ms)
    assert got["step"]["sent"] == pytest.approx(step.sent_megabytes)
    return step


def test_what_the_chapter_gives_to_try_happens(widget: Locator, page: Page) -> None:
    def slide(label: str, key: str, times: int = 1) -> None:
        widget.get_by_label(label, exact=True).focus()
        for _ in range(times):
            page.keyboard.press(key)

    overlap = widget.get_by_role("button", name="Overlap", exact=True)
    first = agrees(widget, START)
    overlap.press("Enter")
    apart = agrees(widget, replace(START, overlap=False))
    assert apart.step_ms > first.step_ms
    slide("Pieces that the model is sent in", "Home")
    one = agrees(widget, replace(START, overlap=False, buckets=1))
    overlap.press("Enter")
    assert agrees(widget, replace(START, buckets=1)).step_ms == pytest.approx(one.step_ms)
    widget.get_by_role("button", name="Reset").press("Enter")
    slide("Bandwidth of each worker", "ArrowLeft", 3)
    busy = agrees(widget, replace(START, gigabytes_per_s=0.5))
    assert all(a.end == pytest.approx(b.start) for a, b in zip(busy.wire, busy.wire[1:], strict=False))
    widget.get_by_role("button", name="Reset").press("Enter")
    slide("Workers", "End")
    eight = agrees(widget, replace(START, workers=8))
    assert eight.sent_megabytes == pytest.approx(7 / 6 * first.sent_megabytes)
    widget.get_by_label("Strategy").select_option(index=1)
    shards = agrees(widget, replace(START, workers=8, strategy="fsdp"))
    assert shards.sent_megabytes == pytest.approx(1.5 * eight.sent_megabytes)
    assert shards.held_megabytes == pytest.approx(eight.held_megabytes / 8)


def test_the_page_shows_equal_losses_of_one_process_and_of_two(widget: Locator, page: Page) -> None:
    told = page.locator(".cell_output pre", has_text="one process").first.inner_text()
    one, two = told.split("ddp\n")
    assert one.split("\n")[1:5] == two.split("\n")[:4]
    assert one.count("step") == 4
    assert page.locator(".cell_output pre", has_text="the process ended with -9").count() == 1
