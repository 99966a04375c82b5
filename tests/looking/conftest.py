"""A page that `save_html` wrote, in a browser without a network."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from unrolled import Look


@pytest.fixture
def saved(new_page: Callable[..., Page], tmp_path: Path) -> Callable[..., Page]:
    """Return a function that saves a `Look`, opens it by double click, and returns the page."""

    def open_it(look: Look, **options: Any) -> Page:
        page = new_page(**options)
        page.goto(look.save_html(tmp_path / "look.html").as_uri())
        return page

    return open_it
