"""Small GPTs with something to say, and prompts for them."""

from functools import partial

import torch

from tests.drawn import random_tokens
from unrolled.nn import GPT, GPTConfig

__all__ = ["CONTEXT", "KINDS", "B", "V", "gpt", "prompts"]

B, V, CONTEXT = 3, 17, 13
KINDS = ["learned", "sinusoidal", "rotary", "alibi", "none"]


def gpt(positions="learned", **changes):
    torch.manual_seed(3)
    options = {
        "d_model": 20,
        "n_heads": 5,
        "n_kv_heads": 1,
        "n_layers": 2,
        "tied": False,
        "positions": positions,
    } | changes
    model = GPT(GPTConfig(vocab_size=V, max_len=CONTEXT, **options)).double()
    for weight in model.parameters():
        if weight.dim() > 1:  # Far from its first weights it has something to say.
            torch.nn.init.normal_(weight, std=0.7)
    return model


prompts = partial(random_tokens, V)
