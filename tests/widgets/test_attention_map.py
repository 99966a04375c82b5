"""The attention map shows what torch computes, and answers to every reader."""

from collections.abc import Callable

import pytest
import torch
from playwright.sync_api import Page, expect

from tests.widgets.maps import WORDS, silent, weights
from unrolled.widgets import AttentionMap, bundle
from unrolled.widgets.maps import full_scale


def test_the_scale_is_the_same_in_both_languages(page: Page) -> None:
    many = [torch.full((2, 1, 1, n), 1 / n).tolist() for n in (1, 2, 3, 8, 15, 60)] + [
        weights(1, 2, 3, 3).tolist()
    ]
    got = page.evaluate(
        f"(many) => {{ {bundle._inline(['map-view'])} return many.map($map_view.fullScale); }}",
        many,
    )
    assert got == [full_scale(w) for w in many]
    assert got[:6] == [1, 0.5, 0.5, 0.2, 0.1, 0.05]


def test_the_cells_hold_the_numbers_torch_computes(page: Page, mount: Callable[..., None]) -> None:
    w = weights(2, 3, 4, 5)
    mount(page, AttentionMap(w, list("wxyz"), list("abcde"), layer_names=["low", "high"]))
    page.get_by_label("Layer").select_option("high")
    page.get_by_label("Head").select_option("head 3")
    expected = [f"{x:.2f}" for x in w[1, 2].flatten().tolist()]
    expect(page.locator("td[data-j]")).to_have_text(expected)
    page.locator("td[data-i='2'][data-j='1']").click()
    readout = page.get_by_role("status")
    expect(readout).to_contain_text("y attends to: ")
    best = int(w[1, 2, 2].argmax())
    expect(readout).to_contain_text(f"{'abcde'[best]} {w[1, 2, 2, best]:.2f}")
    expect(page.locator(".u-bars .u-value")).to_have_text([f"{x:.2f}" for x in w[1, 2, 2].tolist()])


def test_keyboard(page: Page, mount: Callable[..., None]) -> None:
    mount(page, AttentionMap(weights(12, 12), [f"t{i}" for i in range(12)]))
    focused = "[document.activeElement.dataset.i, document.activeElement.dataset.j].join()"
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Numbers")).to_be_focused()
    page.keyboard.press("Tab")
    assert page.evaluate(focused) == "0,0"
    for key, place in [
        ("ArrowDown", "1,0"), ("ArrowRight", "1,1"), ("End", "1,11"), ("ArrowRight", "1,11"), ("Home", "1,0"),
        ("PageDown", "11,0"), ("ArrowDown", "11,0"), ("Control+Home", "0,0"), ("ArrowUp", "0,0"),
        ("Control+End", "11,11"), ("ArrowLeft", "11,10"),
    ]:  # fmt: skip
        page.keyboard.press(key)
        assert page.evaluate(focused) == place, key
        row = place.split(",")[0]
        expect(page.get_by_role("status")).to_contain_text(f"t{row} attends to: ")
        expect(page.locator("td[tabindex='0']")).to_have_count(1)
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Numbers")).to_have_attribute("aria-pressed", "true")
    assert page.locator("td[data-j]").first.evaluate("(el) => parseFloat(getComputedStyle(el).fontSize)") > 11


def test_the_row_in_hand_has_a_frame_and_its_numbers_stand_in_the_middle(
    page: Page, mount: Callable[..., None]
) -> None:
    mount(page, AttentionMap([[0.9, 0.1], [0.0, 1.0]], ["a", "b"]))
    # The book's style sheet aligns all cells to their tops.
    page.add_style_tag(content="th, td { padding: 0.35rem 0.8rem; vertical-align: top }")
    page.get_by_role("button", name="Numbers").click()
    darkest = page.locator("td[data-i='1'][data-j='1']")
    darkest.hover()
    row = page.locator("tr.is-chosen")
    expect(row.locator("th")).to_have_text("b")
    sides = darkest.evaluate(
        """el => {
            const style = getComputedStyle(el, "::after");
            const gap = parseFloat(getComputedStyle(el.closest("table")).borderSpacing);
            return ["top", "right", "bottom"].flatMap((side) => {
                const [out, width] = [-parseFloat(style[side]), parseFloat(style[`border-${side}-width`])];
                return [out - width, width, gap - out];
            });
        }"""
    )
    assert sides == [1, 2, 1] * 3  # paper, frame, paper
    # A map this small does not scroll: its right edge is in sight.
    assert page.locator(".u-scroll").evaluate("el => el.scrollWidth <= el.clientWidth")
    off = darkest.evaluate(
        """el => {
            const range = document.createRange();
            range.selectNodeContents(el);
            const [text, cell] = [range.getBoundingClientRect(), el.getBoundingClientRect()];
            return (text.top + text.bottom) / 2 - (cell.top + cell.bottom) / 2;
        }"""
    )
    assert abs(off) < 2


