"""The checks of chapter 13: how many parameters, when the cache outweighs the weights, and which batch.

>>> from unrolled.exercises.costs import check_batch
>>> check_batch(lambda peak, bandwidth, number: peak / bandwidth).passed
False

Each takes what the learner made and returns a `Result`, which a notebook shows as the last line of a cell.
A check never raises because of a learner's code.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real
from typing import Any

from unrolled.costs import KNOWN, cache_bytes, parameters, weight_bytes
from unrolled.exercises._said import attempt, describe, failed, passed, refusal
from unrolled.exercises.result import Result

__all__ = ["check_batch", "check_context", "check_llama"]

Count = Callable[..., float]


@dataclass(frozen=True)
class _Known:
    """A usual wrong count, and what to tell whoever arrived at it."""

    count: Count
    message: str


def _wrong(fn: object, cases: list[dict[str, Any]], right: Count, known: list[_Known]) -> Result | None:
    """Return what is wrong with a function of numbers, if anything is."""
    if refused := refusal(fn, list(cases[0])):
        return refused
    assert callable(fn)
    for case in cases:
        given = ", ".join(f"{name}={value:,}" for name, value in case.items())
        got, ended = attempt(
            fn, *case.values(), case=f"for {given}", returns="Your function returns nothing yet."
        )
        if ended:
            return ended
        if isinstance(got, bool) or not isinstance(got, Real):
            return failed(f"For {given}: expected a number, got {describe(got)}.")
        expected = right(**case)
        if got != expected:
            told = next((one.message for one in known if one.count(**case) == got), "")
            end = f"For {given}: expected {expected:,}, got {got:,}."
            return failed(f"{told}\n{end}" if told else end)
    return None


def check_llama(fn: object) -> Result:
    """Check ``fn(d, n_heads, n_kv_heads, d_ff, n_layers, vocab_size)``: the parameters of a Llama."""
    names = ["TinyLlama 1.1B", "Llama 2 7B", "Llama 3 8B"]
    cases = []
    for name in names:
        s = KNOWN[name].sizes
        cases.append(
            {
                "d": s.d_model,
                "n_heads": s.n_heads,
                "n_kv_heads": s.kv_heads,
                "d_ff": s.ff,
                "n_layers": s.n_layers,
                "vocab_size": s.vocab_size,
            }
        )
    if wrong := _wrong(fn, cases, _llama, LLAMAS):
        return wrong
    told = ", ".join(f"{name} {parameters(KNOWN[name].sizes).total:,}" for name in names)
    return passed(f"Right to the last parameter: {told}.")


def _llama(
    d: int,
    n_heads: int,
    n_kv_heads: int,
    d_ff: int,
    n_layers: int,
    vocab_size: int,
    *,
    matrices: int = 3,
    norms: int = 2,
    last: int = 1,
    tables: int = 2,
    shared: bool = True,
) -> int:
    grouped = 2 * d * (n_kv_heads if shared else n_heads) * (d // n_heads)
    block = 2 * d * d + grouped + matrices * d * d_ff + norms * d
    return n_layers * block + last * d + tables * vocab_size * d


def _but(**change: Any) -> Count:
    return lambda **case: _llama(**case, **change)


LLAMAS = [
    _Known(
        _but(matrices=2),
        "That feed-forward layer has two matrices. A gated one has three: two of d × d_ff, one of d_ff × d.",
    ),
    _Known(
        _but(shared=False),
        "You gave every head its own keys and values. There are n_kv_heads of them, each d / n_heads wide: "
        "their two matrices are d × (n_kv_heads · d / n_heads).",
    ),
    _Known(
        _but(matrices=2, shared=False),
        "Keys and values are shared by groups of heads, and a gate is a third matrix.",
    ),
    _Known(_but(tables=1), "The output layer is missing. It is not tied: vocab_size × d once more."),
    _Known(_but(tables=0), "The embedding and the output layer are missing: each is vocab_size × d."),
    _Known(_but(last=0), "The norm after the last block is missing: d."),
    _Known(_but(norms=0, last=0), "The norms are missing: two in each block and one at the end, d each."),
    _Known(_but(norms=1), "A block has two norms, one before each sublayer."),
    _Known(_but(norms=4, last=2), "These norms have a gain and no bias: d each, not 2 d."),
]  # fmt: skip


def check_context(fn: object) -> Result:
    """Check ``fn(weights, per_token, batch)``: the first context whose cache is larger than the weights."""
    cases = []
    for name, batch in (("GPT-3", 1), ("Llama 2 70B", 7), ("TinyLlama 1.1B", 13)):
        s = KNOWN[name].sizes
        cases.append({"weights": weight_bytes(s), "per_token": cache_bytes(s, 1), "batch": batch})
    if wrong := _wrong(fn, cases, _context, CONTEXTS):
        return wrong
    told = ", ".join(f"{_context(**case):,} at batch {case['batch']}" for case in cases)
    return passed(f"Right for GPT-3, Llama 2 70B and TinyLlama: {told}.")


def _context(weights: int, per_token: int, batch: int) -> int:
    return weights // (per_token * batch) + 1


CONTEXTS = [
    _Known(
        lambda weights, per_token, batch: weights // (per_token * batch),
        "At that context the cache still fits into what the weights take. One token more outweighs them.",
    ),
    _Known(
        lambda weights, per_token, batch: weights / (per_token * batch),
        "That is where both are equal, and no whole number of tokens. Which is the first that is larger?",
    ),
    _Known(
        lambda weights, per_token, batch: weights // per_token + 1,
        "The batch is missing. Every sequence has a cache of its own; the weights are there once.",
    ),
    _Known(
        lambda weights, per_token, batch: batch * weights // per_token + 1,
        "You multiplied by the batch. More sequences fill the memory sooner: divide by it.",
    ),
    _Known(
        lambda weights, per_token, batch: weights // (2 * per_token * batch) + 1,
        "You counted keys and values twice: `per_token` has both already.",
    ),
]


def check_batch(fn: object) -> Result:
    """Check ``fn(peak, bandwidth, number)``: the least batch that keeps the arithmetic busy."""
    cases = [
        {"peak": 312_000, "bandwidth": 2_000, "number": 2},
        {"peak": 624_000, "bandwidth": 2_000, "number": 1},
        {"peak": 91, "bandwidth": 24, "number": 4},
    ]
    if wrong := _wrong(fn, cases, _batch, BATCHES):
        return wrong
    told = ", ".join(str(_batch(**case)) for case in cases)
    return passed(f"Right: {told} sequences. Whatever else is read, caches above all, raises the number.")


def _batch(peak: float, bandwidth: float, number: float) -> int:
    return math.ceil(peak / bandwidth * number / 2)


BATCHES = [
    _Known(
        lambda peak, bandwidth, number: math.ceil(peak / bandwidth * number),
        "Each weight serves two operations a sequence, a multiplication and an addition: half will do.",
    ),
    _Known(
        lambda peak, bandwidth, number: math.ceil(peak / bandwidth / 2),
        "That is right for numbers of one byte. A weight of `number` bytes takes so much longer to come.",
    ),
    _Known(
        lambda peak, bandwidth, number: math.ceil(peak / bandwidth),
        "That is the ridge, in operations per byte. How many does a weight of `number` bytes serve?",
    ),
    _Known(
        lambda peak, bandwidth, number: math.ceil(peak / bandwidth / (2 * number)),
        "Larger numbers take longer to come and need more sequences: multiply by `number`.",
    ),
    _Known(
        lambda peak, bandwidth, number: math.floor(peak / bandwidth * number / 2),
        "At that batch the memory is still the slower one. Round up.",
    ),
    _Known(
        lambda peak, bandwidth, number: peak / bandwidth * number / 2,
        "That is where both take as long, and no whole number of sequences. Round up.",
    ),
    _Known(
        lambda peak, bandwidth, number: math.ceil(bandwidth / peak * number / 2),
        "You divided the bandwidth by the peak. Operations per byte are the peak over the bandwidth.",
    ),
]
