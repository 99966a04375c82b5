"""The browser every test of pages drives, the watch kept on what its pages do, and what workers share.

`make test` runs the tests in several processes, one for each core, and each has a browser of its own.
"""

import os
import random
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import matplotlib as mpl
import numpy as np
import pytest
import torch
from filelock import FileLock
from hypothesis import settings
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page, expect, sync_playwright

from tests.served import served
from tools import browser as finder
from tools.build_book import build

# One thread for each process, also for those that tests start: the cores are taken by the other workers. It
# stands here since torch reads it once, when it is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# How long to wait for what a page is about to show, in milliseconds: a busy machine is no fault of the page.
PATIENCE = 60_000
expect.set_options(timeout=PATIENCE)
# The same examples in every run, and no clock: how long one takes says nothing on a busy machine.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")
# Figures are drawn without a screen.
mpl.use("agg")
# What is committed carries the declared address. In the Actions of a fork the tests must still compare with
# that one; the published book is built outside of them.
os.environ.pop("GITHUB_REPOSITORY", None)


def is_local(url: str) -> bool:
    """Tell whether a request stays on this machine."""
    parts = urlsplit(url)
    if parts.scheme in ("file", "data", "blob", "about"):
        return True
    return parts.scheme in ("http", "ws") and parts.hostname == "127.0.0.1"


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Give each test the random numbers it would have alone.

    Workers take tests from one another, so that what ran before in a process differs from run to run.
    """
    torch.manual_seed(0)
    np.random.seed(0)
    random.seed(0)


@pytest.fixture(autouse=True)
def _close_figures() -> Iterator[None]:
    """Leave no figure open in which the next test would draw."""
    yield
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close("all")


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
def once(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Callable[..., Path]:
    """Return a function that has a folder filled by whoever asks first, and returns it to all workers."""
    own = tmp_path_factory.getbasetemp()
    run = own.parent if hasattr(pytestconfig, "workerinput") else own

    def get(name: str, fill: Callable[[Path], object]) -> Path:
        folder, half_done = run / name, run / f"{name}-half-done"
        with FileLock(run / f"{name}.lock"):
            if not folder.is_dir():
                shutil.rmtree(half_done, ignore_errors=True)
                fill(half_done)
                half_done.rename(folder)
        return folder

    return get


@pytest.fixture(scope="session")
def built_book(once: Callable[..., Path]) -> Path:
    """Build the real book, cells from the cache where nothing changed.

    The pages are a copy: while the tests look at them, somebody may build again.
    """
    return once("built-book", lambda folder: shutil.copytree(build(), folder))


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
        context.set_default_timeout(PATIENCE)
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


@pytest.fixture
def serve() -> Iterator[Callable[[Path], str]]:
    """Return a function that serves a folder until the test is over, and returns its address."""
    with ExitStack() as stack:
        yield lambda folder: stack.enter_context(served(folder))


@pytest.fixture
def in_double() -> Iterator[None]:
    """Make float64 what torch makes of numbers, until the test is over."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)
