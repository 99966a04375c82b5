"""The paint mixer in a browser: torch's softmax, Python's colours, both tabs, by mouse and keyboard."""

import json
from typing import Any

import numpy as np
import pytest
import torch
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from tests.widgets.light import channels, light
from tests.widgets.notebook import NOTEBOOK
from unrolled.nn import attend, attention_scores, attention_weights
from unrolled.widgets import bundle, colour
from unrolled.widgets.paint_mixer import PaintMixer

PAINTS = {"blue": "#0072b2", "yellow": "#f0e442", "red": "#d7263d", "white": "#ffffff"}
SCORES = [1.5, 0.8, -0.7, -1.0]
AXE = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}


def mount(page: Page, widget: PaintMixer) -> None:
    page.set_content(
        "<!doctype html><html lang=en><meta name=viewport content='width=device-width, initial-scale=1'>"
        f"<title>Paint</title><style>body {{ background: light-dark(#fff, #111); color-scheme: light dark }}"
        f"{bundle.stylesheet()}</style><main>{widget.static_html()}</main>"
    )
    page.add_script_tag(content=bundle.page_script((widget.name,)))


def read(page: Page) -> tuple[list[float], list[float], str]:
    """Return scores, amounts and the mixed colour, in full, as the widget has them."""
    data = page.locator(".unrolled").evaluate("el => ({ ...el.dataset })")
    return json.loads(data["scores"]), json.loads(data["weights"]), data["mixed"]


def score(page: Page, name: str) -> Locator:
    return page.get_by_label(f"Score of {name}")


def agree(page: Page, paints: dict[str, str] = PAINTS) -> None:
    """Compare amounts with torch, and the mixed colour with attention over the paints' light."""
    scores, amounts, mixed = read(page)
    weights = attention_weights(torch.tensor([scores], dtype=torch.float64))
    torch.testing.assert_close(torch.tensor([amounts], dtype=torch.float64), weights, rtol=0, atol=1e-6)
    value = torch.stack([light(paint) for paint in paints.values()])
    # 0.006 is half of 1/255 where the gamma curve is steepest, and a little.
    torch.testing.assert_close(light(mixed), attend(weights, value)[0], rtol=0, atol=0.006)
    by_python = colour.mix(weights[0].numpy(), list(paints.values()))
    torch.testing.assert_close(channels(mixed), channels(by_python), rtol=0, atol=1)
    text = ", ".join(f"{name} {amount:.2f}" for name, amount in zip(paints, weights[0].tolist(), strict=True))
    said = f"mounts: {text}; mixed colour {mixed}, close to {colour.nearest_name(mixed)}."
    expect(page.get_by_role("status").filter(has_text="mixed colour")).to_contain_text(said)
    can = page.locator(".u-can ellipse").first.evaluate("el => getComputedStyle(el).fill")
    assert can == f"rgb({', '.join(str(round(c)) for c in channels(mixed).tolist())})"


def test_shows_torchs_softmax_and_mixes_it(page: Page) -> None:
    widget = PaintMixer(PAINTS, SCORES)
    mount(page, widget)
    scores, amounts, mixed = read(page)
    assert scores == SCORES
    agree(page)
    torch.testing.assert_close(torch.tensor(widget.amounts()), torch.tensor(amounts), rtol=0, atol=1e-6)
    assert widget.mixed() == mixed
    shown = page.locator(".u-amount output").all_inner_texts()
    assert shown == [f"{a:.2f}" for a in torch.softmax(torch.tensor(SCORES), 0).tolist()]


@pytest.mark.parametrize("seed", range(5))
def test_random_paints_and_scores_equal_python(page: Page, seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 9))
    paints = {f"paint {i}": "#" + "".join(f"{c:02x}" for c in rng.integers(0, 256, 3)) for i in range(n)}
    mount(page, PaintMixer(paints, rng.uniform(-5, 5, n).round(1).tolist()))
    agree(page, paints)


def test_one_score_up_makes_every_other_amount_shrink(page: Page) -> None:
    mount(page, PaintMixer(PAINTS, SCORES))
    _, before, _ = read(page)
    score(page, "red").focus()
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    scores, after, _ = read(page)
    assert scores == pytest.approx([1.5, 0.8, 0.3, -1.0])
    assert [b > a for b, a in zip(after, before, strict=True)] == [False, False, True, False]
    agree(page)
    expect(score(page, "red")).to_have_attribute("aria-valuetext", "0.3")


