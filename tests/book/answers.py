"""What the tests of a page's answers share: how numbers are written there, and how they are read."""

import json
from collections.abc import Callable

import torch
from playwright.sync_api import Locator
from torch import Tensor

__all__ = ["Open", "close", "digits", "read"]

Open = Callable[[str, str], Locator]


def digits(numbers: Tensor) -> list[str]:
    """Return the numbers as a page writes them."""
    return [f"{x:.2f}".replace("-", "−") for x in numbers.flatten().tolist()]


def read(element: Locator, name: str) -> Tensor:
    """Return the numbers of a data attribute."""
    return torch.tensor(json.loads(element.get_attribute(f"data-{name}") or ""), dtype=torch.float64)


def close(got: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(got, expected, rtol=0, atol=1e-6)
