"""Every widget in a page of headless Chromium, and a reader who does whatever comes to hand, from a seed.

Some pages hold the widget of `tests.widgets.every`, the others the same with hostile arguments that its
Python side has let pass. The events are those of the page's own script: trusted input differs in what the
browser does before a widget hears of it.
"""

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tools.experiments.reliability.mutations import HOSTILE
from tools.experiments.reliability.readers import Verdict

__all__ = ["check_pages", "chromium"]

_SCRIPT = Path(__file__).with_name("fuzz.js").read_text(encoding="utf-8")
_HIT = "globalThis.hits = 0; globalThis.hit = () => { globalThis.hits += 1; };"


@contextmanager
def chromium() -> Iterator[Any]:
    """Yield a browser."""
    from playwright.sync_api import sync_playwright

    from tools import browser

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=browser.find(), args=browser.arguments())
        try:
            yield opened
        finally:
            opened.close()


def check_pages(opened: Any, name: str, made: list[Any], n: int, seed: int = 0, events: int = 250) -> Verdict:
    """Fire `n` events at a widget, in pages of `events` each.

    Args:
        opened: a browser.
        name: of the widget in `tests.widgets.every`.
        made: further widgets of the kind, which take turns with it.
        n: how many events.
        seed: where chance starts.
        events: how many in one page.
    """
    from tests.widgets.conftest import widget_page
    from tests.widgets.every import WIDGETS

    verdict = Verdict(Counter(), [])
    said: list[str] = []

    def dismiss(dialog: Any) -> None:
        said.append("a dialog")
        dialog.dismiss()

    page = opened.new_page()
    page.set_default_timeout(120_000)
    page.add_init_script(_HIT)
    page.on("dialog", dismiss)
    page.on("pageerror", lambda error: said.append(f"error: {error}"))
    page.on("console", lambda line: said.append(f"console: {line.text}") if line.type == "error" else None)
    page.on(
        "request",
        lambda request: said.append(f"request: {request.url[:200]}") if _outside(request.url) else None,
    )
    links = _links(page, widget_page(WIDGETS[name].make()))
    left, turn = n, 0
    while left > 0:
        chance = random.Random(f"{name}-{seed}-{turn}")
        widget = WIDGETS[name].make() if turn % 2 == 0 or not made else made[turn // 2 % len(made)]
        size = min(left, events)
        said.clear()
        _show(page, widget_page(widget))
        found = page.evaluate(
            f"(given) => ({_SCRIPT})(given)",
            {"seed": chance.randrange(2**32), "events": size, "texts": list(HOSTILE), "links": links},
        )
        verdict.answers.update(found["kinds"])
        for wrong in [*found["wrong"], *said]:
            verdict.failures.append(f"{name}, page {turn}, seed {seed}: {wrong}")
            print(verdict.failures[-1][:400], flush=True)
        left, turn = left - size, turn + 1
    page.close()
    return verdict


def _outside(url: str) -> bool:
    return not url.startswith(("data:", "blob:", _ADDRESS))


_ADDRESS = "http://127.0.0.1:9/page.html"


def _show(page: Any, html: str) -> None:
    """Show a page at an address that nobody has to answer."""
    page.unroute_all()
    page.route(
        "**/*",
        lambda route: (
            route.fulfill(body=html, content_type="text/html; charset=utf-8")
            if route.request.url.startswith(_ADDRESS)
            else route.abort()
        ),
    )
    page.goto(_ADDRESS)


def _links(page: Any, html: str) -> list[str]:
    """Return what "Copy link" gives after a few changes."""
    _show(page, html)
    found = []
    for _ in range(3):
        for control in page.locator(".unrolled-live input[type='range'], .unrolled-live select").all()[:2]:
            if control.is_visible():
                control.press("ArrowRight")
        page.get_by_role("button", name="Copy link").first.click()
        field = page.get_by_label("Link to this view")
        if field.count():
            found.append("#" + field.first.input_value().partition("#")[2])
        else:
            found.append(
                "#" + page.evaluate("navigator.clipboard.readText().catch(() => '#')").partition("#")[2]
            )
    return [link for link in found if link.startswith("#view=")]
