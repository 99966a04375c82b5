"""A figure in a page: as few characters as show the same."""

import re
from pathlib import Path

from book._ext.course.figures import lighter_figures

FIGURE = '<figure class="unrolled-figure"><svg><path id="a" d="{}" style=""/></svg></figure>'


def shortened(path: str) -> str:
    found = re.search(r' d="([^"]*)"', lighter_figures(FIGURE.format(path)))
    assert found
    return found[1]


def test_lines_are_short_and_end_where_they_ended() -> None:
    square = (
        "M 34.677819 35.275001 \nL 46.548762 35.275001 \nL 46.548762 47.145944 \nL 34.677819 35.275001 \nz\n"
    )
    assert shortened(square) == "M34.68 35.28H46.55V47.15L34.68 35.28z"
    assert shortened("M -0 1e-05 \nC 1 2 3.5 4 5 6.666666 \nL 5 -7.996 \n") == "M0 0C1 2 3.5 4 5 6.67V-8"
    # After a curve the pen is at its last point, after an end nowhere that counts.
    assert shortened("M 1 2 \nQ 3 2 5 6 \nL 1 6 \nz\nM 1 6 \nL 1 8 \n") == "M1 2Q3 2 5 6H1zM1 6V8"


def test_what_is_drawn_otherwise_and_what_is_no_figure_stays() -> None:
    other = "M 1.23456 2 A 1 1 0 0 0 3 4"
    assert shortened(other) == other
    outside = '<svg><path d="M 1.23456 2 \nL 3 4 \n"/></svg>'
    assert lighter_figures(outside) == outside


def test_every_figure_of_the_book_is_light(built_book: Path) -> None:
    figures = [
        figure
        for page in built_book.glob("*.html")
        for figure in re.findall(
            r'<figure class="unrolled-figure">.*?</figure>', page.read_text(encoding="utf-8"), re.DOTALL
        )
    ]
    assert len(figures) > 20
    assert not [path for figure in figures for path in re.findall(r' d="(M [^"]*)"', figure)]
