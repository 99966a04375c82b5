"""Chapter 5's checks: every right solution passes; every wrong one is told what is wrong with it."""

import math
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from tests.exercises.solutions import Fn, softmax
from unrolled.exercises import queries_keys_values as check
from unrolled.nn import attention, causal_mask


def by_loop(Q: Tensor, K: Tensor, V: Tensor) -> Tensor:
    if Q.dim() > 2:
        return torch.stack([by_loop(q, k, v) for q, k, v in zip(Q, K, V, strict=True)])
    rows = []
    for q in Q:
        powers = [math.exp(float(q @ k) / math.sqrt(len(k))) for k in K]
        rows.append(sum(p / sum(powers) * v for p, v in zip(powers, V, strict=True)))
    return torch.stack(rows)  # type: ignore[arg-type]


def zeroed(Q: Tensor, K: Tensor, V: Tensor, mask: Tensor) -> Tensor:
    scores = (Q @ K.mT / K.shape[-1] ** 0.5).masked_fill(~mask, -math.inf)
    return torch.nan_to_num(softmax(scores)) @ V


def powers(Q: Tensor, K: Tensor, V: Tensor, mask: Tensor) -> Tensor:
    shares = torch.exp(Q @ K.mT / K.shape[-1] ** 0.5) * mask
    return shares / shares.sum(-1, keepdim=True).clamp(min=1e-12) @ V


def shift(n: int, up: int = 1, size: float = 30.0) -> tuple[Tensor, Tensor]:
    return size * torch.eye(n), torch.eye(n).roll(up, dims=1)


RIGHT: list[tuple[Fn, Any]] = [
    (check.check_attention, F.scaled_dot_product_attention),
    (check.check_attention, attention),
    (check.check_attention, by_loop),
    (check.check_attention, lambda Q, K, V: softmax(Q @ K.transpose(-2, -1) / K.shape[-1] ** 0.5) @ V),
    (check.check_masked, attention),
    (check.check_masked, F.scaled_dot_product_attention),
    (check.check_masked, zeroed),
    (check.check_masked, powers),
    (check.check_causal, lambda s: softmax(s.masked_fill(~causal_mask(s.shape[-1]), -math.inf))),
    (check.check_causal, lambda s: s.exp().tril() / s.exp().tril().sum(-1, keepdim=True)),
    (check.check_previous, shift),
    (check.check_previous, lambda n: (torch.eye(n).roll(-1, dims=1) * 5, 9 * torch.eye(n))),
]


@pytest.mark.parametrize(("checked", "fn"), RIGHT)
def test_a_right_solution_passes(checked: Fn, fn: Any) -> None:
    result = checked(fn)
    assert result.passed, result


def scaled(Q: Tensor, K: Tensor) -> Tensor:
    return Q @ K.mT / K.shape[-1] ** 0.5


def hidden(Q: Tensor, K: Tensor, mask: Tensor, value: float = -math.inf) -> Tensor:
    return scaled(Q, K).masked_fill(~mask, value)


def seen(s: Tensor) -> Tensor:
    return causal_mask(s.shape[-1])


