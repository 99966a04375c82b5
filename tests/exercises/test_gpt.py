"""The checks of chapter 10: right solutions pass, and each wrong one is told what is wrong with it."""

import math

import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.nn.functional import scaled_dot_product_attention as sdpa

from tests.exercises.solutions import Fn, told
from unrolled.exercises import gpt as check


def bits_by_log(logits: Tensor, tokens: Tensor, n_bytes: Tensor) -> Tensor:
    said = logits.log_softmax(-1)[:-1].gather(-1, tokens[1:, None])
    return -said.sum() / math.log(2) / n_bytes


def bits_by_loop(logits: Tensor, tokens: Tensor, n_bytes: Tensor) -> Tensor:
    rows = zip(logits[:-1].softmax(-1), tokens[1:].tolist(), strict=True)
    return torch.tensor(-sum(math.log2(row[i].item()) for row, i in rows) / n_bytes.item())


def min_p_by_loop(logits: Tensor, m: float) -> Tensor:
    made = []
    for row in logits.reshape(-1, logits.shape[-1]).softmax(-1):
        kept = torch.tensor([p if p >= m * max(row.tolist()) else 0.0 for p in row.tolist()])
        made.append(kept / kept.sum())
    return torch.stack(made).reshape(logits.shape)


def min_p_by_logits(logits: Tensor, m: Tensor) -> Tensor:
    return logits.masked_fill(logits < logits.amax(-1, keepdim=True) + m.log(), -torch.inf).softmax(-1)


def chunk_by_loop(query: Tensor, key: Tensor, value: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """One token after another, each with the cache that the ones before have left."""
    made = []
    for i in range(query.shape[-2]):
        keys, values = (
            torch.cat([old, new[..., i : i + 1, :]], -2) for old, new in ((keys, key), (values, value))
        )
        made.append(sdpa(query[..., i : i + 1, :], keys, values))
    return torch.cat(made, -2)


RIGHT: list[tuple[Fn, Fn]] = [
    (check.check_bits_per_byte, bits_by_log),
    (check.check_bits_per_byte, bits_by_loop),
    (check.check_min_p, min_p_by_loop),
    (check.check_min_p, min_p_by_logits),
    (check.check_cached_chunk, chunk_by_loop),
]


@pytest.mark.parametrize(("checked", "fn"), RIGHT)
def test_a_right_solution_passes(checked: Fn, fn: Fn) -> None:
    result = checked(fn)
    assert result.passed, result


def bits(logits: Tensor, tokens: Tensor, n_bytes: Tensor) -> Tensor:
    return cross_entropy(logits, tokens, reduction="sum") / n_bytes / math.log(2)


def limited(p: Tensor, limit: Tensor) -> Tensor:
    return torch.nn.functional.normalize(p * (p >= limit), p=1, dim=-1)


def masked(q: Tensor, k: Tensor, v: Tensor, ks: Tensor, vs: Tensor, seen: Fn) -> Tensor:
    """Attend where `seen` of rows and columns, counted from the first held token, allows it."""
    held, new = ks.shape[-2], q.shape[-2]
    mask = seen(torch.arange(held, held + new)[:, None], torch.arange(held + new))
    return sdpa(q, torch.cat([ks, k], -2), torch.cat([vs, v], -2), attn_mask=mask)


WRONG: list[tuple[Fn, Fn, str]] = [
    (check.check_bits_per_byte, lambda x, y, n: bits(x[:-1], y[1:], n) * math.log(2), "Those are nats"),
    (
        check.check_bits_per_byte,
        lambda x, y, n: bits(x[:-1], y[1:], n) * math.log(2) ** 2,
        "multiplied by ln 2",
    ),
    (
        check.check_bits_per_byte,
        lambda x, y, n: bits(x[:-1], y[1:], torch.tensor(len(y) - 1)),
        "bits per token",
    ),
    (check.check_bits_per_byte, lambda x, y, n: bits(x[:-1], y[1:], n * (len(y) - 1)), "divided twice"),
    (
        check.check_bits_per_byte,
        lambda x, y, n: bits(x[:-1], y[1:], n) * len(y) / (len(y) - 1),
        "one prediction less",
    ),
    (check.check_bits_per_byte, bits, "which the model has read"),
    (check.check_bits_per_byte, lambda x, y, n: bits(x[1:], y[:-1], n), "shifted the wrong way"),
    (check.check_min_p, lambda x, m: limited(x.softmax(-1), m), "with m itself"),
    (
        check.check_min_p,
        lambda x, m: limited(x.softmax(-1) * (x >= m * x.amax(-1, keepdim=True)), torch.tensor(0.0)),
        "You compared logits",
    ),
    (
        check.check_min_p,
        lambda x, m: x.softmax(-1) * (x.softmax(-1) >= m * x.softmax(-1).amax(-1, keepdim=True)),
        "no longer add up",
    ),
    (check.check_min_p, lambda x, m: limited(x.softmax(-1), m * x.softmax(-1).max()), "the whole batch"),
    (check.check_min_p, lambda x, m: x.softmax(-1), "No word is ruled out"),
    (
        check.check_cached_chunk,
        lambda q, k, v, ks, vs: masked(q, k, v, ks, vs, lambda t, s: s <= t - ks.shape[-2]),
        "begins in the corner",
    ),
    (
        check.check_cached_chunk,
        lambda q, k, v, ks, vs: sdpa(q, torch.cat([ks, k], -2), torch.cat([vs, v], -2)),
        "has seen the last",
    ),
    (
        check.check_cached_chunk,
        lambda q, k, v, ks, vs: masked(q, k, v, ks, vs, lambda t, s: s <= t + 1),
        "one token too many",
    ),
    (
        check.check_cached_chunk,
        lambda q, k, v, ks, vs: masked(q, k, v, ks, vs, lambda t, s: s < t),
        "does not see itself",
    ),
    (check.check_cached_chunk, lambda q, k, v, ks, vs: sdpa(q, ks, vs), "the held ones only"),
    (
        check.check_cached_chunk,
        lambda q, k, v, ks, vs: chunk_by_loop(q * q.shape[-1] ** 0.5, k, v, ks, vs),
        "not scaled",
    ),
    (check.check_cached_chunk, lambda q, k, v, ks, vs: chunk_by_loop(q, k, k, ks, ks), "You mixed the keys"),
]


@pytest.mark.parametrize(("checked", "fn", "message"), WRONG)
def test_a_wrong_solution_is_told_why(checked: Fn, fn: Fn, message: str) -> None:
    result = checked(fn)
    assert result.attempted
    assert not result.passed
    assert message in told(result)


@pytest.mark.parametrize("checked", [check.check_bits_per_byte, check.check_min_p, check.check_cached_chunk])
def test_nothing_is_an_answer_yet_and_nonsense_does_not_raise(checked: Fn) -> None:
    assert not checked(...).attempted
    assert not checked(lambda *given: None).attempted
    for nonsense in (3, "loss", lambda *given: given[0] / 0, lambda *given: [given]):
        assert not checked(nonsense).passed


def test_a_single_number_is_named_by_its_value() -> None:
    result = check.check_min_p(lambda logits, m: logits)
    assert "logits of shape [7] and m = 0.2" in result.message
