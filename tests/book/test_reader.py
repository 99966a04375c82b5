"""What stays with a reader: the section that is read, the place that is kept, what is solved, the keys."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.axe import WCAG, run_axe
from tests.book.look import SETTLED

NewPage = Callable[..., Page]
DESK = {"width": 1280, "height": 800}
PHONE = {"width": 360, "height": 740}
CHAPTER = "04_everything.html"
KEPT = 'JSON.parse(localStorage.getItem("unrolled-reading"))'


@pytest.fixture(params=["http", "file"])
def start(request: pytest.FixtureRequest, sample_book: Path, serve: Callable[[Path], str]) -> str:
    """Where the sample's pages are opened."""
    return serve(sample_book) if request.param == "http" else f"{sample_book.as_uri()}/"


@pytest.fixture
def chapter(sample_book: Path, new_page: NewPage) -> Page:
    page = new_page(viewport=DESK)
    page.goto(f"{sample_book.as_uri()}/{CHAPTER}")
    return page


def read_to(page: Page, heading: str) -> None:
    """Scroll as a reader does, until the heading is at the top, and let the page see it."""
    page.get_by_role("heading", name=heading).evaluate("el => el.scrollIntoView()")
    page.evaluate(SETTLED)


def axe_finds_nothing(page: Page) -> None:
    """From a server: axe reads the style sheets once more, which a page from disk may not."""
    if page.url.startswith("http"):
        passed, complaints = run_axe(page, type="tag", values=WCAG)
        assert complaints == []
        assert "color-contrast" in passed


def marked(page: Page, where: str) -> list[str]:
    return page.locator(f"{where} a[aria-current=location]").all_text_contents()


def test_the_section_that_is_read_is_marked(chapter: Page) -> None:
    assert marked(chapter, ".on-this-page") == []
    read_to(chapter, "Code and its outputs")
    assert marked(chapter, ".on-this-page") == marked(chapter, ".sections") == ["Code and its outputs"]
    chapter.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    chapter.evaluate(SETTLED)
    assert marked(chapter, ".on-this-page") == ["Boxes"]
    chapter.evaluate("scrollTo(0, 0)")
    chapter.evaluate(SETTLED)
    assert marked(chapter, ".on-this-page") == []


def test_on_a_phone_the_sections_lie_folded_in_the_contents(sample_book: Path, new_page: NewPage) -> None:
    page = new_page(viewport=PHONE, has_touch=True)
    page.goto(f"{sample_book.as_uri()}/{CHAPTER}")
    page.locator(".menu-open").tap()
    page.locator(".sections > summary").tap()
    page.get_by_role("navigation", name="Sections of this page").get_by_role("link", name="Boxes").tap()
    expect(page.get_by_role("navigation", name="The book")).to_be_hidden()
    expect(page.get_by_role("heading", name="Boxes")).to_be_in_viewport()


def test_the_first_page_leads_back_to_the_place(start: str, new_page: NewPage) -> None:
    page = new_page(viewport=DESK)
    page.goto(start + "index.html")
    was = page.get_by_role("complementary", name="Where you were")
    expect(was).to_be_hidden()
    page.goto(start + CHAPTER)
    # A page that was only opened is none that was read.
    assert page.evaluate(KEPT) is None
    read_to(page, "Code and its outputs")
    page.goto(start + "references.html")
    page.goto(start + "index.html")
    expect(was).to_contain_text("You were in Everything a chapter may hold, at “Code and its outputs”.")
    assert "Solved" not in was.inner_text()
    axe_finds_nothing(page)
    page.emulate_media(media="print")
    expect(was).to_be_hidden()
    page.emulate_media(media="screen")
    was.get_by_role("link").click()
    expect(page.get_by_role("heading", name="Code and its outputs")).to_be_in_viewport()
    page.goto(start + "index.html")
    was.get_by_role("button", name="Forget it").click()
    expect(was).to_be_hidden()
    page.reload()
    expect(was).to_be_hidden()


