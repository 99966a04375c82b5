"""The head browser shows every head, says of each what torch says, and answers to every reader."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from playwright.sync_api import Page, expect
from torch import Tensor

from tests.widgets.maps import WORDS, silent, weights
from unrolled.widgets import HeadBrowser, bundle, head_summary


def relation(rows: int, columns: int, *places: tuple[int, int]) -> Tensor:
    made = torch.zeros(rows, columns)
    for place in places:
        made[place] = 1
    return made


def by_definition(w: Tensor, relations: dict[str, Tensor]) -> dict[str, float]:
    """Return the figures of one head, token by token, apart from the package's own code."""
    rows = [i for i in range(len(w)) if w[i].sum() > 0]
    later = [i for i in rows if i > 0]
    figures = {
        "itself": sum(w[i, i] for i in rows) / len(rows),
        "the one before": sum(w[i, i - 1] for i in later) / len(later),
        "the one after": sum(w[i, i + 1] for i in rows if i < len(w) - 1) / sum(i < len(w) - 1 for i in rows),
        "the first": sum(w[i, 0] for i in rows) / len(rows),
    }
    for name, there in relations.items():
        asked = [i for i in rows if there[i].any()]
        figures[name] = sum((w[i] * there[i]).sum() for i in asked) / len(asked)
    figures["entropy"] = torch.special.entr(w[rows]).sum() / len(rows) / math.log(2)
    return {name: float(figure) for name, figure in figures.items()}


def in_browser(page: Page, maps: list[Any], options: dict[str, Any]) -> list[dict[str, float]]:
    script = bundle._inline(["head-summary"])
    each = "(map) => Object.fromEntries($head_summary.headSummary(map, given.options))"
    code = f"(given) => {{ {script} return given.maps.map({each}); }}"
    return page.evaluate(code, {"maps": maps, "options": options})


def test_both_languages_say_what_the_definition_says(page: Page) -> None:
    masked = weights(2, 3, 5, 5)
    masked[1, 2, 3] = 0  # one token of one head attends to nothing
    masked[0, 1] = torch.eye(5)
    relations = {"subject": relation(5, 5, (1, 0), (3, 4)), "object": relation(5, 5, (1, 2))}
    summary = head_summary(masked, relations=relations)
    options = {"names": list(relations), "relations": [r.tolist() for r in relations.values()]}
    got = in_browser(page, masked.flatten(0, 1).tolist(), options)
    for k, one in enumerate(got):
        layer, head = divmod(k, 3)
        expected = by_definition(masked[layer, head], relations)
        assert list(one) == list(summary) == list(expected)
        for name, figure in expected.items():
            assert one[name] == pytest.approx(figure, abs=1e-9), name
            assert summary[name][layer, head] == pytest.approx(figure, abs=1e-9), name
    assert summary["itself"][0, 1] == 1
    assert summary["entropy"][0, 1] == 0


def test_figures_that_mean_nothing_are_left_out(page: Page) -> None:
    crossed = weights(1, 1, 3, 5)
    for maps, options, names in [
        (crossed, {"to_itself": False}, ["the first", "entropy"]),
        (weights(1, 1, 3, 3), {"to_itself": False, "ordered": False}, ["entropy"]),
        (weights(1, 1, 3, 3), {"ordered": False}, ["itself", "entropy"]),
    ]:
        assert list(head_summary(maps, **options)) == names
        script = {"toItself": options.get("to_itself", True), "ordered": options.get("ordered", True)}
        assert list(in_browser(page, maps[0].tolist(), script)[0]) == names
    nobody = head_summary(torch.zeros(2, 3, 3))
    assert all(figure.tolist() == [[0, 0]] for figure in nobody.values())


def test_every_head_has_a_small_map_and_the_chosen_one_a_large_one(
    page: Page, mount: Callable[..., None]
) -> None:
    w = weights(2, 3, 4, 4)
    widget = HeadBrowser(w, list("wxyz"), layer_names=["low", "high"])
    mount(page, widget)
    radios = page.get_by_role("radio")
    expect(radios).to_have_count(6)
    page.get_by_role("radio", name="high, head 2").click()
    expect(page.locator("td[data-j]:visible")).to_have_text([f"{x:.2f}" for x in w[1, 1].flatten().tolist()])
    expect(page.locator(".u-panel-name:visible")).to_have_text("high, head 2")
    summary = head_summary(w)
    shown = page.locator(".u-summary:visible dd")
    expect(shown).to_have_text(
        [f"{f[1, 1]:.2f}{' bits' if name == 'entropy' else ''}" for name, f in summary.items()]
    )
    # The darkest cell of the small map is the largest weight.
    largest = int(w[1, 1].argmax())
    darkest = page.locator("button[aria-checked=true] path").last.get_attribute("d") or ""
    assert f"M{largest % 4} {largest // 4}h1" in darkest


def test_two_heads_side_by_side_follow_one_token(page: Page, mount: Callable[..., None]) -> None:
    w = weights(1, 3, 3, 3)
    mount(page, HeadBrowser(w, WORDS))
    page.get_by_label("Beside it").select_option("head 3")
    page.locator("td[data-i='2'][data-j='1']").first.hover()
    titles = page.locator(".u-bars-title")
    expect(titles).to_have_text(["bears attends to"] * 2)
    values = [f"{x:.2f}" for x in [*w[0, 0, 2].tolist(), *w[0, 2, 2].tolist()]]
    expect(page.locator(".u-bars .u-value")).to_have_text(values)
    page.locator("td[data-i='1'][data-j='0']").last.click()
    expect(titles).to_have_text(["love attends to"] * 2)
    readout = page.get_by_role("status")
    expect(readout).to_contain_text("love attends to: head 1: ")
    expect(readout).to_contain_text("; head 3: ")
    page.get_by_label("Beside it").select_option("nothing")
    expect(page.locator(".u-panel:visible")).to_have_count(1)


