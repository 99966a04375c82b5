"""Whatever a block is made of, it trains and writes under autocast."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from unrolled.nn import (
    GPT,
    GatedFeedForward,
    GPTConfig,
    HeadParts,
    LatentAttention,
    MixtureOfExperts,
    MultiHeadAttention,
    RMSNorm,
    Rotary,
    SlidingWindow,
    SoftCap,
    each_head,
)
from unrolled.nn.parts import Parts, output_norm

B, T, V, D, H = 3, 11, 29, 42, 7
K = D // H


def attention(**options: Any) -> Callable[[Parts], Parts]:
    return lambda parts: replace(parts, attention=partial(MultiHeadAttention, **options))


PARTS: dict[str, Callable[[Parts], Parts]] = {
    "root-mean-square norms": lambda parts: replace(parts, norm=RMSNorm),
    "gated": lambda parts: replace(parts, feedforward=GatedFeedForward),
    "experts": lambda parts: replace(parts, feedforward=partial(MixtureOfExperts, n_experts=5, top_k=2)),
    "output norm": lambda parts: replace(parts, residual=output_norm),
    "rotary": attention(positions=Rotary(K)),
    "head norms": attention(parts=HeadParts(norm=partial(each_head, RMSNorm))),
    "head norms, turned": attention(parts=HeadParts(norm=partial(each_head, RMSNorm)), positions=Rotary(K)),
    "capped": attention(parts=HeadParts(scores=partial(SoftCap, 5.0))),
    "sinks": attention(parts=HeadParts(sinks=torch.zeros)),
    "window": attention(mask_rule=SlidingWindow(5, 1)),
    "latent": lambda parts: replace(
        parts, attention=partial(LatentAttention, d_latent=13, positions=Rotary(4))
    ),
}


@pytest.mark.parametrize("name", PARTS)
def test_it_trains_and_writes_in_half_precision(name: str) -> None:
    torch.manual_seed(0)
    config = GPTConfig(vocab_size=V, max_len=23, d_model=D, n_heads=H, n_layers=2)
    model = GPT(config, PARTS[name](config.parts())).float()
    x = torch.randint(0, V, (B, T))
    with torch.autocast("cpu", torch.bfloat16):
        logits = model(x)
        loss = nn.functional.cross_entropy(logits.flatten(0, 1).float(), x.flatten())
    loss.backward()  # type: ignore[no-untyped-call]
    assert logits.dtype == torch.bfloat16
    assert all(w.grad is not None and w.grad.dtype == torch.float32 for w in model.parameters())
    exact = model.eval()(x)
    near = partial(assert_close, rtol=0.1, atol=0.05 * exact.abs().max().item())
    near(logits.float(), exact)
    for step in (model, model.lean):
        cache = model.new_cache()
        with torch.autocast("cpu", torch.bfloat16), torch.inference_mode():
            first = model(x[:, :6], cache=cache)
            one = partial(model, cache=cache) if step is model else model.lean(cache)
            rest = [one(x[:, t : t + 1]) for t in range(6, T)]
        near(torch.cat([first, *rest], 1).float(), exact)
