"""`show`: a figure in the ink of the page, and the usual image elsewhere."""

import re
from html import unescape
from typing import Any

import matplotlib.pyplot as plt
import pytest
from matplotlib.axes import Axes

from unrolled.plots import attention_map, bars, graph, lines, matrix, plane
from unrolled.plots._display import show


def drawn() -> Axes:
    axes = plt.figure(figsize=(2, 1)).add_subplot()
    axes.plot([0, 1], [0, 1], color="black")
    axes.set_title("<title> & more")
    return axes


def test_in_the_book_a_figure_is_svg_with_its_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNROLLED_BOOK", "1")
    data, _ = show(drawn(), 'A "rising" line', "Rises <fast>")._repr_mimebundle_()
    html = data["text/html"]
    assert 'role="img" aria-label="A &quot;rising&quot; line"' in html
    assert "<figcaption>Rises &lt;fast&gt;</figcaption>" in html
    assert "stroke: currentColor" in html
    assert "#000000" not in html
    assert "&lt;title&gt; &amp; more</text>" in html
    # Neither a style sheet that would hold for the page, nor a date, nor a ground of its own.
    assert not re.search(r"<style|<metadata|#ffffff", html)


def test_two_figures_of_one_page_share_no_id(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNROLLED_BOOK", "1")
    ids: list[str] = []
    for _ in range(2):
        html = show(drawn(), "A line").html()
        own = re.findall(r'\sid="([^"]+)"', html)
        assert own
        assert set(re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', html)) <= {(i, "") for i in own} | {
            ("", i) for i in own
        }
        ids += own
    assert len(ids) == len(set(ids))


def test_elsewhere_it_is_an_image_and_shown_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UNROLLED_BOOK", raising=False)
    axes = drawn()
    data, metadata = show(axes, "A line")._repr_mimebundle_()
    assert data["image/png"].startswith(b"\x89PNG")
    assert metadata == {"image/png": {"alt": "A line"}}
    # Closed, or a notebook would display it a second time.
    assert axes.figure.number not in plt.get_fignums()  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("figure", "alt", "error", "says"),
    [
        (lambda: [1, 2], "a list", TypeError, "expected matplotlib Axes or a Figure, got list"),
        (drawn, "  ", ValueError, "expected alt"),
    ],
)
def test_what_cannot_be_shown_is_named(figure: Any, alt: str, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        show(figure(), alt)
    plt.close("all")


# Each looks like something that is rewritten where it stands in a tag.
LABELS = [
    "#000000",
    'x id="a" y',
    "font-family: a; z",
    "font: 12px a",
    'xlink:href="#a"',
    "url(#a)",
    "fill: #010102",
    "fill: #fffffe",
    "fill: #f3f7fc",
    "<style>a</style>",
    "<metadata>",
    "<!-- a -->",
    '<g id="unrolled">',
    "$x$ & _y",
    "_a",
]


@pytest.mark.parametrize("kind", ["map", "matrix", "graph", "plane", "bars", "lines"])
def test_a_label_stays_what_it_is(kind: str) -> None:
    values = [[0.5, 0.25], [0.125, 1.0]]
    for pair in [LABELS[i : i + 2] for i in range(len(LABELS) - 1)]:
        shown = {
            "map": lambda pair=pair: attention_map(values, pair),
            "matrix": lambda pair=pair: matrix(values, pair, pair),
            "graph": lambda pair=pair: graph(values, pair),
            "plane": lambda pair=pair: plane(values, ["", ""], groups=pair),
            "bars": lambda pair=pair: bars(values, pair, pair, xlabel=""),
            "lines": lambda pair=pair: lines(
                [1, 2], dict(zip(pair, values, strict=True)), xlabel="", ylabel=""
            ),
        }[kind]()
        html = show(shown, "A figure").html()
        told = [unescape(text) for text in re.findall(r"<text[^>]*>([^<]*)</text>", html)]
        assert set(pair) <= set(told), told


def test_a_label_changes_no_tag() -> None:
    """What a label says makes no element look referred to, and takes no part in a pair of colours."""
    plain, odd = (show(matrix([[0.5]], [label], ["b"]), "A map").html() for label in ("a", "url(#figure_1)"))
    assert re.findall(r"<\w+", plain) == re.findall(r"<\w+", odd)
    assert len(re.findall(r' id="', plain)) == len(re.findall(r' id="', odd))
