"""Waiting for a page."""

from typing import Any

from playwright.sync_api import Page

__all__ = ["wait_until"]

# How often a page is asked, in milliseconds.
EVERY = 50


def wait_until(page: Page, holds: str, arg: Any = None, within: float | None = None) -> None:
    """Wait until an expression, or a function of `arg`, holds in a page: for 60 seconds, or `within` so many.

    It is asked by the clock. Playwright asks with every frame, and on a busy machine a page in which nothing
    moves may paint none for a minute.
    """
    limit = None if within is None else 1000 * within
    page.wait_for_function(holds, arg=arg, polling=EVERY, timeout=limit)
