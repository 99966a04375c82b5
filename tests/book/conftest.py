"""The built book, and a sample that holds one of everything, as folders and as a site."""

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.book.answers import Open
from tools.build_book import build

ROOT = Path(__file__).parents[2]
SAMPLE = Path(__file__).parent / "sample" / "book"


def copy_platform(root: Path) -> None:
    """Lay out a repository at `root` with the real platform and the sample's chapters."""
    (root / "book").mkdir(parents=True)
    (root / "notebooks").mkdir()
    for name in ("src", "tools", "pyproject.toml", "requirements.lock"):
        (root / name).symlink_to(ROOT / name)
    for name in ("_config.yml", "_ext", "_assets", "_templates"):
        (root / "book" / name).symlink_to(ROOT / "book" / name)
    for path in SAMPLE.iterdir():
        shutil.copyfile(path, root / "book" / path.name)
    (root / "notebooks" / "04_everything.ipynb").write_text(
        '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'
    )


@pytest.fixture(scope="session")
def built_book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the real book, cells from the cache where nothing changed.

    The pages are a copy: while the tests look at them, somebody may build again.
    """
    return Path(shutil.copytree(build(), tmp_path_factory.mktemp("book") / "html"))


@pytest.fixture(scope="session")
def sample_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("sample") / "root"
    copy_platform(root)
    return root


@pytest.fixture(scope="session")
def sample_book(sample_root: Path) -> Path:
    """Build the sample, its cells run afresh."""
    return build(sample_root)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: Any) -> None:
        """Say nothing: the browser reports what is missing."""


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    """Serve `folder` on this machine; yield the address, with a last slash."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="session", params=["book", "sample"])
def site(request: pytest.FixtureRequest) -> Path:
    """The folder of pages: first of the book, then of the sample."""
    return Path(request.getfixturevalue("built_book" if request.param == "book" else "sample_book"))


@pytest.fixture(params=["http", "file"])
def address(request: pytest.FixtureRequest, site: Path) -> Iterator[str]:
    """Where the pages are opened: from a server, and from the disk."""
    if request.param == "file":
        yield f"{site.as_uri()}/"
    else:
        with _served(site) as url:
            yield url


@pytest.fixture
def serve() -> Iterator[Callable[[Path], str]]:
    """Return a function that serves a folder until the test is over, and returns its address."""
    with ExitStack() as stack:
        yield lambda folder: stack.enter_context(_served(folder))


@pytest.fixture(params=["http", "file"])
def where(request: pytest.FixtureRequest, built_book: Path, serve: Callable[[Path], str]) -> str:
    """Where the book's pages are opened."""
    return serve(built_book) if request.param == "http" else f"{built_book.as_uri()}/"


@pytest.fixture
def open_widget(where: str, page: Page) -> Open:
    """Return a function that opens a page and returns its one widget of a kind, answering."""

    def open_it(name: str, kind: str) -> Locator:
        page.goto(where + name)
        widget = page.locator(f'.unrolled-widget[data-widget="{kind}"][data-mounted="true"]')
        expect(widget).to_have_count(1)
        widget.scroll_into_view_if_needed()
        return widget

    return open_it