def test_the_sentence_under_the_map_is_for_screen_readers(page: Page, mount: Callable[..., None]) -> None:
    mount(page, AttentionMap(weights(3, 3), WORDS))
    readout = page.get_by_role("status")
    expect(readout).to_contain_text("I attends to: ")
    box = readout.bounding_box()
    assert box
    assert max(box["width"], box["height"]) <= 1


def test_hover_and_touch(new_page: Callable[..., Page], mount: Callable[..., None]) -> None:
    page = new_page(has_touch=True, viewport={"width": 375, "height": 740})
    mount(page, AttentionMap(weights(3, 3), WORDS))
    page.locator("td[data-i='2'][data-j='0']").tap()
    expect(page.get_by_role("status")).to_contain_text("bears attends to: ")
    page.locator("td[data-i='1'][data-j='0']").hover()
    expect(page.get_by_role("status")).to_contain_text("love attends to: ")
    page.locator("tbody th").first.hover()
    expect(page.get_by_role("status")).to_contain_text("I attends to: ")
    sizes = page.eval_on_selector_all(
        "td[data-j], .unrolled button, .unrolled-table-button",
        "(all) => all.flatMap((el) => { const r = el.getBoundingClientRect(); return [r.width, r.height]; })",
    )
    assert min(sizes) >= 24


def test_a_row_that_attends_to_nothing_says_so(page: Page, mount: Callable[..., None]) -> None:
    widget = AttentionMap(silent(3, 3), WORDS)
    assert "love (attends to nothing)" in widget.fallback_html()
    mount(page, widget)
    page.locator("td[data-i='1'][data-j='2']").click()
    expect(page.get_by_role("status")).to_have_text("love attends to: nothing.")
    expect(page.locator(".u-bars")).to_have_text("love attends to nothing")
    expect(page.get_by_role("gridcell", name="love attends to nothing")).to_have_count(3)


def test_hostile_text_is_text(page: Page, mount: Callable[..., None]) -> None:
    hostile = "<img src=x onerror=document.title='hit'>"
    closing = "</script><script>document.title='hit'</script>"
    names = [hostile, closing]
    mount(page, AttentionMap(weights(2, 2, 2), names, title=hostile, head_names=names))
    expect(page.locator("tbody th[data-i]")).to_have_text(names)
    expect(page.locator(".u-title")).to_have_text(hostile)
    expect(page.locator("main img")).to_have_count(0)
    page.get_by_role("button", name="Show as a table").click()
    expect(page.locator(".unrolled-fallback").get_by_text(hostile).first).to_be_visible()
    assert page.title() == "Widgets"


def test_tokens_that_cannot_be_seen_get_a_sign(page: Page, mount: Callable[..., None]) -> None:
    mount(page, AttentionMap(weights(4, 4), ["", " ", "a\n", "b"]))
    expect(page.locator("tbody th[data-i]")).to_have_text(["∅", "␣", "a↵", "b"])


