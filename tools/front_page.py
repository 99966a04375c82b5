"""Draw the pictures that the README and the first page of the book show: ``python -m tools.front_page``.

One is `unrolled.look` of a model of the course, on one line; the other the playground, as a browser shows it
and saves it. Both are SVG.
"""

from pathlib import Path

import torch
from playwright.sync_api import sync_playwright

from tools import browser
from unrolled import Look, look
from unrolled.data.tales import MOST_PIECES, pieces
from unrolled.nn import GPT
from unrolled.probe import walkthrough
from unrolled.training.stored import FOLDER, stored
from unrolled.widgets import Playground, bundle

__all__ = ["NAMED", "PICTURE", "PLAYGROUND", "TEXT", "picture", "playground", "playground_picture"]

BOOK = Path(__file__).parents[1] / "book"
PICTURE = BOOK / "look.svg"
TEXT = "Once upon a time there were three bears, who lived together in a house of their own"
PLAYGROUND = BOOK / "playground.svg"
NAMED = "Mr. Toad and Mr. Badger and Mr."


def picture() -> str:
    """Return the picture: one head that looks for what a word belongs to."""
    it: Look = look(stored("gpt-tales").model, pieces(), TEXT, join=True, title="A GPT that has read tales")
    it.view, it.drawing, it.layer, it.head, it.least = "head", "lines", 3, 1, 0.1
    return it.to_svg()


def playground() -> Playground:
    """Return the playground with the text of the picture."""
    model, cutter = stored("gpt-playground").model, pieces(MOST_PIECES)
    assert isinstance(model, GPT)
    walk = walkthrough(model, torch.tensor(cutter.encode(NAMED)))
    return Playground(FOLDER / "gpt-playground.safetensors", cutter.merges, NAMED, walk, n_heads=4)


def playground_picture() -> str:
    """Return the picture of the playground, its blocks folded."""
    style = f"body {{ margin: 0 }} {bundle.stylesheet()}"
    page = (
        f'<!doctype html><html lang="en" data-theme="light"><meta charset="utf-8"><style>{style}</style>'
        f"{playground().static_html()}<script>{bundle.page_script(('playground',))}</script>"
        f"<script>{bundle.picture_script()}</script></html>"
    )
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=browser.find_or_fetch(), args=browser.arguments()
        )
        view = chromium.new_page(viewport={"width": 720, "height": 900})
        view.set_content(page)
        view.wait_for_selector(".unrolled .u-token")
        svg: str = view.evaluate(
            """() => {
                const it = document.querySelector(".unrolled");
                it.querySelectorAll("details").forEach((fold) => fold.open = false);
                it.querySelector(".u-live").remove();
                return globalThis.unrolledPicture.picture(it).text;
            }"""
        )
        chromium.close()
    return svg


if __name__ == "__main__":
    PICTURE.write_text(picture(), encoding="utf-8")
    PLAYGROUND.write_text(playground_picture(), encoding="utf-8")
