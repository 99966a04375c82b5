"""The checks of chapter 6: right solutions pass, and each wrong one is told what is wrong with it."""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention as sdpa

from tests.exercises.solutions import Fn, told
from unrolled.exercises import multi_head as check
from unrolled.nn import MultiHeadAttention


def by_sdpa(Q: Tensor, K: Tensor, V: Tensor) -> Tensor:
    return sdpa(Q, K, V, enable_gqa=True)


def by_dimension(Q: Tensor, K: Tensor, V: Tensor) -> Tensor:
    """Give the groups a dimension of their own, and copy nothing."""
    *lead, _, t, k = Q.shape
    grouped = Q.reshape(*lead, K.shape[-3], -1, t, k)
    return sdpa(grouped, K.unsqueeze(-3), V.unsqueeze(-3)).flatten(-4, -3)


def by_loop(Q: Tensor, K: Tensor, V: Tensor) -> Tensor:
    size, found = Q.shape[-3] // K.shape[-3], []
    for h in range(Q.shape[-3]):
        g = h // size
        scores = Q[..., h, :, :] @ K[..., g, :, :].mT / K.shape[-1] ** 0.5
        found.append(torch.softmax(scores, -1) @ V[..., g, :, :])
    return torch.stack(found, -3)


def other(W: Tensor, dim: int = -1) -> Tensor:
    return W.roll(W.shape[dim] // 2, dims=dim)


def swapped(q: Tensor, k: Tensor, v: Tensor, o: Tensor) -> Any:
    return other(q), other(k), other(v), other(o, 0)


RIGHT: list[tuple[Fn, Fn]] = [
    (check.check_grouped, by_sdpa),
    (check.check_grouped, by_dimension),
    (check.check_grouped, by_loop),
    (check.check_swapped, swapped),
    (check.check_swapped, lambda *four: list(swapped(*four))),
]


@pytest.mark.parametrize(("checked", "fn"), RIGHT)
def test_a_right_solution_passes(checked: Fn, fn: Fn) -> None:
    result = checked(fn)
    assert result.passed, result


def test_heads_that_change_places_leave_the_layer_what_it_is() -> None:
    layers = [MultiHeadAttention(6, 2, bias=False).double() for _ in range(2)]
    four = torch.randn(4, 6, 6, dtype=torch.float64)
    x = torch.randn(3, 5, 6, dtype=torch.float64)
    for layer, (q, k, v, o) in zip(layers, (four, swapped(*four)), strict=True):
        with torch.no_grad():
            layer.qkv_proj.weight.copy_(torch.cat([q, k, v], 1).T)
            layer.out_proj.weight.copy_(o.T)
    assert torch.allclose(layers[0](x), layers[1](x))


def share(Q: Tensor, shared: Tensor) -> Tensor:
    return shared.repeat_interleave(Q.shape[-3] // shared.shape[-3], -3)


def repeated(Q: Tensor, shared: Tensor) -> Tensor:
    times = [1] * shared.dim()
    times[-3] = Q.shape[-3] // shared.shape[-3]
    return shared.repeat(times)


WRONG: list[tuple[Fn, Fn, str]] = [
    (check.check_grouped, lambda Q, K, V: sdpa(Q, repeated(Q, K), repeated(Q, V)), "1, 2, 1, 2"),
    (check.check_grouped, lambda Q, K, V: sdpa(Q, K[..., :1, :, :], V[..., :1, :, :]), "multi-query"),
    (
        check.check_grouped,
        lambda Q, K, V: sdpa(Q, K.mean(-3, keepdim=True), V.mean(-3, keepdim=True)),
        "Nothing is averaged",
    ),
    (
        check.check_grouped,
        lambda Q, K, V: share(Q, sdpa(Q.unflatten(-3, (K.shape[-3], -1)).mean(-3), K, V)),
        "queries are not",
    ),
    (check.check_grouped, lambda Q, K, V: sdpa(Q, share(Q, K), repeated(Q, V)), "Both belong together"),
    (check.check_grouped, lambda Q, K, V: by_loop(Q * K.shape[-1] ** 0.5, K, V), "not scaled"),
    (
        check.check_grouped,
        lambda Q, K, V: torch.softmax(Q @ share(Q, K).mT / K.shape[-1] ** 0.5, -1),
        "One step is left",
    ),
    (check.check_grouped, lambda Q, K, V: by_loop(Q, K, V).transpose(-3, -2).flatten(-2), "side by side"),
    (check.check_grouped, lambda Q, K, V: Q @ K.mT, "stopped with RuntimeError"),
    (check.check_swapped, lambda *four: four, "still the first"),
    (check.check_swapped, lambda q, k, v, o: (other(q), other(k), other(v), o), "`W_o` does not know"),
    (check.check_swapped, lambda *four: [other(W) for W in four], "exchanged the columns of `W_o`"),
    (check.check_swapped, lambda *four: [other(W, 0) for W in four], "`W_o` is right"),
    (check.check_swapped, lambda q, k, v, o: (other(q), other(k), v, other(o, 0)), "values have not"),
    (check.check_swapped, lambda q, k, v, o: (other(q), k, v, o), "Only the queries"),
    (check.check_swapped, lambda q, k, v, o: (q.flip(1), k.flip(1), v.flip(1), o.flip(0)), "(why?)"),
    (check.check_swapped, lambda q, k, v, o: (other(q), other(k), other(v)), "got a tuple of 3"),
    (check.check_swapped, lambda q, k, v, o: other(q), "got a tensor of shape [6, 6]"),
    (check.check_swapped, lambda q, k, v, o: (q, k, v, o[1:]), "'a tensor of shape [5, 6]'"),
]


@pytest.mark.parametrize(("checked", "fn", "message"), WRONG)
def test_a_wrong_solution_is_told_why(checked: Fn, fn: Fn, message: str) -> None:
    result = checked(fn)
    assert result.attempted
    assert not result.passed
    assert message in told(result), result.message


@pytest.mark.parametrize("checked", [check.check_grouped, check.check_swapped])
def test_nothing_is_an_answer_yet_and_nonsense_does_not_raise(checked: Fn) -> None:
    assert not checked(...).attempted
    assert not checked(lambda *given: None).attempted
    for nonsense in (3, "split", lambda *given: given[0] / 0, lambda *given: [given]):
        assert not checked(nonsense).passed
