"""The saved file: every view by keyboard, filters, hostile text, sizes, themes, and no script."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from playwright.sync_api import Page, expect

from tests.axe import WCAG, run_axe
from tests.waiting import wait_until
from tests.widgets.maps import WORDS, silent, weights
from tests.widgets.notebook import NOTEBOOK
from unrolled import Look
from unrolled.widgets import bundle

Saved = Callable[..., Page]
HOSTILE = "<img src=x onerror=document.title='hit'></script><script>document.title='hit'</script>"


def bars(page: Page) -> list[str]:
    return page.locator(".u-gaze-bars .u-value").all_inner_texts()


def rows(w: torch.Tensor, least: float = 0.0005) -> list[str]:
    return [f"{x:.3f}" for x in w.sort(descending=True).values.tolist() if x >= least]


def test_every_view_by_keyboard(saved: Saved) -> None:
    w = weights(2, 3, 3, 3)
    page = saved(Look.of(w, WORDS))
    keys = page.keyboard
    keys.press("Tab")
    tab = lambda name: page.get_by_role("tab", name=name)
    expect(tab("All layers")).to_be_focused()
    keys.press("ArrowLeft")
    expect(tab("One layer")).to_be_focused()
    expect(page.locator("button.u-mini")).to_have_count(3)
    keys.press("ArrowRight")
    expect(page.locator("button.u-mini")).to_have_count(6)
    # To the maps, over the slider.
    keys.press("Tab")
    keys.press("Tab")
    for key, name in [
        ("ArrowRight", "layer 0, head 1"),
        ("ArrowDown", "layer 1, head 1"),
        ("ArrowDown", "layer 1, head 1"),
        ("ArrowRight", "layer 1, head 2"),
    ]:
        keys.press(key)
        expect(page.get_by_role("button", name=name)).to_be_focused()
        expect(page.locator("button.u-mini[tabindex='0']")).to_have_count(1)
    keys.press("Enter")
    expect(tab("One head")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("radio", name="all tokens")).to_be_focused()
    keys.press("ArrowDown")
    keys.press("ArrowDown")
    expect(page.get_by_role("radio", name="love")).to_be_focused()
    assert bars(page) == rows(w[1, 2, 1])
    keys.press("ArrowRight")
    said = page.locator(".u-live")
    expect(said).to_have_text(f"love attends to I: {w[1, 2, 1, 0]:.3f}.")
    keys.press("ArrowRight")
    expect(said).to_have_text(f"love attends to love: {w[1, 2, 1, 1]:.3f}.")
    keys.press("End")
    expect(page.get_by_role("radio", name="bears")).to_be_focused()
    assert bars(page) == rows(w[1, 2, 2])
    # Lines: from the chosen token, or from all.
    page.get_by_label("Drawn as").select_option("lines")
    expect(page.locator("line")).to_have_count(len(rows(w[1, 2, 2])))
    page.get_by_role("radio", name="bears").focus()
    keys.press("Home")
    expect(page.get_by_role("radio", name="all tokens")).to_be_focused()
    expect(page.locator("line")).to_have_count(int((w[1, 2] >= 0.0005).sum()))


# Counts what is taken out of the controls or put in.
MOVED = """() => {
    globalThis.moved = 0;
    new MutationObserver((all) => void (moved += all.length)).observe(
        document.querySelector(".u-controls"), { childList: true });
}"""


def test_the_smallest_weight_leaves_out_bars_lines_and_cells(saved: Saved) -> None:
    w = torch.tensor([[0.7, 0.2, 0.1], [0.05, 0.9, 0.05], [0.3, 0.3, 0.4]])
    page = saved(Look.of(w, WORDS))
    page.get_by_role("radio", name="I", exact=True).click()
    slider = page.get_by_role("slider", name="Smallest weight shown")
    slider.fill("0.2")
    assert bars(page) == ["0.700", "0.200"]
    page.get_by_label("Drawn as").select_option("lines")
    page.get_by_role("radio", name="all tokens").click()
    expect(page.locator("line")).to_have_count(6)
    # The slider keeps its focus while it moves, also where the picture is drawn anew.
    slider.focus()
    page.evaluate(MOVED)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(page.locator("line")).to_have_count(5)
    expect(slider).to_be_focused()
    assert page.evaluate("moved") == 0  # or a finger would lose it
    page.get_by_role("button", name="Show as a table").click()  # the table leaves nothing out
    cells = page.locator(".unrolled-fallback td").all_inner_texts()
    assert [cell for cell in cells if cell] == [f"{x:.3f}" for x in w.flatten().tolist()]


PIXELS = """(canvas) => [...canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data]
    .filter((_, k) => k % 4 === 0)"""


# Whether the pixels of the second small map rise, or fall, with the weights.
PAINTED = f"""([order, sign]) => {{
  const red = ({PIXELS})(document.querySelectorAll("button.u-mini canvas")[1]);
  return order.every((at, k) => k === 0 || sign * (red[at] - red[order[k - 1]]) >= 0);
}}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_larger_weight_is_further_from_the_paper_in_every_theme(saved: Saved, scheme: str) -> None:
    w = weights(1, 2, 5, 7)
    look = Look.of(w, list("abcde"), list("tuvwxyz"))
    page = saved(look, color_scheme=scheme)
    other = "dark" if scheme == "light" else "light"
    order = np.argsort(look.weights()[0, 1].ravel(), kind="stable")
    for colours in (scheme, other):
        page.emulate_media(color_scheme=colours)
        # The picture is painted anew a moment after the theme has changed: until then it is the old one.
        wait_until(page, PAINTED, arg=[order.tolist(), 1 if colours == "dark" else -1])
        red = page.locator("button.u-mini canvas").nth(1).evaluate(PIXELS)
        assert len(red) == 35
        assert len(set(red)) > 5


