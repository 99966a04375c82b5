"""The training timeline in a browser: the lanes and figures of `unrolled.timeline`, by keyboard and mouse."""

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.test_timeline import random_settings
from tests.widgets.notebook import NOTEBOOK
from unrolled.timeline import Setting, timeline
from unrolled.widgets import TrainingTimeline, bundle

Mount = Callable[..., None]
START = Setting(3, 340.0, 7.0, 130.0, 5)


def shown(page: Page) -> dict[str, Any]:
    data = page.locator(".unrolled").evaluate("el => ({ ...el.dataset })")
    return {name: json.loads(data[name]) for name in ("setting", "step")}


def agree(page: Page, setting: Setting) -> None:
    """Compare the setting, every span and every figure with Python's."""
    got = shown(page)
    assert got["setting"] == pytest.approx(asdict(setting))
    step = timeline(setting)
    for lane in ("compute", "wire"):
        wanted = [asdict(span) for span in getattr(step, lane)]
        assert len(got["step"][lane]) == len(wanted)
        for one, other in zip(got["step"][lane], wanted, strict=True):
            assert one == pytest.approx(other, abs=1e-6)
    figures = [got["step"][name] for name in ("step", "efficiency", "speedup", "sent", "held")]
    assert figures == pytest.approx(
        [step.step_ms, step.efficiency, step.speedup, step.sent_megabytes, step.held_megabytes]
    )
    drawn = setting.workers * (len(step.compute) + len(step.wire))
    expect(page.locator(".u-timeline .u-span")).to_have_count(drawn)


def test_the_step_is_pythons(page: Page) -> None:
    for setting in random_settings(60):
        got = page.evaluate(
            f"(given) => {{ {bundle._inline(['timeline'])} return $timeline.timeline(given); }}",
            asdict(setting),
        )
        step = timeline(setting)
        assert got["step"] == pytest.approx(step.step_ms)
        assert [span["end"] for span in got["wire"]] == pytest.approx([span.end for span in step.wire])
        assert [span["start"] for span in got["compute"]] == pytest.approx([s.start for s in step.compute])


def test_every_control_by_keyboard(page: Page, mount: Mount) -> None:
    mount(page, TrainingTimeline(START))
    now = START
    agree(page, now)
    for label, change in (
        ("Workers", {"workers": 4}),
        ("Pieces that the model is sent in", {"buckets": 6}),
        ("Model: bytes of its gradients", {"megabytes": 500.0}),
        ("Bandwidth of each worker", {"gigabytes_per_s": 10.0}),
        ("Computing per step", {"compute_ms": 200.0}),
        ("Latency of a message", {"latency_us": 50.0}),
    ):
        page.get_by_label(label, exact=True).press("ArrowRight")
        now = replace(now, **change)
        agree(page, now)
    page.get_by_role("button", name="Overlap").press("Space")
    now = replace(now, overlap=False)
    agree(page, now)
    expect(page.get_by_role("button", name="Overlap")).to_be_focused()
    page.get_by_label("Strategy").select_option(index=1)
    now = replace(now, strategy="fsdp")
    agree(page, now)
    step = timeline(now)
    expect(page.locator(".u-live")).to_contain_text(f"efficiency {100 * step.efficiency:.1f} %")
    expect(page.locator(".u-timeline-key")).to_contain_text("all-gather")
    page.get_by_role("button", name="Reset").click()
    agree(page, START)
    expect(page.get_by_role("button", name="Overlap")).to_have_attribute("aria-pressed", "true")


def test_lanes_stand_where_their_times_are(page: Page, mount: Mount) -> None:
    mount(page, TrainingTimeline(replace(START, workers=2)))
    step = timeline(replace(START, workers=2))
    rects = page.locator(".u-timeline .u-span.is-backward")
    drawn = rects.evaluate_all("all => all.map(el => [+el.getAttribute('x'), +el.getAttribute('width')])")
    spans = [span for span in step.compute if span.kind == "backward"] * 2
    scale = drawn[0][1] / (spans[0].end - spans[0].start)
    zero = drawn[0][0] - scale * spans[0].start
    for (x, width), span in zip(drawn, spans, strict=True):
        assert (x - zero) / scale == pytest.approx(span.start, abs=1e-6)
        assert width / scale == pytest.approx(span.end - span.start, abs=1e-6)


def test_a_kernel_hears_and_is_heard(page: Page) -> None:
    widget = TrainingTimeline(START)
    page.goto("about:blank")
    page.evaluate(
        NOTEBOOK, {"esm": bundle.esm(widget.name), "state": widget.state(), "kept": [*asdict(START)]}
    )
    page.get_by_label("Workers", exact=True).press("End")
    assert page.evaluate("saved.at(-1)") == pytest.approx({**asdict(START), "workers": 8})
    page.evaluate("model.set('buckets', 2)")
    agree(page, replace(START, workers=8, buckets=2))
    page.evaluate("stop()")
    page.evaluate("model.set('buckets', 7)")
    agree(page, replace(START, workers=8, buckets=2))


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1000])
def test_accessible_and_never_wider_than_the_page(
    new_page: Any, mount: Mount, violations: Callable[[Page], list[str]], theme: str, width: int
) -> None:
    page = new_page(viewport={"width": width, "height": 800})
    mount(page, TrainingTimeline(replace(START, workers=8), title="<b>Eight</b>"), theme=theme)
    page.get_by_label("Strategy").select_option(index=1)
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    expect(page.locator(".unrolled b")).to_have_count(0)


def test_the_fallback_holds_the_numbers(new_page: Any) -> None:
    page = new_page(java_script_enabled=False)
    page.set_content(TrainingTimeline(START).static_html())
    expect(page.locator("tbody tr")).to_have_count(8)
    step = timeline(replace(START, workers=5))
    cells = page.locator("tbody tr").nth(4).locator("td").all_inner_texts()
    assert cells[0] == f"{step.step_ms:.1f}"
    assert cells[2] == f"{step.speedup:.1f}"
    expect(page.locator("caption")).to_contain_text("DDP, a model of 340 MB, 7 GB/s, 20 µs a message")


def test_python_says_what_it_expected() -> None:
    with pytest.raises(TypeError, match="setting: expected a Setting, got int"):
        TrainingTimeline(3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="workers: expected 1 to 8 to be drawn, got 9"):
        TrainingTimeline(Setting(9))
    with pytest.raises(ValueError, match="buckets: expected 1 to 12 to be drawn, got 13"):
        TrainingTimeline(Setting(buckets=13))
    widget = TrainingTimeline(START)
    with pytest.raises(ValueError, match="megabytes: expected a number above 0, got -1"):
        widget.megabytes = -1.0
    assert widget.timeline() == timeline(START)
