"""What our taps hear, and what an edit does, is what hooks on Hugging Face's GPT-2 hear and do."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close
from transformers import GPT2Config, GPT2LMHeadModel

from unrolled.nn import GPT, causal_mask
from unrolled.pretrained import load_gpt2
from unrolled.tap import edit, record

# Every size another prime (d_model the product of heads and head size).
V, T, B, K, H, L = 53, 19, 7, 11, 3, 2
D = K * H


def models() -> tuple[GPT, GPT2LMHeadModel]:
    torch.manual_seed(5)
    config = GPT2Config(
        vocab_size=V, n_positions=23, n_embd=D, n_head=H, n_layer=L, n_inner=61, attn_implementation="eager"
    )
    theirs = GPT2LMHeadModel(config)
    for weight in theirs.parameters():
        nn.init.normal_(weight, std=0.5)
    theirs = theirs.eval().double()
    return load_gpt2(theirs).double().eval(), theirs


def tokens() -> Tensor:
    return torch.randint(V, (B, T), generator=torch.Generator().manual_seed(11))


def heads(x: Tensor) -> Tensor:
    return x.view(B, T, H, K).transpose(1, 2)


def test_every_number_of_every_layer() -> None:
    ours, theirs = models()
    heard: dict[str, Any] = {}

    def listen(name: str, module: nn.Module) -> None:
        module.register_forward_hook(lambda _, given, out: heard.update({f"{name} in": given, name: out}))

    for i, block in enumerate(theirs.transformer.h):
        for name in ("attn", "attn.c_attn", "attn.c_proj", "mlp", "mlp.act"):
            listen(f"{i}.{name}", block.get_submodule(name))
        listen(f"{i}", block)
    listen("drop", theirs.transformer.drop)
    with torch.no_grad(), record(ours) as rec:
        logits = ours(tokens())
        expected = theirs(tokens(), output_attentions=True)
    assert_close(logits, expected.logits)
    ours_heard = {path: passed for path, (passed,) in rec.items()}
    assert_close(ours_heard.pop("embedded"), heard["drop"])
    for i in range(L):
        q, k, v = (heads(part) for part in heard[f"{i}.attn.c_attn"].split(D, -1))
        scores = q @ k.mT / K**0.5
        weights = expected.attentions[i]
        assert_close(scores.masked_fill(~causal_mask(T), -torch.inf).softmax(-1), weights)
        block = heard[f"{i}"]
        for name, value in {
            "attention.queries": q,
            "attention.keys": k,
            "attention.values": v,
            "attention.scores": scores,
            "attention.weights": weights,
            "attention.context": heads(heard[f"{i}.attn.c_proj in"][0]),
            "attention.output": heard[f"{i}.attn"][0],
            "feedforward.hidden": heard[f"{i}.mlp.act"],
            "feedforward.output": heard[f"{i}.mlp"],
            "stream": block[0] if isinstance(block, tuple) else block,
        }.items():
            assert_close(
                ours_heard.pop(f"layers.{i}.{name}"), value, msg=lambda m, at=f"{i}.{name}": f"{at}: {m}"
            )
    assert not ours_heard, "a tap without a counterpart"


def part_of(which: int) -> Callable[[nn.Module, Any, Tensor], Tensor]:
    """A hook on the layer that makes queries, keys and values, which bends one of the three."""

    def hook(_: nn.Module, given: Any, out: Tensor) -> Tensor:
        parts = list(out.split(D, -1))
        parts[which] = torch.sin(parts[which])
        return torch.cat(parts, -1)

    return hook


def bent(_: nn.Module, given: Any, out: Any) -> Any:
    return (torch.sin(out[0]), *out[1:]) if isinstance(out, tuple) else torch.sin(out)


HOOKS = {
    "attention.queries": ("attn.c_attn", part_of(0)),
    "attention.keys": ("attn.c_attn", part_of(1)),
    "attention.values": ("attn.c_attn", part_of(2)),
    "attention.output": ("attn", bent),
    "feedforward.hidden": ("mlp.act", bent),
    "feedforward.output": ("mlp", bent),
    "stream": ("", bent),
}


@pytest.mark.parametrize("tap", [*HOOKS, "attention.context"])
def test_an_edit_is_a_hook_at_the_same_place(tap: str) -> None:
    ours, theirs = models()
    before = ours(tokens())
    block = theirs.transformer.h[1]
    if tap == "attention.context":
        block.attn.c_proj.register_forward_pre_hook(lambda _, given: (torch.sin(given[0]),))
    else:
        place, hook = HOOKS[tap]
        block.get_submodule(place).register_forward_hook(hook)
    with edit(ours, {f"layers.1.{tap}": torch.sin}):
        logits = ours(tokens())
    assert_close(logits, theirs(tokens()).logits)
    assert (logits - before).abs().max() > 1e-3
