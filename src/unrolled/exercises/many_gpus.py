"""The checks of chapter 14: gradients of unequal parts, the ring, and a bandwidth that is too low.

>>> from unrolled.exercises.many_gpus import check_bandwidth
>>> check_bandwidth(lambda megabytes, seconds: 2 * megabytes / seconds).passed
True

Each takes what the learner made and returns a `Result`, which a notebook shows as the last line of a cell.
A check never raises because of a learner's code.
"""

from collections.abc import Callable, Sequence
from numbers import Real

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from unrolled.data.batches import IGNORED
from unrolled.data.seeds import seeded
from unrolled.exercises._said import apart, attempt, describe, failed, passed, refusal
from unrolled.exercises.result import Result

__all__ = ["check_accumulate", "check_bandwidth", "check_ring"]

Part = tuple[Tensor, Tensor]
WORDS, ROW = 7, 5


def check_accumulate(fn: object) -> Result:
    """Check ``fn(model, parts)``: gradients of the mean loss over all targets, from one part at a time.

    `parts` are pairs of tokens and answers, ``[B, T]``; answers that are `IGNORED` are not asked for. The
    function leaves the gradients in the model, and takes no step.
    """
    if refused := refusal(fn, ["model", "parts"]):
        return refused
    assert callable(fn)
    for seed, asked in ((0, [ROW, ROW]), (1, [1, ROW]), (2, [ROW, 2, 3])):
        parts = [_part(seed, i, n) for i, n in enumerate(asked)]
        where = f"for parts with {' and '.join(str(n * 2) for n in asked)} answers"
        expected = _gradient(_whole, parts)
        rows: list[int] = []
        model = _model()
        model.register_forward_pre_hook(lambda _, given, rows=rows: rows.append(len(given[0])))
        before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        _, ended = attempt(fn, model, list(parts), case=where, returns="")
        gradients = [p.grad for p in model.parameters()]
        if ended and (ended.attempted or all(g is None for g in gradients)):
            return ended
        if any(not torch.equal(before[name], tensor) for name, tensor in model.state_dict().items()):
            return failed(
                "Your function changed the parameters. It should leave the gradients and take no step."
            )
        if any(gradient is None for gradient in gradients):
            return failed(f"No gradient was left {where}: is `backward()` called?")
        if rows and max(rows) > 2:
            return failed(
                "You joined the parts. They are taken one after another because together they do not fit."
            )
        got = torch.cat([gradient.flatten() for gradient in gradients if gradient is not None])
        if not torch.allclose(got, expected, rtol=1e-4, atol=1e-6):
            told = next(
                (m for wrong, m in _ACCUMULATED if torch.allclose(got, _gradient(wrong, parts), 1e-4)), ""
            )
            want, came = apart(expected.norm().item(), got.norm().item())
            end = f"The gradient's length {where}: expected {want}, got {came}."
            return failed(f"{told}\n{end}" if told else end)
    return passed("The same gradients as one batch of all parts, whether their answers are as many or not.")


def _part(seed: int, i: int, asked: int) -> Part:
    """Return two rows of tokens, of whose answers the first `asked` are asked for."""
    g = seeded("accumulate", seed, i)
    tokens, answers = (torch.randint(WORDS, (2, ROW), generator=g) for _ in range(2))
    answers[:, asked:] = IGNORED
    return tokens, answers


def _model() -> nn.Module:
    g = seeded("accumulate", "model")
    model = nn.Sequential(nn.Embedding(WORDS, 3), nn.Linear(3, WORDS))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=g))
    return model


def _loss(model: nn.Module, part: Part, reduction: str = "mean") -> Tensor:
    return cross_entropy(model(part[0]).mT, part[1], ignore_index=IGNORED, reduction=reduction)


def _targets(parts: Sequence[Part]) -> int:
    return sum(int((answers != IGNORED).sum()) for _, answers in parts)


