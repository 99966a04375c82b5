"""The interlude: its thirty lines are the library's, by its rule for ties, its words and its bytes alone."""

import re
from collections import Counter
from typing import Any

import pytest

from tests.book.cells import BOOK, CELL, run
from unrolled.data.text import corpus
from unrolled.data.tokenizers import BytePairs, gpt2_words
from unrolled.data.two_tales import three_bears, three_little_pigs

LINE = "bears bear ear bed"


@pytest.fixture(scope="module")
def page() -> dict[str, Any]:
    cells = "def learn(", "merges = learn(bears", "def cut("
    return run("interlude_tokens", *cells, given={"bears": three_bears()})


def by_library(text: str, n: int) -> list[tuple[int, int]]:
    pairs = BytePairs.train([text], vocab_size=256 + n, special=[])
    return [(left, right) for left, right, _ in pairs.merges]


def learned(page: dict[str, Any], text: str, n: int, best: str) -> list[tuple[int, int]]:
    """Return the merges of the page's own code with another choice of the best pair."""
    cells = CELL.findall((BOOK / "interlude_tokens.md").read_text(encoding="utf-8"))
    code = next(cell for cell in cells if "def learn(" in cell)
    assert "min(pairs, key=lambda p: (-pairs[p], p), default=None)" in code
    scope = dict(page)
    exec(code.replace("min(pairs, key=lambda p: (-pairs[p], p), default=None)", best), scope)
    return list(scope["learn"](text, n))


def test_the_code_has_thirty_lines() -> None:
    cells = CELL.findall((BOOK / "interlude_tokens.md").read_text(encoding="utf-8"))
    code = next(cell for cell in cells if "def learn(" in cell)
    body = code[code.index("def merged(") :]
    assert 25 <= len([line for line in body.splitlines() if line.strip()]) <= 32


@pytest.mark.parametrize(
    "text", [three_bears(), three_little_pigs(), corpus(9_000), "Grüße, 你好 🐻🐻! " * 7], ids=range(4)
)
def test_the_merges_are_the_librarys(page: dict[str, Any], text: str) -> None:
    merges = page["learn"](text, 233)
    assert list(merges) == by_library(text, 233)
    pairs = BytePairs.train([text], vocab_size=256 + len(merges), special=[])
    other = three_little_pigs() + "🐻 Zoë ab\n\n  c"
    assert page["encode"](other, merges) == pairs.encode(other)


@pytest.mark.parametrize(
    "best",
    [
        "max(pairs, key=pairs.get, default=None)",  # the first that was seen
        "max(pairs, key=lambda p: (pairs[p], p), default=None)",  # the largest ids
        "min(pairs, key=lambda p: (-pairs[p], p[::-1]), default=None)",  # the right one first
    ],
)
def test_another_rule_for_ties_learns_something_else(page: dict[str, Any], best: str) -> None:
    for text in (LINE, three_bears()):
        assert learned(page, text, 50, best) != by_library(text, 50), text


def test_first_seen_makes_bear_a_token_of_the_line_and_the_rule_does_not(page: dict[str, Any]) -> None:
    def spelled(merges: list[tuple[int, int]]) -> list[bytes]:
        table = {i: bytes([byte]) for byte, i in page["BYTES"].items()}
        for n, (left, right) in enumerate(merges):
            table[256 + n] = table[left] + table[right]
        return [table[256 + n] for n in range(len(merges))]

    assert spelled(list(page["learn"](LINE, 10))) == [b"ar", b"be", b" be"]
    assert spelled(learned(page, LINE, 10, "max(pairs, key=pairs.get, default=None)")) == [
        b"be",
        b"ar",
        b"bear",
    ]


def test_without_words_the_merges_are_others(page: dict[str, Any]) -> None:
    scope = dict(page)
    code = next(
        cell
        for cell in CELL.findall((BOOK / "interlude_tokens.md").read_text(encoding="utf-8"))
        if "def learn(" in cell
    )
    exec(re.sub(r"WORD = re\.compile\(.*?\n\)", 'WORD = re.compile("(?s).+")', code, flags=re.DOTALL), scope)
    assert list(scope["learn"](three_bears(), 20)) != by_library(three_bears(), 20)


def test_characters_in_place_of_bytes_do_not_know_the_pigs(page: dict[str, Any]) -> None:
    assert set(three_little_pigs()) - set(three_bears())
    for text in ("🐻", "भालू", "?"):
        assert page["encode"](text, page["merges"])
        assert not set(text) <= set(three_bears())


def test_the_pattern_of_the_page_is_gpt2s_on_real_text(page: dict[str, Any]) -> None:
    for text in (three_bears(), three_little_pigs(), "it's  2026, isn't it?\n\n x_y "):
        assert page["WORD"].findall(text) == gpt2_words(text)
    assert Counter(page["WORD"].findall("a  b")) == Counter(["a", " ", " b"])
