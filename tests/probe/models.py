"""Small models with weights large enough for a lost term to show; every size another prime."""

from functools import partial
from typing import Any

import torch
from torch import nn

from tests.drawn import random_tokens
from unrolled.nn import BERT, GPT, BertConfig, GPTConfig

__all__ = ["bert", "gpt", "tokens"]

V, MAX, K, H, L = 13, 11, 5, 3, 2


def drawn(model: nn.Module) -> Any:
    generator = torch.Generator().manual_seed(3)
    for weight in model.parameters():
        nn.init.normal_(weight, std=0.4, generator=generator)
    return model.double().eval()


def bert() -> BERT:
    config = BertConfig(
        vocab_size=V, max_len=MAX, d_model=K * H, n_heads=H, n_layers=L, n_token_types=0, norm_eps=1e-5
    )
    return drawn(BERT(config))


def gpt(**changes: Any) -> GPT:
    sizes = {"vocab_size": V, "max_len": MAX, "d_model": K * H, "n_heads": H, "n_layers": L, "d_ff": 17}
    return drawn(GPT(GPTConfig(**(sizes | {"tied": False} | changes))))


tokens = partial(random_tokens, V, seed=1)
