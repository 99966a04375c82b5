"""The checks of chapter 6: right solutions pass, and each wrong one is told what is wrong with it."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention as sdpa

from unrolled.exercises import multi_head as check
from unrolled.nn import MultiHeadAttention

Fn = Callable[..., Any]


def heads_of(X: Tensor) -> Tensor:
    return X.view(*X.shape[:-1], 2, -1).transpose(-3, -2)


def by_sdpa(X: Tensor, W_q: Tensor, W_k: Tensor, W_v: Tensor, W_o: Tensor) -> Tensor:
    context = sdpa(heads_of(X @ W_q), heads_of(X @ W_k), heads_of(X @ W_v))
    return context.transpose(-3, -2).flatten(-2) @ W_o


def by_loop(X: Tensor, W_q: Tensor, W_k: Tensor, W_v: Tensor, W_o: Tensor) -> Tensor:
    K, found = X.shape[-1] // 2, []
    for h in range(2):
        mine = slice(h * K, (h + 1) * K)
        scores = (X @ W_q[:, mine]) @ (X @ W_k[:, mine]).transpose(-2, -1) / K**0.5
        found.append(torch.softmax(scores, -1) @ (X @ W_v[:, mine]))
    return torch.cat(found, -1) @ W_o


def by_the_package(X: Tensor, W_q: Tensor, W_k: Tensor, W_v: Tensor, W_o: Tensor) -> Tensor:
    layer = MultiHeadAttention(X.shape[-1], 2, bias=False).double()
    with torch.no_grad():
        layer.qkv_proj.weight.copy_(torch.cat([W_q, W_k, W_v], 1).T)
        layer.out_proj.weight.copy_(W_o.T)
        return layer(X.view(-1, *X.shape[-2:])).view(X.shape)


RIGHT: list[tuple[Fn, Fn]] = [
    (check.check_split, heads_of),
    (check.check_split, lambda X: torch.stack(X.chunk(2, -1), dim=-3)),
    (check.check_merge, lambda heads: torch.cat([heads[..., 0, :, :], heads[..., 1, :, :]], -1)),
    (check.check_merge, lambda heads: heads.transpose(-3, -2).flatten(-2)),
    (check.check_multi_head, by_sdpa),
    (check.check_multi_head, by_loop),
    (check.check_multi_head, by_the_package),
    (check.check_sum_of_heads, lambda heads, W: (heads @ W.view(2, -1, W.shape[1])).sum(-3)),
    (check.check_sum_of_heads, lambda heads, W: heads.transpose(-3, -2).flatten(-2) @ W),
]


@pytest.mark.parametrize(("checked", "fn"), RIGHT)
def test_a_right_solution_passes(checked: Fn, fn: Fn) -> None:
    result = checked(fn)
    assert result.passed, result


WRONG: list[tuple[Fn, Fn, str]] = [
    (check.check_split, lambda X: X.view(*X.shape[:-2], 2, X.shape[-2], -1), "cuts the sentence"),
    (check.check_split, lambda X: X.view(*X.shape[:-1], 2, -1), "heads stand behind the tokens"),
    (check.check_split, lambda X: torch.stack([X[..., ::2], X[..., 1::2]], -3), "every second number"),
    (check.check_split, lambda X: torch.stack(X.chunk(2, -1)), "in front of the batch"),
    (check.check_merge, lambda h: h.reshape(*h.shape[:-3], h.shape[-2], -1), "all of head 1 first"),
    (check.check_merge, lambda h: torch.stack([h[..., 0, :, :], h[..., 1, :, :]], -1).flatten(-2), "interl"),
    (check.check_merge, lambda h: h[..., 0, :, :] + h[..., 1, :, :], "added the heads up"),
    (check.check_merge, lambda h: h.mean(-3), "averaged the heads"),
    (check.check_merge, lambda h: torch.cat([h[..., 0, :, :], h[..., 1, :, :]], -2), "below one another"),
    (check.check_merge, lambda h: torch.cat([h[..., 1, :, :], h[..., 0, :, :]], -1), "wrong order"),
    (
        check.check_multi_head,
        lambda X, q, k, v, o: sdpa(X @ q, X @ k, X @ v) @ o,
        "the split is missing",
    ),
    (
        check.check_multi_head,
        lambda X, q, k, v, o: by_sdpa(X, q / 2**0.25, k / 2**0.25, v, o),
        "divided the scores by √d",
    ),
    (
        check.check_multi_head,
        lambda X, q, k, v, o: by_sdpa(X, q * (len(q) / 2) ** 0.5, k, v, o),
        "not scaled",
    ),
    (
        check.check_multi_head,
        lambda X, q, k, v, o: by_sdpa(X, q, k, v, torch.eye(len(o), dtype=o.dtype)),
        "times W_o",
    ),
    (
        check.check_multi_head,
        lambda X, q, k, v, o: (
            sdpa(heads_of(X @ q), heads_of(X @ k), heads_of(X @ v)).reshape(*X.shape[:-1], -1) @ o
        ),
        "mixes tokens",
    ),
    (
        check.check_multi_head,
        lambda X, q, k, v, o: (
            (
                torch.softmax(heads_of(X @ q) @ heads_of(X @ k).mT / (X.shape[-1] / 2) ** 0.5, dim=-2)
                @ heads_of(X @ v)
            )
            .transpose(-3, -2)
            .flatten(-2)
            @ o
        ),
        "columns of your weights",
    ),
    (check.check_multi_head, lambda X, q, k, v, o: by_sdpa(X, q.T, k.T, v.T, o.T), "transposed matrices"),
    (check.check_sum_of_heads, lambda h, W: (h @ W[: h.shape[-1]]).sum(-3), "same rows of W_o"),
    (check.check_sum_of_heads, lambda h, W: h.transpose(-3, -2).flatten(-2) @ W.T, "columns of W_o"),
    (check.check_sum_of_heads, lambda h, W: h @ W.view(2, -1, W.shape[1]), "Add the heads up"),
    (check.check_sum_of_heads, lambda h, W: h[..., 0, :, :] @ W[: h.shape[-1]], "Add what the second does"),
]


@pytest.mark.parametrize(("checked", "fn", "message"), WRONG)
def test_a_wrong_solution_is_told_why(checked: Fn, fn: Fn, message: str) -> None:
    result = checked(fn)
    assert result.attempted
    assert not result.passed
    assert message in result.message


@pytest.mark.parametrize(
    "checked", [check.check_split, check.check_merge, check.check_multi_head, check.check_sum_of_heads]
)
def test_nothing_is_an_answer_yet_and_nonsense_does_not_raise(checked: Fn) -> None:
    assert not checked(...).attempted
    assert not checked(lambda *given: None).attempted
    for nonsense in (3, "split", lambda *given: given[0] / 0, lambda *given: [given]):
        assert not checked(nonsense).passed
