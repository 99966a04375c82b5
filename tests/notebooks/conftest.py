import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tools import address
from tools.notebooks.__main__ import ROOT
from tools.notebooks.citations import read_bibliography
from tools.notebooks.generate import BOOK, generate, generate_text

FIXTURES = Path(__file__).parent / "fixtures"
FRONT = "---\nfile_format: mystnb\nkernelspec:\n  name: python3\n---\n\n"

Cells = list[dict[str, Any]]


def sources(cells: Cells) -> list[str]:
    return ["".join(cell["source"]) for cell in cells]


@pytest.fixture(scope="session")
def convert() -> Callable[..., Cells]:
    """Give the cells of a chapter of the book of the fixtures, without the two first."""
    bibliography = read_bibliography(FIXTURES / "book" / "references.bib")
    notation = (FIXTURES / "book" / "notation.md").read_text(encoding="utf-8")

    def run(text: str, front: str = FRONT, page: str = "07_test", **facts: Any) -> Cells:
        texts = {page: f"{front}# Title\n\n{text}", "notation": notation}
        cells: Cells = json.loads(
            generate_text(page, texts, bibliography, replace(BOOK, address=address), facts)
        )["cells"]
        return cells[2:]

    return run


@pytest.fixture(scope="session")
def markdown(convert: Callable[..., Cells]) -> Callable[..., str]:
    """Give what a text becomes; the text stands from line 9 of its chapter on."""

    def run(text: str, **facts: Any) -> str:
        return "\n\n".join(sources(convert(text, **facts)))

    return run


@pytest.fixture(scope="session")
def ours() -> dict[str, str]:
    """The notebooks of the book itself."""
    return generate(ROOT)


@pytest.fixture(scope="session")
def everything() -> str:
    """The notebook of the fixture that holds every construct."""
    return generate(FIXTURES)["07_everything"]
