"""The checks of chapter 17: right solutions pass, and each wrong one is told what is wrong with it."""

import pytest
import torch
from torch import Tensor

from tests.exercises.solutions import Fn, told
from unrolled.exercises import rolled_up as check


def weights_by_loops(Q: Tensor, K: Tensor, alpha: Tensor) -> Tensor:
    weights = torch.zeros(len(Q), len(K), dtype=Q.dtype)
    for t in range(len(Q)):
        for s in range(t + 1):
            weights[t, s] = (Q[t] @ K[s]) * alpha[s + 1 : t + 1].prod()
    return weights


def gates(alpha: Tensor) -> Tensor:
    return alpha.cumprod(0)[:, None] / alpha.cumprod(0)[None, :]


RIGHT: list[tuple[Fn, Fn]] = [
    (check.check_gated_weights, weights_by_loops),
    (check.check_gated_weights, lambda Q, K, alpha: ((Q @ K.T) * gates(alpha)).tril()),
    (check.check_take_out, lambda S, k: S - k[:, None] * (k @ S)[None, :]),
    (check.check_take_out, lambda S, k: (torch.eye(len(k), dtype=S.dtype) - torch.outer(k, k)) @ S),
]
WRONG: list[tuple[Fn, Fn, str]] = [
    (check.check_gated_weights, lambda Q, K, alpha: (Q @ K.T).tril(), "multiplied by every gate after it"),
    (check.check_gated_weights, lambda Q, K, alpha: (Q @ K.T) * gates(alpha), "read what stands behind them"),
    (
        check.check_gated_weights,
        lambda Q, K, a: ((Q @ K.T) * gates(a) * a).tril(),
        "the gate of position s too",
    ),
    (
        check.check_gated_weights,
        lambda Q, K, a: ((Q @ K.T) * gates(a)).tril() / a[:, None],
        "gate of position t",
    ),
    (check.check_gated_weights, lambda Q, K, a: ((Q @ K.T) * a[:, None]).tril(), "multiplied by one gate"),
    (
        check.check_gated_weights,
        lambda Q, K, a: (
            (Q @ K.T).masked_fill(~torch.ones(len(Q), len(Q)).tril().bool(), -torch.inf).softmax(1)
        ),
        "no softmax here",
    ),
    (check.check_take_out, lambda S, k: S, "still gives what it gave"),
    (check.check_take_out, lambda S, k: 0 * S, "Everything is gone"),
    (check.check_take_out, lambda S, k: S * (1 - k)[:, None], "scaled each row by 1 − k"),
    (check.check_take_out, lambda S, k: S + torch.outer(k, k @ S), "added what k gives"),
    (check.check_take_out, lambda S, k: S - (k @ S), "from every row"),
]


@pytest.mark.parametrize(("checked", "fn"), RIGHT)
def test_a_right_solution_passes(checked: Fn, fn: Fn) -> None:
    result = checked(fn)
    assert result.passed, result


@pytest.mark.parametrize(("checked", "fn", "message"), WRONG)
def test_a_wrong_one_is_told_why(checked: Fn, fn: Fn, message: str) -> None:
    result = checked(fn)
    assert not result.passed
    assert message in told(result)


@pytest.mark.parametrize("checked", [check.check_gated_weights, check.check_take_out])
@pytest.mark.parametrize("fn", [None, 3, lambda: None, lambda *given: ...])
def test_what_is_no_solution_is_refused(checked: Fn, fn: object) -> None:
    assert not checked(fn).passed
