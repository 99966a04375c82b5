"""`show`: a figure in the ink of the page, and the usual image elsewhere."""

import re
from typing import Any

import matplotlib.pyplot as plt
import pytest
from matplotlib.axes import Axes

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
