"""The book's style sheet where it has to do more than look good: what is wider than the screen."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page

CSS = (Path(__file__).parents[2] / "book" / "_assets" / "course.css").read_text(encoding="utf-8")
NewPage = Callable[..., Page]

BODY = """
<div class="cell_input"><div class="highlight-python"><pre id="code">LONG</pre></div></div>
<div class="cell_output"><div class="output text_plain highlight-myst"><pre id="output">LONG</pre></div></div>
<div class="scrolls" id="table"><table><tr><td style="white-space: nowrap">LONG</td></tr></table></div>
"""


def edge(box: Locator, side: Literal["left", "right"]) -> int:
    """Return how much the pixels beside one edge differ from each other: 0 where the ground is plain."""
    image = Image.open(io.BytesIO(box.screenshot())).convert("L")
    # The bottom row but one: beneath the text.
    row = [image.getpixel((x, image.height - 3)) for x in range(image.width)]
    near = row[2:20] if side == "left" else row[-20:-2]
    return max(near) - min(near)  # type: ignore[type-var, operator]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["code", "output", "table"])
def test_an_edge_that_hides_something_is_shaded(new_page: NewPage, scheme: str, name: str) -> None:
    page = new_page(color_scheme=scheme, viewport={"width": 375, "height": 740})
    long = "x = " + " + ".join("abcd" * 20)
    page.set_content(f"<!doctype html><style>{CSS}</style>{BODY.replace('LONG', long)}")
    box = page.locator(f"#{name}")
    assert box.evaluate("el => el.scrollWidth > el.clientWidth + 50")
    assert edge(box, "right") > 15
    assert edge(box, "left") <= 1
    box.evaluate("el => el.scrollTo(60, 0)")
    assert edge(box, "right") > 15
    assert edge(box, "left") > 15
    box.evaluate("el => el.scrollTo(99999, 0)")
    assert edge(box, "right") <= 1
    assert edge(box, "left") > 15


@pytest.mark.parametrize("name", ["code", "output", "table"])
def test_what_fits_has_plain_edges(new_page: NewPage, name: str) -> None:
    page = new_page(viewport={"width": 375, "height": 740})
    page.set_content(f"<!doctype html><style>{CSS}</style>{BODY.replace('LONG', 'x')}")
    assert edge(page.locator(f"#{name}"), "right") <= 1


@pytest.mark.parametrize(("width", "beneath"), [(100, False), (340, True), (900, True)])
def test_an_equation_and_its_number_never_overlap(new_page: NewPage, width: int, beneath: bool) -> None:
    page = new_page(viewport={"width": 375, "height": 740})
    page.set_content(
        f"<!doctype html><style>{CSS}</style><div class=equation><div class=equation-body>"
        f"<math display=block><mspace width='{width}px' height='20px'/></math></div>"
        "<span class=eqno>(4.1)</span></div>"
    )
    equation = page.locator(".equation-body").bounding_box()
    number = page.locator(".eqno").bounding_box()
    assert equation
    assert number
    assert (number["y"] >= equation["y"] + equation["height"]) == beneath
    assert beneath or number["x"] >= equation["x"] + equation["width"]
    assert number["x"] + number["width"] <= 375
    assert number["x"] > 250  # at the right edge
    assert page.evaluate("document.documentElement.scrollWidth") <= 375


DRAWING = """<svg xmlns='http://www.w3.org/2000/svg' width='40' height='20'>
<rect width='20' height='20' fill='white'/><rect x='20' width='20' height='20' fill='rgb(27,36,48)'/></svg>"""


@pytest.mark.parametrize(
    ("scheme", "theme", "dark"),
    [("light", "", False), ("dark", "", True), ("dark", "light", False), ("light", "dark", True)],
)
def test_a_drawing_on_white_is_light_on_a_dark_page(
    new_page: NewPage, scheme: Literal["light", "dark"], theme: str, dark: bool
) -> None:
    page = new_page(color_scheme=scheme)
    image = f'<article><img src="data:image/svg+xml,{DRAWING}#drawing.svg"></article>'
    page.set_content(f"<!doctype html><style>{CSS}</style>{image}")
    if theme:
        page.evaluate("theme => (document.documentElement.dataset.theme = theme)", theme)
    shown = Image.open(io.BytesIO(page.locator("img").screenshot())).convert("L")
    assert shown.size == (40, 20)
    ground, ink = (int(shown.getpixel((x, 10))) for x in (10, 30))  # type: ignore[arg-type]
    # What is dark is as dark as the page.
    assert (ground < 32 and ink > 200) if dark else (ground == 255 and ink < 48)
    page.emulate_media(media="print", color_scheme=scheme)
    assert page.locator("img").evaluate("el => getComputedStyle(el).filter") == "none"
