"""The checks of chapter 14: right solutions pass, and each wrong one is told what is wrong with it."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.nn.functional import cross_entropy

from tests.exercises.solutions import Fn, told
from unrolled.exercises import many_gpus as check

IGNORED = -100


def loss(model: Fn, part: Any, reduction: str = "mean") -> Any:
    tokens, answers = part
    return cross_entropy(
        model(tokens).flatten(0, 1), answers.flatten(), ignore_index=IGNORED, reduction=reduction
    )


def asked(parts: Any) -> int:
    return sum(int((answers != IGNORED).sum()) for _, answers in parts)


def accumulate(model: Any, parts: Any) -> None:
    for part in parts:
        (loss(model, part, "sum") / asked(parts)).backward()


def weighted(model: Any, parts: Any) -> None:
    model.zero_grad()
    for part in parts:
        (loss(model, part) * asked([part])).backward()
    for parameter in model.parameters():
        parameter.grad /= asked(parts)


def ring(workers: Any, send: Fn) -> None:
    n = len(workers)
    for turn in range(n - 1):
        got = [send(r, (r - turn) % n) for r in range(n)]
        for r in range(n):
            workers[r][(r - 1 - turn) % n] += got[r - 1]
    for turn in range(n - 1):
        got = [send(r, (r + 1 - turn) % n) for r in range(n)]
        for r in range(n):
            workers[r][(r - turn) % n] = got[r - 1]


def from_the_other_end(workers: Any, send: Fn) -> None:
    n = len(workers)
    for chunk in range(n):  # one chunk after another: as few messages, and n times as many turns
        for turn in range(n - 1):
            r = (chunk + turn) % n
            workers[(r + 1) % n][chunk] += send(r, chunk)
        for turn in range(n - 1, 2 * n - 2):
            r = (chunk + turn) % n
            workers[(r + 1) % n][chunk] = send(r, chunk)


RIGHT: list[tuple[Fn, Fn]] = [
    (check.check_accumulate, accumulate),
    (check.check_accumulate, weighted),
    (check.check_ring, ring),
    (check.check_ring, from_the_other_end),
    (check.check_bandwidth, lambda megabytes, seconds: 2 * megabytes / seconds),
    (check.check_bandwidth, lambda S, T: (1.75 - 1.5) * S / (T / 4 - T / 8)),
]


@pytest.mark.parametrize(("checked", "fn"), RIGHT)
def test_a_right_solution_passes(checked: Fn, fn: Fn) -> None:
    result = checked(fn)
    assert result.passed, result


def each(leave: Callable[[Any, Any, Any], Any]) -> Fn:
    def accumulated(model: Any, parts: Any) -> None:
        for part in parts:
            leave(model, part, parts).backward()

    return accumulated


def emptied(model: Any, parts: Any) -> None:
    for part in parts:
        model.zero_grad()
        loss(model, part).backward()


def joined(model: Any, parts: Any) -> None:
    loss(model, (torch.cat([t for t, _ in parts]), torch.cat([a for _, a in parts]))).backward()


def stepped(model: Any, parts: Any) -> None:
    accumulate(model, parts)
    torch.optim.SGD(model.parameters(), lr=0.1).step()


def peeked(workers: Any, send: Fn) -> None:
    sums = [sum(column) for column in zip(*workers, strict=True)]
    for row in workers:
        row[:] = sums


def half(workers: Any, send: Fn) -> None:
    n = len(workers)
    for turn in range(n - 1):
        got = [send(r, (r - turn) % n) for r in range(n)]
        for r in range(n):
            workers[r][(r - 1 - turn) % n] += got[r - 1]


def everything_around(workers: Any, send: Fn) -> None:
    n = len(workers)
    own = [list(row) for row in workers]
    sums = [list(row) for row in workers]
    for _ in range(n - 1):
        got = [[send(r, c) for c in range(n)] for r in range(n)]
        for r in range(n):
            workers[r][:] = got[r - 1]
            sums[r] = [x + y for x, y in zip(sums[r], got[r - 1], strict=True)]
    assert own
    for r in range(n):
        workers[r][:] = sums[r]


def added_twice(workers: Any, send: Fn) -> None:
    half(workers, send)
    n = len(workers)
    for turn in range(n - 1):
        got = [send(r, (r + 1 - turn) % n) for r in range(n)]
        for r in range(n):
            workers[r][(r - turn) % n] += got[r - 1]


def half_peeked(workers: Any, send: Fn) -> None:
    half(workers, send)
    n = len(workers)
    for c in range(n):
        complete = max(row[c] for row in workers)
        for row in workers:
            row[c] = complete


WRONG: list[tuple[Fn, Fn, str]] = [
    (check.check_accumulate, each(lambda m, part, parts: loss(m, part) / len(parts)), "mean of means"),
    (check.check_accumulate, each(lambda m, part, parts: loss(m, part)), "grows with their number"),
    (check.check_accumulate, each(lambda m, part, parts: loss(m, part, "sum")), "by the number of answers"),
    (check.check_accumulate, emptied, "Only the last part is left"),
    (
        check.check_accumulate,
        each(lambda m, part, parts: loss(m, part, "sum") / sum(a.numel() for _, a in parts)),
        "You divided by all places",
    ),
    (check.check_accumulate, joined, "You joined the parts"),
    (check.check_accumulate, stepped, "changed the parameters"),
    (check.check_accumulate, lambda model, parts: loss(model, parts[0]), "No gradient was left"),
    (
        check.check_accumulate,
        each(lambda m, part, parts: 7 * loss(m, part)),
        "The gradient's length for parts",
    ),
    (check.check_ring, peeked, "nothing was sent"),
    (check.check_ring, half, "the first half is right"),
    (check.check_ring, everything_around, "2 messages of one worker"[1:]),
    (check.check_ring, added_twice, "something was added twice"),
    (check.check_ring, half_peeked, "some numbers were read and not sent"),
    (check.check_ring, lambda workers, send: send(0, 99), "expected a worker and a chunk from 0 to 2"),
    (check.check_ring, lambda workers, send: send(0, 0), "expected workers["),
    (check.check_ring, lambda workers, send: workers.clear() or send, "stay 3 lists of 3 numbers"),
    (check.check_bandwidth, lambda S, T: S / T, "Is the 2 missing?"),
    (check.check_bandwidth, lambda S, T: 16 * S / T, "Those are megabits"),
    (check.check_bandwidth, lambda S, T: 14 * S / T, "four workers send, too"),
    (check.check_bandwidth, lambda S, T: 12 * S / T, "eight send more"),
    (check.check_bandwidth, lambda S, T: T / S, "Expected 500 MB/s for 500 MB and 2 s, got 0.004"),
    (check.check_bandwidth, lambda S, T: "fast", "Expected a number"),
    (check.check_bandwidth, lambda S: S, "got a function with the arguments (S)"),
]


@pytest.mark.parametrize(("checked", "fn", "message"), WRONG)
def test_a_wrong_solution_is_told_why(checked: Fn, fn: Fn, message: str) -> None:
    result = checked(fn)
    assert result.attempted
    assert not result.passed
    assert message in told(result)


CHECKS = [check.check_accumulate, check.check_ring, check.check_bandwidth]


@pytest.mark.parametrize("checked", CHECKS)
def test_nothing_is_an_answer_yet_and_nonsense_does_not_raise(checked: Fn) -> None:
    assert not checked(...).attempted
    assert not checked(lambda *given: None).attempted
    for nonsense in (3, "ring", lambda *given: given[0] / 0, lambda *given: [given]):
        assert not checked(nonsense).passed
