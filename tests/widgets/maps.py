"""Weights for the tests of the attention map."""

import torch

from unrolled.nn import attention_weights

WORDS = ["I", "love", "bears"]


def weights(*shape: int, seed: int = 0) -> torch.Tensor:
    g = torch.Generator().manual_seed(seed)
    return attention_weights(torch.randn(*shape, generator=g, dtype=torch.float64) * 2)


def silent(*shape: int) -> torch.Tensor:
    """Return weights whose second row may attend to nothing."""
    mask = torch.ones(shape[-2:], dtype=torch.bool)
    mask[1] = False
    return attention_weights(torch.zeros(shape), mask)
