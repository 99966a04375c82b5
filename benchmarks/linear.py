"""Linear attention and the delta rule in chunks beside PyTorch's fused softmax attention, causal, forward."""

from collections.abc import Iterator
from functools import partial

import torch
from torch.nn.functional import normalize, scaled_dot_product_attention

from benchmarks.timing import Row, Timer
from unrolled.nn import delta_rule, linear_attention

__all__ = ["LENGTHS", "measure"]

LENGTHS = (128, 512, 2048)


@torch.no_grad()
def measure(timer: Timer, lengths: tuple[int, ...] = LENGTHS) -> Iterator[Row]:
    """One sequence, 4 heads of 64; from 512 positions on the chunks should be faster."""
    torch.manual_seed(0)
    for length in lengths:
        query, key, value = torch.randn(3, 1, 4, length, 64).unbind()
        key, beta = normalize(key, dim=-1), torch.rand(1, 4, length)
        fused = partial(scaled_dot_product_attention, query, key, value, is_causal=True)
        at_least = 1.0 if length >= 512 else None
        race = timer.race(partial(linear_attention, query, key, value, chunk=64), fused_softmax=fused)
        yield race.row(f"linear attention, chunks of 64, T={length}", "fused_softmax", at_least=at_least)
        race = timer.race(partial(delta_rule, query, key, value, beta, chunk=64), fused_softmax=fused)
        yield race.row(f"delta rule, chunks of 64, T={length}", "fused_softmax")
