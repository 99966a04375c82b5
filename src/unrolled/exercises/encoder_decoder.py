"""The checks of chapter 2, the encoder–decoder.

>>> from unrolled.exercises.encoder_decoder import check_scheduled
>>> check_scheduled(lambda wanted, written, own: wanted).passed
False

Each takes what the learner made and returns a `Result`, which a notebook shows as the last line of a cell.
A check never raises because of a learner's code.
"""

import math
from itertools import product

import torch
from torch import Tensor

from unrolled.data.special_tokens import SPECIAL
from unrolled.exercises._check import Case, Exercise, Misconception
from unrolled.exercises._draw import ids
from unrolled.exercises._said import apart, blank, describe, failed, passed, unattempted
from unrolled.exercises.result import Result

__all__ = ["check_beats_greedy", "check_forget_gate", "check_scheduled"]


def _behind_start(words: Tensor) -> Tensor:
    """Return words [B, T] one step later, after <bos>."""
    return torch.cat([torch.full_like(words[:, :1], SPECIAL.bos), words[:, :-1]], dim=1)


def _scheduled(wanted: Tensor, written: Tensor, own: Tensor) -> Tensor:
    return _behind_start(torch.where(own, written, wanted))


_SCHEDULED = [
    Misconception(
        "turned round",
        lambda wanted, written, own: _behind_start(torch.where(own, wanted, written)),
        "You turned `own` round: where it is true, the decoder gets the word it has written itself.",
    ),
    Misconception(
        "no shift",
        lambda wanted, written, own: torch.where(own, written, wanted),
        "Nothing has moved: at each step the decoder would be given the word of that very step. Each word "
        "must come one step later, after <bos>.",
    ),
    Misconception(
        "own after the shift",
        lambda wanted, written, own: torch.where(own, _behind_start(written), _behind_start(wanted)),
        "You chose after the shift: `own` belongs to the step that wrote the word, so choose first and move "
        "then.",
    ),
    Misconception(
        "own word of the same step",
        lambda wanted, written, own: torch.where(own, written, _behind_start(wanted)),
        "The right words come one step later, but the decoder's own do not: they would be given to the step "
        "that wrote them.",
    ),
    Misconception(
        "shifted the other way",
        lambda wanted, written, own: torch.cat(
            [
                torch.where(own, written, wanted)[:, 1:],
                torch.full_like(wanted[:, :1], SPECIAL.bos),
            ],
            dim=1,
        ),
        "You shifted to the left: at each step the decoder would be given the word *after* the one it has to "
        "find. Put <bos> in front and drop the last word.",
    ),
    Misconception(
        "one too many",
        lambda wanted, written, own: torch.cat(
            [torch.full_like(wanted[:, :1], SPECIAL.bos), torch.where(own, written, wanted)], dim=1
        ),
        "<bos> stands in front, but the last word is still there. Nothing comes after it, so the "
        "decoder never needs it as input.",
    ),
    Misconception(
        "teacher only",
        lambda wanted, written, own: _behind_start(wanted),
        "That is teacher forcing: `own` and `written` play no part.",
    ),
    Misconception(
        "own only",
        lambda wanted, written, own: _behind_start(written),
        "The decoder gets nothing but its own words: `own` and `wanted` play no part.",
    ),
]


def check_scheduled(fn: object) -> Result:
    """Check ``fn(wanted, written, own)``: the decoder's input under scheduled sampling, ids [B, T]."""
    cases = [
        Case(
            {
                "wanted": ids(30, *shape, low=5),
                "written": ids(30, *shape, low=5, seed=3),
                "own": ids(2, *shape, seed=7).bool(),
            }
        )
        for shape in ((3, 5), (2, 7))
    ]
    return Exercise("inputs", _scheduled, cases, _SCHEDULED).check(fn)


