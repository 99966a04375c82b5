"""Chapter 16: the whole model in the built page reads as torch does, over http and from disk."""

from pathlib import Path

import pytest
import torch
from playwright.sync_api import Locator, Page, expect
from torch import Tensor

from tests.book.answers import Open, close, read, state_of
from unrolled.nn import ViT, ViTConfig
from unrolled.tap import record
from unrolled.widgets.packed import unpack

CHAPTER = "16_pictures.html"
LOOK, HOW = "Attention of the class token", "To erase a patch"


@pytest.fixture
def widget(open_widget: Open) -> Locator:
    return open_widget(CHAPTER, "digit-reader")


@pytest.fixture(scope="module")
def model(built_book: Path) -> tuple[ViT, list[Tensor]]:
    """Return the page's model, of the halves that it ships, and its pictures."""
    state = state_of(built_book / CHAPTER, "digit-reader")
    sizes = {"image_size": 8, "patch_size": 2, "n_channels": 1, "n_labels": 10}
    vit = ViT(ViTConfig(**sizes, d_model=32, n_heads=4, n_layers=2, d_ff=64, norm_eps=1e-5)).double()
    vit.load_state_dict({name: torch.from_numpy(t) for name, t in unpack(state["packed"]).items()})
    return vit.eval(), [torch.tensor(one["ink"]).view(8, 8) for one in state["examples"]]


def agrees(widget: Locator, vit: ViT, ink: Tensor, gone: tuple[int, ...] = ()) -> Tensor:
    """Hold the page to torch, and return what the class token attends to, ``[2, 4, 17]``."""
    mask = torch.ones(1, 1, 17, dtype=torch.bool)
    mask[..., [p + 1 for p in gone]] = False
    with torch.no_grad(), record(vit, "*.attention.weights") as heard:
        logits = vit(ink[None, None].double() / 16, mask)[0]
    attention = torch.stack([one[0][0, :, 0] for one in heard.values()])
    box = widget.locator(".unrolled[data-logits]")
    close(read(box, "logits"), logits)
    close(read(box, "chances"), logits.softmax(-1))
    close(read(box, "attention"), attention)
    return attention


def test_every_picture_is_read_as_torch_reads_it(widget: Locator, model: tuple[ViT, list[Tensor]]) -> None:
    vit, pictures = model
    for index, ink in enumerate(pictures):
        widget.get_by_label("Picture").select_option(index=index)
        agrees(widget, vit, ink)


def test_what_the_chapter_gives_to_try_happens(
    widget: Locator, model: tuple[ViT, list[Tensor]], page: Page
) -> None:
    vit, pictures = model
    widget.get_by_label(LOOK).select_option(label="block 1, head 1")
    most = int(agrees(widget, vit, pictures[0])[0, 0, 1:].argmax())
    erase = widget.get_by_role("button", name="Erase what it attends to most")
    erase.click()
    wiped = pictures[0].clone()
    row, column = 2 * (most // 4), 2 * (most % 4)
    wiped[row : row + 2, column : column + 2] = 0
    agrees(widget, vit, wiped)
    widget.get_by_role("button", name="Put all back").click()
    widget.get_by_label(HOW).select_option(label="take its token out")
    erase.click()
    agrees(widget, vit, pictures[0], gone=(most,))
    widget.get_by_role("button", name="Clear").click()
    agrees(widget, vit, torch.zeros(8, 8))
    widget.locator("[role='gridcell'][tabindex='0']").focus()
    drawn = torch.zeros(8, 8)
    for row in range(1, 4):  # by keyboard
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Space")
        drawn[row, 0] = 16
    agrees(widget, vit, drawn)
    expect(widget.locator(".u-live")).to_contain_text("Read as")