def test_mouse_sets_a_score_and_the_bar_follows(page: Page) -> None:
    mount(page, PaintMixer(PAINTS))
    box = score(page, "yellow").bounding_box()
    assert box
    page.mouse.click(box["x"] + 0.9 * box["width"], box["y"] + box["height"] / 2)
    scores, amounts, _ = read(page)
    assert scores[1] > 3
    agree(page)
    parts = page.locator(".u-stack span")
    widths = parts.evaluate_all("els => els.map(el => el.getBoundingClientRect().width)")
    assert np.allclose(np.array(widths) / sum(widths), amounts, atol=0.02)


def test_touch_sets_a_score(new_page: Any) -> None:
    page = new_page(has_touch=True, viewport={"width": 375, "height": 740})
    mount(page, PaintMixer(PAINTS))
    box = score(page, "red").bounding_box()
    assert box
    page.touchscreen.tap(box["x"] + 0.9 * box["width"], box["y"] + box["height"] / 2)
    assert read(page)[0][2] > 3
    agree(page)


def test_a_wish_is_a_query_and_every_paint_a_key(page: Page) -> None:
    widget = PaintMixer(PAINTS, SCORES, sharpness=1.5)
    mount(page, widget)
    page.get_by_role("tab", name="Set the amounts").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Ask for a colour")).to_be_focused()
    expect(score(page, "blue")).to_be_hidden()
    for wish, hexed in widget.wishes.items():
        page.get_by_role("radio", name=wish, exact=True).check()
        query = torch.from_numpy(2 * colour.rgb(hexed) - 1)[None]
        key = torch.stack([torch.from_numpy(2 * colour.rgb(paint) - 1) for paint in PAINTS.values()])
        expected = attention_scores(query, key, scale=1.5)[0]
        got = torch.tensor(read(page)[0], dtype=torch.float64)
        torch.testing.assert_close(got, expected, rtol=0, atol=1e-9)
        assert widget.wish_scores(wish) == pytest.approx(expected.tolist())
        agree(page)
        cells = page.get_by_role("row", name="yellow").get_by_role("cell").all_inner_texts()
        assert cells[0] == f"{expected[1]:.2f}".replace("-", "−")
    page.get_by_label("Sharpness").focus()
    page.keyboard.press("Home")
    assert read(page)[1] == pytest.approx([0.25] * 4)
    page.get_by_role("tab", name="Set the amounts").click()
    assert read(page)[0] == SCORES  # the reader's own scores were kept


def test_reset(page: Page) -> None:
    mount(page, PaintMixer(PAINTS, SCORES))
    score(page, "white").press("End")
    page.get_by_role("tab", name="Ask for a colour").click()
    page.get_by_label("Sharpness").press("End")
    page.get_by_role("radio", name="navy").check()
    page.get_by_role("button", name="Reset").click()
    expect(page.get_by_role("radio", name="coral")).to_be_checked()
    expect(page.get_by_label("Sharpness")).to_have_value("2")
    page.get_by_role("tab", name="Set the amounts").click()
    assert read(page)[0] == SCORES
    agree(page)


def test_a_kernel_hears_and_is_heard(page: Page) -> None:
    widget = PaintMixer(PAINTS, SCORES)
    page.goto("about:blank")
    given = {"esm": bundle.esm(widget.name), "state": widget.state(), "kept": ["scores", "sharpness"]}
    page.evaluate(NOTEBOOK, given)
    score(page, "red").press("End")
    page.get_by_role("tab", name="Ask for a colour").click()
    page.get_by_label("Sharpness").press("End")
    assert page.evaluate("saved.at(-1)") == {"scores": [1.5, 0.8, 5, -1.0], "sharpness": 5}
    page.get_by_role("tab", name="Set the amounts").click()
    page.evaluate("model.set('scores', [0, 1, 2, 3])")
    assert read(page)[0] == [0, 1, 2, 3]
    expect(score(page, "white")).to_have_value("3")
    page.evaluate("model.set('sharpness', 1)")
    expect(page.get_by_label("Sharpness")).to_have_value("1")
    page.evaluate("stop()")
    page.evaluate("model.set('scores', [0, 0, 0, 0])")
    assert read(page)[0] == [0, 1, 2, 3]  # it no longer listens


