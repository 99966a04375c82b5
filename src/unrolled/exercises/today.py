"""The checks of chapter 15: the shares of two experts, a learned sink, and scores without keys.

>>> from unrolled.exercises.today import check_sink
>>> check_sink(lambda scores, sink: scores.softmax(-1)).passed
False

Each takes what the learner made and returns a `Result`, which a notebook shows as the last line of a cell.
A check never raises because of a learner's code.
"""

import torch
from torch import Tensor

from unrolled.exercises._check import Case, Exercise, Misconception
from unrolled.exercises._draw import gaussian
from unrolled.exercises.result import Result

__all__ = ["check_latent_scores", "check_shares", "check_sink"]

ASKED = 2


def check_shares(fn: object) -> Result:
    """Check ``fn(logits)``: the shares ``[N, E]`` of two experts for each token, zeros for the others."""
    cases = [Case({"logits": gaussian(*shape)}) for shape in ((7, 5), (11, 3))]
    return Exercise("shares", _shares, cases, _SHARES).check(fn)


def check_sink(fn: object) -> Result:
    """Check ``fn(scores, sink)``: weights ``[H, T, S]`` of scores and a learned sink ``[H]``."""
    cases = [
        Case({"scores": gaussian(heads, t, s), "sink": gaussian(heads, seed=1)})
        for heads, t, s in ((3, 5, 7), (2, 11, 5))
    ]
    return Exercise("weights", _with_sink, cases, _SINKS).check(fn)


def check_latent_scores(fn: object) -> Result:
    """Check ``fn(q, W, c)``: the scores ``[H, T, S]`` of queries and of keys made of latent vectors."""
    cases = [
        Case({"q": gaussian(heads, t, k), "W": gaussian(heads, n, k, seed=1), "c": gaussian(s, n, seed=2)})
        for heads, t, s, k, n in ((3, 5, 7, 2, 11), (2, 1, 13, 5, 3))
    ]
    return Exercise("scores", _scores, cases, _SCORES).check(fn)


def _shares(logits: Tensor) -> Tensor:
    top, chosen = logits.topk(ASKED, -1)
    return torch.zeros_like(logits).scatter(-1, chosen, top.softmax(-1))


def _unscaled(logits: Tensor) -> Tensor:
    top, chosen = logits.softmax(-1).topk(ASKED, -1)
    return torch.zeros_like(logits).scatter(-1, chosen, top)


_SHARES = [
    Misconception(
        "all experts",
        lambda logits: logits.softmax(-1),
        "Every expert has a share. Only two are asked; the others cost nothing because they get none.",
    ),
    Misconception(
        "do not add up",
        _unscaled,
        "The shares are those of a softmax over all experts, and do not add up to one. Divide by their sum.",
    ),
    Misconception(
        "halves",
        lambda logits: torch.zeros_like(logits).scatter(-1, logits.topk(ASKED, -1).indices, 1 / ASKED),
        "Both experts count half. The router also says how much of each.",
    ),
    Misconception(
        "the best alone",
        lambda logits: torch.zeros_like(logits).scatter(-1, logits.argmax(-1, keepdim=True), 1.0),
        "Only the best expert is asked. Two are.",
    ),
    Misconception(
        "the least likely",
        lambda logits: _shares(-logits),
        "The two experts with the smallest logits are asked.",
    ),
    Misconception(
        "by token",
        lambda logits: _shares(logits.T).T,
        "The two largest of each column: experts have chosen tokens here. Each token chooses its experts.",
    ),
    Misconception(
        "logits divided",
        lambda logits: (
            torch.zeros_like(logits).scatter(
                -1, logits.topk(ASKED, -1).indices, logits.topk(ASKED, -1).values
            )
            / logits.topk(ASKED, -1).values.sum(-1, keepdim=True)
        ),
        "You divided logits by their sum. Logits may be negative; exponentials come first.",
    ),
]


def _with_column(scores: Tensor, sink: Tensor) -> Tensor:
    column = sink[:, None, None].expand(*scores.shape[:2], 1)
    return torch.cat([scores, column], -1).softmax(-1)


def _with_sink(scores: Tensor, sink: Tensor) -> Tensor:
    return _with_column(scores, sink)[..., :-1]


_SINKS = [
    Misconception(
        "no sink",
        lambda scores, sink: scores.softmax(-1),
        "The rows add up to one, so the sink has taken nothing. (A softmax does not notice what is added to "
        "all scores.)",
    ),
    Misconception(
        "kept as a column",
        _with_column,
        "There is a column too many. The sink takes a share and hands over nothing, so its column goes.",
    ),
    Misconception(
        "not an exponential",
        lambda scores, sink: scores.exp() / (scores.exp().sum(-1, keepdim=True) + sink[:, None, None]),
        "The sink stands in the denominator as it is. It is a logit: its exponential belongs there.",
    ),
    Misconception(
        "taken off",
        lambda scores, sink: scores.softmax(-1) - sink[:, None, None].sigmoid(),
        "A sink makes all weights smaller by one factor, and none negative.",
    ),
]


def _scores(q: Tensor, W: Tensor, c: Tensor) -> Tensor:
    scores: Tensor = (q @ W.mT @ c.T) / q.shape[-1] ** 0.5
    return scores


_SCORES = [
    Misconception(
        "not divided",
        lambda q, W, c: q @ W.mT @ c.T,
        "The scores are not divided by √K.",
    ),
    Misconception(
        "divided by the latent's root",
        lambda q, W, c: (q @ W.mT @ c.T) / c.shape[-1] ** 0.5,
        "You divided by the root of the latent vector's size. What counts is how wide queries are: √K.",
    ),
    Misconception(
        "one head's matrix",
        lambda q, W, c: (q @ W[:1].mT @ c.T) / q.shape[-1] ** 0.5,
        "All heads used the first head's W. The latent vector is shared, the matrices are not.",
    ),
    Misconception(
        "softmax",
        lambda q, W, c: _scores(q, W, c).softmax(-1),
        "These are weights already. The scores were asked for.",
    ),
]
