"""The induction explorer in a page: every number is torch's, whatever is typed and whichever head is cut."""

import json
from collections.abc import Callable
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
import torch
from playwright.sync_api import Page, expect
from torch import Tensor, nn

from unrolled.nn import MultiHeadAttention
from unrolled.tap import record
from unrolled.widgets import InductionExplorer

LETTERS, LONGEST, D, H = "abcdefg", 11, 6, 2
TEXT = "abcfab"
MEANS = torch.tensor([[0.5, -1.0, 0.25, 2.0, -0.5, 1.0], [-0.75, 0.5, 1.5, -1.25, 0.0, 0.25]])
Mount = Callable[..., None]
CUTS = ["on", "says zero", "says its mean"]


class TwoLayers(nn.Module):
    """Attention alone, in numbers that a page keeps."""

    def __init__(self) -> None:
        super().__init__()
        g = torch.Generator().manual_seed(7)
        self.embedding = nn.Embedding(len(LETTERS), D)
        self.positions = nn.Parameter(torch.empty(LONGEST, D))
        self.layers = nn.ModuleList(MultiHeadAttention(D, H, bias=False) for _ in range(2))
        self.unembedding = nn.Linear(D, len(LETTERS), bias=False)
        for parameter in self.parameters():
            parameter.data = torch.randn(parameter.shape, generator=g).half().double()

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.embedding(tokens) + self.positions[: tokens.shape[1]]
        for attention in self.layers:
            x = x + attention(x, causal=True)
        logits: Tensor = self.unembedding(x)
        return logits


@contextmanager
def cut(model: TwoLayers, cuts: dict[tuple[int, int], str]) -> Any:
    """Let heads say zero or their mean: a hook on the tap of what each head found."""
    with ExitStack() as stack:
        for (layer, head), what in cuts.items():
            mean = MEANS[layer].view(H, -1)[head].double()

            def hook(tap: Any, args: Any, found: Tensor, head: int = head, said: Any = mean) -> Tensor:
                found = found.clone()
                found[:, head] = said
                return found

            if what == CUTS[1]:
                hook.__defaults__ = (head, 0.0)
            tap = model.layers[layer].get_submodule("context")
            stack.callback(tap.register_forward_hook(hook).remove)
        yield


def by_torch(
    model: TwoLayers, text: str, cuts: dict[tuple[int, int], str] | None = None
) -> tuple[Tensor, Tensor]:
    """Return the weights ``[2, H, T, T]`` and the logits ``[T, V]``."""
    tokens = torch.tensor([[LETTERS.index(letter) for letter in text]])
    with cut(model, cuts or {}), torch.no_grad(), record(model, "*.weights") as heard:
        logits = model(tokens)[0]
    return torch.stack([one[0][0] for one in heard.values()]), logits


def make(model: TwoLayers, text: str = TEXT, **options: Any) -> InductionExplorer:
    weights, logits = by_torch(model, text if {*text} <= {*LETTERS} else TEXT)
    given: dict[str, Any] = {
        "tensors": model.state_dict(),
        "letters": list(LETTERS),
        "text": text,
        "n_heads": H,
        "means": MEANS,
        "weights": weights,
        "chances": logits[-1].softmax(-1),
    }
    given |= options
    return InductionExplorer(**given)


@pytest.fixture(scope="module")
def model() -> TwoLayers:
    return TwoLayers()


def agrees(page: Page, model: TwoLayers, text: str, place: int = -1, **options: Any) -> None:
    weights, logits = by_torch(model, text, **options)
    box = page.locator(".unrolled")
    for name, expected in (
        ("weights", weights),
        ("logits", logits),
        ("chances", logits[place].softmax(-1)),
    ):
        got = torch.tensor(json.loads(box.get_attribute(f"data-{name}") or ""), dtype=torch.float64)
        torch.testing.assert_close(got, expected, rtol=0, atol=1e-9)
    shown = page.locator(".u-guesses .u-share-word").all_inner_texts()
    assert shown == [LETTERS[i] for i in logits[place].argsort(descending=True)[:5].tolist()]


