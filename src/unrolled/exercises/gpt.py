"""The checks of chapter 10, GPT: bits per byte, a rule for choosing, and several steps with a cache.

>>> from unrolled.exercises.gpt import check_min_p
>>> check_min_p(lambda logits, m: logits.softmax(-1)).passed
False

Each takes what the learner made and returns a `Result`, which a notebook shows as the last line of a cell.
A check never raises because of a learner's code.
"""

import math

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from unrolled.exercises._check import Case, Exercise, Misconception
from unrolled.exercises._draw import gaussian, ids
from unrolled.exercises.result import Result

__all__ = ["check_bits_per_byte", "check_cached_chunk", "check_min_p"]

# [T, V] and the bytes of the text; different primes, so that no wrong axis fits by chance.
TEXTS = [(7, 5, 29), (11, 13, 41), (3, 7, 17)]
# [V], [T, V] and [B, T, V]: one word to choose, and many at once.
CHOICES = [((7,), 0.2), ((5, 11), 0.3), ((2, 3, 13), 0.05)]
# [N, K] with S held, and [B, H, N, K].
HELD = [((), 5, 3, 2), ((), 2, 5, 7), ((2, 3), 7, 5, 11)]


def _surprises(logits: Tensor, tokens: Tensor) -> Tensor:
    """Return the nats of every token but the first."""
    return cross_entropy(logits[:-1], tokens[1:], reduction="none")


def _bits(logits: Tensor, tokens: Tensor, n_bytes: Tensor) -> Tensor:
    return _surprises(logits, tokens).sum() / (math.log(2) * n_bytes)


def check_bits_per_byte(fn: object) -> Result:
    """Check ``fn(logits, tokens, n_bytes)``: bits per byte of a text, [T + 1, V] and [T + 1] -> a number."""
    cases = [
        Case(
            {
                "logits": 2 * gaussian(length, vocabulary),
                "tokens": ids(vocabulary, length),
                "n_bytes": torch.tensor(size),
            }
        )
        for length, vocabulary, size in TEXTS
    ]
    return Exercise("bits", _bits, cases, BITS).check(fn)


def _limited(logits: Tensor, limit: Tensor) -> Tensor:
    p = logits.softmax(-1)
    kept = torch.where(p >= limit, p, 0.0)
    return kept / kept.sum(-1, keepdim=True)


def _min_p(logits: Tensor, m: Tensor) -> Tensor:
    return _limited(logits, m * logits.softmax(-1).amax(-1, keepdim=True))


def check_min_p(fn: object) -> Result:
    """Check ``fn(logits, m)``: probabilities, 0 below m times the highest, [..., V] -> [..., V]."""
    cases = [
        Case(
            {"logits": 2 * gaussian(*shape), "m": torch.tensor(m, dtype=torch.float64)},
            batched=len(shape) > 2,
        )
        for shape, m in CHOICES
    ]
    return Exercise("probabilities", _min_p, cases, MIN_P).check(fn)


def _chunk(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    keys: Tensor,
    values: Tensor,
    *,
    scale: float = 0,
    ahead: int = 0,
) -> Tensor:
    """Attend from the new tokens to all before and to themselves; `ahead` tokens further if asked."""
    held, new = keys.shape[-2], query.shape[-2]
    every, handed = torch.cat([keys, key], -2), torch.cat([values, value], -2)
    scores = query @ every.mT * (scale or query.shape[-1] ** -0.5)
    later = torch.ones(new, held + new, dtype=torch.bool).triu(held + 1 + ahead)
    return torch.softmax(scores.masked_fill(later, -torch.inf), -1) @ handed


def check_cached_chunk(fn: object) -> Result:
    """Check ``fn(query, key, value, keys, values)``: what the new tokens find, [..., N, K] -> [..., N, K].

    `keys` and `values` are those of all earlier tokens, [..., S, K].
    """
    cases = []
    for lead, held, new, width in HELD:
        fresh = {
            name: 2 * gaussian(*lead, new, width, seed=i) for i, name in enumerate(("query", "key", "value"))
        }
        old = {name: 2 * gaussian(*lead, held, width, seed=i) for i, name in enumerate(("keys", "values"), 5)}
        cases.append(Case({**fresh, **old}, batched=bool(lead)))
    return Exercise("context", _chunk, cases, CHUNKS).check(fn)


