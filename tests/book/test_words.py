"""The words of the frame: all in one file, all asked for, none left in a book of another language."""

import copy
import re
import shutil
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from playwright.sync_api import Page, expect

from tests.book.conftest import ROOT
from tests.book.little import edit
from tools.build_book import BuildError, build
from tools.words import WORDS, Words, WordsError, known, spoken_in, words

NewPage = Callable[..., Page]
ENGLISH: dict[str, Any] = yaml.safe_load((ROOT / WORDS).read_text(encoding="utf-8"))
# Where words are asked for: the extension, the templates, the scripts, and what says how long a chapter runs.
SOURCES = [
    *(ROOT / "book" / "_ext").rglob("*.py"),
    *(ROOT / "book" / "_templates").glob("*.html"),
    *(ROOT / "book" / "_assets").glob("*.js"),
    ROOT / "tools" / "run_times.py",
]
# What a page must not read as HTML, in whatever place its words stand.
HOSTILE = "</script><i class='hostile'>&amp;\"</i>"
LANGUAGE = "de"


def translated(said: Any) -> Any:
    """Return words in a language that has an accent on each vowel and markup behind each text."""
    if isinstance(said, dict):
        return {key: translated(value) for key, value in said.items()}
    parts = re.split(r"(\{\w+\})", said)
    accented = str.maketrans("aeiouyAEIOUY", "áéíóúýÁÉÍÓÚÝ")
    return "".join(part if part.startswith("{") else part.translate(accented) for part in parts) + HOSTILE


def own(path: Path, text: str) -> None:
    """Write a file in the place of a link to that of the real book."""
    path.unlink()
    path.write_text(text, encoding="utf-8")


@pytest.fixture(scope="session")
def abroad(once: Callable[..., Path], sample_editions: Path) -> Path:
    """The folder of the sample's editions in the other language."""

    def fill(root: Path) -> None:
        shutil.copytree(sample_editions.parents[1], root, symlinks=True)
        own(root / WORDS, yaml.safe_dump(translated(ENGLISH), allow_unicode=True))
        settings = root / "book" / "_config.yml"
        own(settings, settings.read_text(encoding="utf-8"))
        edit(settings, "language: en", f"language: {LANGUAGE}")
        for edition in ("book", "handout", "solutions", "slides"):
            build(root, edition=edition)

    return once("sample-abroad", fill) / "book" / "_build"


# Widgets and what the package draws speak English; code, formulas and citations are of no language of ours.
ASIDE = (
    ".unrolled-widget, .unrolled-figure, .search-excerpt, .bibtex-citation, .citation-list, script, style, "
    "svg, math, pre, code, kbd"
)
NAMES = ("title", "aria-label", "placeholder", "alt", "data-printed")


# Without a callback: a page whose scripts are off runs none.
OF_PAGE = """([aside, names]) => {
  const said = [];
  for (const el of document.querySelectorAll("*")) {
    if (el.closest(aside)) continue;
    for (const child of el.childNodes) if (child.nodeType === 3) said.push(child.data);
    for (const name of names) said.push(el.getAttribute(name) ?? "");
    if (el.matches("meta[property='og:image:alt']")) said.push(el.getAttribute("content"));
  }
  return said;
}"""


def of_page(page: Page) -> set[str]:
    """Return what a page says in its texts and attributes now, hidden or not."""
    return {" ".join(text.split()) for text in page.evaluate(OF_PAGE, [ASIDE, NAMES])}


# What names the book, its parts and its sources.
NAMING = ("_config.yml", "_toc.yml", "references.bib")


def written(root: Path) -> str:
    """Return what the pages themselves say: their sources, and the settings with the name of the course."""
    paths = [*(root / "book").glob("*.md"), *(root / "book" / name for name in NAMING)]
    text = " ".join(path.read_text(encoding="utf-8") for path in paths)
    return " ".join(re.sub(r"[*`]", "", text).replace("'", "’").split())


def bare(text: str) -> str:
    """Return a text without the signs and numbers around it."""
    return re.sub(r"^[\W\d_]+|[\W\d_]+$", "", text)


def phrases(said: Any) -> set[str]:
    """Return the texts of the file that stand alone, with nothing put in."""
    if isinstance(said, dict):
        return {text for value in said.values() for text in phrases(value)}
    return set() if "{" in said else {bare(said)}


def in_english(here: Iterable[str], abroad: Iterable[str], source: str) -> list[str]:
    """Return what both say and their sources do not, or the file does; no address."""
    # The sample begins a sentence with a word that the file has, too.
    alone = phrases(ENGLISH) - {"Equation"}
    # A page's title has two parts.
    parts = (part for text in set(here) & set(abroad) for part in text.replace("'", "’").split(" · "))
    both = {bare(part) for part in parts if " " in part or "/" not in part}
    return sorted(text for text in both if len(text) > 1 and (text not in source or text in alone))