@pytest.mark.parametrize("size", [40, 100])
def test_a_long_sentence_scrolls_in_its_own_box(
    new_page: Callable[..., Page], mount: Callable[..., None], size: int
) -> None:
    page = new_page(viewport={"width": 320, "height": 640})
    mount(page, AttentionMap(weights(size, size), [f"token{i}" for i in range(size)]))
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.locator("td[tabindex='0']").focus()
    page.keyboard.press("Control+End")
    last = page.locator(f"td[data-i='{size - 1}'][data-j='{size - 1}']")
    expect(last).to_be_focused()
    expect(last).to_be_in_viewport()
    expect(page.locator(".u-bars li")).to_have_count(8)
    expect(page.locator(".u-bars")).to_contain_text(f"and {size - 8} more, together 0.")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 900])
def test_axe_finds_nothing(
    new_page: Callable[..., Page],
    mount: Callable[..., None],
    violations: Callable[[Page], list[str]],
    theme: str,
    width: int,
) -> None:
    # Every tenth of the scale, so that the ink is checked on each colour.
    ramp = [[i / 10, 1 - i / 10] for i in range(11)]
    page = new_page(viewport={"width": width, "height": 800})
    mount(
        page,
        AttentionMap(weights(2, 2, 3, 3), WORDS, title="Small"),
        AttentionMap(ramp, [f"{i}" for i in range(11)], ["a", "b"]),
        AttentionMap(silent(3, 3), WORDS),
        theme=theme,
    )
    for button in page.get_by_role("button").all():
        button.click()
    page.locator("td[tabindex='0']").first.focus()
    assert violations(page) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_ink_reads_on_every_colour_and_more_is_never_lighter(
    page: Page, mount: Callable[..., None], theme: str
) -> None:
    ramp = [[i / 50, 1 - i / 50] for i in range(51)]
    mount(page, AttentionMap(ramp, [f"{i}" for i in range(51)], ["a", "b"]), theme=theme)
    # A canvas turns any colour the style sheet computes into red, green and blue.
    colours = page.evaluate(
        """() => {
            const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
            const rgb = (colour) => {
                canvas.fillStyle = colour;
                canvas.fillRect(0, 0, 1, 1);
                return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
            };
            return [...document.querySelectorAll("td[data-j='0']")].map((cell) => {
                const style = getComputedStyle(cell);
                return [rgb(style.backgroundColor), rgb(style.color)];
            });
        }"""
    )
    light = [[_luminance(colour) for colour in pair] for pair in colours]
    for ground, ink in light:
        assert (max(ground, ink) + 0.05) / (min(ground, ink) + 0.05) >= 4.5
    grounds = [ground for ground, _ in light]
    assert grounds == sorted(grounds, reverse=theme == "light")
    assert abs(grounds[-1] - grounds[0]) > 0.5


def _luminance(rgb: list[int]) -> float:
    """Return the relative luminance of WCAG 2.2."""
    linear = [c / 3294.6 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in rgb]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_a_live_model_and_the_widget_follow_each_other(page: Page) -> None:
    w = weights(1, 2, 3, 3)
    page.set_content("<main></main>")
    page.evaluate(
        """async ([source, state]) => {
            const heard = {};
            window.saved = 0;
            window.model = {
                get: (name) => state[name],
                set(name, value) {
                    state[name] = value;
                    (heard[`change:${name}`] ?? []).forEach((f) => f());
                },
                on: (name, f) => (heard[name] ??= []).push(f),
                off(name, f) { heard[name] = (heard[name] ?? []).filter((other) => other !== f); },
                save_changes() { window.saved += 1; },
                count: () => Object.values(heard).flat().length,
            };
            const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
            const widget = (await import(url)).default;
            window.close_widget = widget.render({ model: window.model, el: document.querySelector("main") });
        }""",
        [AttentionMap._esm, AttentionMap(w, WORDS).state()],
    )
    cells = page.locator("td[data-j]")
    expect(cells).to_have_text([f"{x:.2f}" for x in w[0, 0].flatten().tolist()])
    page.evaluate("model.set('head', 1)")
    expect(cells).to_have_text([f"{x:.2f}" for x in w[0, 1].flatten().tolist()])
    expect(page.get_by_label("Head")).to_have_value("1")
    page.get_by_label("Head").select_option("head 1")
    assert page.evaluate("[model.get('head'), saved]") == [0, 1]
    page.evaluate("close_widget()")
    assert page.evaluate("model.count()") == 0
