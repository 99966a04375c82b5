"""A term of the glossary in a chapter: linked at its first use, its meaning shown without a script."""

from collections.abc import Callable
from pathlib import Path

import pytest
from docutils import nodes
from playwright.sync_api import Page, expect

from book._ext.course.terms import Passage, Term, first_uses
from tests.axe import WCAG, run_axe
from tests.book.test_glossary import entries
from tools import course

NewPage = Callable[..., Page]
SENTENCE = "Filling up shorter sequences of a batch with a token that is masked."
ORDER = ["01_a", "02_b", "03_c"]


@pytest.fixture(scope="session")
def chapter(built_book: Path) -> str:
    """A chapter that uses the terms this is tried with."""
    pages = [f"{name}.html" for name in course.chapters()]
    texts = {page: (built_book / page).read_text(encoding="utf-8") for page in pages}
    both = ('id="use-padding"', 'id="use-causal-mask"')
    return next(page for page, text in texts.items() if all(use in text for use in both))


def term(name: str, first: str = "", others: tuple[str, ...] = ()) -> Term:
    return Term(name, "glossary", nodes.make_id(name), "", others, first)


def used(passages: list[tuple[str, bool]], page: str, *terms: Term) -> dict[str, str]:
    """Return the words of the first use of each term, with the number of the passage they stand in.

    Of each passage is given its text, and whether it is set in bold.
    """
    written = [Passage(text, "A section", bold) for text, bold in passages]
    return {
        name: f"{use.passage}: {written[use.passage].text[use.start : use.end]}"
        for name, use in first_uses(written, page, terms, ORDER).items()
    }


def test_the_longest_name_wins_and_words_are_whole() -> None:
    passages = [("A causal\nmask masks. Unmasked, bitmask. Masks", False)]
    assert used(passages, "01_a", term("mask"), term("causal mask")) == {
        "causal-mask": "0: causal\nmask",
        "mask": "0: masks",
    }


def test_plurals_and_other_names_are_found_and_words_of_many_meanings_are_not() -> None:
    query = term("query", others=("wish", "QRY"))
    assert used([("A wish, a qry.", False), ("Queries.", False)], "01_a", query) == {"query": "1: Queries"}
    assert used([("A wish, a QRY.", False), ("Queries.", False)], "01_a", query) == {"query": "0: QRY"}
    skip = term("residual connection", others=("skip connection",))
    assert used([("Skip-connections", False)], "01_a", skip) == {skip.anchor: "0: Skip-connections"}
    assert used([("gptlike gpt", False)], "01_a", term("GPT")) == {}


def test_a_chapter_before_the_first_has_the_word_and_not_the_term() -> None:
    key = term("key", first="02_b")
    passages = [("the key to the house", False), ("this is its ", False), ("key", True)]
    assert used(passages, "01_a", key) == {}
    assert used(passages, "02_b", key) == {"key": "2: key"}  # there it is set in bold
    assert used(passages, "03_c", key) == {"key": "0: key"}


def test_every_term_is_linked_in_its_first_chapter_and_the_glossary_says_in_which_section(
    built_book: Path, new_page: NewPage
) -> None:
    page = new_page()
    page.goto(f"{built_book.as_uri()}/glossary.html")
    places = page.locator("dl.glossary > dd").evaluate_all(
        """all => all.map((dd) => {
          const link = [...dd.querySelectorAll("a")].at(-1);
          return [link.getAttribute("href"), link.nextElementSibling?.textContent ?? ""];
        })"""
    )
    assert len(places) == len(entries())
    # A question in the name of a section ends the sentence.
    assert "?." not in page.locator("dl.glossary").inner_text()
    chapters = {name: (built_book / f"{name}.html").read_text(encoding="utf-8") for name in course.chapters()}
    lost = [
        (address, section)
        for address, section in places
        for name, _, anchor in [address.partition(".html#")]
        if not section or f'<dfn class="term" id="{anchor}"' not in chapters.get(name, "")
    ]
    assert lost == []


