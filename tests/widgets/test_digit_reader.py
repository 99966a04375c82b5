"""The digit reader: what is drawn is read as torch reads it, by pointer, touch and keyboard."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import torch
from playwright.sync_api import Page, expect
from torch import Tensor

from unrolled.nn import ViT, ViTConfig
from unrolled.probe import rollout
from unrolled.tap import record
from unrolled.widgets.digit_reader import DigitReader

# A picture of 3 x 3 patches of 2 x 2 cells, and 7 labels.
SIDE, PATCH, ACROSS, LABELS, HEADS, LAYERS = 6, 2, 3, 7, 3, 2
HOW = "To erase a patch"
Mount = Callable[..., None]


def small_vit() -> ViT:
    """Return a small model in half precision's numbers, computed in float64."""
    g = torch.Generator().manual_seed(3)
    sizes = {"image_size": SIDE, "patch_size": PATCH, "n_channels": 1, "n_labels": LABELS}
    model = ViT(ViTConfig(**sizes, d_model=12, n_heads=HEADS, n_layers=LAYERS, d_ff=17, norm_eps=1e-5))
    for parameter in model.parameters():
        parameter.data = (torch.randn(parameter.shape, generator=g) * 0.5).half().float()
    return model.double().eval()


def pictures() -> list[tuple[str, Tensor]]:
    g = torch.Generator().manual_seed(5)
    return [(name, torch.randint(17, (SIDE, SIDE), generator=g)) for name in ("a one", "a two")]


def by_torch(
    model: ViT, ink: Tensor, wiped: tuple[int, ...] = (), gone: tuple[int, ...] = ()
) -> dict[str, Tensor]:
    ink = ink.clone()
    for p in wiped:
        top, left = PATCH * (p // ACROSS), PATCH * (p % ACROSS)
        ink[top : top + PATCH, left : left + PATCH] = 0
    mask = torch.ones(1, 1, ACROSS**2 + 1, dtype=torch.bool)
    mask[..., [p + 1 for p in gone]] = False
    with torch.no_grad(), record(model, "*.attention.weights") as heard:
        logits = model(ink[None, None].double() / 16, mask if gone else None)[0]
    layers = [one[0] for one in heard.values()]
    return {
        "logits": logits,
        "chances": logits.softmax(-1),
        "attention": torch.stack([one[0, :, 0] for one in layers]),
        "rollout": rollout(layers)[-1, 0, 0],
    }


def make(model: ViT, **options: Any) -> DigitReader:
    first = by_torch(model, pictures()[0][1])
    given: dict[str, Any] = {
        "tensors": model.state_dict(),
        "examples": pictures(),
        "n_heads": HEADS,
        "n_layers": LAYERS,
        "chances": first["chances"],
        "attention": first["attention"],
    }
    return DigitReader(**(given | options))


@pytest.fixture(scope="module")
def vit() -> ViT:
    return small_vit()


def agrees(page: Page, model: ViT, ink: Tensor, **erased: tuple[int, ...]) -> None:
    box = page.locator(".unrolled")
    for name, expected in by_torch(model, ink, **erased).items():
        got = torch.tensor(json.loads(box.get_attribute(f"data-{name}") or ""), dtype=torch.float64)
        torch.testing.assert_close(got, expected, rtol=0, atol=1e-9)


def drawn(page: Page) -> Tensor:
    """Return the ink of every cell, as a screen reader hears it."""
    labels = page.locator("[role='gridcell']").evaluate_all(
        "(all) => all.map((el) => el.getAttribute('aria-label'))"
    )
    return torch.tensor([int(label.split("ink ")[1].split(" ")[0]) for label in labels]).view(SIDE, SIDE)


def test_every_picture_is_read_as_torch_reads_it(page: Page, mount: Mount, vit: ViT) -> None:
    mount(page, make(vit))
    for name, ink in pictures():
        page.get_by_label("Picture").select_option(label=name)
        assert torch.equal(drawn(page), ink)
        agrees(page, vit, ink)
        chances = by_torch(vit, ink)["chances"]
        best = int(chances.argmax())
        expect(page.locator(".u-read")).to_have_text(f"Read as {best} ({chances[best]:.2f})")
        shares = page.locator(".u-digits .u-share-number").all_inner_texts()
        assert shares == [f"{x:.2f}" for x in chances.tolist()]


def test_a_patch_is_wiped_taken_out_and_put_back(page: Page, mount: Mount, vit: ViT) -> None:
    mount(page, make(vit))
    ink = pictures()[0][1]
    view = page.get_by_label("Attention of the class token")
    view.select_option(label="block 1, head 2")
    row = by_torch(vit, ink)["attention"][0, 1]
    assert [one.split()[0] for one in page.locator(".u-patch").all_inner_texts()] == [
        f"{x:.2f}" for x in row[1:].tolist()
    ]
    most = int(row[1:].argmax())
    page.get_by_role("button", name="Erase what it attends to most").click()
    agrees(page, vit, ink, wiped=(most,))
    expect(page.locator(".u-live")).to_contain_text(f"Patch {most // 3 + 1},{most % 3 + 1} is wiped.")
    page.get_by_label(HOW).select_option(label="take its token out")
    other = (most + 1) % 9
    page.locator(".u-patch").nth(other).press("Enter")
    agrees(page, vit, ink, wiped=(most,), gone=(other,))
    page.locator(".u-patch").nth(most).click()
    agrees(page, vit, ink, gone=(other,))
    page.get_by_role("button", name="Put all back").click()
    agrees(page, vit, ink)
    # One after another, until nothing is left but the class token.
    for _ in range(10):
        page.get_by_role("button", name="Erase what it attends to most").click()
    agrees(page, vit, ink, gone=tuple(range(9)))


def test_it_is_drawn_by_keyboard(page: Page, mount: Mount, vit: ViT) -> None:
    mount(page, make(vit))
    page.get_by_role("button", name="Clear").click()
    expect(page.get_by_label("Picture")).to_have_value("2")
    ink = torch.zeros(SIDE, SIDE, dtype=torch.long)
    agrees(page, vit, ink)
    page.locator("[role='gridcell'][tabindex='0']").focus()
    for key in ("ArrowRight", "ArrowDown", "Space", "End", "5", "ArrowDown", "9", "Home", "9", "Enter"):
        page.keyboard.press(key)
    ink[1, 1], ink[1, 5], ink[2, 5] = 16, 9, 16
    assert torch.equal(drawn(page), ink)
    agrees(page, vit, ink)
    assert page.locator("[role='gridcell'][tabindex='0']").count() == 1
    expect(page.locator("[role='gridcell'][tabindex='0']")).to_be_focused()


def test_it_is_drawn_by_pointer_as_the_dots_were_counted(page: Page, mount: Mount, vit: ViT) -> None:
    mount(page, make(vit))
    page.get_by_role("button", name="Clear").click()
    box = page.locator(".u-drawing").bounding_box()
    assert box is not None
    cell = box["width"] / SIDE

    def stroke(*places: tuple[float, float]) -> None:
        (x, y), *rest = [(box["x"] + cell * c, box["y"] + cell * r) for r, c in places]
        page.mouse.move(x, y)
        page.mouse.down()
        for x, y in rest:
            page.mouse.move(x, y, steps=3)
        page.mouse.up()

    stroke((1.5, 2.5), (4.5, 2.5))
    ink = drawn(page)
    assert (ink[2:4, 2] == 16).all()  # down the middle of a column
    assert ink[:, [0, 4, 5]].sum() == 0
    agrees(page, vit, ink)
    stroke((4.5, 0.5), (4.5, 4.5))
    assert (drawn(page) >= ink).all()
    page.get_by_role("button", name="Rubber").click()
    stroke((4.5, 0.5), (4.5, 4.5))
    assert drawn(page)[4, 1:4].max() < 8
    agrees(page, vit, drawn(page))


def test_it_is_drawn_by_touch(new_page: Callable[..., Page], mount: Mount, vit: ViT) -> None:
    page = new_page(viewport={"width": 360, "height": 800}, has_touch=True)
    mount(page, make(vit))
    page.get_by_role("button", name="Clear").tap()
    page.locator("[role='gridcell']").nth(7).tap()
    ink = drawn(page)
    assert ink[1, 1] > 8
    agrees(page, vit, ink)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1200])
