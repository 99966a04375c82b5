"""The course's title and chapters: for code they stand in ``book/_config.yml`` and ``_toc.yml`` alone."""

import re
from functools import cache
from pathlib import Path

import yaml

__all__ = ["chapters", "is_chapter", "title"]

ROOT = Path(__file__).parents[1]


@cache
def title() -> str:
    """Return the title."""
    return str(yaml.safe_load((ROOT / "book" / "_config.yml").read_text(encoding="utf-8"))["title"])


def is_chapter(page: str) -> bool:
    """Tell whether a page is a chapter by its name: one with a number, or the interlude, which has none."""
    return re.match(r"(?:\d+|interlude)_", Path(page).name) is not None


def chapters(root: Path = ROOT) -> list[str]:
    """Return the chapters of the book of the repository at `root`, in the order of its table of contents."""
    contents = yaml.safe_load((root / "book" / "_toc.yml").read_text(encoding="utf-8"))
    parts = contents.get("parts", [contents])  # a book may have none
    pages = [page["file"] for part in parts for page in part.get("chapters", [])]
    return [page for page in pages if is_chapter(page)]