def pages_of(folder: Path) -> Iterator[str]:
    return (path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*.html")))


def test_every_key_is_asked_for_and_whatever_is_asked_for_is_a_key() -> None:
    asked = {key for path in SOURCES for key in spoken_in(path.read_text(encoding="utf-8"))}
    assert asked == set(known())
    assert {f"{group}.{key}" for group, keys in ENGLISH.items() for key in keys} == set(known())


@pytest.mark.parametrize("edition", ["html", "handout", "solutions", "slides"])
def test_no_page_abroad_says_anything_in_english(
    abroad: Path, sample_editions: Path, new_page: NewPage, edition: str
) -> None:
    here, there = sample_editions / edition, abroad / edition
    source = written(abroad.parents[1])
    assert list(pages_of(here)) == list(pages_of(there)) != []
    # As they lie on the disk: what is there for a browser without scripts is read, too.
    page = new_page(java_script_enabled=False)
    for name in pages_of(here):
        page.goto((here / name).as_uri())
        said = of_page(page)
        page.goto((there / name).as_uri())
        assert in_english(said, of_page(page), source) == [], name
        expect(page.locator("html")).to_have_attribute("lang", LANGUAGE)
        expect(page.locator(".hostile")).to_have_count(0)


def test_the_archive_speaks_the_language(abroad: Path) -> None:
    with zipfile.ZipFile(abroad / "html" / "notebooks.zip") as archive:
        (readme,) = [name for name in archive.namelist() if name.endswith("README.txt")]
        assert "Ópén thís fóldér" in archive.read(readme).decode("utf-8")


# What the search answers each in its own way: found, found once, not all, mistyped, too common, not there.
QUERIES = ("4.1", "numerators", "numerators softmax", "weigth", "the", "sqaures bears", '"no such line"')


def reads(page: Page, site: Path) -> Iterator[set[str]]:
    """Do whatever makes a script say something, and yield what the page says then."""
    page.goto(f"{site.as_uri()}/04_everything.html")
    page.locator(".theme-switch").click()
    page.locator(".solved input").dispatch_event("click")
    page.locator(".quiz-choice:has(.right) > summary").click()
    expect(page.locator("article pre[aria-label]").first).to_be_attached()
    expect(page.locator(".scrolls[aria-label], .equation-body[aria-label]").first).to_be_attached()
    yield of_page(page)
    page.locator(".copy").first.click()
    page.locator("#reader-open").click()
    page.locator("#memory-on").uncheck()
    page.locator("#memory-on").check()
    yield of_page(page)
    page.keyboard.press("Escape")
    page.get_by_role("heading", level=2).nth(1).evaluate("heading => heading.scrollIntoView()")
    expect(page.locator(".on-this-page [aria-current]")).to_have_count(1)
    page.goto(f"{site.as_uri()}/index.html")
    expect(page.locator("#was-here")).to_be_visible()
    yield of_page(page)
    page.locator("#reader-open").click()
    page.locator("#memory-clear").click()
    yield of_page(page)
    for query in QUERIES:
        page.goto(f"{site.as_uri()}/search.html?q={query}")
        expect(page.get_by_role("status").first).not_to_be_empty()
        yield of_page(page)


def test_no_script_abroad_says_anything_in_english(
    abroad: Path, sample_book: Path, new_page: NewPage
) -> None:
    source = written(abroad.parents[1])
    size = {"width": 420, "height": 800}
    both = zip(
        reads(new_page(viewport=size), sample_book),
        reads(new_page(viewport=size), abroad / "html"),
        strict=True,
    )
    for n, (here, there) in enumerate(both):
        assert in_english(here, there, source) == [], f"step {n}"
        assert any("hostile" in text for text in there)


def test_slides_abroad_say_nothing_in_english(abroad: Path, sample_editions: Path, new_page: NewPage) -> None:
    said = []
    for site in (sample_editions, abroad):
        page = new_page(viewport={"width": 1280, "height": 720})
        page.goto(f"{(site / 'slides').as_uri()}/04_everything.html")
        page.locator(".theme-switch").click()
        expect(page.locator(".pick").first).to_be_attached()
        said.append(of_page(page))
    assert in_english(*said, written(abroad.parents[1])) == []
    assert any(text.startswith("Slídé 1: ") for text in said[1])


BROKEN = [
    ("quiz", "right", None, "expected the key quiz.right, got none"),
    ("quiz", "wright", "Right.", "quiz.wright: expected a key that the book asks for"),
    ("facts", "about", "some min", "facts.about: expected {minutes} in 'some min'"),
    (
        "facts",
        "about",
        "{minutes} {m}",
        "facts.about: expected minutes in braces, got {m} in '{minutes} {m}'",
    ),
    ("facts", "about", "{minutes:d}", "facts.about: expected {minutes} in '{minutes:d}'"),
    ("facts", "about", "{minutes} }", "facts.about: expected braces around a name alone, got '{minutes} }'"),
    ("facts", "about", {"other": "{minutes}"}, "facts.about: expected words, got {'other': '{minutes}'}"),
    ("facts", "about", True, "facts.about: expected words, got True"),
    ("quiz", "right", " ", "quiz.right: expected words, got none"),
    ("times", "hours", {"one": "an hour"}, "times.hours: expected the form other, got none"),
    ("times", "hours", {"other": "hours"}, "times.hours: other: expected {count} in 'hours'"),
    (
        "times",
        "hours",
        {"other": "{count}", "dual": "{count}"},
        "times.hours: dual: expected one of zero, one,",
    ),
    ("times", "hours", {"other": "{count}", "one": 1}, "times.hours: one: expected words, got 1"),
]


@pytest.mark.parametrize(("group", "key", "value", "said"), BROKEN)
def test_words_that_cannot_be_used_are_refused_by_their_key(
    group: str, key: str, value: object, said: str
) -> None:
    broken = copy.deepcopy(ENGLISH)
    broken[group][key] = value
    if value is None:
        del broken[group][key]
    with pytest.raises(WordsError, match=re.escape(f"{WORDS}: {said}")):
        Words(broken, "en")


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(WordsError) as refused:
        Words({"quiz": "all", "page": {}}, "en")
    lines = str(refused.value).splitlines()
    assert len(lines) == len(known()) + 1


@pytest.mark.parametrize(
    ("key", "given", "said"),
    [
        ("facts.abut", {"minutes": 3}, f"expected a key of {WORDS}, got 'facts.abut'"),
        ("facts.about", {}, "facts.about: expected minutes for its words, got nothing"),
        ("facts.about", {"min": 3}, "facts.about: expected minutes for its words, got min"),
    ],
)
def test_whoever_asks_for_words_gives_what_belongs_into_them(
    key: str, given: dict[str, int], said: str
) -> None:
    with pytest.raises(WordsError, match=re.escape(said)):
        words(ROOT)(key, **given)


@pytest.mark.parametrize(
    ("text", "said"),
    [(None, "got no such file"), ("a: [", "expected YAML"), ("- a", "expected groups of keys, got list")],
)
def test_a_file_that_is_none_is_refused(tmp_path: Path, text: str | None, said: str) -> None:
    (tmp_path / "book").mkdir()
    if text is not None:
        (tmp_path / WORDS).write_text(text, encoding="utf-8")
    with pytest.raises(WordsError, match=said):
        words(tmp_path)


def test_a_book_is_built_with_good_words_only_and_anew_when_they_change(own_root: Path) -> None:
    page = own_root / "book" / "_build" / "html" / "references.html"
    text = (own_root / WORDS).read_text(encoding="utf-8")
    own(own_root / WORDS, text.replace("  skip: Skip to the text\n", ""))
    with pytest.raises(BuildError, match=r"expected the key page\.skip, got none"):
        build(own_root)
    assert "Skip to the text" in page.read_text(encoding="utf-8")
    (own_root / WORDS).write_text(text.replace("Skip to the text", "Off to the text"), encoding="utf-8")
    build(own_root)
    assert "Off to the text" in page.read_text(encoding="utf-8")


POLISH = {
    "one": "{count} miejsce ({words})",
    "few": "{count} miejsca ({words})",
    "many": "{count} miejsc ({words})",
    "other": "{count} miejsca, {words}",
}


def test_pages_and_scripts_choose_the_same_form(new_page: NewPage) -> None:
    polish = copy.deepcopy(ENGLISH)
    polish["search"]["found"] = POLISH
    say = Words(polish, "pl")
    script = (ROOT / "book" / "_assets" / "words.js").read_text(encoding="utf-8")
    page = new_page()
    page.set_content(
        f'<html lang="pl"><script type="application/json" data-words>{say.json(["search.found"])}</script>'
        f"<script>{script}</script>"
    )
    counts = [0, 1, 2, 5, 12, 22, 1.5]
    here = [say("search.found", count=count, words="<b>$&") for count in counts]
    there = [
        page.evaluate("count => say('search.found', { count, words: '<b>$&' })", count) for count in counts
    ]
    assert here == there
    assert here[:4] == ["0 miejsc (<b>$&)", "1 miejsce (<b>$&)", "2 miejsca (<b>$&)", "5 miejsc (<b>$&)"]