def test_keyboard(page: Page, mount: Callable[..., None]) -> None:
    mount(page, HeadBrowser(weights(2, 3, 3, 3), WORDS))
    page.keyboard.press("Tab")
    for key, name in [
        ("ArrowRight", "layer 1, head 2"),
        ("ArrowDown", "layer 2, head 2"),
        ("ArrowDown", "layer 2, head 2"),
        ("ArrowLeft", "layer 2, head 1"),
        ("ArrowLeft", "layer 2, head 1"),
        ("ArrowUp", "layer 1, head 1"),
    ]:
        page.keyboard.press(key)
        expect(page.get_by_role("radio", name=name)).to_have_attribute("aria-checked", "true")
        expect(page.get_by_role("radio", name=name)).to_be_focused()
        expect(page.locator(".u-panel-name:visible")).to_have_text(name)
        expect(page.locator("button[role=radio][tabindex='0']")).to_have_count(1)
    page.keyboard.press("Tab")
    expect(page.get_by_label("Beside it")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Numbers")).to_have_attribute("aria-pressed", "true")


def test_without_a_script_the_summary_and_the_maps_are_tables() -> None:
    w = weights(2, 2, 3, 3)
    html = HeadBrowser(w, WORDS, title="A <b>").fallback_html()
    assert html.count("<table>") == 5
    assert "A &lt;b&gt;" in html
    assert f"<td>{head_summary(w)['entropy'][1, 0]:.2f}</td>" in html
    assert HeadBrowser(weights(4, 4, 7, 7), list("abcdefg")).fallback_html().count("<table>") == 1


def test_hostile_text_is_text(page: Page, mount: Callable[..., None]) -> None:
    hostile = "<img src=x onerror=document.title='hit'>"
    names = [hostile, "</script><script>document.title='hit'</script>"]
    widget = HeadBrowser(
        weights(2, 2, 2), names, title=hostile, head_names=names, relations={hostile: torch.eye(2)}
    )
    mount(page, widget)
    expect(page.locator(".u-title")).to_have_text(hostile)
    expect(page.locator("dt").filter(has_text=hostile).first).to_be_visible()
    expect(page.locator("main img")).to_have_count(0)
    assert page.title() == "Widgets"


def test_wrong_relations_are_refused() -> None:
    with pytest.raises(ValueError, match=r"relations: expected 'r' of shape \[3, 3\], got \[2, 3\]"):
        HeadBrowser(weights(3, 3), WORDS, relations={"r": torch.zeros(2, 3)})
    with pytest.raises(ValueError, match="relations: expected zeros and ones in 'r'"):
        HeadBrowser(weights(3, 3), WORDS, relations={"r": torch.full((3, 3), 0.5)})
    with pytest.raises(ValueError, match=r"weights: expected shape \[T, S\]"):
        HeadBrowser(weights(2, 2), WORDS)


def test_twelve_by_twelve_heads_stay_light() -> None:
    widget = HeadBrowser(weights(12, 12, 20, 20), [f"t{i}" for i in range(20)])
    assert len(widget.static_html()) < 800_000


@pytest.mark.parametrize(("theme", "width"), [("light", 320), ("dark", 900)])
def test_axe_finds_nothing_and_fingers_fit(
    new_page: Callable[..., Page],
    mount: Callable[..., None],
    violations: Callable[[Page], list[str]],
    theme: str,
    width: int,
) -> None:
    page = new_page(viewport={"width": width, "height": 800})
    widgets = [
        HeadBrowser(weights(2, 4, 3, 3), WORDS, title="Small"),
        HeadBrowser(weights(8, 8, 6, 6), list("abcdef"), title="Many"),
        HeadBrowser(silent(1, 2, 3, 3), WORDS),
    ]
    mount(page, *widgets, theme=theme)
    page.get_by_label("Beside it").first.select_option(index=3)
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    sizes = page.eval_on_selector_all(
        "td[data-j], .unrolled button, .unrolled select",
        "(all) => all.map((el) => el.getBoundingClientRect()).filter((r) => r.width)"
        ".flatMap((r) => [r.width, r.height])",
    )
    assert min(sizes) >= 24


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_narrow_numbers_are_summed_as_wide_ones(dtype):
    weights = torch.tensor([[0.5, 0.5, 0.0], [0.25, 0.5, 0.25], [0.0, 0.0, 1.0]])
    relation = torch.tensor([[0, 1, 0], [0, 0, 1], [0, 0, 0]])
    expected = head_summary(weights, relations={"next": relation})
    narrow = head_summary(weights.to(dtype), relations={"next": relation.to(dtype)})
    assert {name: x.tolist() for name, x in narrow.items()} == {
        name: x.tolist() for name, x in expected.items()
    }
    assert expected["next"].tolist() == [[0.375]]
    browser = HeadBrowser(weights.to(dtype), ["a", "b", "c"], relations={"next": relation.to(dtype)})
    assert browser.relation_maps == [relation.double().tolist()]
