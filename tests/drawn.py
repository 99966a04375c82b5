"""What the tests draw: numbers, masks, tokens and weights, the same in every run."""

from typing import TypeVar

import torch
from hypothesis import strategies as st
from torch import Tensor, nn

__all__ = ["drawn", "random", "random_mask", "random_tokens", "seeded", "seeds"]

Module = TypeVar("Module", bound=nn.Module)
seeds = st.integers(0, 2**31)


def seeded(seed: int = 0) -> torch.Generator:
    """Return a generator of its own."""
    return torch.Generator().manual_seed(seed)


def random(*size: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    """Return normally distributed numbers, ``size``."""
    return torch.randn(size, dtype=dtype, generator=seeded(seed))


def random_mask(*size: int, seed: int = 1, share: float = 0.6) -> Tensor:
    """Return a mask, ``size``, that leaves about this share open."""
    return torch.rand(size, generator=seeded(seed)) < share


def random_tokens(high: int, *size: int, seed: int = 0) -> Tensor:
    """Return tokens below ``high``, ``size``."""
    return torch.randint(high, size, generator=seeded(seed))


def drawn(module: Module, std: float = 0.5) -> Module:
    """Return a module in double precision and evaluation mode, its weights, and gains too, drawn anew."""
    torch.manual_seed(7)
    for weight in module.parameters():
        nn.init.normal_(weight, std=std)
    return module.double().eval()
