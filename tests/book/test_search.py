"""The search: what is asked for comes first, the answer is plain, and a result opens where the words stand.

Everything is asked over file://, as a reader with a folder and no network asks it.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.axe import WCAG, run_axe
from tests.waiting import wait_until

NewPage = Callable[..., Page]


class Result(NamedTuple):
    place: str
    """The page and the id in it."""
    title: str
    excerpt: str


def ask(page: Page, site: Path, query: str) -> str:
    """Open the search with a query; return what it says of it."""
    page.goto(f"{site.as_uri()}/search.html?q={quote(query)}")
    expect(page.get_by_role("status")).not_to_be_empty()
    return page.get_by_role("status").inner_text()


def results(page: Page) -> list[Result]:
    found = page.locator("#search-results li").evaluate_all(
        """all => all.map((li) => [li.querySelector("a").href, li.querySelector("a").textContent,
          li.querySelector(".search-excerpt")?.textContent ?? ""])"""
    )
    places = [(urlsplit(address), title, excerpt) for address, title, excerpt in found]
    return [
        Result(f"{Path(at.path).name}#{at.fragment}".removesuffix("#"), title, excerpt)
        for at, title, excerpt in places
    ]


# What is asked, and the place that must come first; a chapter is named by its number.
ASKED = [
    # Terms, in any number, and by the names that papers have for them.
    ("attention", "glossary.html#term-attention"),
    ("queries", "glossary.html#term-query"),
    ("self attention", "glossary.html#term-self-attention"),
    ("feedforward layer", "glossary.html#term-feed-forward-layer"),
    ("KV cache", "glossary.html#term-KV-cache"),
    ("skip connection", "glossary.html#term-residual-connection"),
    ("RoPE", "glossary.html#term-rotary-positions"),
    ("BPTT", "glossary.html#term-backpropagation-through-time"),
    # Headings.
    ("softmax competition", "04#softmax-is-a-competition"),
    ("why divide by the square root", "05#why-divide-by-the-square-root"),
    ("paint shop", "04#the-paint-shop"),
    # Symbols.
    ("d_model", "notation.html#symbol-d"),
    ("tau", "notation.html#symbol-tau"),
    ("W_o", "notation.html#symbol-w-o"),
    ("√d", "05#why-divide-by-the-square-root"),
    ("sqrt(d_k)", "05#why-divide-by-the-square-root"),
    # Numbers.
    ("exercise 4.2", "04#ex-weights"),
    ("Equation 4.4", "04#equation-eq-self-attention"),
    ("chapter 10", "10#"),
    # One typo: a letter missing, one too many, another one, two that changed places.
    ("atention", "glossary.html#term-attention"),
    ("sofftmax", "glossary.html#term-softmax"),
    ("embadding", "glossary.html#term-embedding"),
    ("transfromer", "glossary.html#term-transformer"),
    # A line in quotes.
    (
        '"keys and values may come from elsewhere"',
        "05#what-you-know-now-and-what-is-missing",
    ),
]


def wanted(site: Path) -> dict[str, str]:
    """Return what must come first for each query; a chapter that a fork has taken out is not asked for."""
    places = {}
    for query, place in ASKED:
        number, _, anchor = place.partition("#")
        if not number.isdigit():
            places[query] = place
        elif pages := list(site.glob(f"{number}_*.html")):
            places[query] = f"{pages[0].name}#{anchor}".removesuffix("#")
    return places


def test_what_is_asked_for_comes_first(built_book: Path, new_page: NewPage) -> None:
    page = new_page()
    first = {}
    for query in wanted(built_book):
        ask(page, built_book, query)
        first[query] = (results(page) or [Result("nothing", "", "")])[0].place
    assert first == wanted(built_book)
    assert len(first) > 12


def test_every_term_and_every_other_name_leads_to_the_glossary(built_book: Path, new_page: NewPage) -> None:
    """A name that two terms share, such as *gate*, leads to both."""
    page = new_page()
    ask(page, built_book, "zymurgy")
    lost = page.evaluate(
        """() => Search.places.filter(({ kind }) => kind === "term").flatMap((term) =>
          [term.title, ...term.names].filter((name) => !Search.ask(name).found.slice(0, 2).includes(term)))"""
    )
    assert lost == []


def test_other_names_find_what_the_book_says_under_its_own(built_book: Path, new_page: NewPage) -> None:
    page = new_page()
    ask(page, built_book, "skip connection")
    found = results(page)
    assert any(re.match(r"\d\d_", place) and "residual" in excerpt.lower() for place, _, excerpt in found)


@pytest.mark.parametrize("word", ["constructor", "__proto__", "hasOwnProperty", "toString", "zymurgy"])
def test_a_word_of_no_page_is_told_so(sample_book: Path, new_page: NewPage, word: str) -> None:
    page = new_page()
    assert ask(page, sample_book, word) == f"No page holds “{word.lower()}”."
    expect(page.locator("#search-results a")).to_have_count(0)


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("the", "Nearly every page holds “the”: look for a rarer word."),
        ("?!", "Expected words to look for, got “?!”."),
        ("numerators zymurgy", "No page holds “zymurgy”."),
        ("Numerators", "1 place holds “numerators”."),
        (
            "nummerators",
            "No page holds “nummerators”; this is about “numerators”. 1 place holds “numerators”.",
        ),
        ('"sum of the numerators"', "1 place holds “sum of the numerators”."),
        ('"numerators of the sum"', "No place holds all of “numerators of the sum”."),
        ("numerators pyplot", "No place holds all of “numerators” and “pyplot”; these hold some."),
        ("<img src=x onerror=alert(1)>", "No page holds “img”, “src”, “onerror” and “alert”."),
        ("</script><script>alert(1)</script>", "No page holds “script” and “alert”."),
    ],
)
def test_the_answer_is_plain(sample_book: Path, new_page: NewPage, query: str, told: str) -> None:
    page = new_page()
    page.on("dialog", lambda dialog: pytest.fail(f"a query ran as a script: {dialog.message}"))
    assert ask(page, sample_book, query) == told


def test_a_result_shows_its_line_and_where_it_stands(sample_book: Path, new_page: NewPage) -> None:
    page = new_page()
    ask(page, sample_book, "Numerators")
    (found,) = results(page)
    assert found.place == "04_everything.html#boxes"
    assert "The sum of the numerators is the denominator." in found.excerpt
    assert page.locator(".search-excerpt mark").all_inner_texts() == ["numerators"]
    expect(page.locator(".search-where")).to_have_text("Everything a chapter may hold")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("BPTT", "Glossary · also: BPTT"),
        ("padding_mask", "Models · unrolled.nn.padding_mask"),
        ("softmax", "Glossary"),  # by its own name
    ],
)
def test_a_result_says_by_which_name_it_was_found(
    built_book: Path, new_page: NewPage, query: str, said: str
) -> None:
    page = new_page()
    ask(page, built_book, query)
    expect(page.locator(".search-where").first).to_have_text(said)


def test_a_result_opens_at_the_words_and_marks_them(where: str, new_page: NewPage) -> None:
    page = new_page(viewport={"width": 1280, "height": 900})
    page.goto(f"{where}search.html?q=softmax+competition")
    page.locator("#search-results li a").first.click()
    heading = page.get_by_role("heading", name="Softmax is a competition")
    expect(heading).to_be_in_viewport()
    expect(heading.locator("mark")).to_have_text(["Softmax", "competition"])
    # The words of widgets and formulas are theirs.
    expect(page.locator(":is(.unrolled-widget, math, svg, .meaning) mark")).to_have_count(0)


def test_a_result_opens_a_fold_that_holds_the_word(sample_book: Path, new_page: NewPage) -> None:
    page = new_page(viewport={"width": 1280, "height": 500})
    ask(page, sample_book, "numerators")
    page.locator("#search-results li a").first.click()
    mark = page.locator("article mark", has_text="numerators")
    expect(mark).to_be_in_viewport()
    assert mark.evaluate("el => el.closest('details').open")


def test_a_symbol_is_marked_in_formulas(built_book: Path, new_page: NewPage) -> None:
    page = new_page()
    ask(page, built_book, "√d")
    page.locator("#search-results li a").first.click()
    marked = page.locator("math.is-sought")
    # It may stand on the page before, too: one that can be seen is in the section that was found.
    wait_until(
        page,
        """() => [...document.querySelectorAll("math.is-sought")].some((one) => {
            const { top, bottom } = one.getBoundingClientRect();
            return bottom > 0 && top < innerHeight;
        })""",
    )
    assert all("\\sqrt" in tex for tex in marked.evaluate_all("all => all.map((el) => el.dataset.tex)"))


def test_a_plural_finds_the_singular(built_book: Path, new_page: NewPage) -> None:
    page = new_page()
    ask(page, built_book, "queries")
    page.locator("#search-results li a").first.click()
    expect(page.locator("dt:target mark")).to_have_text("query")


def test_the_search_works_by_keyboard_and_axe_finds_nothing(
    built_book: Path, serve: Callable[[Path], str], new_page: NewPage
) -> None:
    """From a server: axe reads the style sheets once more, which a page from disk may not."""
    page = new_page()
    page.goto(f"{serve(built_book)}search.html")
    field = page.get_by_role("searchbox")
    field.focus()
    page.keyboard.type("attention")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("places hold “attention”")
    shown = len(results(page))
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        passed, complaints = run_axe(page, type="tag", values=WCAG)
        assert "color-contrast" in passed
        assert complaints == []
    # More of them come when asked for, and the focus goes to the first of these.
    page.get_by_role("button", name="more of").focus()
    page.keyboard.press("Enter")
    assert len(results(page)) > shown
    expect(page.locator("#search-results li a").nth(shown)).to_be_focused()
    page.get_by_role("searchbox").focus()
    page.keyboard.press("Tab")  # the button
    page.keyboard.press("Tab")
    expect(page.locator("#search-results li a").first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("dt#term-attention")).to_be_in_viewport()
