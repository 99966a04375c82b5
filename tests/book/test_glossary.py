"""The glossary: each term stands in the chapter that is named as its first place, and in no earlier one.

The notation: each symbol stands in a formula of a chapter.
"""

import re
from pathlib import Path
from typing import NamedTuple

import pytest

from tools import course

BOOK = Path(__file__).parents[2] / "book"

# A term on a line of its own, and what it means, indented.
ENTRY = re.compile(r"^(?P<term>\S.*)\n(?P<meaning>(?:  .+\n)+)", re.MULTILINE)
FIRST = re.compile(r"First in (?:\[chapter (?P<number>\d+)\]|the \[interlude\])\((?P<page>\w+)\.md\)\.$")

# Words that chapters use before they are terms of the field: their first place sets them in bold or heads a
# section.
ORDINARY = {
    *("attention", "head", "beam", "BERT", "block", "gate", "GPT", "key", "mask"),
    *("projection", "query", "temperature", "transformer", "value"),
}


class Entry(NamedTuple):
    term: str
    meaning: str
    page: str
    number: str


def entries() -> list[Entry]:
    text = (BOOK / "glossary.md").read_text(encoding="utf-8")
    listed = text.partition("```{glossary}\n:sorted:\n\n")[2].partition("```")[0]
    found = []
    for entry in ENTRY.finditer(listed):
        first = FIRST.search(entry["meaning"].strip())
        assert first, f"{entry['term']}: expected 'First in [chapter N](NN_name.md).' at the end"
        found.append(Entry(entry["term"], entry["meaning"], first["page"], first["number"] or "interlude"))
    return found


def prose(page: Path) -> str:
    """Return what a page says without its code, its targets and its options, in one line."""
    text = page.read_text(encoding="utf-8")
    for other in (
        r"\A---\n.*?^---\n",
        r"^```\{code-cell\}.*?^```$",
        r"^~~~.*?^~~~$",
        r"^:\w+:[^\n]*$",
        r"(?<=\])\([^)]*\)",
        r"(?:\{\w+\})?`[^`\n]*`",
    ):
        text = re.sub(other, "", text, flags=re.DOTALL | re.MULTILINE if "^" in other else 0)
    return text


PAGES = {page: prose(BOOK / f"{page}.md") for page in course.chapters()}


def stands(entry: Entry, text: str) -> bool:
    word = re.escape(entry.term).replace(r"\ ", r"[\s-]") + "(?:s|es)?"
    if entry.term in ORDINARY:
        return bool(re.search(rf"\*\*{word}\*\*|^##? .*\b{word}\b", text, re.MULTILINE | re.IGNORECASE))
    return bool(re.search(rf"(?<![\w-]){word}(?!\w)", text, re.IGNORECASE))


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry.term)
def test_a_term_stands_in_its_first_place_and_in_no_earlier_chapter(entry: Entry) -> None:
    assert entry.page.startswith(f"{entry.number.zfill(2)}_")
    assert [page for page, text in PAGES.items() if stands(entry, text)][:1] == [entry.page]


def test_no_term_has_two_entries_and_each_is_one_sentence() -> None:
    terms = [entry.term.lower() for entry in entries()]
    assert len(terms) > 80
    assert len(set(terms)) == len(terms)
    for entry in entries():
        said = FIRST.sub("", re.sub(r"\s+", " ", entry.meaning).strip())
        assert re.fullmatch(r"[^.]+\.(?: Also: [^.]+\.)? ", re.sub(r"\d\.\d", "", said)), said


@pytest.mark.parametrize("page", PAGES)
def test_the_prose_of_a_page_reaches_from_its_title_to_its_sources(page: str) -> None:
    """A pattern that ran over the ends of lines would take most of a page with it."""
    heads = re.findall(r"^## (.+)$", PAGES[page], re.MULTILINE)
    assert heads[-2:] == ["What you know now, and what is missing", "Sources"]
    assert "Exercises" in heads
    assert "Quiz" in heads


FORMULA = re.compile(r"\$\$(.+?)\$\$|\$([^$]+)\$|^```\{math\}(.+?)^```", re.DOTALL | re.MULTILINE)


def signs(latex: str) -> str:
    """Return a formula as its signs with spaces between them, the same however it is written."""
    bare = re.sub(r"(?<=[_^])\{(\w)\}", r"\1", latex)
    bare = re.sub(r"\^\{((?:\\prime)+)\}", lambda primes: "'" * primes[1].count("\\"), bare)
    return " ".join(["", *re.findall(r"\\[A-Za-z]+|\S", bare), ""])


def formulas(page: str) -> str:
    found = FORMULA.findall((BOOK / f"{page}.md").read_text(encoding="utf-8"))
    return "\n".join(signs(one or other or third) for one, other, third in found)


def test_every_symbol_is_used_and_every_row_in_the_chapter_it_names() -> None:
    rows = re.findall(
        r"^\| (.+?) \|.*\| chapters? ([\d and]+) \|$", (BOOK / "notation.md").read_text(), re.MULTILINE
    )
    assert len(rows) > 80
    used = {page: formulas(page) for page in course.chapters()}
    for symbols, chapters in rows:
        named = [used[page] for page in used if page[:2].lstrip("0") in re.findall(r"\d+", chapters)]
        each = [
            signs(one) for cell in re.findall(r"\$([^$]+)\$", symbols) for one in re.split(r", (?!h\))", cell)
        ]
        assert any(one in page for one in each for page in named), (symbols, chapters)
        assert [one for one in each if not any(one in page for page in used.values())] == [], symbols
