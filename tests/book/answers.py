"""What the tests of a page's answers share: how numbers are written there, and how they are read."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from playwright.sync_api import Locator
from torch import Tensor

__all__ = ["Open", "close", "digits", "figures", "read", "state_of"]

Open = Callable[[str, str], Locator]


def digits(numbers: Tensor) -> list[str]:
    """Return the numbers as a page writes them."""
    return [f"{x:.2f}".replace("-", "−") for x in numbers.flatten().tolist()]


def read(element: Locator, name: str) -> Tensor:
    """Return the numbers of a data attribute."""
    return torch.tensor(json.loads(element.get_attribute(f"data-{name}") or ""), dtype=torch.float64)


def figures(widget: Locator) -> dict[str, Any]:
    """Return the figures that a widget says of itself."""
    loaded: dict[str, Any] = json.loads(
        widget.locator(".unrolled[data-figures]").get_attribute("data-figures") or ""
    )
    return loaded


def close(got: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(got, expected, rtol=0, atol=1e-6)


def state_of(page: Path, widget: str) -> dict[str, Any]:
    """Return what a built page gives its first widget of this name."""
    found = re.search(
        rf'data-widget="{widget}"><script type="application/json">(.*?)</script>',
        page.read_text(encoding="utf-8"),
        re.DOTALL,
    )
    assert found
    loaded: dict[str, Any] = json.loads(found[1])
    return loaded