def test_the_systems_colours_still_tell_weights_apart(saved: Saved) -> None:
    page = saved(Look.of(weights(1, 2, 5, 5), list("abcde")), forced_colors="active")
    assert len(set(page.locator("button.u-mini canvas").first.evaluate(PIXELS))) > 5


def test_a_widget_that_is_put_into_its_page_later_has_its_colours(page: Page) -> None:
    look = Look.of(weights(1, 2, 5, 5), list("abcde"))
    page.set_content(f"<!doctype html><style>{bundle.stylesheet()}</style>")
    late = NOTEBOOK.replace('document.body.appendChild(document.createElement("main"))', "globalThis.later")
    page.evaluate("globalThis.later = document.createElement('main')")
    page.evaluate(late, {"esm": bundle.esm(look.name), "state": look.state(), "kept": []})
    page.evaluate("document.body.appendChild(later)")
    wait_until(page, f"new Set(({PIXELS})(document.querySelector('button.u-mini canvas'))).size > 5")


def test_hostile_tokens_are_text(saved: Saved) -> None:
    names = [HOSTILE, "$\\frac$ &amp; \u202eolleh\x00\x1b", "\ud83d lone", ""]
    look = Look.of(weights(2, 2, 4, 4), names, title=HOSTILE)
    page = saved(look)
    expect(page.locator(".u-title")).to_have_text(HOSTILE)
    page.get_by_role("tab", name="One head").click()
    expect(page.get_by_role("radio", name=HOSTILE)).to_be_visible()
    expect(page.get_by_role("radio", name="∅")).to_be_visible()
    expect(page.locator("main img")).to_have_count(0)
    page.set_content(look.to_svg())
    expect(page.locator("svg text").filter(has_text="<img src=x onerr").first).to_be_visible()
    expect(page.locator("img")).to_have_count(0)
    assert page.title() != "hit"
    look.view, look.drawing = "head", "lines"
    assert look.to_png().startswith(b"\x89PNG")
    json.dumps(look.to_dict())