def _gradient(leave: Callable[[nn.Module, Sequence[Part]], None], parts: Sequence[Part]) -> Tensor:
    model = _model()
    leave(model, parts)
    return torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])


def _whole(model: nn.Module, parts: Sequence[Part]) -> None:
    for part in parts:
        (_loss(model, part, "sum") / _targets(parts)).backward()  # type: ignore[no-untyped-call]


def _mean_of_means(model: nn.Module, parts: Sequence[Part]) -> None:
    for part in parts:
        (_loss(model, part) / len(parts)).backward()  # type: ignore[no-untyped-call]


def _never_divided(model: nn.Module, parts: Sequence[Part]) -> None:
    for part in parts:
        _loss(model, part).backward()  # type: ignore[no-untyped-call]


def _sums(model: nn.Module, parts: Sequence[Part]) -> None:
    for part in parts:
        _loss(model, part, "sum").backward()  # type: ignore[no-untyped-call]


def _last_alone(model: nn.Module, parts: Sequence[Part]) -> None:
    _loss(model, parts[-1]).backward()  # type: ignore[no-untyped-call]


def _last_share(model: nn.Module, parts: Sequence[Part]) -> None:
    (_loss(model, parts[-1]) / len(parts)).backward()  # type: ignore[no-untyped-call]


def _places(model: nn.Module, parts: Sequence[Part]) -> None:
    places = sum(answers.numel() for _, answers in parts)
    for part in parts:
        (_loss(model, part, "sum") / places).backward()  # type: ignore[no-untyped-call]


_ACCUMULATED = [
    (
        _mean_of_means,
        "That is a mean of means: an answer in a part with few of them counts more than one in a part with "
        "many. Divide the sum of all losses by the number of all answers.",
    ),
    (
        _never_divided,
        "You added the means of the parts and never divided: the gradient grows with their number.",
    ),
    (_sums, "You added the losses and never divided by the number of answers."),
    (_last_alone, "Only the last part is left. Is `zero_grad()` called for each part?"),
    (_last_share, "Only the last part is left. Is `zero_grad()` called for each part?"),
    (
        _places,
        "You divided by all places. Those whose answer is ignored are not asked for, and do not count.",
    ),
]


class _Ring:
    """Workers in a ring, of which each can send to the next, and how much each has sent."""

    def __init__(self, n: int) -> None:
        g = seeded("ring", n)
        self.workers = [[float(x) for x in torch.randint(1, 50, (n,), generator=g)] for _ in range(n)]
        self.sums = [sum(column) for column in zip(*self.workers, strict=True)]
        self.sent = [0] * n

    def send(self, worker: int, chunk: int) -> float:
        """Return what `worker` has of `chunk` now, as its right neighbour receives it."""
        n = len(self.workers)
        if not (0 <= worker < n and 0 <= chunk < n):
            raise IndexError(
                f"send: expected a worker and a chunk from 0 to {n - 1}, got {worker} and {chunk}"
            )
        self.sent[worker] += 1
        return self.workers[worker][chunk]


def check_ring(fn: object) -> Result:
    """Check ``fn(workers, send)``: every worker ends with the sum of each chunk, after 2(N − 1) messages.

    ``workers[r][c]`` is what worker r has of chunk c, changed in place; ``send(r, c)`` sends it to the right
    neighbour, worker (r + 1) % N, and returns it.
    """
    if refused := refusal(fn, ["workers", "send"]):
        return refused
    assert callable(fn)
    for n in (3, 2, 5, 7):
        ring = _Ring(n)
        start = [list(row) for row in ring.workers]
        _, ended = attempt(fn, ring.workers, ring.send, case=f"for {n} workers", returns="")
        untouched = ring.workers == start and not any(ring.sent)
        if ended and (ended.attempted or untouched):
            return ended
        wrong = _not_summed(ring, n)
        if wrong:
            return failed(wrong)
        if not any(ring.sent):
            return failed(
                "All sums are right, and nothing was sent: your function has read what lies in other "
                "machines. A worker knows its own numbers, and what `send` of its left neighbour returns."
            )
        if max(ring.sent) > 2 * (n - 1):
            return failed(
                f"For {n} workers: all sums are right, with {max(ring.sent)} messages of one worker. "
                f"{2 * (n - 1)} are enough: send each chunk once around while it is summed, and once more "
                "when it is complete."
            )
        if sum(ring.sent) < 2 * n * (n - 1):
            return failed(
                f"For {n} workers: all sums are right, with {sum(ring.sent)} messages. That is fewer than "
                f"the {2 * n * (n - 1)} that it takes, so some numbers were read and not sent."
            )
    return passed("Right for 2, 3, 5 and 7 workers, and each sends 2(N − 1) chunks of a share 1/N.")


