"""Random inputs of the checks: the same for the same shape, whoever asks."""

import torch
from torch import Tensor

__all__ = ["gaussian", "ids"]


def ids(vocabulary: int, *shape: int, low: int = 0, seed: int = 0) -> Tensor:
    """Return random whole numbers from `low` to below `vocabulary`, the same for the same arguments."""
    generator = torch.Generator().manual_seed(seed + sum(shape))
    return torch.randint(low, vocabulary, shape, generator=generator)


def gaussian(*shape: int, seed: int = 0) -> Tensor:
    """Return random numbers in float64, the same for the same shape and seed."""
    generator = torch.Generator().manual_seed(seed + sum(shape))
    return torch.randn(*shape, generator=generator, dtype=torch.float64)
