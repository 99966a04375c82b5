"""What takes the time of a build is done once, however many chapters there are."""

from importlib import metadata
from pathlib import Path

import pytest
from pybtex.database import Entry, Person
from pybtex.plugin import find_plugin
from pybtex.style.formatting import BaseStyle

from tools import pybtex_plugins
from tools.notebooks import generate as generating
from tools.notebooks import source

ROOT = Path(__file__).parents[2]


def test_the_book_is_read_once_for_all_its_chapters(monkeypatch: pytest.MonkeyPatch) -> None:
    read, indexed = [], []
    monkeypatch.setattr(
        generating, "read_book", lambda texts, real=generating.read_book: indexed.append(1) or real(texts)
    )
    monkeypatch.setattr(
        source,
        "read_myst_markdown_notebook",
        lambda text, real=source.read_myst_markdown_notebook, **how: read.append(text) or real(text, **how),
    )
    source._read.cache_clear()
    assert len(generating.generate(ROOT)) > 1
    assert indexed == [1]
    assert len(read) == len(set(read))
    assert source.parser() is source.parser()


def test_what_was_read_once_is_not_changed_by_those_who_use_it() -> None:
    text = (ROOT / "book" / "04_self_attention.md").read_text(encoding="utf-8")
    first = source.read_chapter("04", "book/04.md", text)
    first.cells[0].source = first.front["gpu"] = "changed"
    first.cells[0].metadata["changed"] = True
    again = source.read_chapter("04", "book/04.md", text)
    assert again.cells[0].source != "changed"
    assert again.cells[0].metadata == {}
    assert "gpu" not in again.front


def test_pybtex_asks_no_installed_package_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    pybtex_plugins.register()

    def refuse(**asked: str) -> None:
        pytest.fail(f"looks through every installed package for {asked}")

    monkeypatch.setattr(metadata, "entry_points", refuse)
    monkeypatch.setattr("pybtex.plugin.entry_points", refuse)
    for group, name in (
        ("pybtex.style.formatting", "plain"),
        ("pybtex.backends", "markdown"),
        ("pybtex.style.sorting", "author_year_title"),
        ("pybtex.style.names", "plain"),
        ("pybtex.style.labels", "number"),
    ):
        assert find_plugin(group, name)


def test_a_source_is_formatted_once_for_all_that_cite_it(monkeypatch: pytest.MonkeyPatch) -> None:
    pybtex_plugins.register()
    formatted: list[str] = []
    format_entry = BaseStyle.format_entry
    monkeypatch.setattr(
        BaseStyle,
        "format_entry",
        lambda style, label, entry, *rest: formatted.append(entry.key) or format_entry(style, label, entry),
    )
    fields = {"title": "Finding structure in time", "journal": "Cognitive Science", "year": "1990"}
    elman, other = (Entry("article", fields, {"author": [Person("Elman, J.")]}) for _ in range(2))
    elman.key, other.key = "elman", "other"
    first, second, third = (
        find_plugin("pybtex.style.formatting", "plain")().format_entry(label, entry)
        for label, entry in (("1", elman), ("7", elman), ("2", other))
    )
    assert formatted == ["elman", "other"]
    assert (first.label, second.label, third.label) == ("1", "7", "2")
    assert first.text == second.text == third.text
    assert "Finding structure in time" in str(first.text)
