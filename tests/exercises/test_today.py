"""The checks of chapter 15: right solutions pass, and each wrong one is told what is wrong with it."""

import pytest
import torch
from torch import Tensor

from tests.exercises.solutions import Fn, told
from unrolled.exercises import today as check


def shares_by_loop(logits: Tensor) -> Tensor:
    shares = torch.zeros_like(logits)
    for row, given in zip(shares, logits, strict=True):
        first, second = sorted(range(len(given)), key=lambda e: -float(given[e]))[:2]
        total = given[first].exp() + given[second].exp()
        row[first], row[second] = given[first].exp() / total, given[second].exp() / total
    return shares


def of_all_divided(logits: Tensor) -> Tensor:
    p = logits.softmax(-1)
    kept = p * (p >= p.topk(2, -1).values[:, -1:])
    return kept / kept.sum(-1, keepdim=True)


def sink_by_sum(scores: Tensor, sink: Tensor) -> Tensor:
    return scores.exp() / (scores.exp().sum(-1, keepdim=True) + sink.exp()[:, None, None])


def by_forming_keys(q: Tensor, W: Tensor, c: Tensor) -> Tensor:
    scores: Tensor = q @ (c @ W).mT / q.shape[-1] ** 0.5
    return scores


def chosen(logits: Tensor, value: Tensor | float) -> Tensor:
    zeros = torch.zeros_like(logits)
    return torch.where(logits >= logits.topk(2, -1).values[:, -1:], value + zeros, zeros)


RIGHT: list[tuple[Fn, Fn]] = [
    (check.check_shares, shares_by_loop),
    (check.check_shares, of_all_divided),
    (check.check_sink, sink_by_sum),
    (
        check.check_sink,
        lambda scores, sink: (
            scores.softmax(-1) * torch.sigmoid(scores.logsumexp(-1, keepdim=True) - sink[:, None, None])
        ),
    ),
    (check.check_latent_scores, by_forming_keys),
    (
        check.check_latent_scores,
        lambda q, W, c: torch.einsum("htk,hnk,sn->hts", q, W, c) / q.shape[-1] ** 0.5,
    ),
]
WRONG: list[tuple[Fn, Fn, str]] = [
    (check.check_shares, lambda logits: logits.softmax(1), "Every expert has a share"),
    (check.check_shares, lambda logits: chosen(logits, logits.softmax(-1)), "do not add up to one"),
    (check.check_shares, lambda logits: chosen(logits, 0.5), "count half"),
    (
        check.check_shares,
        lambda logits: torch.nn.functional.one_hot(logits.argmax(-1), logits.shape[-1]).to(logits),
        "Only the best expert",
    ),
    (check.check_shares, lambda logits: shares_by_loop(-logits), "smallest logits"),
    (check.check_shares, lambda logits: shares_by_loop(logits.T).T, "experts have chosen tokens"),
    (
        check.check_shares,
        lambda logits: chosen(logits, logits) / chosen(logits, logits).sum(-1, keepdim=True),
        "divided logits by their sum",
    ),
    (check.check_sink, lambda scores, sink: scores.softmax(2), "add up to one"),
    (check.check_sink, lambda scores, sink: (scores + sink.view(-1, 1, 1)).softmax(-1), "add up to one"),
    (
        check.check_sink,
        lambda scores, sink: torch.cat(
            [scores, sink.view(-1, 1, 1).repeat(1, scores.shape[1], 1)], 2
        ).softmax(2),
        "a column too many",
    ),
    (
        check.check_sink,
        lambda scores, sink: scores.exp() / (scores.exp().sum(2, keepdim=True) + sink.view(-1, 1, 1)),
        "its exponential belongs there",
    ),
    (
        check.check_sink,
        lambda scores, sink: scores.softmax(-1) - torch.sigmoid(sink).view(-1, 1, 1),
        "none negative",
    ),
    (check.check_latent_scores, lambda q, W, c: q @ (c @ W).mT, "not divided by √K"),
    (
        check.check_latent_scores,
        lambda q, W, c: q @ (c @ W).mT / c.shape[-1] ** 0.5,
        "the latent vector's size",
    ),
    (
        check.check_latent_scores,
        lambda q, W, c: q @ (c @ W[0]).T / q.shape[-1] ** 0.5,
        "All heads used the first head's W",
    ),
    (check.check_latent_scores, lambda q, W, c: by_forming_keys(q, W, c).softmax(-1), "weights already"),
]
CHECKS = [check.check_shares, check.check_sink, check.check_latent_scores]


@pytest.mark.parametrize(("checked", "fn"), RIGHT)
def test_a_right_solution_passes(checked: Fn, fn: Fn) -> None:
    result = checked(fn)
    assert result.passed, result


@pytest.mark.parametrize(("checked", "fn", "message"), WRONG)
def test_a_wrong_one_is_told_why(checked: Fn, fn: Fn, message: str) -> None:
    result = checked(fn)
    assert not result.passed
    assert message in told(result)


@pytest.mark.parametrize("checked", CHECKS)
@pytest.mark.parametrize("fn", [None, 3, lambda: None, lambda *given: ...])
def test_what_is_no_solution_is_refused(checked: Fn, fn: object) -> None:
    assert not checked(fn).passed
