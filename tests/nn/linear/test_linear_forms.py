"""Parallel, chunked and looped forms are one computation, gradients included."""

import itertools
import re
from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn.functional import normalize

from unrolled.nn.linear import (
    delta_rule,
    delta_rule_by_loop,
    delta_weights,
    elu_plus_one,
    linear_attention,
    linear_attention_by_loop,
    linear_weights,
)
from unrolled.shapes import ShapeError

B, H, T, K, V = 2, 3, 13, 5, 7


def _drawn(gated: bool, delta: bool) -> list[Tensor]:
    """Return query, key, value, and where they belong beta and log gate, and a state."""
    torch.manual_seed(11)
    query, key = torch.randn(2, B, H, T, K, dtype=torch.float64)
    tensors = [elu_plus_one(query), normalize(key, dim=-1), torch.randn(B, H, T, V, dtype=torch.float64)]
    if delta:
        tensors.append(torch.rand(B, H, T, dtype=torch.float64))
    if gated:
        tensors.append(-torch.rand(B, H, T, dtype=torch.float64))
    return [*tensors, torch.randn(B, H, K, V, dtype=torch.float64)]


def _ran(form: Callable[..., tuple[Tensor, Tensor]], tensors: list[Tensor], **options: int) -> list[Tensor]:
    """Return contexts, the state, and the gradients of a sum that hears of both."""
    *given, state = [tensor.clone().requires_grad_() for tensor in tensors]
    context, after = form(*given, state=state, **options)
    weighted = torch.linspace(-1, 1, context.numel(), dtype=torch.float64).view_as(context)
    ((context * weighted).sum() + after.square().sum()).backward()  # type: ignore[no-untyped-call]
    return [context, after, *(tensor.grad for tensor in (*given, state) if tensor.grad is not None)]


@pytest.mark.parametrize(
    ("gated", "delta", "chunk"), list(itertools.product([False, True], [False, True], [None, 1, 4, 13, 29]))
)
def test_every_form_gives_what_the_loop_gives(gated: bool, delta: bool, chunk: int | None) -> None:
    """Contexts, states and all gradients, to 1e-10 in float64, with a state that came from before."""
    tensors = _drawn(gated, delta)
    at_once, by_loop = (
        (delta_rule, delta_rule_by_loop) if delta else (linear_attention, linear_attention_by_loop)
    )
    options = {} if chunk is None else {"chunk": chunk}
    found, expected = _ran(at_once, tensors, **options), _ran(by_loop, tensors)
    assert len(found) == len(expected) == 2 + len(tensors)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, atol=1e-10, rtol=1e-10)


@pytest.mark.parametrize(("gated", "delta"), list(itertools.product([False, True], repeat=2)))
def test_the_weights_sum_the_values_to_the_contexts(gated: bool, delta: bool) -> None:
    """Weights times values are the contexts, and nothing comes from later positions."""
    *tensors, _ = _drawn(gated, delta)
    query, key, value, *rates = tensors
    form, weighing = (delta_rule, delta_weights) if delta else (linear_attention, linear_weights)
    weights = weighing(query, key, *rates)
    torch.testing.assert_close(weights @ value, form(*tensors)[0], atol=1e-10, rtol=1e-10)
    assert weights.triu(1).abs().max() < 1e-12


def test_linear_attention_is_the_sum_it_stands_for() -> None:
    """Position t gets the sum of v over s up to t, weighed by products of queries and keys."""
    query, key, value, _ = _drawn(False, False)
    context, state = linear_attention(query, key, value)
    at_5 = sum((query[1, 2, 5] @ key[1, 2, s]) * value[1, 2, s] for s in range(6))
    torch.testing.assert_close(context[1, 2, 5], at_5)
    torch.testing.assert_close(state[1, 2], sum(torch.outer(key[1, 2, s], value[1, 2, s]) for s in range(T)))


def test_the_delta_rule_replaces_what_a_key_had() -> None:
    """A key of length 1 written twice gives its last value; the plain sum gives both."""
    key = normalize(torch.tensor([[3.0, 4.0], [3.0, 4.0]], dtype=torch.float64), dim=-1)
    value, ones = (
        torch.tensor([[2.0, 0.0, 1.0], [0.0, 5.0, 1.0]], dtype=torch.float64),
        torch.ones(2).double(),
    )
    replaced, _ = delta_rule(key, key, value, ones)
    added, _ = linear_attention(key, key, value)
    torch.testing.assert_close(replaced[1], value[1])
    torch.testing.assert_close(added[1], value.sum(0))


def test_a_gate_that_nearly_closes_stays_finite() -> None:
    """The ratio of two gates far apart overflows nowhere, nor does its gradient."""
    query, key, value, log_gate, _ = _drawn(True, False)
    log_gate = (200 * log_gate).requires_grad_()
    context, _ = linear_attention(query, key, value, log_gate)
    context.sum().backward()  # type: ignore[no-untyped-call]
    assert log_gate.grad is not None
    assert log_gate.grad.isfinite().all()
    assert context.isfinite().all()


def test_no_position_and_no_batch() -> None:
    """Plain matrices do, and an empty sequence leaves the state as it was."""
    state = torch.ones(K, V)
    empty = (torch.zeros(0, K), torch.zeros(0, K), torch.zeros(0, V))
    for context, after in (
        linear_attention(*empty, state=state),
        linear_attention_by_loop(*empty, state=state),
        delta_rule(*empty, torch.zeros(0), state=state),
        delta_rule_by_loop(*empty, torch.zeros(0), state=state),
    ):
        assert context.shape == (0, V)
        assert torch.equal(after, state)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"key": torch.zeros(T, K + 1)}, "key: expected shape [..., T, K] with T=13, K=5, got [13, 6]"),
        ({"value": torch.zeros(T + 1, V)}, "value: expected shape [..., T, V] with T=13, got [14, 7]"),
        ({"value": torch.zeros(3, T, V)}, "value: expected leading dimensions [], got [3, 13, 7]"),
        ({"log_gate": torch.zeros(T, 1)}, "log_gate: expected shape [..., T] with T=13, got [13, 1]"),
        ({"log_gate": torch.zeros(2, T)}, "log_gate: expected leading dimensions [], got [2, 13]"),
        ({"state": torch.zeros(V, K)}, "state: expected shape [5, 7], got [7, 5]"),
    ],
)
def test_wrong_shapes_are_named(changed: dict[str, Tensor], message: str) -> None:
    """Each is refused with what was expected and what came, by both forms of both rules."""
    given = {"query": torch.zeros(T, K), "key": torch.zeros(T, K), "value": torch.zeros(T, V)} | changed
    form: Callable[..., object]
    for form in (linear_attention, linear_attention_by_loop):
        with pytest.raises(ShapeError, match=re.escape(message)):
            form(**given)
    for form in (delta_rule, delta_rule_by_loop):
        with pytest.raises(ShapeError, match=re.escape(message)):
            form(**given, beta=torch.zeros(T))


def test_a_chunk_has_a_size() -> None:
    """Neither none at all nor half a position."""
    query, key, value, _ = _drawn(False, False)
    with pytest.raises(ValueError, match="chunk: expected a positive integer, got 0"):
        linear_attention(query, key, value, chunk=0)
    with pytest.raises(TypeError, match=r"chunk: expected a positive integer, got 2\.5"):
        linear_attention(query, key, value, chunk=2.5)  # type: ignore[arg-type]
