"""The block builder in a browser: what it computes is what models weigh, and curves are the given ones."""

import itertools
import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import torch
from playwright.sync_api import Page, expect
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from tests.widgets.notebook import NOTEBOOK
from unrolled.nn import (
    GPT,
    GatedFeedForward,
    GPTConfig,
    HeadParts,
    LatentAttention,
    MixtureOfExperts,
    RMSNorm,
    Rotary,
    SlidingWindow,
    each_head,
)
from unrolled.nn.feedforward import FeedForward
from unrolled.nn.parts import output_norm
from unrolled.widgets import BlockBuilder, bundle
from unrolled.widgets.block_builder import CHOICES, FIRST, LENGTHS

Mount = Callable[..., None]
SIZES = {
    "vocab_size": 53,
    "context": 37,
    "d_model": 24,
    "n_heads": 4,
    "n_layers": 3,
    "window": 11,
    "n_experts": 5,
    "top_k": 3,
    "d_latent": 13,
    "d_rotary": 6,
}
STEPS = [10, 20, 30, 40]
MEASURED: dict[str, dict[str, Any]] = {
    "GPT-2's block": {"choices": {}, "curves": [[5, 4, 3.5, 3.25], [5, 4.5, 3.75, 3]], "bits": [2.5, 2.75]},
    "rotary": {
        "choices": {"positions": "rotary"},
        "curves": [[5, 3.5, 3, 2], [5, 3, 2.5, 2.25]],
        "bits": [2, 2.25],
    },
    "a window": {"choices": {"window": True}, "curves": [[5, 4, 4, 4]], "bits": [3.125]},
}
NOT_LATENT = {"qk_norm", "window", "sink"}
EVERY = [
    c
    for values in itertools.product(*CHOICES.values())
    for c in [dict(zip(CHOICES, values, strict=True))]
    if c["heads"] != "latent" or (c["positions"] == "rotary" and not any(c[part] for part in NOT_LATENT))
]
# Odd steps, so that all pairs of choices come.
SOME = EVERY[::23] + [c for c in EVERY if c["heads"] == "latent"][::3]


def make(**options: Any) -> BlockBuilder:
    return BlockBuilder(**{"sizes": SIZES, "steps": STEPS, "measured": MEASURED} | options)