def test_twelve_by_twelve_heads_over_a_hundred_tokens_stay_below_five_megabytes(
    saved: Saved, tmp_path: Path
) -> None:
    g = torch.Generator().manual_seed(0)
    w = torch.randn(12, 12, 100, 100, generator=g).mul(2).softmax(-1)
    look = Look.of(w, [f"token{i}" for i in range(100)])
    assert look.save_html(tmp_path / "big.html").stat().st_size < 5_000_000
    assert (
        Look.of(w, list(map(str, range(100))), digits=2).save_html(tmp_path / "two.html").stat().st_size
        < 3_000_000
    )
    page = saved(look)
    expect(page.locator("button.u-mini canvas")).to_have_count(144)
    page.get_by_role("button", name="layer 11, head 7").click()
    page.get_by_role("radio", name="token98").click()
    assert bars(page) == rows(w[11, 7, 98])[:8]


def test_more_than_a_picture_holds_is_refused_with_the_limit() -> None:
    w = torch.full((7, 5, 300, 300), 1 / 300)
    with pytest.raises(
        ValueError, match="expected at most 1,750,000 in one picture with 3 digits, got 3,150,000"
    ):
        Look.of(w, ["a"] * 300)
    assert Look.of(w, ["a"] * 300, digits=2).digits == 2
    with pytest.raises(ValueError, match=r"tokens: expected 1 to 512, got 513"):
        Look.of(torch.eye(513), ["a"] * 513)


@pytest.mark.parametrize(("theme", "width"), [("light", 360), ("dark", 900)])
def test_axe_finds_nothing_and_fingers_fit(saved: Saved, theme: str, width: int) -> None:
    look = Look.of(weights(2, 4, 5, 5), list("abcde"), title="Small")
    page = saved(look, color_scheme=theme, viewport={"width": width, "height": 800})
    for view in ("All layers", "One layer", "One head"):
        page.get_by_role("tab", name=view).click()
        passed, complaints = run_axe(page, type="tag", values=[*WCAG, "best-practice"])
        assert passed
        assert complaints == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        sizes = page.eval_on_selector_all(
            ".unrolled :is(button, select):not([hidden])",
            "(all) => all.map((el) => el.getBoundingClientRect()).filter((r) => r.width)"
            ".flatMap((r) => [r.width, r.height])",
        )
        assert min(sizes) >= 24


def test_without_a_script_the_head_is_a_table_and_the_notes_are_said(saved: Saved) -> None:
    w = silent(2, 2, 3, 3)
    page = saved(Look.of(w, WORDS, title="A model"), java_script_enabled=False)
    expect(page.locator("td").filter(has_text="0.333")).to_have_count(6)
    expect(page.get_by_role("rowheader", name="love (attends to nothing)")).to_be_visible()
    expect(page.get_by_text("Weights are rounded to 3 digits after the point.")).to_be_visible()
    expect(page.get_by_text("One of 4 maps; the others need a page with JavaScript.")).to_be_visible()


def test_a_notebook_and_python_choose_as_the_reader_does(page: Page) -> None:
    w = weights(2, 3, 3, 3)
    look = Look.of(w, WORDS)
    page.set_content(f"<!doctype html><style>{bundle.stylesheet()}</style>")
    kept = ["view", "layer", "head", "token", "least", "drawing", "shown"]
    page.evaluate(NOTEBOOK, {"esm": bundle.esm(look.name), "state": look.state(), "kept": kept})
    page.get_by_role("button", name="layer 1, head 2").click()
    page.get_by_role("radio", name="love").click()
    assert page.evaluate("saved.at(-1)") == {
        "view": "head", "layer": 1, "head": 2, "token": 1, "least": 0, "drawing": "map", "shown": 0,
    }  # fmt: skip
    page.evaluate("model.set('head', 0); model.set('least', 0.25)")
    assert bars(page) == rows(w[1, 0, 1], 0.2495)
    expect(page.get_by_label("Head", exact=True)).to_have_value("0")
    expect(page.get_by_role("slider")).to_have_value("0.25")
    picture = Image.open(io.BytesIO(page.locator("canvas").screenshot()))
    assert len(picture.convert("RGB").getcolors(99_999) or []) > 2
    page.evaluate("stop()")
