"""The handout holds no answer, the solutions hold every one, and both are made of the same source."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from lxml import html
from playwright.sync_api import Page

from tests.axe import WCAG, run_axe
from tests.book.little import edit
from tools.answers import is_solution
from tools.build_book import BuildError, build
from tools.notebooks.__main__ import ROOT
from tools.notebooks.generate import generate
from tools.notebooks.handout import HANDOUT

NewPage = Callable[..., Page]
# What Markdown makes of a solution in a notebook.
FOLD = re.compile(r"<details>\n<summary>([^<]*)</summary>\n\n(.*?)\n\n</details>", re.DOTALL)
# A link of a notebook: the book's lead to its site, those of the handout to pages beside it.
LINKED = re.compile(r"\]\([^)]*\)")


def text_of(element: html.HtmlElement) -> str:
    return " ".join(element.text_content().split())


def sentences(text: str) -> list[str]:
    """Return the sentences of a text that are long enough to be nobody else's."""
    return [part for part in re.split(r"(?<=[.?!:])\s+|\n+", text) if len(part.split()) >= 4]


def solutions(page: Path) -> list[str]:
    """Return the sentences of all solutions of a page."""
    tree = html.parse(page).getroot()
    folds = [fold for fold in tree.iter("details") if is_solution(text_of(fold.find("summary")))]
    return [sentence for fold in folds for sentence in sentences(text_of(fold.find("div")))]


def verdicts(page: Path) -> list[str]:
    """Return what a page's quizzes say to their choices."""
    found = html.parse(page).getroot().xpath("//div[contains(@class, 'quiz-feedback')]")
    return [sentence for feedback in found for sentence in sentences(text_of(feedback))]


def readable(folder: Path) -> dict[str, str]:
    """Return the text of every file of a built book that holds any, a page's without its marks too."""
    said = {}
    for path in folder.rglob("*"):
        if path.suffix in {".html", ".js", ".ipynb", ".md", ".txt", ".json", ".inv"}:
            text = path.read_text(encoding="utf-8")
            plain = text_of(html.fromstring(text)) if path.suffix == ".html" else ""
            said[path.relative_to(folder).as_posix()] = f"{text} {plain}"
    return said


def extra(book: Path, handout: Path) -> list[str]:
    """Return the sentences of answers that the handout holds as often as the book, or half as often."""
    found = []
    in_book, in_handout = readable(book), readable(handout)
    for page in sorted(book.glob("*.html")):
        answers = {*solutions(page), *verdicts(page)}
        left = " ".join(in_handout.values())
        # A sentence of the text may be repeated in a solution: the text stays.
        tree = html.parse(page).getroot()
        for answer in tree.xpath(
            "//details[contains(@class, 'sd-dropdown') or contains(@class, 'quiz-choice')]"
        ):
            answer.getparent().remove(answer)
        said = text_of(tree)
        found += [answer for answer in answers if answer in left and answer not in said]
    assert set(in_handout) <= set(in_book)
    return found


def test_the_handout_of_the_sample_holds_no_answer(sample_editions: Path, sample_book: Path) -> None:
    answers = [*solutions(sample_book / "04_everything.html"), *verdicts(sample_book / "04_everything.html")]
    assert "The sum of the numerators is the denominator." in answers
    assert "The dot product does not care for order." in answers
    assert extra(sample_book, sample_editions / "handout") == []
    # The search would find it in the book, and in the handout nothing of it.
    for word in ("numerators", "does not care"):
        assert word in (sample_book / "searchindex.js").read_text(encoding="utf-8")
        assert word not in (sample_editions / "handout" / "searchindex.js").read_text(encoding="utf-8")


