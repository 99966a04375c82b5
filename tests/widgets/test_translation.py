"""A translation's three attentions are shown as they were given, for every layer and head."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import torch
from playwright.sync_api import Page, expect
from torch import Tensor

from unrolled.nn import Transformer, TransformerConfig
from unrolled.tap import record
from unrolled.widgets.translation import TranslationView

LAYERS, HEADS = 2, 3
SENTENCES = [
    (["don't", "eat", "<eos>"], ["<bos>", "no", "comas"]),
    (["let's", "go"], ["<bos>", "vamos", "<eos>"]),
]
Mount = Callable[..., None]


def example(i: int) -> dict[str, Any]:
    """Return what a random transformer attends to."""
    source, target = SENTENCES[i]
    torch.manual_seed(i)
    model = Transformer(TransformerConfig(11, 13, d_model=12, n_heads=HEADS, n_layers=LAYERS, d_ff=17)).eval()
    with torch.no_grad(), record(model, "*.weights") as heard:
        model(torch.arange(len(source))[None], torch.arange(len(target))[None])
    part = {"encoder": "encoder.layers.{}.attention", "decoder": "decoder.layers.{}.attention",
            "cross": "decoder.layers.{}.cross_attention"}  # fmt: skip
    maps = {
        kind: torch.stack([heard[f"{name.format(k)}.weights"][0][0] for k in range(LAYERS)])
        for kind, name in part.items()
    }
    return {"source": source, "target": target, "written": " ".join(target[1:]), "reference": "", **maps}


@pytest.fixture(scope="module")
def examples() -> list[dict[str, Any]]:
    return [example(0), example(1)]


def shown(page: Page) -> Tensor:
    return torch.tensor(json.loads(page.locator(".unrolled").get_attribute("data-map") or ""))


def pick(page: Page, label: str, option: str) -> None:
    page.get_by_label(label, exact=True).select_option(label=option)


def test_every_map_is_the_one_that_was_given(
    page: Page, mount: Mount, examples: list[dict[str, Any]]
) -> None:
    mount(page, TranslationView(examples))
    torch.testing.assert_close(shown(page), examples[0]["cross"][1].mean(0), rtol=0, atol=1e-3)
    kinds = {
        "cross": "across: the translation looks at the source",
        "encoder": "encoder: the source looks at itself",
        "decoder": "decoder: the translation looks back at itself",
    }
    for i, (source, _) in enumerate(SENTENCES):
        pick(page, "Sentence", " ".join(source))
        for kind, name in kinds.items():
            pick(page, "Attention", name)
            for layer in range(LAYERS):
                pick(page, "Layer", str(layer + 1))
                for head in range(HEADS):
                    pick(page, "Head", str(head + 1))
                    expected = examples[i][kind][layer, head]
                    torch.testing.assert_close(shown(page), expected, rtol=0, atol=1e-3)
                    cells = page.locator(".u-grid td[data-j]").all_inner_texts()
                    assert len(cells) == expected.numel()


def test_rows_and_columns_carry_their_tokens(
    page: Page, mount: Mount, examples: list[dict[str, Any]]
) -> None:
    mount(page, TranslationView(examples, title="Spanish"))
    table = page.locator(".u-grid")
    assert table.locator("tbody th").all_inner_texts() == SENTENCES[0][1]
    assert table.locator("thead th").all_inner_texts() == SENTENCES[0][0]
    expect(page.locator(".u-pair dd")).to_have_text(["don't eat <eos>", "no comas"])
    table.locator("td[data-i='1'][data-j='0']").click()
    page.keyboard.press("ArrowRight")
    row = examples[0]["cross"][1].mean(0)[1]
    best = SENTENCES[0][0][int(row.argmax())]
    expect(page.locator(".u-live")).to_contain_text(f"no attends to: {best} {row.max():.2f}")
    page.get_by_role("button", name="Numbers").click()
    pick(page, "Layer", "1")
    expect(page.locator(".u-grid")).to_have_class("u-grid has-numbers")


def test_without_a_script_there_are_tables(examples: list[dict[str, Any]]) -> None:
    html = TranslationView(examples).fallback_html()
    assert html.count("<table>") == 2
    assert "“no comas”: what each of its tokens attends to in the source." in html
    assert '<th scope="row">&lt;bos&gt;</th>' in html
    assert f"{examples[0]['cross'][1].mean(0)[2, 1]:.2f}" in html


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1200])
def test_it_is_accessible_and_fits(
    new_page: Callable[..., Page],
    mount: Mount,
    violations: Callable[[Page], list[str]],
    examples: list[dict[str, Any]],
    theme: str,
    width: int,
) -> None:
    page = new_page(viewport={"width": width, "height": 900}, color_scheme=theme)
    mount(page, TranslationView(examples, title="Spanish"), theme=theme)
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_what_does_not_fit_is_refused(examples: list[dict[str, Any]]) -> None:
    one = examples[0]
    with pytest.raises(ValueError, match="examples: expected one or more, got none"):
        TranslationView([])
    with pytest.raises(ValueError, match=r"examples\[0\]: expected cross, got"):
        TranslationView([{key: value for key, value in one.items() if key != "cross"}])
    with pytest.raises(ValueError, match=r"\[2, 3, 3, 3\]"):
        TranslationView([{**one, "source": ["a", "b"]}])
    with pytest.raises(ValueError, match="expected the same layers and heads in all"):
        TranslationView([one, {**examples[1], "cross": examples[1]["cross"][:1]}])
    with pytest.raises(TypeError, match="source: expected strings, got int"):
        TranslationView([{**one, "source": [1, 2, 3]}])
    many = torch.eye(60).expand(4, 8, 60, 60)
    words = ["w"] * 60
    big = {"source": words, "target": words, "encoder": many, "decoder": many, "cross": many}
    with pytest.raises(ValueError, match="at most 60,000"):
        TranslationView([big])
