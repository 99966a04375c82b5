"""The browser every test of pages and widgets drives, and the watch kept on what its pages do."""

import os
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page, sync_playwright

from tools import browser as finder

# What is committed carries the declared address. In the Actions of a fork the tests must still compare with
# that one; the published book is built outside of them.
os.environ.pop("GITHUB_REPOSITORY", None)


def is_local(url: str) -> bool:
    """Tell whether a request stays on this machine."""
    parts = urlsplit(url)
    if parts.scheme in ("file", "data", "blob", "about"):
        return True
    return parts.scheme in ("http", "ws") and parts.hostname == "127.0.0.1"


class Watch:
    """What went wrong in the pages of one context: `troubles` is empty as long as nothing has."""

    def __init__(self, context: BrowserContext) -> None:
        self.troubles: list[str] = []
        context.on("console", self._console)
        context.on("weberror", lambda error: self.troubles.append(f"page error: {error.error}"))
        context.on("request", lambda request: self._request(request.url))
        context.on("page", lambda page: page.on("websocket", lambda socket: self._request(socket.url)))

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.troubles.append(f"console error: {message.text} ({message.location.get('url', '')})")

    def _request(self, url: str) -> None:
        if not is_local(url):
            self.troubles.append(f"request that leaves the machine: {url[:200]}")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start one Chromium for the whole run. It resolves no names; without a browser the tests fail."""
    path = finder.find_or_fetch()
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=finder.arguments())
        yield chromium
        chromium.close()


@pytest.fixture
def new_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Return a function that opens a page in a context of its own.

    It takes what `Browser.new_context` takes, such as ``viewport={"width": 360, "height": 740}``,
    ``color_scheme="dark"``, ``has_touch=True`` or ``java_script_enabled=False``. When the test is over, it
    fails if any page logged an error, threw one, or asked another machine for something.
    """
    opened: list[tuple[BrowserContext, Watch]] = []

    def open_page(**options: Any) -> Page:
        context = browser.new_context(**options)
        opened.append((context, Watch(context)))
        return context.new_page()

    yield open_page
    for context, _ in opened:
        for page in context.pages:
            try:
                page.evaluate("0")  # A round trip: whatever was logged until now has arrived.
            except Error as error:
                if "closed" not in str(error).lower():
                    raise
        context.close()
    troubles = [trouble for _, watch in opened for trouble in watch.troubles]
    if troubles:
        pytest.fail("in the browser:\n  " + "\n  ".join(troubles), pytrace=False)


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    """Open one page with the usual desktop settings; watched as `new_page` says."""
    return new_page()