def test_text_is_never_markup(page: Page) -> None:
    paints = {"<img src=x onerror=alert(1)>": "#112233", "</script><b>b</b>": "#ddeeff"}
    mount(page, PaintMixer(paints, wishes={"<i>wish</i>": "#ff0000"}, title="<u>t</u>"))
    expect(page.locator("main :is(img, b, i, u)")).to_have_count(0)
    agree(page, paints)


BOOK = {"white": "#fafafa", "black": "#1b1b1b", "red": "#c8102e", "green": "#00843d", "blue": "#0057b8"}


@pytest.mark.parametrize("width", [375, 690])
def test_the_whole_table_is_in_sight_and_the_tabs_stand_side_by_side(new_page: Any, width: int) -> None:
    page = new_page(viewport={"width": width, "height": 800})
    mount(page, PaintMixer(BOOK))
    page.add_style_tag(content="html { font-size: 112.5% } body { margin: 0 1.1rem }")  # as in the book
    page.get_by_role("tab", name="Ask for a colour").click()
    roles = page.get_by_role("region", name="Each paint")
    assert roles.evaluate("el => el.scrollWidth <= el.clientWidth")
    expect(roles.get_by_role("columnheader")).to_have_text(["paint, key k, value v", "score", "amount"])
    lines = roles.get_by_role("row", name="red").get_by_role("rowheader").locator("div > div > div")
    expect(lines).to_have_text(["red", "k (0.6, −0.9, −0.6)", "v (0.6, 0.0, 0.0)"])
    heights = lines.evaluate_all("all => all.map(el => el.getBoundingClientRect().height)")
    assert max(heights) < 30  # one line each
    first, second = (page.get_by_role("tab").nth(i).bounding_box() for i in (0, 1))
    assert first
    assert second
    assert first["y"] == second["y"]
    expect(page.get_by_text("you will rarely get exactly what you asked for")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [375, 1000])
@pytest.mark.parametrize("tab", ["Set the amounts", "Ask for a colour"])
def test_accessible_and_never_wider_than_the_page(new_page: Any, scheme: str, width: int, tab: str) -> None:
    page = new_page(color_scheme=scheme, viewport={"width": width, "height": 800})
    mount(page, PaintMixer(PAINTS, SCORES, title="The paint shop"))
    page.get_by_role("tab", name=tab).click()
    found = Axe().run(page, options=AXE).response["violations"]
    assert [(v["id"], [n["html"] for n in v["nodes"]]) for v in found] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_fallback_holds_the_numbers(new_page: Any) -> None:
    page = new_page(java_script_enabled=False)
    widget = PaintMixer(PAINTS, SCORES)
    page.set_content(widget.static_html())
    amounts = torch.softmax(torch.tensor(SCORES, dtype=torch.float64), 0).tolist()
    rows = page.locator("tbody tr").all()
    assert len(rows) == len(PAINTS)
    for row, s, a in zip(rows, SCORES, amounts, strict=True):
        assert [t.replace("-", "−") for t in row.locator("td").all_inner_texts()] == [
            f"{s:.2f}".replace("-", "−"), f"{a:.2f}"
        ]  # fmt: skip
    expect(page.locator("caption")).to_contain_text(widget.mixed())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"colours": {"blue": "#00f", "red": "#ff0000"}}, "expected \"#rrggbb\", got '#00f'"),
        ({"colours": {"blue": "#0000ff"}}, "colours: expected 2 to 8 of them, got 1"),
        ({"wishes": {}}, "wishes: expected 1 to 8 of them, got 0"),
        ({"scores": [1.0]}, "scores: expected one for each of 4 colours, got 1"),
        ({"scores": [float("nan"), 0, 0, 0]}, r"scores: expected numbers from -5 to 5, got \[nan"),
        ({"scores": [float("inf"), 0, 0, 0]}, r"scores: expected numbers from -5 to 5, got \[inf"),
        ({"sharpness": 6.0}, "sharpness: expected a number from 0 to 5, got 6"),
        ({"sharpness": float("nan")}, "sharpness: expected a number from 0 to 5, got nan"),
    ],
)
def test_python_says_what_it_expected(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PaintMixer(**{"colours": PAINTS, **change})


def test_wrong_kinds_are_named() -> None:
    with pytest.raises(TypeError, match=r"colours: expected .* got list"):
        PaintMixer(["#ffffff", "#000000"])  # type: ignore[arg-type]
    with pytest.raises(KeyError, match=r"expected one of coral, gold, .* got 'mud'"):
        PaintMixer(PAINTS).wish_scores("mud")