def test_it_is_accessible_and_fits(
    new_page: Callable[..., Page],
    mount: Mount,
    violations: Callable[[Page], list[str]],
    vit: ViT,
    theme: str,
    width: int,
) -> None:
    page = new_page(viewport={"width": width, "height": 900}, color_scheme=theme)
    mount(page, make(vit, title="Draw a digit"), theme=theme)
    page.locator(".u-patch").first.click()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for control in page.locator(".unrolled :is(button, select, [role='gridcell'])").all():
        box = control.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 24


def test_in_the_systems_colours_ink_and_erased_patches_can_be_seen(
    new_page: Callable[..., Page], mount: Mount, vit: ViT
) -> None:
    page = new_page(forced_colors="active")
    ink = torch.zeros(SIDE, SIDE)
    ink[0, 0] = 16
    first = by_torch(vit, ink.long())
    mount(page, make(vit, examples=[("a dot", ink)], chances=first["chances"], attention=first["attention"]))
    colours = page.locator("[role='gridcell']").evaluate_all(
        "(all) => all.map((el) => getComputedStyle(el).backgroundColor)"
    )
    assert colours[0] != colours[1] == colours[35]


def test_without_a_script_there_are_tables(vit: ViT) -> None:
    html = make(vit).fallback_html()
    first = by_torch(vit, pictures()[0][1])
    for x in first["chances"].tolist():
        assert f"<td>{x:.2f}</td>" in html
    assert '<th scope="row">block 2, head 3</th>' in html
    assert f'">{first["attention"][1, 2, 4]:.2f}</td>' in html


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_heads": 5}, "n_heads: expected a divisor of d_model=12, got 5"),
        ({"examples": []}, "examples: expected one picture or more, got none"),
        ({"examples": [("a", torch.zeros(5, 6))]}, r"examples: expected \[6, 6\] for 'a', got \[5, 6\]"),
        ({"examples": [("a", torch.full((6, 6), 17))]}, "expected whole numbers from 0 to 16 for 'a'"),
        ({"examples": [("a", torch.full((6, 6), 0.5))]}, "expected whole numbers from 0 to 16 for 'a'"),
        ({"chances": torch.ones(5)}, r"chances: expected \[7\], got \[5\]"),
        ({"attention": torch.ones(2, 3, 9)}, r"attention: expected \[2, 3, 10\], got \[2, 3, 9\]"),
    ],
)
def test_what_does_not_belong_together_is_refused(vit: ViT, change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(vit, **change)


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("positions", (9, 12), "positions: expected one and a square number of them, got 9"),
        ("patch_proj.weight", (12, 5), r"patch_proj.weight: expected \[12, a square number\], got \[12, 5\]"),
    ],
)
def test_weights_of_another_model_are_refused(
    vit: ViT, name: str, shape: tuple[int, int], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        make(vit, tensors=vit.state_dict() | {name: torch.zeros(shape)})