def test_what_the_handout_asks_is_all_there(sample_editions: Path, sample_book: Path) -> None:
    page = (sample_editions / "handout" / "04_everything.html").read_text(encoding="utf-8")
    tree = html.fromstring(page)
    assert "Show that every row of" in text_of(tree)
    assert [text_of(fold.find("summary")) for fold in tree.find_class("sd-dropdown")] == ["Hint"]
    choices = [text_of(choice) for choice in tree.xpath("//ul[contains(@class, 'quiz-choices')]/li")]
    book = html.parse(sample_book / "04_everything.html").getroot()
    assert choices == [text_of(one) for one in book.xpath("//details[@class='quiz-choice']/summary")]
    # Colab's copy and the page's source have the solutions.
    assert "colab.research" not in page
    assert "/edit/" not in page
    assert (sample_editions / "handout" / "notebooks" / "04_everything.ipynb").is_file()


def test_the_solutions_of_the_sample_are_all_there(sample_editions: Path, sample_book: Path) -> None:
    page = sample_editions / "solutions" / "04_everything.html"
    assert solutions(page) == solutions(sample_book / "04_everything.html")
    assert verdicts(page) == verdicts(sample_book / "04_everything.html")
    said = text_of(html.parse(page).getroot().find(".//article"))
    assert "A line of text with" not in said
    names = {path.name for path in page.parent.glob("*.html")}
    assert names == {"index.html", "search.html", "04_everything.html"}
    # All of it is seen at once; what is not here is in the published book.
    assert html.parse(page).getroot().xpath("//article//details[not(@open)]") == []
    links = html.parse(page).getroot().xpath("//article//a[not(@class='headerlink')]/@href")
    assert [link.rpartition("/")[2] for link in links] == ["04_everything.html#equation-eq-weights"]
    assert links[0].startswith("https://")


@pytest.mark.parametrize("edition", ["handout", "solutions"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_edition_is_accessible_and_loads_nothing(
    sample_editions: Path, new_page: NewPage, serve: Callable[[Path], str], edition: str, scheme: str
) -> None:
    page = new_page(color_scheme=scheme)
    # Not from disk: axe asks for the style sheets anew, which no browser lets it do there.
    page.goto(f"{serve(sample_editions / edition)}04_everything.html")
    assert run_axe(page, type="tag", values=WCAG)[1] == []


def test_a_warning_is_said_again_by_the_next_edition(own_root: Path) -> None:
    """What was read with a warning is not taken for right because another edition reads no more."""
    edit(own_root / "book" / "04_everything.md", "{eq}`eq-weights`.", "{eq}`eq-nowhere`.")
    for edition in ("handout", "solutions"):
        with pytest.raises(BuildError, match="eq-nowhere"):
            build(own_root, edition=edition)


def test_an_edition_nobody_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="expected one of book, handout, solutions, slides, got 'poster'"):
        build(edition="poster")


def test_the_handout_of_the_book_has_notebooks_without_answers() -> None:
    full, handed_out = generate(ROOT), generate(ROOT, HANDOUT)
    assert set(full) == set(handed_out)
    seen = 0
    for page, text in full.items():
        cells = ["".join(cell["source"]) for cell in json.loads(text)["cells"]]
        left = ["".join(cell["source"]) for cell in json.loads(handed_out[page])["cells"]]
        kept = "\n".join(left)
        said = FOLD.sub("", "\n".join(cells))
        for cell in cells:
            for title, body in FOLD.findall(cell):
                if is_solution(title) or body.startswith(("**Right.**", "**No.**")):
                    answers = sentences(body)
                    seen += len(answers)
                    assert [one for one in answers if one in kept and one not in said] == [], page
                elif title == "Hint":
                    assert LINKED.sub("]", body) in LINKED.sub("]", kept), page
        # No hidden cell among exercises and quizzes: such a cell asserts the numbers of an answer.
        first = next(n for n, cell in enumerate(left) if cell.startswith("## Exercises"))
        last = next(n for n, cell in enumerate(left) if n > first and cell.startswith("## What"))
        assert not [cell for cell in left[first:last] if "@title Checks" in cell], page
        assert "colab.research.google.com" not in kept, page
    assert seen > 500
