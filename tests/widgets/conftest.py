"""A minimal page that holds widgets as the book does, and what every widget's test asks of it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.axe import WCAG, run_axe
from unrolled.widgets import bundle
from unrolled.widgets.base import Widget

RULES = [*WCAG, "best-practice"]


NO_ICON = '<link rel="icon" href="data:,">'
"""Without it a browser asks the server for one."""


def widget_page(*widgets: Widget, theme: str = "light", script: bool = True) -> str:
    """Return a page that holds `widgets`, their style sheet and their script."""
    paper, ink = ("#14181e", "#ffffff") if theme == "dark" else ("#ffffff", "#000000")
    code = bundle.page_script(bundle.WIDGETS) if script else ""
    style = f"body {{ background: {paper}; color: {ink}; font: 16px sans-serif }} {bundle.stylesheet()}"
    return (
        f'<!doctype html><html lang="en" data-theme="{theme}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"{NO_ICON}<title>Widgets</title><style>{style}</style></head>"
        f"<body><main><h1>Widgets</h1>{''.join(widget.static_html() for widget in widgets)}</main>"
        f"<script>{code}</script></body></html>"
    )


@pytest.fixture
def mount(tmp_path: Path) -> Callable[..., None]:
    """Return a function that opens a page with widgets from disk, the way a reader without a network does."""

    def open_from_disk(page: Page, *widgets: Widget, **options: Any) -> None:
        path = tmp_path / "page.html"
        path.write_text(widget_page(*widgets, **options), encoding="utf-8")
        page.goto(path.as_uri())

    return open_from_disk


@pytest.fixture
def violations() -> Callable[[Page], list[str]]:
    """Return a function that lists what axe-core holds against a page."""

    def look(page: Page) -> list[str]:
        passed, complaints = run_axe(page, type="tag", values=RULES)
        assert passed
        return complaints

    return look