def built(c: dict[str, Any], width: int) -> GPT:
    """Return the model of a choice."""
    s, latent = SIZES, c["heads"] == "latent"
    shared = {"multi-head": s["n_heads"], "grouped": s["n_heads"] // 2, "multi-query": 1}
    config = GPTConfig(
        s["vocab_size"],
        s["context"],
        s["d_model"],
        s["n_heads"],
        s["n_layers"],
        width,
        n_kv_heads=shared.get(c["heads"]),
        bias=c["biases"],
        positions="none" if latent else c["positions"],
    )
    parts = config.parts()
    network = GatedFeedForward if c["feedforward"] == "SwiGLU" else FeedForward
    expert = partial(network, bias=c["biases"])
    feedforward: Any = expert
    if c["experts"]:

        def feedforward(d: int, f: int) -> MixtureOfExperts:
            return MixtureOfExperts(d, f // 2, n_experts=s["n_experts"], top_k=s["top_k"], expert=expert)

    heads = HeadParts(
        norm=partial(each_head, RMSNorm) if c["qk_norm"] else None, sinks=torch.zeros if c["sink"] else None
    )
    rule = SlidingWindow(s["window"]) if c["window"] else None
    attention: Any = partial(parts.attention, parts=heads, mask_rule=rule)
    if latent:
        turned = Rotary(s["d_rotary"], s["context"])
        attention = partial(LatentAttention, d_latent=s["d_latent"], positions=turned)
    parts = replace(
        parts,
        norm=RMSNorm if c["norm"] == "RMSNorm" else parts.norm,
        residual=output_norm if c["order"] == "behind" else "pre",
        feedforward=feedforward,
        attention=attention,
    )
    return GPT(config, parts).eval()


def idle(model: GPT) -> int:
    """Return the parameters of experts that a token is not sent to."""
    mixtures = [part for part in model.modules() if isinstance(part, MixtureOfExperts)]
    return sum(
        (len(part.experts) - part.top_k) * sum(p.numel() for p in part.experts[0].parameters())
        for part in mixtures
    )


class Products(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Count the operations of products without listening to modules, which would change what they do."""

    counted = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        packet = func.overloadpacket
        if packet in flop_registry:
            self.counted += flop_registry[packet](*args, **(kwargs or {}), out_val=out)
        if packet is torch.ops.aten._scaled_dot_product_flash_attention_for_cpu:
            self.counted += 4 * args[0].numel() * args[1].shape[-2]
        return out


def test_parameters_are_those_of_the_model() -> None:
    assert len(EVERY) == 1568
    widget = make()
    goal = widget.figures(FIRST)["active"]
    for c in SOME:
        model = built(c, widget.width(c))
        counted, got = sum(p.numel() for p in model.parameters()), widget.figures(c)
        assert got["parameters"] == counted, c
        assert got["active"] == counted - idle(model), c
        assert abs(got["active"] - goal) / goal < 0.03, c  # as near as an even width comes


@pytest.mark.parametrize("c", EVERY[::41] + [c for c in EVERY if c["heads"] == "latent"][::7])
def test_cache_and_operations_are_those_of_its_model(c: dict[str, Any]) -> None:
    widget = make(chosen=c, length=32)
    model, tokens = built(c, widget.width(c)), torch.zeros(1, 32, dtype=torch.long)
    cache = model.new_cache()
    with torch.no_grad():
        model(tokens[:, :31], cache=cache)
        with Products() as products:  # type: ignore[no-untyped-call]
            model(tokens[:, 31:], cache=cache)
    got = widget.figures()
    assert got["operations"] == products.counted
    held = sum(part.numel() for layer in cache.layers for part in layer.held())
    assert got["cache"] == 4 * held
    assert got["token"] == 4 * held // (11 if c["window"] else 32)


def test_the_page_computes_what_python_computes(page: Page) -> None:
    widget = make()
    asked = [c | {"length": LENGTHS[i % 5]} for i, c in enumerate(EVERY)]
    body = "return asked.map((c) => $block_parts.figures(sizes, c));"
    code = f"({{ sizes, asked }}) => {{ {bundle._inline(['block-parts'])} {body} }}"
    assert page.evaluate(code, {"sizes": SIZES, "asked": asked}) == [widget.figures(c) for c in asked]
    large = SIZES | {
        "vocab_size": 1024,
        "context": 128,
        "d_model": 128,
        "window": 32,
        "n_experts": 8,
        "top_k": 2,
    }
    widget = make(sizes=large)
    assert page.evaluate(code, {"sizes": large, "asked": asked}) == [widget.figures(c) for c in asked]


def test_settings_that_are_no_block_are_told_apart(page: Page) -> None:
    """A link may bring any."""
    first = make().settings
    latent = {"heads": "latent", "positions": "rotary"}
    wrong: list[dict[str, Any]] = [
        {"norm": "BatchNorm"},
        {"heads": "toString"},
        {"biases": 1},
        {"length": 33},
        {"heads": "latent"},
        *(latent | {part: True} for part in sorted(NOT_LATENT)),
    ]
    code = f"(given) => {{ {bundle._inline(['block-parts'])} return given.map($block_parts.possible); }}"
    assert page.evaluate(code, [first, first | latent]) == [True, True]
    assert page.evaluate(code, [first | one for one in wrong]) == [False] * len(wrong)


def shown(page: Page) -> dict[str, Any]:
    data: dict[str, str] = page.locator(".unrolled").evaluate("el => ({ ...el.dataset })")
    return {"figures": json.loads(data["figures"]), "trained": data["trained"]}


def test_by_keyboard_a_block_is_put_together(page: Page, mount: Mount) -> None:
    mount(page, make())
    assert shown(page) == {"figures": make().figures(), "trained": "GPT-2's block"}
    page.get_by_label("Positions", exact=True).select_option("1")
    assert shown(page)["trained"] == "rotary"
    expect(page.locator(".u-outcome-said")).to_have_text(
        "Held out, rotary: 2.125 (2.000 to 2.250) bits per byte. "
        "GPT-2's block (dashed): 2.625 (2.500 to 2.750)."
    )
    page.get_by_role("button", name="Query and key norm").press("Enter")
    page.get_by_role("button", name="5 experts, 3 asked").press(" ")
    chosen = {"positions": "rotary", "qk_norm": True, "experts": True}
    assert shown(page) == {"figures": make(chosen=chosen).figures(), "trained": ""}
    expect(page.locator(".u-outcome-said")).to_contain_text("This combination was not trained.")
    expect(page.get_by_label("Take a block that was trained")).to_have_value("3")
    drawing = page.get_by_role("img", name="The block, from below")
    expect(drawing).to_contain_text("router: 3 of 5 experts")
    expect(drawing).to_contain_text("query and key norm")
    page.get_by_label("Norm", exact=True).select_option("1")
    expect(drawing.locator("text", has_text="RMSNorm")).to_have_count(2)
    page.get_by_label("Take a block that was trained").select_option("2")
    assert shown(page) == {"figures": make(chosen={"window": True}).figures(), "trained": "a window"}
    page.get_by_label("Tokens so far").select_option("4")
    assert shown(page)["figures"] == make(chosen={"window": True}, length=100_000).figures()
    expect(page.locator(".u-help:visible")).to_contain_text("Learned positions end at 37")
    page.get_by_role("button", name="Reset").press("Enter")
    assert shown(page) == {"figures": make().figures(), "trained": "GPT-2's block"}


def test_where_the_norm_stands_is_drawn(page: Page, mount: Mount) -> None:
    mount(page, make(chosen={"norm": "RMSNorm"}))
    names = page.locator(".u-part-name")
    assert names.all_text_contents() == ["RMSNorm", "attention", "RMSNorm", "feed-forward"]
    page.get_by_label("The norm stands").select_option("1")
    assert names.all_text_contents() == ["attention", "RMSNorm", "feed-forward", "RMSNorm"]


def test_latent_attention_leaves_no_choice_of_heads(page: Page, mount: Mount) -> None:
    mount(page, make(chosen={"qk_norm": True, "window": True}))
    page.get_by_label("Attention", exact=True).select_option("3")
    expect(page.get_by_label("Positions", exact=True)).to_have_value("1")
    for name in ("Query and key norm", "Window of 11", "Learned sink"):
        expect(page.get_by_role("button", name=name)).to_be_disabled()
        expect(page.get_by_role("button", name=name)).to_have_attribute("aria-pressed", "false")
    latent = {"heads": "latent", "positions": "rotary"}
    assert shown(page)["figures"] == make(chosen=latent).figures()
    page.get_by_label("Attention", exact=True).select_option("1")
    expect(page.get_by_role("button", name="Learned sink")).to_be_enabled()
    expect(page.get_by_label("Positions", exact=True)).to_be_enabled()


def test_curves_are_the_given_ones(page: Page, mount: Mount) -> None:
    mount(page, make(chosen={"positions": "rotary"}))
    plot = page.get_by_role("img", name="Training loss against steps, 3 blocks, between 2.12 and 5.00.")
    expect(plot).to_have_attribute(
        "aria-label",
        "Training loss against steps, 3 blocks, between 2.12 and 5.00. "
        "rotary ends at 2.12, GPT-2's block at 3.12.",
    )
    assert [plot.locator(f".u-{kind}").count() for kind in ("chosen", "base", "pale")] == [1, 1, 1]
    numbers = plot.locator(".u-chosen").get_attribute("d") or ""
    heights = [float(part.split(" ")[1]) for part in numbers.replace("M", "L").split("L")[1:]]
    losses = [5, 3.25, 2.75, 2.125]
    for height, loss in zip(heights, losses, strict=True):
        assert abs(height - (190 - 178 * (loss - 2.125) / (5 - 2.125))) < 0.06
    page.get_by_role("button", name="Biases").click()
    assert plot.locator(".u-chosen").count() == 0


def test_without_measurements_it_builds_all_the_same(page: Page, mount: Mount) -> None:
    mount(page, BlockBuilder(SIZES))
    page.get_by_label("Feed-forward", exact=True).select_option("1")
    assert shown(page) == {
        "figures": BlockBuilder(SIZES, chosen={"feedforward": "SwiGLU"}).figures(),
        "trained": "",
    }
    expect(page.locator(".u-learned")).to_have_count(0)
    assert "bits per byte" not in BlockBuilder(SIZES).fallback_html()


def test_touch_on_a_phone(new_page: Any, mount: Mount) -> None:
    page = new_page(has_touch=True, viewport={"width": 360, "height": 740})
    mount(page, make(title="Build a block"))
    page.get_by_role("button", name="Window of 11").tap()
    assert shown(page)["trained"] == "a window"
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_a_kernel_hears_and_is_heard(page: Page) -> None:
    widget = make()
    page.goto("about:blank")
    page.evaluate(NOTEBOOK, {"esm": bundle.esm(widget.name), "state": widget.state(), "kept": ["settings"]})
    page.get_by_label("Norm", exact=True).select_option("1")
    assert page.evaluate("saved.at(-1)")["settings"] == make(chosen={"norm": "RMSNorm"}).settings
    page.evaluate("(next) => model.set('settings', next)", make(chosen={"biases": False}).settings)
    expect(page.get_by_role("button", name="Biases")).to_have_attribute("aria-pressed", "false")
    page.evaluate("stop()")
    page.evaluate("(next) => model.set('settings', next)", widget.settings)
    expect(page.get_by_role("button", name="Biases")).to_have_attribute("aria-pressed", "false")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_accessible(page: Page, mount: Mount, violations: Callable[[Page], list[str]], theme: str) -> None:
    mount(page, make(title="Build a block", chosen={"heads": "latent", "positions": "rotary"}), theme=theme)
    assert violations(page) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sizes": SIZES | {"d_model": 0}}, "sizes: expected d_model, a whole number from 1, got 0"),
        ({"sizes": SIZES | {"n_heads": 3}}, "sizes: expected even n_heads"),
        ({"sizes": SIZES | {"top_k": 7}}, "sizes: expected top_k of at most n_experts=5"),
        ({"chosen": {"norm": "BatchNorm"}}, "settings: expected norm to be one of .*, got 'BatchNorm'"),
        ({"chosen": {"biases": 1}}, "settings: expected biases to be one of .*, got 1"),
        ({"chosen": {"colour": "red"}}, "settings: expected norm, .*, got .*colour"),
        ({"chosen": {"heads": "latent"}}, "settings: expected latent attention with rotary positions"),
        ({"length": 33}, "length: expected one of 32, 128, 1024, 8192, 100000, got 33"),
        (
            {"measured": {"a": {"choices": {}, "curves": [[1.0]], "bits": [1.0]}}},
            r"measured\['a'\]: expected curves of 4 steps",
        ),
        (
            {"measured": {"a": {"choices": {}, "curves": [[1, 2, 3, float("nan")]], "bits": [1.0]}}},
            r"measured\['a'\]: expected finite numbers",
        ),
        (
            {"measured": {"a": {"choices": {"norm": 3}, "curves": [[1, 2, 3, 4]], "bits": [1.0]}}},
            r"measured\['a'\]: expected norm to be one of",
        ),
    ],
)
def test_python_says_what_it_expected(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(**change)