def test_what_is_solved_is_ticked_and_counted(start: str, new_page: NewPage) -> None:
    page = new_page(viewport=DESK)
    page.goto(start + CHAPTER)
    box = page.get_by_role("checkbox", name="Solved: Exercise 4.1")
    entry = page.locator(".toctree .current > a")
    answered = page.locator(".quiz .tick")
    expect(answered).to_be_hidden()
    box.check()
    expect(entry).to_have_accessible_name("Everything a chapter may hold 1/2 solved")
    page.locator(".quiz-choice:has(.wrong) > summary").first.click()
    page.locator(".quiz-choice:has(.right) > summary").click()
    expect(answered).to_be_visible()
    expect(entry).to_have_accessible_name("Everything a chapter may hold ✓ all solved")
    page.goto(start + "references.html")
    expect(page.get_by_role("link", name="✓ all solved")).to_be_visible()
    page.goto(start + CHAPTER)
    expect(box).to_be_checked()
    expect(answered).to_be_visible()
    page.emulate_media(media="print")
    for tick in (box, answered, entry):
        expect(tick).to_be_hidden()
    page.emulate_media(media="screen")
    box.uncheck()
    expect(entry).to_have_accessible_name("Everything a chapter may hold 1/2 solved")


def test_the_reader_decides_what_is_remembered(start: str, new_page: NewPage) -> None:
    page = new_page(viewport=DESK)
    page.goto(start + CHAPTER)
    box = page.get_by_role("checkbox", name="Solved: Exercise 4.1")
    box.check()
    page.get_by_role("button", name="Keys, and what this browser remembers").click()
    dialog = page.get_by_role("dialog", name="Keys")
    expect(dialog).to_contain_text("nothing is sent")
    axe_finds_nothing(page)
    dialog.get_by_role("checkbox", name="Remember it").uncheck()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Keys, and what this browser remembers")).to_be_focused()
    expect(box).to_be_hidden()
    before = page.evaluate(KEPT)
    read_to(page, "Code and its outputs")
    assert page.evaluate(KEPT) == before
    page.reload()
    expect(box).to_be_hidden()
    page.get_by_role("button", name="Keys, and what this browser remembers").click()
    dialog.get_by_role("checkbox", name="Remember it").check()
    expect(box).to_be_checked()
    dialog.get_by_role("button", name="Forget all of it").click()
    expect(dialog.get_by_role("status")).to_have_text("Forgotten.")
    expect(box).not_to_be_checked()
    assert page.evaluate(KEPT) is None


FOREIGN = [
    "{",
    "[]",
    '"a"',
    '{"last": 7, "pages": null}',
    '{"last": "__proto__", "pages": {}}',
    '{"last": "javascript:x", "pages": {"javascript:x": {"title": "no"}}}',
    '{"last": "", "pages": {"04_everything": {"done": "all", "of": "<b>"}}}',
]


def test_what_somebody_else_wrote_there_is_no_place(chapter: Page) -> None:
    """The page stays at peace, which the watch of `new_page` sees, and works."""
    first = chapter.url.replace(CHAPTER, "index.html")
    for kept in FOREIGN:
        chapter.evaluate('kept => localStorage.setItem("unrolled-reading", kept)', kept)
        chapter.goto(first)
        expect(chapter.locator("#was-here")).to_be_hidden()
        expect(chapter.locator(".toctree .tick")).to_have_count(0)
    # The last of them says something of the chapter.
    chapter.goto(first.replace("index.html", CHAPTER))
    chapter.get_by_role("checkbox", name="Solved: Exercise 4.1").check()
    assert chapter.evaluate(KEPT)["pages"]["04_everything"]["done"] == ["ex-rows"]


def test_where_nothing_can_be_kept_nothing_is_offered(sample_book: Path, new_page: NewPage) -> None:
    page = new_page(viewport=DESK)
    page.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('locked'); } })"
    )
    page.goto(f"{sample_book.as_uri()}/{CHAPTER}")
    expect(page.locator(".solved").first).to_be_hidden()
    read_to(page, "Boxes")
    assert marked(page, ".on-this-page") == ["Boxes"]
    page.keyboard.press("?")
    expect(page.get_by_role("status").last).to_have_text("This browser keeps nothing for this page.")
    expect(page.get_by_role("checkbox", name="Remember it")).to_be_disabled()


