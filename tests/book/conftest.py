"""The built book, and a sample that holds one of everything, as folders and as a site."""

import shutil
from collections.abc import Callable
from pathlib import Path

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
    for name in ("_config.yml", "_words.yml", "_ext", "_assets", "_templates"):
        (root / "book" / name).symlink_to(ROOT / "book" / name)
    for path in SAMPLE.iterdir():
        shutil.copyfile(path, root / "book" / path.name)
    (root / "notebooks" / "04_everything.ipynb").write_text(
        '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'
    )


def build_sample(root: Path) -> None:
    """Lay out the sample's repository at `root` and build its book, every cell run afresh."""
    copy_platform(root)
    build(root)


@pytest.fixture(scope="session")
def sample_root(once: Callable[..., Path]) -> Path:
    """The sample's repository with its built book, which nobody changes."""
    return once("sample", build_sample)


@pytest.fixture(scope="session")
def sample_book(sample_root: Path) -> Path:
    return sample_root / "book" / "_build" / "html"


@pytest.fixture(scope="session")
def sample_editions(once: Callable[..., Path], sample_root: Path) -> Path:
    """The folder of the sample's editions, which were all built of one copy of it."""

    def fill(root: Path) -> None:
        shutil.copytree(sample_root, root, symlinks=True)
        said: list[str] = []
        for edition in ("handout", "solutions", "slides"):
            build(root, say=said.append, edition=edition)
        assert said == [], "no cell runs again for an edition"

    return once("sample-editions", fill) / "book" / "_build"


@pytest.fixture
def own_root(sample_root: Path, tmp_path: Path) -> Path:
    """A copy of the sample's repository, outputs of its cells and all, for a test that changes it."""
    return Path(shutil.copytree(sample_root, tmp_path / "root", symlinks=True))


@pytest.fixture(params=["book", "sample"])
def site(request: pytest.FixtureRequest) -> Path:
    """The folder of pages: first of the book, then of the sample."""
    return Path(request.getfixturevalue("built_book" if request.param == "book" else "sample_book"))


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
