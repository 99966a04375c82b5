"""A token's way through the blocks: every station is torch's, with whatever is switched off."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import torch
from playwright.sync_api import Page, expect
from torch import Tensor, nn

from unrolled.nn.blocks import EncoderBlock
from unrolled.widgets.token_walk import TokenWalk

WORDS = [["she", "bears", "the", "pain"], ["bears", "won"]]
D = 6
Mount = Callable[..., None]


def two_blocks() -> nn.ModuleList:
    """Return two blocks in half precision's numbers, computed in float64."""
    g = torch.Generator().manual_seed(13)
    blocks = nn.ModuleList(EncoderBlock(D, 2, 23) for _ in range(2))
    for parameter in blocks.parameters():
        parameter.data = (torch.randn(parameter.shape, generator=g) * 0.4).half().float()
    return blocks.double().eval()


@pytest.fixture(scope="module")
def layers() -> nn.ModuleList:
    return two_blocks()


def inputs() -> list[Tensor]:
    g = torch.Generator().manual_seed(14)
    return [torch.randn(len(words), D, generator=g).mul(8).round().div(8).double() for words in WORDS]


def stream(layers: nn.ModuleList, x: Tensor) -> list[Tensor]:
    """Return the vectors before the first block and after each."""
    seen = [x]
    with torch.no_grad():
        for layer in layers:
            seen.append(layer(seen[-1][None])[0])
    return seen


def make(layers: nn.ModuleList, **options: Any) -> TokenWalk:
    lengths = [x[1].norm().item() for x in stream(layers, inputs()[0])]
    given: dict[str, Any] = {"lengths": lengths, "n_heads": 2, "token": 1, **options}
    return TokenWalk(layers.state_dict(), list(zip(WORDS, inputs(), strict=True)), **given)


def data(page: Page, name: str) -> Tensor:
    text = page.locator(".unrolled").get_attribute(f"data-{name}") or ""
    return torch.tensor(json.loads(text), dtype=torch.float64)


def close(got: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(got, expected.detach(), rtol=0, atol=1e-8)


def test_every_block_gives_what_torch_gives(page: Page, mount: Mount, layers: nn.ModuleList) -> None:
    mount(page, make(layers))
    seen = stream(layers, inputs()[0])
    close(data(page, "output"), seen[1][1])
    close(data(page, "lengths"), torch.stack([x[1].norm() for x in seen]))
    page.get_by_label("Block", exact=True).select_option(label="2")
    page.get_by_role("button", name="pain").click()
    close(data(page, "output"), seen[2][3])
    expect(page.get_by_role("button", name="pain")).to_be_focused()
    page.get_by_label("Sentence", exact=True).select_option(label="bears won")
    seen = stream(layers, inputs()[1])
    close(data(page, "output"), seen[2][1])  # a sentence of two words has no fourth


def test_switches_change_what_stands_on_the_way(page: Page, mount: Mount, layers: nn.ModuleList) -> None:
    mount(page, make(layers))
    x = inputs()[0][None]
    first = layers[0]
    assert isinstance(first, EncoderBlock)

    def press(name: str) -> None:
        page.get_by_role("button", name=name, exact=True).click()

    press("Attention")
    close(data(page, "output"), (x + first.feedforward(first.feedforward_norm(x)))[0, 1])
    expect(page.locator(".u-path li.is-off")).to_have_count(2)
    press("Feed-forward")
    close(data(page, "output"), x[0, 1])
    press("Attention")
    press("Residual connection")
    close(data(page, "output"), first.attention(first.attention_norm(x))[0, 1])
    page.get_by_label("Norms", exact=True).select_option(label="none")
    close(data(page, "output"), first.attention(x)[0, 1])
    expect(page.locator(".u-live")).to_contain_text("Norms: none. “bears” goes into block 1 with length")
    page.get_by_role("button", name="Reset").click()
    close(data(page, "output"), stream(layers, x[0])[1][1])
    page.get_by_label("Norms", exact=True).select_option(label="after each sum (post)")
    y = first.attention_norm(x + first.attention(x))
    close(data(page, "output"), first.feedforward_norm(y + first.feedforward(y))[0, 1])


def test_stations_show_their_numbers_and_lengths(page: Page, mount: Mount, layers: nn.ModuleList) -> None:
    mount(page, make(layers))
    stations = page.locator(".u-path li")
    assert stations.locator(".u-station").all_inner_texts() == [
        "into the block", "normed", "attention adds", "after attention", "normed", "hidden, wide",
        "feed-forward adds", "out of the block",
    ]  # fmt: skip
    x = inputs()[0][1]
    assert stations.first.locator(".u-cell").all_inner_texts() == [
        f"{v:.1f}".replace("-", "−") for v in x.tolist()
    ]
    expect(stations.first.locator(".u-length")).to_have_text(f"length {x.norm():.2f}")
    expect(stations.nth(5).locator(".u-cell")).to_have_count(23)


def test_without_a_script_there_is_a_table(layers: nn.ModuleList) -> None:
    html = make(layers).fallback_html()
    assert "the vector of “bears”" in html
    for x in stream(layers, inputs()[0]):
        assert f"<td>{x[1].norm():.2f}</td>" in html


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1200])
def test_it_is_accessible_and_fits(
    new_page: Callable[..., Page],
    mount: Mount,
    violations: Callable[[Page], list[str]],
    layers: nn.ModuleList,
    theme: str,
    width: int,
) -> None:
    page = new_page(viewport={"width": width, "height": 900}, color_scheme=theme)
    mount(page, make(layers, title="On its way"), theme=theme)
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for control in page.locator(".unrolled :is(button, select)").all():
        size = control.bounding_box()
        assert size is not None
        assert min(size["width"], size["height"]) >= 24


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"tensors": {"1.attention_norm.weight": torch.ones(6)}},
            "tensors: expected names that begin with 0., 1., …",
        ),
        ({"n_heads": 4}, "n_heads: expected a divisor of d_model=6, got 4"),
        ({"sentences": []}, "sentences: expected one or more, got none"),
        ({"sentences": [(["a"] * 21, torch.ones(21, 6))]}, "sentences: expected 1 to 20 tokens, got 21"),
        (
            {"sentences": [(["a"], torch.ones(1, 5))]},
            r"expected finite numbers \[1, 6\] for 'a', got \[1, 5\]",
        ),
        ({"token": 4}, "token: expected 0 to 3, got 4"),
        ({"lengths": [1.0]}, "lengths: expected 3, got 1"),
    ],
)
def test_what_does_not_belong_together_is_refused(
    layers: nn.ModuleList, change: dict[str, Any], message: str
) -> None:
    given: dict[str, Any] = {
        "tensors": layers.state_dict(),
        "sentences": list(zip(WORDS, inputs(), strict=True)),
        "lengths": [1.0] * 3,
        "n_heads": 2,
        "token": 1,
    }
    with pytest.raises(ValueError, match=message):
        TokenWalk(**{**given, **change})
