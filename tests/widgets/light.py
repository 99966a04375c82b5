"""Colours as amounts of light, by the formula of sRGB."""

import torch

from unrolled.widgets import colour


def channels(hexed: str) -> torch.Tensor:
    return torch.from_numpy(255 * colour.rgb(hexed))


def light(hexed: str) -> torch.Tensor:
    """Return linear light, by the definition of sRGB, apart from the package's own code."""
    c = torch.tensor([int(hexed[i : i + 2], 16) / 255 for i in (1, 3, 5)], dtype=torch.float64)
    return torch.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