@pytest.mark.parametrize("scripts", [True, False])
def test_the_sentence_shows_under_the_pointer_with_the_focus_and_at_a_touch(
    built_book: Path, chapter: str, new_page: NewPage, scripts: bool
) -> None:
    page = new_page(java_script_enabled=scripts, viewport={"width": 1000, "height": 700})
    page.goto(f"{built_book.as_uri()}/{chapter}")
    word, meaning = page.locator("#use-padding > a"), page.locator("#use-padding > .meaning")
    word.scroll_into_view_if_needed()
    expect(meaning).to_be_hidden()
    expect(word).to_have_accessible_description(SENTENCE)
    word.hover()
    expect(meaning).to_be_visible()
    expect(meaning).to_contain_text(SENTENCE)
    # The pointer may go into it, to its link.
    meaning.get_by_role("link", name="Glossary").hover()
    expect(meaning).to_be_visible()
    page.mouse.move(5, 5)
    expect(meaning).to_be_hidden()
    word.focus()
    expect(meaning).to_be_in_viewport(ratio=1)
    if scripts:
        page.keyboard.press("Escape")
        expect(meaning).to_be_hidden()
        word.blur()
        word.focus()
        expect(meaning).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("dt#term-padding")).to_be_in_viewport()

    phone = new_page(
        java_script_enabled=scripts, viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True
    )
    phone.goto(f"{built_book.as_uri()}/{chapter}")
    word, meaning = phone.locator("#use-padding"), phone.locator("#use-padding > .meaning")
    word.scroll_into_view_if_needed()
    word.tap()
    expect(meaning).to_be_in_viewport(ratio=1)
    assert phone.url.endswith(chapter)
    meaning.get_by_role("link", name="Glossary").tap()
    expect(phone.locator("dt#term-padding")).to_be_in_viewport()


def test_the_terms_change_nothing_of_how_a_chapter_reads(
    built_book: Path, chapter: str, serve: Callable[[Path], str], new_page: NewPage
) -> None:
    """One stop of the keyboard for each, every sentence whole on the screen, no line moved, axe content.

    From a server: axe reads the style sheets once more, which a page from disk may not.
    """
    page = new_page(viewport={"width": 1000, "height": 700})
    page.goto(f"{serve(built_book)}{chapter}")
    moved = page.evaluate(
        """async () => {
          const wrong = [];
          for (const term of document.querySelectorAll("dfn.term")) {
            const box = () => JSON.stringify(term.closest("p").getBoundingClientRect().height);
            term.scrollIntoView({ block: "center" });
            const before = box();
            term.querySelector("a").focus();
            await new Promise(requestAnimationFrame);
            const { left, right, top, bottom } = term.querySelector(".meaning").getBoundingClientRect();
            const across = 0 <= left && left < right && right <= innerWidth;
            const inside = across && 0 <= top && bottom <= innerHeight;
            const stops = [...term.querySelectorAll("a")].filter((el) => el.tabIndex === 0).length;
            if (box() !== before || !inside || stops !== 1) wrong.push(term.id);
          }
          return wrong;
        }"""
    )
    assert moved == []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.locator("#use-causal-mask > a").focus()
        passed, complaints = run_axe(page, type="tag", values=WCAG)
        assert "color-contrast" in passed
        assert complaints == []
    page.emulate_media(media="print")
    expect(page.locator("#use-causal-mask > .meaning")).to_be_hidden()
    paragraph = page.locator("p", has=page.locator("#use-causal-mask"))
    written = paragraph.evaluate(
        """p => {
          const copy = p.cloneNode(true);
          copy.querySelectorAll(".meaning").forEach((meaning) => meaning.remove());
          return copy.textContent;
        }"""
    )
    assert "causal mask" in written
    assert paragraph.inner_text().split() == written.split()