def _not_summed(ring: _Ring, n: int) -> str | None:
    """Return what is wrong with the numbers that the workers have in the end, if anything is."""
    if len(ring.workers) != n or any(not isinstance(row, list) or len(row) != n for row in ring.workers):
        return f"For {n} workers: expected `workers` to stay {n} lists of {n} numbers."
    complete = 0
    for r, row in enumerate(ring.workers):
        for c, (got, want) in enumerate(zip(row, ring.sums, strict=True)):
            if not isinstance(got, Real):
                return f"For {n} workers: expected a number in workers[{r}][{c}], got {describe(got)}."
            complete += got == want
    if complete == n * n:
        return None
    r, c = next((r, c) for r in range(n) for c in range(n) if ring.workers[r][c] != ring.sums[c])
    got, want = ring.workers[r][c], ring.sums[c]
    end = f"For {n} workers: expected workers[{r}][{c}] = {want:g}, got {got:g}."
    if any(x > y for row in ring.workers for x, y in zip(row, ring.sums, strict=True)):
        return (
            "A chunk is larger than its sum: something was added twice. Collect all messages of a turn "
            f"before you change a number, and in the second half replace instead of adding.\n{end}"
        )
    if complete == n:
        return (
            f"One worker has the sum of each chunk: the first half is right. Now send the sums around.\n{end}"
        )
    return end


def check_bandwidth(fn: object) -> Result:
    """Check ``fn(megabytes, seconds)``: MB/s at which 8 workers are no faster than 4, without overlap.

    `megabytes` is what an all-reduce averages, `seconds` what one worker alone would compute for the whole
    batch.
    """
    if refused := refusal(fn, ["megabytes", "seconds"]):
        return refused
    assert callable(fn)
    for megabytes, seconds in ((500.0, 2.0), (37.0, 0.3), (12_000.0, 11.0)):
        case = f"for {megabytes:g} MB and {seconds:g} s"
        got, ended = attempt(fn, megabytes, seconds, case=case, returns="Your function returns nothing yet.")
        if ended:
            return ended
        if isinstance(got, bool) or not isinstance(got, Real):
            return failed(f"Expected a number {case}, got {describe(got)}.")
        want = 2 * megabytes / seconds
        if abs(float(got) - want) > 1e-6 * want:
            ratio = float(got) * seconds / megabytes
            told = next((message for known, message in _BANDWIDTHS if abs(ratio - known) < 1e-6), "")
            end = f"Expected {want:g} MB/s {case}, got {float(got):g}."
            return failed(f"{told}\n{end}" if told else end)
    return passed("Right: 2 S / T. Below it, four more workers cost more time on the wire than they save.")


_BANDWIDTHS: list[tuple[float, str]] = [
    (1.0, "2(N − 1)/N is 1.5 for four workers and 1.75 for eight. Is the 2 missing?"),
    (16.0, "Those are megabits. The question is about megabytes."),
    (
        14.0,
        "You compared the time on the wire of eight workers with the time they save; four workers send, too.",
    ),
    (12.0, "You compared the time on the wire of four workers with the time saved; eight send more, 1.75 S."),
]
