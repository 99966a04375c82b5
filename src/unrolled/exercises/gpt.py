"""The checks of chapter 10, GPT: the loss of a text, the choice of a word, and one step with a cache.

>>> from unrolled.exercises.gpt import check_temperature
>>> check_temperature(lambda logits, temperature: logits.softmax(-1)).passed
False

Each takes what the learner made and returns a `Result`, which a notebook shows as the last line of a cell.
A check never raises because of a learner's code.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from unrolled.exercises._check import Case, Exercise, Misconception
from unrolled.exercises._draw import gaussian, ids
from unrolled.exercises.result import Result
from unrolled.generate import keep_top_p

__all__ = ["check_cached_step", "check_next_token_loss", "check_temperature", "check_top_p"]

# Different primes, so that no wrong axis fits by chance: [T, V], and [B, T, V] at the end.
TEXTS = [(7, 5), (11, 13), (3, 7, 5)]
# [V], [T, V] and [B, T, V]: one word to choose, and many at once.
CHOICES = [((7,), 0.9), ((5, 11), 0.5), ((2, 3, 13), 0.9)]
# [T, K] with T held, and [B, H, T, K].
HELD = [((), 5, 3), ((), 7, 2), ((2, 3), 5, 7)]


def _loss(logits: Tensor, tokens: Tensor, reduction: str = "mean") -> Tensor:
    """Return the cross-entropy of each token, by the logits that stand in its row."""
    return cross_entropy(logits.flatten(0, -2), tokens.flatten(), reduction=reduction)


def _next(logits: Tensor, tokens: Tensor, reduction: str = "mean") -> Tensor:
    return _loss(logits[..., :-1, :], tokens[..., 1:], reduction)


def check_next_token_loss(fn: object) -> Result:
    """Check ``fn(logits, tokens)``: nats per predicted token, [..., T, V] and [..., T] -> a number."""
    cases = []
    for *lead, length, vocabulary in TEXTS:
        tokens = ids(vocabulary, *lead, length)
        logits = 2 * gaussian(*lead, length, vocabulary)
        cases.append(Case({"logits": logits, "tokens": tokens}, batched=bool(lead)))
    return Exercise("loss", _next, cases, LOSSES).check(fn)


def check_temperature(fn: object) -> Result:
    """Check ``fn(logits, temperature)``: the share of every word, [..., V] -> [..., V]."""
    cases = [
        Case(
            {"logits": 2 * gaussian(*shape), "temperature": torch.tensor(tau, dtype=torch.float64)},
            batched=len(shape) > 2,
        )
        for (shape, _), tau in zip(CHOICES, (0.5, 2.0, 0.8), strict=True)
    ]
    return Exercise("shares", _shares, cases, TEMPERATURES).check(fn)


def check_top_p(fn: object) -> Result:
    """Check ``fn(logits, p)``: shares that are 0 beyond the nucleus and add up to 1, [..., V] -> [..., V]."""
    cases = [
        Case(
            {"logits": 2 * gaussian(*shape), "p": torch.tensor(p, dtype=torch.float64)},
            batched=len(shape) > 2,
        )
        for shape, p in CHOICES
    ]
    return Exercise("shares", _nucleus, cases, NUCLEI).check(fn)


def check_cached_step(fn: object) -> Result:
    """Check ``fn(query, key, value, keys, values)``: what the newest token finds, [..., 1, K] -> [..., 1, K].

    `keys` and `values` are those of all earlier tokens, [..., S, K].
    """
    cases = []
    for lead, held, width in HELD:
        new = {
            name: 2 * gaussian(*lead, 1, width, seed=i) for i, name in enumerate(("query", "key", "value"))
        }
        old = {name: 2 * gaussian(*lead, held, width, seed=i) for i, name in enumerate(("keys", "values"), 5)}
        cases.append(Case({**new, **old}, batched=bool(lead)))
    return Exercise("context", _step, cases, STEPS).check(fn)


def _shares(logits: Tensor, temperature: Tensor) -> Tensor:
    return torch.softmax(logits / temperature, dim=-1)


def _nucleus(logits: Tensor, p: Tensor) -> Tensor:
    return keep_top_p(logits, float(p)).softmax(-1)


def _step(
    query: Tensor, key: Tensor, value: Tensor, keys: Tensor, values: Tensor, scale: float = 0
) -> Tensor:
    """Attend from the newest token to all there are, scores times `scale`, or over √K unless given."""
    every, brought = torch.cat([keys, key], -2), torch.cat([values, value], -2)
    scores = query @ every.mT * (scale or query.shape[-1] ** -0.5)
    return torch.softmax(scores, -1) @ brought


LOSSES = [
    Misconception(
        "no shift",
        _loss,
        "You asked the logits of each place for the token that stands in the same place. There the model has "
        "read it already. The row of token t says what comes behind it: `logits[..., :-1, :]` belongs to "
        "`tokens[..., 1:]`.",
    ),
    Misconception(
        "shifted backwards",
        lambda logits, tokens: _loss(logits[..., 1:, :], tokens[..., :-1]),
        "You shifted the wrong way: your logits of each place are asked for the token before it. "
        "`logits[..., :-1, :]` belongs to `tokens[..., 1:]`.",
    ),
    Misconception(
        "summed",
        lambda logits, tokens: _next(logits, tokens, "sum"),
        "You added the surprises up. A loss per token is their mean: divide by how many tokens were "
        "predicted, one less than there are in each sequence.",
    ),
    Misconception(
        "divided by T",
        lambda logits, tokens: _next(logits, tokens, "sum") / tokens.numel(),
        "You divided by the number of tokens. The first of a sequence is given, nobody predicted it: divide "
        "by one less for each sequence.",
    ),
    Misconception(
        "bits",
        lambda logits, tokens: _next(logits, tokens) / math.log(2),
        "That is the loss in bits. In nats the logarithm is the natural one, `torch.log`.",
    ),
    Misconception(
        "no minus",
        lambda logits, tokens: -_next(logits, tokens),
        "The sign is missing: the logarithm of a probability is negative, a surprise is positive.",
    ),
    Misconception(
        "mean probability",
        lambda logits, tokens: (-_next(logits, tokens, "none")).exp().mean().log().neg(),
        "You took the mean of the probabilities, and then the logarithm. Take the logarithm of each first: "
        "the probability of a text is a product, and only its logarithm is a sum.",
    ),
    Misconception(
        "wrong axis",
        lambda logits, tokens: -logits.log_softmax(-2)[..., :-1, :].gather(-1, tokens[..., 1:, None]).mean(),
        "Your softmax runs over the places of the text. It belongs over the words: `dim=-1`.",
    ),
]

TEMPERATURES = [
    Misconception(
        "multiplied",
        lambda logits, temperature: torch.softmax(logits * temperature, dim=-1),
        "You multiplied by the temperature, so that heat makes the model surer. Divide.",
    ),
    Misconception(
        "after the softmax",
        lambda logits, temperature: torch.softmax(logits, -1),
        "Your shares are those of temperature 1. Dividing the shares and making them add up to one again "
        "changes nothing: the logits have to be divided, before the softmax.",
    ),
    Misconception(
        "shares divided",
        lambda logits, temperature: torch.softmax(logits, -1) / temperature,
        "You divided the shares by the temperature, and they no longer add up to one. Divide the logits, "
        "before the softmax.",
    ),
    Misconception(
        "no softmax",
        lambda logits, temperature: logits / temperature,
        "The softmax is missing: those are logits still.",
    ),
    Misconception(
        "first axis",
        lambda logits, temperature: torch.softmax(logits / temperature, dim=0),
        "Your softmax runs over the first dimension. The words are the last: `dim=-1`.",
    ),
]


def _kept(keep: Callable[[Tensor, Tensor, Tensor], Tensor], *, again: bool = True) -> Callable[..., Tensor]:
    """Return a rule that keeps words by their share and by what they and the likelier have together."""

    def rule(logits: Tensor, p: Tensor) -> Tensor:
        share = logits.softmax(-1)
        ordered, order = share.sort(dim=-1, descending=True)
        together = torch.zeros_like(share).scatter(-1, order, ordered.cumsum(-1))
        left = torch.where(keep(share, together, p), share, 0.0)
        return left / left.sum(-1, keepdim=True) if again else left

    return rule


def _unsorted(logits: Tensor, p: Tensor) -> Tensor:
    share = logits.softmax(-1)
    left = torch.where(share.cumsum(-1) - share < p, share, 0.0)
    return left / left.sum(-1, keepdim=True)


NUCLEI = [
    Misconception(
        "the word that reaches p left out",
        _kept(lambda share, together, p: together <= p),
        "You dropped the word with which the sum reaches p. The nucleus is the smallest set that *has* p: a "
        "word stays as long as the likelier ones have less than p together. (With one very likely word, "
        "your rule keeps none.)",
    ),
    Misconception(
        "not again to one",
        _kept(lambda share, together, p: together - share < p, again=False),
        "The right words are left, but their shares no longer add up to one. Divide by their sum, or set "
        "the others' logits to -inf before the softmax.",
    ),
    Misconception(
        "each word by itself",
        _kept(lambda share, together, p: share >= 1 - p),
        "You judged each word by its own share. The rule adds up: from the likeliest downwards, until the "
        "sum reaches p.",
    ),
    Misconception(
        "sorted",
        lambda logits, p: _nucleus(logits, p).sort(dim=-1, descending=True).values,
        "The shares are right, and in the order of likelihood. Put them back in the order of the vocabulary.",
    ),
    Misconception(
        "never sorted",
        _unsorted,
        "You added up in the order of the vocabulary. Sort first: the likeliest word comes first.",
    ),
    Misconception(
        "all kept",
        lambda logits, p: logits.softmax(-1),
        "No word is ruled out: those are the shares before the rule.",
    ),
]

STEPS = [
    Misconception(
        "the newest forgotten",
        lambda query, key, value, keys, values: (
            torch.softmax(query @ keys.mT * query.shape[-1] ** -0.5, -1) @ values
        ),
        "The newest token does not see itself. Put its own key and value behind the ones that are held.",
    ),
    Misconception(
        "a triangle for one row",
        lambda query, key, value, keys, values: values[..., :1, :].clone(),
        "Only the first token was seen. A causal mask made for one row, `torch.tril(torch.ones(1, S))`, "
        "allows the first column alone. The newest token may see all that is held, so nothing needs hiding.",
    ),
    Misconception(
        "itself alone",
        lambda query, key, value, keys, values: value.clone(),
        "The newest token saw itself alone. Put the keys and values that are held in front of its own.",
    ),
    Misconception(
        "no scale",
        lambda query, key, value, keys, values: _step(query, key, value, keys, values, scale=1.0),
        "The scores are not scaled. Divide them by √K.",
    ),
    Misconception(
        "keys for values",
        lambda query, key, value, keys, values: _step(query, key, key, keys, keys),
        "You mixed the keys. They are what a token is found by; what is handed over are the values.",
    ),
]
