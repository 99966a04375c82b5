"""Formulas in a line of text: where they break, what stays with them, and what a reader copies."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from book._ext.course.mathml import in_lines
from book._ext.course.page import mended

NewPage = Callable[..., Page]
PASTE = "navigator.clipboard.readText()"


def test_a_long_formula_breaks_behind_its_signs(sample_book: Path, new_page: NewPage) -> None:
    page = new_page(viewport={"width": 320, "height": 740})
    page.goto(f"{sample_book.as_uri()}/04_everything.html")
    line = page.get_by_text("A long one in a line of text")
    # The first formula: the element with the source, and those that continue it.
    pieces = line.locator("math").evaluate_all(
        """all => all.slice(0, 1 + all.findIndex((math, n) => n > 0 && !math.matches('.continued')) - 1)
          .map((math) => [math.textContent.trim(), Math.round(math.getBoundingClientRect().bottom)])"""
    )
    assert len(pieces) == 5
    assert len({bottom for _, bottom in pieces}) > 2
    assert {text[-1] for text, _ in pieces[:-1]} <= set("+=−,")
    assert max(len(text) for text, _ in pieces) <= 17
    short = page.locator("math[data-tex='d = 4']")
    assert short.evaluate("el => el.parentElement.textContent") == "(d=4),"


def test_a_formula_is_copied_as_its_source(
    sample_book: Path, serve: Callable[[Path], str], new_page: NewPage
) -> None:
    page = new_page(permissions=["clipboard-read", "clipboard-write"])
    page.goto(f"{serve(sample_book)}04_everything.html")
    line = page.get_by_text("A long one in a line of text")
    line.evaluate("el => getSelection().selectAllChildren(el)")
    page.keyboard.press("ControlOrMeta+c")
    copied = page.evaluate(PASTE)
    assert copied.startswith(
        r"A long one in a line of text, $(0.401, 0.599)\,W + 0.401\,(1, 0) + 0.198\,(1, 2) = (0.599, 0.395) "
        r"- \tfrac12(\ln 0.5 + \ln 0.125)$; it breaks"
    )
    assert copied.rstrip().endswith(r"$a$, $b$, $c$, $a \le b$, $T = 3$.")
    # From the middle of a formula: all of it. Over paragraphs: each on lines of its own.
    page.evaluate(
        """() => {
          const first = document.querySelector(".equation mfrac");
          const last = document.querySelectorAll(".equation")[1].nextElementSibling;
          getSelection().setBaseAndExtent(first, 0, last, 0);
        }"""
    )
    page.keyboard.press("ControlOrMeta+c")
    lines = [told for told in page.evaluate(PASTE).splitlines() if told]
    assert lines[0] == r"$$\hat{X} = \operatorname{softmax}\left(\frac{XX^\top}{\sqrt{d}}\right) X$$"
    assert "(4.2)" in lines
    assert not any("#" in told for told in lines)


@pytest.mark.parametrize(
    ("latex", "pieces"),
    [
        ("T = 3", 1),
        (r"\frac{111111111111}{222222222222} = 3", 1),  # as wide as its wider half
        (r"a_{1} + a_{2} + a_{3} + a_{4} + a_{5} + a_{6} + a_{7} + a_{8} = 1", 9),
        (r"abcdefghi = jklmnopqr", 2),
        (r"\left(abcdefghi + jklmnopqr\right)", 1),  # parentheses that grow stay with what they hold
    ],
)
def test_a_formula_is_as_many_elements_as_it_needs(latex: str, pieces: int) -> None:
    maths = in_lines(latex)
    assert len(maths) == pieces
    assert [math.count("data-tex") for math in maths] == [1] + [0] * (pieces - 1)
    assert ["continued" in math for math in maths] == [False] + [True] * (pieces - 1)


def test_a_derivative_is_set_without_spaces() -> None:
    assert in_lines(r"\partial h")[0].count('<mo form="prefix" lspace="0" rspace="0">∂</mo>') == 1


def test_a_long_name_breaks_behind_its_dots_and_underscores() -> None:
    long, short = ('<span class="pre">hidden_proj.bias&lt;</span>', '<span class="pre">a.b_c</span>')
    assert mended(long) == '<span class="pre">hidden_<wbr>proj.<wbr>bias&lt;</span>'
    assert mended(short) == short
