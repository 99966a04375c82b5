"""The attention map takes any kind of array, and refuses what is no attention."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from tests.widgets.maps import WORDS, weights
from unrolled.widgets import AttentionMap


@pytest.mark.parametrize("form", [torch.Tensor.tolist, torch.Tensor.numpy, lambda w: w.requires_grad_()])
def test_lists_arrays_and_tensors_are_taken(form: Callable[[torch.Tensor], Any]) -> None:
    w = weights(3, 3)
    expected = w.numpy().copy()
    np.testing.assert_allclose(AttentionMap(form(w), WORDS).weights, expected[None, None], atol=1e-6)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_half_precision_is_taken(dtype: torch.dtype) -> None:
    assert np.shape(AttentionMap(weights(2, 4, 3, 3).to(dtype), WORDS).weights) == (2, 4, 3, 3)


def test_heads_and_layers_get_names() -> None:
    widget = AttentionMap(weights(2, 4, 3, 5), WORDS, list("abcde"), layer_names=["low", "high"])
    assert widget.layer_names == ["low", "high"]
    assert widget.head_names == ["head 1", "head 2", "head 3", "head 4"]


@pytest.mark.parametrize(
    ("given", "keys", "message"),
    [
        (
            weights(3, 3),
            list("abcd"),
            r"expected shape \[T, S\] = \[3, 4\] for 3 tokens and 4 keys, got \[3, 3\]",
        ),
        (weights(2, 4, 4), None, r"expected shape \[heads, T, S\] = \[2, 3, 3\] .* got \[2, 4, 4\]"),
        (weights(1, 2, 4, 3), None, r"\[layers, heads, T, S\] = \[1, 2, 3, 3\] .* got \[1, 2, 4, 3\]"),
        ([0.5, 0.5], None, r"expected shape \[T, S\] = \[3, 3\].*got \[2\]"),
        (np.ones((1, 1, 1, 3, 3)) / 3, None, r"got \[1, 1, 1, 3, 3\]"),
        (np.ones((0, 3, 3)), None, r"expected at least one layer and one head, got \[0, 3, 3\]"),
        ([[1, 0, 0], [0, float("nan"), 1], [0, 0, 1]], None, r"finite numbers, got nan at \[1, 1\]"),
        ([[1, 0, 0], [0, 1, 0], [float("inf"), 0, 1]], None, r"finite numbers, got inf at \[2, 0\]"),
        ([[1.5, -0.5, 0], [0, 1, 0], [0, 0, 1]], None, r"weights from 0 to 1, got 1.5 at \[0, 0\]"),
        (
            [[1, 0, 0], [0, 0.6, 0], [0, 0, 1]],
            None,
            r"row to sum to 1, or to 0 .* got 0.6 at the sum of row \[1\]",
        ),
        (weights(101, 3, 3)[:, :, :2], ["a"], r"\[101, 3, 1\] .* got \[101, 3, 2\]"),
        (weights(7000, 3, 3), None, "at most 60,000 numbers on a page, got 63,000; show fewer"),
    ],
)
def test_what_is_no_attention_is_refused(given: Any, keys: list[str] | None, message: str) -> None:
    with pytest.raises(ValueError, match=rf"weights: .*{message}"):
        AttentionMap(given, WORDS, keys)


@pytest.mark.parametrize("given", [[[1, 0], [1]], [["a", "b"], ["c", "d"]], None])
def test_what_is_no_array_is_refused(given: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="weights: expected"):
        AttentionMap(given, ["a", "b"])


def test_scores_normalised_over_the_wrong_axis_are_refused() -> None:
    with pytest.raises(ValueError, match="every row to sum to 1"):
        AttentionMap(weights(3, 3).T, WORDS)


@pytest.mark.parametrize(
    ("tokens", "error", "message"),
    [
        ([], ValueError, "tokens: expected 1 to 100, got 0"),
        (["w"] * 200, ValueError, "tokens: expected 1 to 100, got 200"),
        ("abc", TypeError, "tokens: expected a list of strings, got str"),
        (["a", 3, "c"], TypeError, "tokens: expected strings, got int at position 1"),
    ],
)
def test_tokens_are_checked(tokens: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        AttentionMap(weights(3, 3), tokens)


def test_names_are_counted() -> None:
    with pytest.raises(ValueError, match="head_names: expected 2 for 2 heads, got 1"):
        AttentionMap(weights(2, 3, 3), WORDS, head_names=["only"])