BITS = [
    Misconception(
        "nats",
        lambda logits, tokens, n_bytes: _surprises(logits, tokens).sum() / n_bytes,
        "Those are nats. A bit is ln 2 nats: divide by `math.log(2)`.",
    ),
    Misconception(
        "multiplied by ln 2",
        lambda logits, tokens, n_bytes: _surprises(logits, tokens).sum() * math.log(2) / n_bytes,
        "You multiplied by ln 2. A bit is less than a nat, so there are more of them: divide.",
    ),
    Misconception(
        "per token",
        lambda logits, tokens, n_bytes: _surprises(logits, tokens).mean() / math.log(2),
        "Those are bits per token. The bits of the whole text are a sum over its tokens; divide that by its "
        "bytes.",
    ),
    Misconception(
        "a mean over bytes",
        lambda logits, tokens, n_bytes: _surprises(logits, tokens).mean() / (math.log(2) * n_bytes),
        "You divided twice: the mean has been divided by the number of tokens already. Add the surprises up, "
        "then divide by the bytes.",
    ),
    Misconception(
        "mean times all tokens",
        lambda logits, tokens, n_bytes: (
            _surprises(logits, tokens).mean() * len(tokens) / (math.log(2) * n_bytes)
        ),
        "You multiplied the mean by all tokens. The first is given, not predicted: there is one prediction "
        "less.",
    ),
    Misconception(
        "no shift",
        lambda logits, tokens, n_bytes: (
            cross_entropy(logits, tokens, reduction="sum") / (math.log(2) * n_bytes)
        ),
        "You asked the logits of each position for the token that stands there, which the model has read. "
        "The row of token t says what comes after it: `logits[:-1]` belongs to `tokens[1:]`.",
    ),
    Misconception(
        "shifted backwards",
        lambda logits, tokens, n_bytes: (
            cross_entropy(logits[1:], tokens[:-1], reduction="sum") / (math.log(2) * n_bytes)
        ),
        "You shifted the wrong way: your logits are asked for the token before. `logits[:-1]` belongs to "
        "`tokens[1:]`.",
    ),
]

MIN_P = [
    # Before the next: in a batch with one sure position the two limits are nearly the same.
    Misconception(
        "the highest of all",
        lambda logits, m: _limited(logits, m * logits.softmax(-1).max()),
        "You took one highest probability for the whole batch. Each position has its own: "
        "`amax(-1, keepdim=True)`.",
    ),
    Misconception(
        "an absolute limit",
        lambda logits, m: _limited(logits, m),
        "You compared each probability with m itself. The limit is m times the *highest* probability, so "
        "that it falls where the model is unsure. (With m alone, no word may be left.)",
    ),
    Misconception(
        "of the logits",
        lambda logits, m: logits.masked_fill(logits < m * logits.amax(-1, keepdim=True), -torch.inf).softmax(
            -1
        ),
        "You compared logits, whose zero means nothing: add 1 to all, and your rule keeps other words. "
        "Compare the probabilities.",
    ),
    Misconception(
        "not again to one",
        lambda logits, m: torch.where(
            logits.softmax(-1) >= m * logits.softmax(-1).amax(-1, keepdim=True), logits.softmax(-1), 0.0
        ),
        "The right words are left, but their probabilities no longer add up to one. Divide by their sum, or "
        "set the others' logits to -inf before the softmax.",
    ),
    Misconception(
        "all kept",
        lambda logits, m: logits.softmax(-1),
        "No word is ruled out: those are the probabilities before the rule.",
    ),
]


CHUNKS = [
    Misconception(
        "a triangle from the corner",
        lambda query, key, value, keys, values: _chunk(
            query, key, value, keys, values, ahead=-keys.shape[-2]
        ),
        "Your triangle begins in the corner: `torch.tril` of an [N, S + N] matrix lets the first new token "
        "see the first held one alone. It may see all S held tokens and itself, so the diagonal is S columns "
        "further right: `triu(S + 1)` marks what is hidden.",
    ),
    Misconception(
        "no mask",
        lambda query, key, value, keys, values: _chunk(
            query, key, value, keys, values, ahead=query.shape[-2]
        ),
        "With one new token nothing needs hiding; with several, the earlier of them must not see the later. "
        "Your first new token has seen the last.",
    ),
    Misconception(
        "one too far",
        lambda query, key, value, keys, values: _chunk(query, key, value, keys, values, ahead=1),
        "Each new token sees one token too many, the next. Column S + i is token i itself: hide from "
        "S + i + 1.",
    ),
    Misconception(
        "not itself",
        lambda query, key, value, keys, values: _chunk(query, key, value, keys, values, ahead=-1),
        "A new token does not see itself. Column S + i is its own: hide from S + i + 1.",
    ),
    Misconception(
        "the new ones forgotten",
        lambda query, key, value, keys, values: (
            torch.softmax(query @ keys.mT * query.shape[-1] ** -0.5, -1) @ values
        ),
        "The new tokens see the held ones only. Put their own keys and values after those that are held.",
    ),
    Misconception(
        "no scale",
        lambda query, key, value, keys, values: _chunk(query, key, value, keys, values, scale=1.0),
        "The scores are not scaled. Divide them by √K.",
    ),
    Misconception(
        "keys for values",
        lambda query, key, value, keys, values: _chunk(query, key, key, keys, keys),
        "You mixed the keys. They are what a token is found by; what is handed over are the values.",
    ),
]
