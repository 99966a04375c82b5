"""What the QKV bench refuses, with what it expected."""

import re
from typing import Any

import pytest
import torch

from tests.widgets.test_qkv_bench import SETTINGS, START
from unrolled.widgets import QKVBench


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"X": None}, "s: expected X, W_q, W_k, W_v, tokens, got no X"),
        ({"Y": 1}, "s: expected keys among X, W_q"),
        ({"X": [[1.0, 2.0]]}, "s: X: expected 3 rows of 1 to 6 numbers, got shape [1, 2]"),
        ({"W_q": torch.zeros(3, 2)}, "s: W_q: expected 4 rows of 1 to 4 numbers, got shape [3, 2]"),
        ({"W_v": torch.zeros(4, 5)}, "s: W_v: expected 4 rows of 1 to 4 numbers, got shape [4, 5]"),
        ({"W_k": torch.zeros(4, 3)}, "s: expected W_q and W_k of one width, since queries meet keys"),
        ({"W_k": torch.full((4, 2), 21.0)}, "s: W_k: expected numbers from -20 to 20, got 21.0"),
        ({"W_k": torch.full((4, 2), torch.nan)}, "s: W_k: expected numbers from -20 to 20, got nan"),
        ({"tokens": list("abcdefg")}, "s: tokens: expected 1 to 6, got 7"),
        ({"features": ["a", "b"]}, "s: features: expected 4, one for each column of X, got 2"),
        ({"real": [True]}, "s: real: expected 3, one for each token, got 1"),
        ({"source": torch.zeros(4, 3)}, "s: source: expected 4 rows of 4 numbers, got shape [4, 3]"),
    ],
)  # fmt: skip
def test_values(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        QKVBench({"s": START | change})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ([START], "settings: expected {name: dict}, got list"),
        ({"s": [1]}, "s: expected a dict with X, W_q, W_k, W_v, tokens, got list"),
        ({"s": START | {"X": "many"}}, "s: X: expected rows of numbers, got str"),
        ({"s": START | {"tokens": "I"}}, "s: tokens: expected a list of strings, got str"),
        ({"s": START | {"tokens": ["a", 2, "c"]}}, "s: tokens: expected strings, got int at position 1"),
        ({"s": START | {"source": None}}, "s: source: expected 4 rows of 4 numbers, got shape []"),
        (
            {"s": START | {"source_tokens": None}},
            "s: source_tokens: expected a list of strings, got NoneType",
        ),
    ],
)
def test_kinds(settings: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=re.escape(message)):
        QKVBench(settings)


def test_none_and_too_many() -> None:
    with pytest.raises(ValueError, match="settings: expected 1 to 8, got 0"):
        QKVBench({})
    with pytest.raises(ValueError, match="settings: expected 1 to 8, got 9"):
        QKVBench({str(n): START for n in range(9)})


def test_a_live_bench_keeps_its_shapes() -> None:
    widget = QKVBench(SETTINGS)
    with pytest.raises(
        ValueError, match=re.escape("by hand: W_q: expected 4 rows of 2 numbers, got shape [4, 3]")
    ):
        widget.bench = widget.bench | {"W_q": torch.zeros(4, 3)}
    with pytest.raises(ValueError, match="by hand: expected X, Z"):
        widget.bench = {"X": 1}
    with pytest.raises(ValueError, match="setting: expected 0 to 1, got 2: one of by hand, identity"):
        widget.setting = 2
    widget.setting = 1
    with pytest.raises(ValueError, match="identity: cross: expected a source to attend to, got none"):
        widget.bench = widget.bench | {"cross": True}
