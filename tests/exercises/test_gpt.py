"""The checks of chapter 10: right solutions pass, and each wrong one is told what is wrong with it."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.nn.functional import scaled_dot_product_attention as sdpa

from unrolled.exercises import gpt as check

Fn = Callable[..., Any]


def loss_by_log(logits: Tensor, tokens: Tensor) -> Tensor:
    said = logits.log_softmax(-1)[..., :-1, :]
    return -said.gather(-1, tokens[..., 1:].unsqueeze(-1)).mean()


def loss_by_loop(logits: Tensor, tokens: Tensor) -> Tensor:
    rows, ids = logits.reshape(-1, *logits.shape[-2:]), tokens.reshape(-1, tokens.shape[-1])
    surprises = [
        -math.log(row[t].softmax(-1)[i[t + 1]].item()) for row, i in zip(rows, ids, strict=True)
        for t in range(len(i) - 1)
    ]  # fmt: skip
    return torch.tensor(sum(surprises) / len(surprises))


def nucleus_by_loop(logits: Tensor, p: float) -> Tensor:
    made = []
    for row in logits.reshape(-1, logits.shape[-1]).softmax(-1):
        kept, total = torch.zeros_like(row), 0.0
        for i in row.argsort(descending=True).tolist():
            if total < p:
                kept[i] = row[i]
            total += row[i].item()
        made.append(kept / kept.sum())
    return torch.stack(made).reshape(logits.shape)


def step_by_torch(query: Tensor, key: Tensor, value: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    return sdpa(query, torch.cat([keys, key], -2), torch.cat([values, value], -2))


def newest_first(query: Tensor, key: Tensor, value: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    return sdpa(query, torch.cat([key, keys], -2), torch.cat([value, values], -2))


RIGHT: list[tuple[Fn, Fn]] = [
    (check.check_next_token_loss, loss_by_log),
    (check.check_next_token_loss, loss_by_loop),
    (check.check_temperature, lambda logits, t: (logits / t).softmax(-1)),
    (check.check_temperature, lambda logits, t: (logits / t).exp() / (logits / t).exp().sum(-1, True)),
    (check.check_temperature, lambda logits, t: torch.nn.functional.normalize(
        logits.softmax(-1) ** (1 / t), p=1, dim=-1)),
    (check.check_top_p, nucleus_by_loop),
    (check.check_cached_step, step_by_torch),
    (check.check_cached_step, newest_first),
]  # fmt: skip


@pytest.mark.parametrize(("checked", "fn"), RIGHT)
def test_a_right_solution_passes(checked: Fn, fn: Fn) -> None:
    result = checked(fn)
    assert result.passed, result


def shifted(logits: Tensor, tokens: Tensor, a: slice, b: slice, **how: Any) -> Tensor:
    return cross_entropy(logits[..., a, :].flatten(0, -2), tokens[..., b].flatten(), **how)


ALL, FIRST, LAST = slice(None), slice(None, -1), slice(1, None)


def ruled(keep: Callable[[Tensor, Tensor], Tensor], logits: Tensor) -> Tensor:
    """Keep words by their shares and by the shares of all that are at least as likely, added up."""
    share = logits.softmax(-1)
    likelier = (share[..., None, :] >= share[..., :, None]) * share[..., None, :]
    left = share * keep(share, likelier.sum(-1))
    return left / left.sum(-1, keepdim=True)


WRONG: list[tuple[Fn, Fn, str]] = [
    (check.check_next_token_loss, lambda x, y: shifted(x, y, ALL, ALL), "stands in the same place"),
    (check.check_next_token_loss, lambda x, y: shifted(x, y, LAST, FIRST), "shifted the wrong way"),
    (check.check_next_token_loss, lambda x, y: shifted(x, y, FIRST, LAST, reduction="sum"), "added the"),
    (
        check.check_next_token_loss,
        lambda x, y: shifted(x, y, FIRST, LAST, reduction="sum") / y.numel(),
        "nobody predicted it",
    ),
    (check.check_next_token_loss, lambda x, y: shifted(x, y, FIRST, LAST) / math.log(2), "in bits"),
    (check.check_next_token_loss, lambda x, y: -shifted(x, y, FIRST, LAST), "sign is missing"),
    (
        check.check_next_token_loss,
        lambda x, y: -x[..., :-1, :].softmax(-1).gather(-1, y[..., 1:, None]).mean().log(),
        "the mean of the probabilities",
    ),
    (
        check.check_next_token_loss,
        lambda x, y: -x.softmax(-2).log()[..., :-1, :].gather(-1, y[..., 1:, None]).mean(),
        "over the places",
    ),
    (check.check_temperature, lambda x, t: (x * t).softmax(-1), "You multiplied"),
    (check.check_temperature, lambda x, t: (x.softmax(-1) / t) / (1 / t), "changes nothing"),
    (check.check_temperature, lambda x, t: x.softmax(-1) / t, "no longer add up"),
    (check.check_temperature, lambda x, t: x / t, "logits still"),
    (check.check_temperature, lambda x, t: (x / t).softmax(0), "first dimension"),
    (check.check_top_p, lambda x, p: ruled(lambda share, sum_: sum_ <= p, x), "the word with which"),
    (
        check.check_top_p,
        lambda x, p: x.softmax(-1) * ruled(lambda share, sum_: sum_ - share < p, x).bool(),
        "no longer add up to one",
    ),
    (check.check_top_p, lambda x, p: ruled(lambda share, sum_: share >= 1 - p, x), "by its own share"),
    (check.check_top_p, lambda x, p: nucleus_by_loop(x, p).sort(-1, True).values, "in the order of likel"),
    (check.check_top_p, lambda x, p: ruled(
        lambda share, sum_: share.cumsum(-1) - share < p, x), "order of the vocabulary"),
    (check.check_top_p, lambda x, p: x.softmax(-1), "No word is ruled out"),
    (check.check_cached_step, lambda q, k, v, ks, vs: sdpa(q, ks, vs), "does not see itself"),
    (
        check.check_cached_step,
        lambda q, k, v, ks, vs: sdpa(q, torch.cat([ks, k], -2), torch.cat([vs, v], -2), is_causal=True),
        "the first column alone",
    ),
    (check.check_cached_step, lambda q, k, v, ks, vs: sdpa(q, k, v), "itself alone"),
    (
        check.check_cached_step,
        lambda q, k, v, ks, vs: sdpa(q, torch.cat([ks, k], -2), torch.cat([vs, v], -2), scale=1.0),
        "not scaled",
    ),
    (
        check.check_cached_step,
        lambda q, k, v, ks, vs: sdpa(q, torch.cat([ks, k], -2), torch.cat([ks, k], -2)),
        "You mixed the keys",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("checked", "fn", "message"), WRONG)
def test_a_wrong_solution_is_told_why(checked: Fn, fn: Fn, message: str) -> None:
    result = checked(fn)
    assert result.attempted
    assert not result.passed
    assert message in result.message


@pytest.mark.parametrize(
    "checked",
    [check.check_next_token_loss, check.check_temperature, check.check_top_p, check.check_cached_step],
)
def test_nothing_is_an_answer_yet_and_nonsense_does_not_raise(checked: Fn) -> None:
    assert not checked(...).attempted
    assert not checked(lambda *given: None).attempted
    for nonsense in (3, "loss", lambda *given: given[0] / 0, lambda *given: [given]):
        assert not checked(nonsense).passed


def test_a_single_number_is_named_by_its_value() -> None:
    result = check.check_temperature(lambda logits, temperature: logits)
    assert "logits of shape [7] and temperature = 0.5" in result.message