def test_nothing_is_written_before_the_reader_does_something(chapter: Page) -> None:
    chapter.evaluate(SETTLED)
    assert json.loads(chapter.evaluate("JSON.stringify(localStorage)")) == {}


def test_the_keys_turn_pages_and_find_sections(start: str, new_page: NewPage) -> None:
    page = new_page(viewport=DESK)
    page.goto(start + "index.html")
    page.keyboard.press("n")
    page.wait_for_url("**/04_everything.html")
    page.keyboard.press("j")
    expect(page.get_by_role("heading", level=2).nth(0)).to_be_focused()
    page.keyboard.press("j")
    expect(page.get_by_role("heading", level=2).nth(1)).to_be_focused()
    expect(page.get_by_role("heading", level=2).nth(1)).to_be_in_viewport()
    page.keyboard.press("k")
    expect(page.get_by_role("heading", level=2).nth(0)).to_be_focused()
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("np?j")
    expect(page.get_by_role("searchbox")).to_have_value("np?j")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("p")
    page.wait_for_url("**/index.html")


def test_every_key_is_listed_and_no_other(chapter: Page) -> None:
    script = (Path(__file__).parents[2] / "book" / "_assets" / "keys.js").read_text(encoding="utf-8")
    taken = script.split("const keys = {")[1].split("}")[0]
    chapter.keyboard.press("?")
    dialog = chapter.get_by_role("dialog", name="Keys")
    listed = dialog.locator("kbd").all_inner_texts()
    assert sorted(key for key in listed if key != "Esc") == sorted("/npjk?")
    assert all(f'"{key}": ' in taken or f" {key}: " in taken for key in listed if key != "Esc")
    assert taken.count(":") == len(listed) - 1
    chapter.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_the_keys_keep_away_from_widgets_and_modifiers(chapter: Page) -> None:
    chapter.locator(".unrolled-widget :is(button, [tabindex='0'], input)").first.focus()
    for key in "?jk":
        chapter.keyboard.press(key)
    expect(chapter.get_by_role("dialog")).to_be_hidden()
    chapter.evaluate("document.activeElement.blur()")
    for key in ("Control+j", "Alt+k", "Meta+j"):
        chapter.keyboard.press(key)
    assert chapter.evaluate("document.activeElement === document.body")
    chapter.keyboard.press("?")
    expect(chapter.get_by_role("dialog", name="Keys")).to_be_visible()


def test_the_keys_can_be_switched_off_and_stay_off(chapter: Page) -> None:
    chapter.keyboard.press("?")
    chapter.get_by_role("checkbox", name="Keys of one letter are on").uncheck()
    chapter.keyboard.press("Escape")
    chapter.reload()
    chapter.keyboard.press("?")
    chapter.keyboard.press("j")
    expect(chapter.get_by_role("dialog")).to_be_hidden()
    assert chapter.evaluate("document.activeElement === document.body")
    chapter.get_by_role("button", name="Keys, and what this browser remembers").click()
    switch = chapter.get_by_role("checkbox", name="Keys of one letter are on")
    expect(switch).not_to_be_checked()
    switch.check()
    chapter.keyboard.press("Escape")
    chapter.keyboard.press("?")
    expect(chapter.get_by_role("dialog", name="Keys")).to_be_visible()


def test_on_a_phone_the_search_key_opens_the_contents(sample_book: Path, new_page: NewPage) -> None:
    page = new_page(viewport=PHONE)
    page.goto(f"{sample_book.as_uri()}/{CHAPTER}")
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("navigation", name="The book")).to_be_hidden()


def test_without_a_script_none_of_it_is_there(sample_book: Path, new_page: NewPage) -> None:
    page = new_page(viewport=DESK, java_script_enabled=False)
    page.goto(f"{sample_book.as_uri()}/{CHAPTER}")
    expect(page.locator("#reader")).to_be_hidden()
    expect(page.locator("#reader-open")).to_be_hidden()
    page.goto(f"{sample_book.as_uri()}/index.html")
    expect(page.locator("#was-here")).to_be_hidden()
