"""The state as a matrix in a browser: the package's states, by keyboard and mouse; what a reader types."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from playwright.sync_api import Page, expect
from torch import Tensor

from tests.widgets.notebook import NOTEBOOK
from unrolled.nn import delta_rule, linear_attention
from unrolled.widgets import StateMatrix, bundle

Mount = Callable[..., None]
KEYS = {"Bruno": [1.0, 0, 0], "Olga": [0, 1.0, 0], "Misha": [0.6, 0.8, 0]}
VALUES = {"honey": [1.0, 0], "salmon": [0, 1.0], "nuts": [-1.0, 0]}
PAIRS = [("Bruno", "honey"), ("Olga", "salmon"), ("Misha", "nuts"), ("Bruno", "salmon")]
RULES = ("linear", "gated", "delta", "gated delta")


def make(**options: Any) -> StateMatrix:
    return StateMatrix(KEYS, VALUES, PAIRS, **options)


def by_torch(pairs: list[tuple[str, str]], rule: str, keep: float) -> Tensor:
    """Return the state that the package leaves."""
    key = torch.tensor([KEYS[k] for k, _ in pairs], dtype=torch.float64)
    value = torch.tensor([VALUES[v] for _, v in pairs], dtype=torch.float64)
    gate = torch.full((len(pairs),), keep, dtype=torch.float64).log() if "gated" in rule else None
    if "delta" in rule:
        return delta_rule(key, key, value, torch.ones(len(pairs), dtype=torch.float64), gate)[1]
    return linear_attention(key, key, value, gate)[1]


def shown(page: Page) -> tuple[Tensor, Tensor, str, str]:
    data = page.locator(".unrolled").evaluate("el => ({ ...el.dataset })")
    state, back = (torch.tensor(json.loads(data[name]), dtype=torch.float64) for name in ("state", "back"))
    return state, back, data["nearest"], data["right"]


@pytest.mark.parametrize("rule", RULES)
def test_every_step_is_the_packages(page: Page, mount: Mount, rule: str) -> None:
    widget = make(written=1, rule=rule, keep=0.75, asked="Misha")
    mount(page, widget)
    for n in range(1, 5):
        state, back, nearest, _ = shown(page)
        expected = by_torch(PAIRS[:n], rule, 0.75)
        torch.testing.assert_close(state, expected, atol=1e-6, rtol=0)
        torch.testing.assert_close(back, torch.tensor(KEYS["Misha"], dtype=torch.float64) @ expected)
        python = make(written=n, rule=rule, keep=0.75)
        assert np.allclose(python.matrix(), expected)
        assert python.found("Misha")[1] == nearest
        page.get_by_label("Pairs written").press("ArrowRight")


def test_rules_gate_and_question_by_keyboard(page: Page, mount: Mount) -> None:
    mount(page, make())
    assert shown(page)[3] == "2/3"  # Misha finds what others carry
    expect(page.get_by_label("Kept of the state")).to_be_hidden()
    page.get_by_label("Rule").select_option("delta")
    torch.testing.assert_close(shown(page)[0], by_torch(PAIRS, "delta", 1.0))
    page.get_by_label("Rule").select_option("gated delta")
    page.get_by_label("Kept of the state").press("ArrowLeft")
    torch.testing.assert_close(shown(page)[0], by_torch(PAIRS, "gated delta", 0.85))
    page.get_by_label("Ask for").select_option("Olga")
    state, back, nearest, _ = shown(page)
    torch.testing.assert_close(back, state[1])
    expect(page.locator(".u-state-back")).to_contain_text(f"Nearest to {nearest}")
    page.get_by_role("button", name="Reset").click()
    torch.testing.assert_close(shown(page)[0], by_torch(PAIRS, "linear", 1.0))
    page.get_by_label("Pairs written").press("Home")
    expect(page.locator(".u-state-back")).to_contain_text("Bruno was not written")
    assert shown(page)[2:] == ("nothing", "0/0")
    page.get_by_role("button", name="Write one more").press("Enter")
    assert shown(page)[2:] == ("honey", "1/1")


def test_pairs_a_reader_types(page: Page, mount: Mount) -> None:
    mount(page, make())
    field = page.get_by_role("textbox", name="Pairs, in order")
    field.fill("olga NUTS, misha honey,")
    torch.testing.assert_close(shown(page)[0], by_torch([("Olga", "nuts"), ("Misha", "honey")], "linear", 1))
    before = shown(page)
    for text, message in (
        ("", "Expected at least one pair, got nothing."),
        (", ,", "Expected at least one pair, got nothing."),
        ("Olga", "Expected a key and a value, such as “Bruno honey”, got “Olga”."),
        ("Olga <b>nuts</b>", "got “Olga <b>nuts</b>”."),
        ("Olga nuts honey", "got “Olga nuts honey”."),
        ("nuts Olga", "got “nuts Olga”."),
        ("Olga nuts," * 13, "Expected at most 12 pairs, got 13."),
    ):
        field.fill(text)
        expect(page.locator(".u-error")).to_contain_text(message)
        expect(field).to_have_attribute("aria-invalid", "true")
        assert shown(page)[3] == before[3]
    field.fill("Bruno honey")
    expect(page.locator(".u-error")).to_have_text("")
    assert shown(page)[2:] == ("honey", "1/1")


def test_touch_writes_a_pair(new_page: Any, mount: Mount) -> None:
    page = new_page(has_touch=True, viewport={"width": 360, "height": 740})
    mount(page, make(written=0))
    page.get_by_role("button", name="Write one more").tap()
    assert shown(page)[3] == "1/1"
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_a_kernel_hears_and_is_heard(page: Page) -> None:
    widget = make()
    page.goto("about:blank")
    kept = ["pairs", "written", "rule", "keep", "asked"]
    page.evaluate(NOTEBOOK, {"esm": bundle.esm(widget.name), "state": widget.state(), "kept": kept})
    page.get_by_role("textbox", name="Pairs, in order").fill("Olga nuts")
    saved = page.evaluate("saved.at(-1)")
    assert saved == {
        "pairs": [["Olga", "nuts"]],
        "written": 1,
        "rule": "linear",
        "keep": 0.9,
        "asked": "Bruno",
    }
    page.evaluate("model.set('rule', 'delta')")
    expect(page.get_by_label("Rule")).to_have_value("2")
    page.evaluate("stop()")
    page.evaluate("model.set('rule', 'gated')")
    expect(page.get_by_label("Rule")).to_have_value("2")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_accessible(page: Page, mount: Mount, violations: Callable[[Page], list[str]], theme: str) -> None:
    mount(page, make(rule="gated", title="A state"), theme=theme)
    assert violations(page) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"keys": {"a": [1.0], "b": [1.0, 2.0]}}, "keys: expected 1 to 8 vectors of one size from 1 to 4"),
        (
            {"values": {"honey": [0.0], "salmon": [1.0]}},
            "values: expected finite numbers, not all of a vector 0",
        ),
        ({"keys": ["Bruno"]}, r"keys: expected \{word: vector\}, got list"),
        ({"pairs": []}, "pairs: expected 1 to 12, got 0"),
        ({"pairs": [("Bruno", "bricks")]}, "pairs: expected a value of honey, salmon, nuts, got 'bricks'"),
        ({"written": 5}, "written: expected 0 to 4, got 5"),
        ({"rule": "softmax"}, "rule: expected one of linear, gated, delta, gated delta, got 'softmax'"),
        ({"keep": float("nan")}, "keep: expected a number from 0 to 1, got nan"),
        ({"asked": "Ted"}, "asked: expected one of Bruno, Olga, Misha, got 'Ted'"),
    ],
)
def test_python_says_what_it_expected(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        StateMatrix(**{"keys": KEYS, "values": VALUES, "pairs": PAIRS, **change})