def test_the_numbers_are_torchs_for_every_text_and_every_cut(
    page: Page, mount: Mount, model: TwoLayers
) -> None:
    mount(page, make(model))
    agrees(page, model, TEXT)
    field = page.get_by_role("textbox", name="Letters")
    field.fill("Gab efg\tAB")
    field.press("Enter")
    agrees(page, model, "gabefgab")
    cuts = {(0, 1): CUTS[1], (1, 0): CUTS[2]}
    page.get_by_role("combobox", name="Head 1.2").select_option(label=CUTS[1])
    page.get_by_role("combobox", name="Head 2.1").select_option(label=CUTS[2])
    agrees(page, model, "gabefgab", cuts=cuts)
    expect(page.locator(".u-live")).to_contain_text("Head 2.1 says its mean. Asked at place 8, “b”")
    page.get_by_role("button", name="All heads on").click()
    agrees(page, model, "gabefgab")


def test_a_place_is_asked_by_keyboard_and_by_touch(page: Page, mount: Mount, model: TwoLayers) -> None:
    mount(page, make(model))
    asked = page.get_by_role("slider", name="Asked at place")
    asked.press("ArrowLeft")
    agrees(page, model, TEXT, 4)
    expect(asked).to_have_attribute("aria-valuetext", "5, “a”")
    page.locator(".u-paths .u-place").nth(1).click()
    agrees(page, model, TEXT, 1)
    expect(page.locator(".u-induction-told")).to_contain_text("“b” has not stood here before")
    asked.press("End")
    expect(page.locator(".u-induction-told")).to_contain_text("after it came “c” (place 3).")


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("ab9é", "Expected letters from a to g, got “9”, “é”."),
        ("<b>abc", "Expected letters from a to g, got “<”, “>”."),
        ("hijklmn", "Expected letters from a to g, got “h”, “i”, “j”, “k”, “l” and 2 more."),
        ("🐻🐻", "Expected letters from a to g, got “🐻”."),
        ("\u200ba ", "Expected two letters or more, from a to g, got 1."),
        ("", "Expected two letters or more, from a to g, got none."),
        ("abc" * 4, "Expected at most 11 letters, got 12."),
    ],
)
def test_what_is_no_sequence_of_letters_is_told_and_leaves_no_answer(
    page: Page, mount: Mount, model: TwoLayers, typed: str, message: str
) -> None:
    mount(page, make(model))
    field = page.get_by_role("textbox", name="Letters")
    field.fill(typed)
    field.press("Enter")
    expect(page.locator(".u-error")).to_have_text(message)
    expect(page.locator(".u-paths")).to_be_hidden()
    field.fill("abab")
    field.press("Enter")
    agrees(page, model, "abab")
    expect(page.locator(".u-error")).to_be_empty()


def test_it_is_accessible(
    page: Page, mount: Mount, model: TwoLayers, violations: Callable[[Page], list[str]]
) -> None:
    for theme in ("light", "dark"):
        mount(page, make(model), theme=theme)
        page.get_by_role("combobox", name="Head 1.1").select_option(label=CUTS[1])
        assert violations(page) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"letters": list("abc")}, "letters: expected 7 different ones"),
        ({"letters": list("abcdeff")}, "letters: expected 7 different ones"),
        ({"text": "abx"}, "text: expected the letters abcdefg, got 'x'"),
        ({"text": "a"}, "text: expected 2 to 11 letters, got 1"),
        ({"n_heads": 5}, "n_heads: expected a divisor of d_model=6, got 5"),
        ({"means": MEANS[0]}, r"means: expected \[2, 6\], got \[6\]"),
        ({"weights": torch.zeros(2, 2, 5, 5)}, r"weights: expected \[2, 2, 6, 6\], got \[2, 2, 5, 5\]"),
        ({"chances": torch.zeros(5)}, r"chances: expected \[7\], got \[5\]"),
    ],
)
def test_what_does_not_belong_together_is_refused(
    model: TwoLayers, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        make(model, **options)


def test_letters_as_one_text_and_matrices_of_another_shape_are_refused(model: TwoLayers) -> None:
    with pytest.raises(TypeError, match="letters"):
        make(model, letters=LETTERS)
    tensors = model.state_dict() | {"layers.1.out_proj.weight": torch.zeros(6, 5)}
    with pytest.raises(ValueError, match=r"layers.1.out_proj.weight: expected \[6, 6\], got \[6, 5\]"):
        make(model, tensors=tensors)
