"""What the platform makes of a chapter, on a sample that holds one of everything."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tools import address
from tools.build_book import BuildError, build, environment
from unrolled.data.fetch import DataError
from unrolled.data.public import tiny_shakespeare

CHAPTER = "04_everything"
NewPage = Callable[..., Page]


@pytest.fixture
def chapter(sample_book: Path, new_page: NewPage) -> Page:
    page = new_page(color_scheme="light")
    page.goto(f"{sample_book.as_uri()}/{CHAPTER}.html")
    return page


def test_equations_and_exercises_carry_the_number_of_their_chapter(chapter: Page) -> None:
    assert chapter.locator(".eqno").all_inner_texts() == ["(4.1)#", "(4.2)#"]
    expect(chapter.locator('p a[href="#equation-eq-attention"]')).to_have_text("(4.1)")
    expect(chapter.locator("#ex-rows .admonition-title")).to_contain_text("Exercise 4.1")


def test_formulas_are_laid_out_and_not_spelled(chapter: Page) -> None:
    fraction = chapter.locator("mfrac").first
    numerator, denominator = fraction.locator(":scope > *").nth(0), fraction.locator(":scope > *").nth(1)
    above, below = numerator.bounding_box(), denominator.bounding_box()
    assert above is not None
    assert below is not None
    assert above["y"] + above["height"] <= below["y"]
    assert "\\" not in "".join(chapter.locator("math").all_text_contents())


def test_a_quiz_answers_by_keyboard_and_keeps_one_choice_open(chapter: Page) -> None:
    right, wrong = (
        chapter.locator("#quiz-symmetric .quiz-choice").nth(0),
        chapter.locator("#quiz-symmetric .quiz-choice").nth(1),
    )
    right.locator("summary").focus()
    chapter.keyboard.press("Enter")
    expect(right).to_contain_text("✓ Right. ", use_inner_text=True)
    expect(right.get_by_text("The dot product does not care for order.")).to_be_visible()
    wrong.locator("summary").focus()
    chapter.keyboard.press("Space")
    expect(wrong.get_by_text("✗ Not quite.")).to_be_visible()
    expect(wrong.get_by_text("Try two vectors")).to_be_visible()
    expect(right.get_by_text("The dot product does not care for order.")).to_be_hidden()


def test_hints_and_solutions_unfold(chapter: Page) -> None:
    answer = chapter.get_by_text("The sum of the numerators is the denominator.")
    expect(answer).to_be_hidden()
    chapter.locator("summary", has_text="Solution").click()
    expect(answer).to_be_visible()


@pytest.mark.parametrize(("scheme", "ink"), [("light", "rgb(27, 34, 44)"), ("dark", "rgb(227, 231, 237)")])
def test_a_figure_takes_the_ink_of_the_page(
    sample_book: Path, new_page: NewPage, scheme: str, ink: str
) -> None:
    page = new_page(color_scheme=scheme)
    page.goto(f"{sample_book.as_uri()}/{CHAPTER}.html")
    figure = page.get_by_role("img", name="A curve that rises: 0, 1, 4, 9.")
    expect(figure).to_be_visible()
    assert figure.locator("text", has_text="distance").evaluate("t => getComputedStyle(t).fill") == ink
    expect(page.locator(".unrolled-figure figcaption")).to_have_text("Squares grow.")


def test_the_facts_at_the_top(chapter: Page) -> None:
    facts = chapter.locator(".chapter-facts")
    expect(facts).to_contain_text("about 4 min")
    expect(facts).to_contain_text("not measured yet")


def test_a_measured_time_is_spoken(own_root: Path) -> None:
    times = own_root / "results" / "chapter_times.json"
    times.parent.mkdir()
    times.write_text(
        f'{{"{CHAPTER}": {{"cpu_s": 41.2, "gpu_s": 130, "hardware": "2 cores", "date": "2026-11"}}}}'
    )
    page = (build(own_root) / f"{CHAPTER}.html").read_text(encoding="utf-8")
    assert "41 s on a CPU, 2 min on a GPU (one fast machine: 2 cores, 2026-11; a busier or " in page


@pytest.mark.parametrize("slug", [None, "somebody/a-fork"])
def test_buttons_lead_to_the_repository_the_book_is_built_in(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, slug: str | None
) -> None:
    if slug:
        monkeypatch.setenv("GITHUB_REPOSITORY", slug)
        html = build(request.getfixturevalue("own_root"))
    else:
        html = request.getfixturevalue("sample_book")
    home = slug or address.slug()
    chapter = (html / f"{CHAPTER}.html").read_text(encoding="utf-8")
    buttons = dict(re.findall(r'<a class="tool" href="([^"]*)"[^>]* title="([^"]*)"', chapter))
    assert {title: href for href, title in buttons.items()} == {
        "Run in Colab": f"https://colab.research.google.com/github/{home}/blob/main/notebooks/{CHAPTER}.ipynb",
        "Download the notebook": f"notebooks/{CHAPTER}.ipynb",
        "Edit this page": f"https://github.com/{home}/edit/main/book/{CHAPTER}.md",
        "Report an issue with this page": f"https://github.com/{home}/issues/new?title=book%2F{CHAPTER}.md%3A+",
    }
    notebook = (html / "notebooks" / f"{CHAPTER}.ipynb").read_text(encoding="utf-8")
    owner, name = home.split("/")
    for link in (
        f"https://colab.research.google.com/github/{home}/blob/main/notebooks/{CHAPTER}.ipynb",
        f"https://github.com/{home}/blob/main/LICENSE",
        f"https://{owner}.github.io/{name}/{CHAPTER}.html",
        f'unrolled @ git+https://github.com/{home}\\"',
    ):
        assert link in notebook
    # A page without a notebook offers neither to run nor to download one.
    references = (html / "references.html").read_text(encoding="utf-8")
    assert "colab" not in references
    assert "Edit this page" in references


def test_the_book_has_no_file_that_nothing_asks_for(sample_book: Path) -> None:
    there = {path.name for path in (sample_book / "_static").rglob("*") if path.is_file()}
    assert {"course.css", "course.js", "mark.svg", "unrolled-math.woff2"} < there
    assert there.isdisjoint({"basic.css", "pygments.css", "sphinx-design.min.css", "plus.png"})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "```{code-cell}\nlength = 3\nlength / 0\n```",
            f"book/{CHAPTER}.md failed:|length / 0|ZeroDivisionError",
        ),
        ("$$ \\softmacks(x) $$", "unknown command '\\\\softmacks'"),
        ("$$ \\begin{foo} x \\end{foo} $$", "unknown environment 'foo'"),
        ("{eq}`eq-nowhere`", "eq-nowhere"),
        ("See [](nowhere.md).", "nowhere.md"),
        ("{cite}`nobody1900`", "nobody1900"),
        (
            "```{quiz}\n:label: quiz-bad\nQ?\n\n- [x] a :: b\n- [ ] c\n```",
            "expected 'choice :: feedback', got 'c'",
        ),
        (
            "```{only} html\nText.\n```",
            f"book/{CHAPTER}.md:|{{only}} is a directive the notebooks do not know",
        ),
    ],
)
def test_a_fault_stops_the_build_and_is_named(own_root: Path, text: str, says: str) -> None:
    page = own_root / "book" / f"{CHAPTER}.md"
    page.write_text(f"{page.read_text(encoding='utf-8')}\n{text}\n", encoding="utf-8")
    with pytest.raises(BuildError) as refused:
        build(own_root)
    for part in says.split("|"):
        assert part in str(refused.value)


def test_cells_run_as_if_no_public_file_were_at_hand(tmp_path, monkeypatch):
    monkeypatch.setenv("UNROLLED_DATA", str(tmp_path))
    for name, value in environment(tmp_path, tmp_path).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(DataError, match="UNROLLED_OFFLINE is set"):
        tiny_shakespeare()