def check_beats_greedy(decoder: object) -> Result:
    """Check (p(a), p(a | a), p(a | b)): the likeliest pair of words is not the one written greedily."""
    if blank(decoder):
        return unattempted("Replace the placeholder by three probabilities: p(a), p(a | a), p(a | b).")
    if isinstance(decoder, Tensor):
        decoder = decoder.tolist()
    if not isinstance(decoder, tuple | list) or len(decoder) != 3:
        return failed(f"Expected three probabilities, p(a), p(a | a), p(a | b), got {describe(decoder)}.")
    if any(isinstance(p, bool) or not isinstance(p, int | float) or not 0 <= p <= 1 for p in decoder):
        return failed(f"Expected three numbers from 0 to 1, got {decoder}.")
    p_a, a_after_a, a_after_b = decoder
    first = {"a": p_a, "b": 1 - p_a}
    second = {"a": {"a": a_after_a, "b": 1 - a_after_a}, "b": {"a": a_after_b, "b": 1 - a_after_b}}
    shares = {(x, y): first[x] * second[x][y] for x, y in product("ab", repeat=2)}
    if math.isclose(p_a, 0.5):
        return failed("Both first words are equally likely, so greedy decoding has no first word to prefer.")
    start = max(first, key=lambda word: first[word])
    greedy = (start, max(second[start], key=lambda word: second[start][word]))
    best = max(shares, key=lambda pair: shares[pair])
    # More decimals where two would look alike.
    most, least = apart(shares[best], shares[greedy], 2)
    if shares[best] > shares[greedy] and not math.isclose(shares[best], shares[greedy]):
        return passed(
            f"Greedy decoding writes {' '.join(greedy)}, with {least}; {' '.join(best)} has {most}."
        )
    said = f"Greedy decoding writes {' '.join(greedy)}, with {shares[greedy]:.4g}, and no pair is likelier."
    if first[start] >= 2 / 3:
        return failed(
            f"{said} The first word {start} is so likely that half of it is more than all of the other: "
            "what follows cannot make up for it."
        )
    return failed(
        f"{said} Let the greedy first word be followed by words about which the decoder is in doubt."
    )


_NOWS = 8


def _written(bias: float) -> str:
    """Return what the chapter's hand-made machine writes, at most three words, for "let's go now … now"."""
    forget = 1 / (1 + math.exp(-bias))
    c1 = c2 = 0.0
    for x1, x2 in [(1.0, 0.0), (0.0, 1.0), *[(0.0, 0.0)] * _NOWS]:
        c1, c2 = forget * c1 + math.tanh(x1), forget * c2 + math.tanh(x2)
    words: list[str] = []
    while len(words) < 3:
        h1, h2 = math.tanh(c1), math.tanh(c2)
        logits = {"vamos": 10 * h1 + 3 * h2 - 2, "ve": 3 * h2, "": -10 * h1 - 2}
        word = max(logits, key=lambda word: logits[word])
        if not word:
            break
        words.append(word)
        c1 += math.tanh(-2)  # what the decoder is given of either word
    return " ".join(words)


def check_forget_gate(bias: object) -> Result:
    """Check the bias of the hand-made encoder's forget gate: "let's go" and eight "now" must give vamos."""
    if blank(bias):
        return unattempted("Replace the placeholder by a number.")
    if isinstance(bias, Tensor) and bias.numel() == 1:
        bias = bias.item()
    if isinstance(bias, bool) or not isinstance(bias, int | float) or not math.isfinite(bias):
        return failed(f"Expected a finite number, got {describe(bias)}.")
    bias = max(-700.0, float(bias))  # exp(700) is the largest there is
    forget = 1 / (1 + math.exp(-bias))
    left = math.tanh(1) * forget ** (_NOWS + 1)
    enough, ends = apart(math.atanh(0.2), left, 3)
    kept = f"The gate lets {forget:.3f} through at each step, so c₁ ends at {ends}"
    written = _written(bias)
    if not written.startswith("vamos"):
        hint = f"which is less than {enough}. Let the gate forget less."
        if forget < 0.5:
            hint += " A negative bias closes it even further."
        return failed(f"{kept}, {hint}")
    if written != "vamos":
        return failed(
            f'{kept}, and the machine writes {written!r}. Too much is left of "let\'s": one vamos takes '
            "0.964 from c₁, and that must push h₁ well below zero, or <eos> does not win. "
            "Let the gate forget more."
        )
    return passed(f"{kept} and h₁ at {math.tanh(left):.3f}, above 0.2: still vamos after eight more words.")
