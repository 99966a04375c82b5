"""The walk through a GPT is the model's own computation, and of no other."""

import pytest
import torch
from torch import Tensor

from unrolled.nn import GPT, GPTConfig
from unrolled.probe import logit_lens, walkthrough
from unrolled.shapes import ShapeError
from unrolled.tap import record

T = 7


def model(**options: object) -> GPT:
    torch.manual_seed(5)
    made = GPT(
        GPTConfig(**{"vocab_size": 23, "max_len": 11, "d_model": 6, "n_heads": 2, "n_layers": 3} | options)
    )
    for weight in made.parameters():
        torch.nn.init.normal_(weight, std=0.4)
    return made.double().eval()


@pytest.fixture
def tokens() -> Tensor:
    return torch.randint(0, 23, (T,), generator=torch.Generator().manual_seed(3))


def test_it_ends_in_the_logits_and_passes_what_the_taps_hear(tokens: Tensor) -> None:
    gpt = model()
    walk = walkthrough(gpt, tokens)
    heard = ("attention.weights", "attention.context", "stream", "feedforward.hidden", "feedforward.output")
    with torch.no_grad(), record(gpt, "embedded", *(f"*.{name}" for name in heard)) as rec:
        torch.testing.assert_close(walk["logits"], gpt(tokens[None])[0])
    torch.testing.assert_close(walk["embedded"], rec["embedded"][0][0])
    for layer in range(3):
        pairs = {
            "weights": "attention.weights",
            "context": "attention.context",
            "output": "stream",
            "hidden": "feedforward.hidden",
            "down": "feedforward.output",
        }
        for name, tap in pairs.items():
            torch.testing.assert_close(walk[f"{layer}.{name}"], rec[f"layers.{layer}.{tap}"][0][0])
    lens = logit_lens(gpt, tokens[None])[:, 0]
    torch.testing.assert_close(torch.stack([walk[f"{layer}.lens"] for layer in range(3)]), lens[1:])


def test_sums_products_and_norms_are_what_their_names_say(tokens: Tensor) -> None:
    gpt = model()
    walk = walkthrough(gpt, tokens)
    torch.testing.assert_close(walk["embedded"], walk["word"] + walk["place"])
    torch.testing.assert_close(walk["1.middle"], walk["0.output"] + walk["1.projected"])
    torch.testing.assert_close(walk["1.output"], walk["1.middle"] + walk["1.down"])
    q, k = walk["1.query"], walk["1.key"]
    torch.testing.assert_close(walk["1.scores"], q @ k.mT / 3**0.5)
    torch.testing.assert_close(walk["1.context"], walk["1.weights"] @ walk["1.value"])
    x, norm = walk["2.output"], gpt.final_norm
    shown = (x - walk["final.mean"][:, None]) / (walk["final.variance"][:, None] + 1e-5).sqrt()
    torch.testing.assert_close(walk["final"], shown * norm.weight + norm.bias)


def test_it_leaves_the_model_as_it_was(tokens: Tensor) -> None:
    gpt = model(dropout=0.5).train()
    torch.testing.assert_close(walkthrough(gpt, tokens)["logits"], walkthrough(gpt, tokens)["logits"])
    assert gpt.training


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"positions": "rotary", "d_model": 8}, "expected learned positions, got 'rotary'"),
        ({"positions": "sinusoidal"}, "expected learned positions"),
        ({"d_ff": 0}, "layers.0: expected an EncoderBlock, got AttentionBlock"),
    ],
)
def test_another_model_is_refused(options: dict[str, object], named: str, tokens: Tensor) -> None:
    with pytest.raises(ValueError, match=named):
        walkthrough(model(**options), tokens)


def test_what_is_no_single_text_or_no_longer_the_model_is_refused(tokens: Tensor) -> None:
    with pytest.raises(ShapeError, match=r"tokens: expected \[T\], got \[1, 7\]"):
        walkthrough(model(), tokens[None])
    gpt = model()
    gpt.layers[1].register_forward_hook(lambda block, x, out: out.cos())
    with pytest.raises(ValueError, match="nothing else"):
        walkthrough(gpt, tokens)