WRONG: list[tuple[Fn, Any, str]] = [
    (check.check_attention, lambda Q, K, V: softmax(Q @ K.mT) @ V, "not scaled"),
    (
        check.check_attention,
        lambda Q, K, V: softmax(Q @ K.mT / K.shape[-1]) @ V,
        "square root of K that keeps",
    ),
    (check.check_attention, lambda Q, K, V: softmax(Q @ K.mT / len(K) ** 0.5) @ V, "number of keys"),
    (check.check_attention, lambda Q, K, V: softmax(Q @ K.mT / V.shape[-1] ** 0.5) @ V, "width of V"),
    (
        check.check_attention,
        lambda Q, K, V: softmax(Q @ K.mT) / K.shape[-1] ** 0.5 @ V,
        "no longer sum to one",
    ),
    (check.check_attention, lambda Q, K, V: softmax(K @ Q.mT / K.shape[-1] ** 0.5) @ V, "exchanged"),
    (check.check_attention, lambda Q, K, V: scaled(Q, K).softmax(-2) @ V, "columns sum to one"),
    (check.check_attention, lambda Q, K, V: softmax(scaled(Q, K)) @ K, "mixed the keys"),
    (check.check_attention, lambda Q, K, V: softmax(scaled(Q, K)), "returned the weights"),
    (check.check_attention, lambda Q, K, V: softmax(Q @ K.T / K.shape[-1] ** 0.5) @ V, "forgotten batch"),
    (check.check_attention, lambda Q, K, V: V, "expected context"),
    (check.check_masked, lambda Q, K, V, mask: attention(Q, K, V), "mask had no say"),
    (check.check_masked, lambda Q, K, V, mask: softmax(hidden(Q, K, mask)) @ V, "got NaN"),
    (
        check.check_masked,
        lambda Q, K, V, mask: softmax(hidden(Q, K, mask, -1e9)) @ V,
        "attends to everything",
    ),
    (check.check_masked, lambda Q, K, V, mask: attention(Q, K, V, ~mask), "turned round"),
    (check.check_masked, lambda Q, K, V, mask: softmax(scaled(Q, K) * mask) @ V, "exp(0) is 1"),
    (check.check_masked, lambda Q, K, V, mask: softmax(scaled(Q, K)) * mask @ V, "masked the weights only"),
    (check.check_masked, lambda Q, K, V, mask: attention(Q, K, V, mask, scale=1.0), "not scaled"),
    (check.check_masked, lambda Q, K, V, mask: hidden(Q, K, mask).softmax(-2).nan_to_num() @ V, "wrong axis"),
    (check.check_causal, softmax, "No mask"),
    (check.check_causal, lambda s: softmax(s.masked_fill(~seen(s).mT, -math.inf)), "upside down"),
    (
        check.check_causal,
        lambda s: softmax(s.masked_fill(torch.ones_like(s).triu() > 0, -math.inf)),
        "may see itself",
    ),
    (check.check_causal, lambda s: softmax(s).tril(), "after the softmax"),
    (check.check_causal, lambda s: softmax(s.tril()), "exp(0) is 1"),
    (check.check_causal, lambda s: s.masked_fill(~seen(s), -math.inf).softmax(-2), "columns sum to one"),
    (check.check_previous, lambda n: shift(n, -1), "the one after it"),
    (check.check_previous, lambda n: shift(n, 0), "attends to itself"),
    (check.check_previous, lambda n: shift(n, 1, 3.0), "make the scores larger"),
    (check.check_previous, lambda n: shift(n, 2), "It attends most to token"),
    (check.check_previous, lambda n: torch.eye(n), "got a tensor of shape [5, 5]. `return W_q, W_k`"),
    (check.check_previous, lambda n: (torch.eye(n), 3), "got int 3 for W_k"),
    (check.check_previous, lambda n: (torch.eye(n), torch.eye(n + 1)), "got shape [6, 6] for W_k"),
    (check.check_previous, lambda n: (torch.eye(n), torch.eye(n)[:, :3]), "one width"),
    (check.check_previous, lambda n: (torch.eye(n) / 0, torch.eye(n)), "finite real numbers in W_q"),
    (check.check_previous, lambda n: shift(5), "got shape [5, 5] for W_q"),
    (check.check_previous, lambda n: 1 / 0, "ZeroDivisionError"),
    (check.check_previous, 3, "Expected a function of T"),
]


@pytest.mark.parametrize(("checked", "fn", "words"), WRONG)
def test_a_wrong_solution_is_told_what_is_wrong(checked: Fn, fn: Any, words: str) -> None:
    result = checked(fn)
    assert not result.passed
    assert result.attempted
    assert words in result.message, result.message


@pytest.mark.parametrize(
    "checked", [check.check_attention, check.check_masked, check.check_causal, check.check_previous]
)
@pytest.mark.parametrize("fn", [None, ..., lambda *_: None, lambda *_: ...])
def test_a_placeholder_is_no_attempt(checked: Fn, fn: Any) -> None:
    assert not checked(fn).attempted
