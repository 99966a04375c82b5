"""The checks of chapter 13: right solutions pass, and each wrong one is told what is wrong with it."""

import math

import pytest

from tests.exercises.solutions import Fn, told
from unrolled.costs import Sizes, parameters
from unrolled.exercises import costs as check


def by_the_package(d: int, n_heads: int, n_kv_heads: int, d_ff: int, n_layers: int, vocab_size: int) -> int:
    s = Sizes(
        vocab_size=vocab_size,
        max_len=1,
        d_model=d,
        n_heads=n_heads,
        n_layers=n_layers,
        n_kv_heads=n_kv_heads,
        d_ff=d_ff,
        gated=True,
        bias=False,
        learned=False,
        tied=False,
    )
    return parameters(s).total


def llama(matrices: int = 3, norms: int = 2, last: int = 1, tables: int = 2, own: bool = False) -> Fn:
    def counted(d: int, n_heads: int, n_kv_heads: int, d_ff: int, n_layers: int, vocab_size: int) -> int:
        kept = d if own else n_kv_heads * d // n_heads
        block = 2 * d * d + 2 * d * kept + matrices * d * d_ff + norms * d
        return n_layers * block + last * d + tables * vocab_size * d

    return counted


RIGHT: list[tuple[Fn, Fn]] = [
    (check.check_llama, by_the_package),
    (check.check_llama, llama()),
    (check.check_context, lambda weights, per_token, batch: math.floor(weights / per_token / batch) + 1),
    (check.check_context, lambda weights, per_token, batch: weights // (batch * per_token) + 1.0),
    (check.check_batch, lambda p, w, n: math.ceil(n * p / (2 * w))),
]


@pytest.mark.parametrize(("checked", "fn"), RIGHT)
def test_a_right_solution_passes(checked: Fn, fn: Fn) -> None:
    result = checked(fn)
    assert result.passed, result


WRONG: list[tuple[Fn, Fn, str]] = [
    (check.check_llama, llama(matrices=2), "A gated one has three"),
    (check.check_llama, llama(own=True), "You gave every head its own keys"),
    (check.check_llama, llama(matrices=2, own=True), "a gate is a third matrix"),
    (check.check_llama, llama(tables=1), "The output layer is missing"),
    (check.check_llama, llama(tables=0), "The embedding and the output layer are missing"),
    (check.check_llama, llama(last=0), "after the last block is missing"),
    (check.check_llama, llama(norms=0, last=0), "The norms are missing"),
    (check.check_llama, llama(norms=1), "A block has two norms"),
    (check.check_llama, llama(norms=4, last=2), "a gain and no bias"),
    (check.check_llama, llama(norms=7), "expected 1,100,048,384, got"),
    (check.check_llama, lambda d: 12 * d * d, "arguments (d)"),
    (check.check_context, lambda weights, per_token, batch: weights // (per_token * batch), "One token more"),
    (check.check_context, lambda weights, per_token, batch: weights / (per_token * batch), "no whole number"),
    (check.check_context, lambda weights, per_token, batch: weights // per_token + 1, "The batch is missing"),
    (
        check.check_context,
        lambda weights, per_token, batch: batch * weights // per_token + 1,
        "You multiplied by the batch",
    ),
    (
        check.check_context,
        lambda weights, per_token, batch: weights // (2 * per_token * batch) + 1,
        "has both already",
    ),
    (check.check_batch, lambda p, w, n: math.ceil(p / w * n), "half will do"),
    (
        check.check_batch,
        lambda p, w, n: math.ceil(p / w / 2),
        "numbers of one byte",
    ),
    (
        check.check_batch,
        lambda p, w, n: math.ceil(p / w / n / 2),
        "multiply by",
    ),
    (
        check.check_batch,
        lambda p, w, n: math.floor(p / w * n / 2),
        "Round up",
    ),
    (check.check_batch, lambda p, w, n: p / w * n / 2, "no whole number of"),
    (check.check_batch, lambda p, w, n: math.ceil(w / p), "over the bandwidth"),
    (check.check_batch, lambda p, w, n: p / 0, "stopped with ZeroDivisionError"),
    (check.check_batch, lambda p, w, n: "many", "expected a number"),
]


@pytest.mark.parametrize(("checked", "fn", "message"), WRONG)
def test_a_wrong_solution_is_told_why(checked: Fn, fn: Fn, message: str) -> None:
    result = checked(fn)
    assert result.attempted
    assert not result.passed
    assert message in told(result)


@pytest.mark.parametrize("checked", [check.check_llama, check.check_context, check.check_batch])
def test_nothing_is_an_answer_yet_and_nonsense_does_not_raise(checked: Fn) -> None:
    assert not checked(...).attempted
    assert not checked(lambda *given: None).attempted
    for nonsense in (3, "cost", lambda *given: given[0] / 0, lambda *given: [given]):
        assert not checked(nonsense).passed
