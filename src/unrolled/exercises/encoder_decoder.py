"""The checks of chapter 2, the encoder–decoder.

>>> from unrolled.exercises.encoder_decoder import check_shift
>>> check_shift(lambda answers: answers).passed
False

Each takes what the learner made and returns a `Result`, which a notebook shows as the last line of a cell.
A check never raises because of a learner's code.
"""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from unrolled.exercises._check import (
    Case,
    Exercise,
    Misconception,
    blank,
    describe,
    failed,
    passed,
    takes,
    unattempted,
)
from unrolled.exercises.result import Result

__all__ = ["check_forget_gate", "check_greedy", "check_shift"]

START, END = 1, 2  # as in `unrolled.data.special.SPECIAL`


def _answers(*shape: int) -> Tensor:
    """Return right answers of different lengths: words from 5 on, then <eos>, then padding."""
    generator = torch.Generator().manual_seed(sum(shape))
    words = torch.randint(5, 30, shape, generator=generator)
    for row, answers in enumerate(words.view(-1, shape[-1])):
        end = shape[-1] - 1 - row
        answers[end] = END
        answers[end + 1 :] = 0
    return words


def _shifted(answers: Tensor) -> Tensor:
    return torch.cat([torch.full_like(answers[..., :1], START), answers[..., :-1]], dim=-1)


SHIFTS = [
    Misconception(
        "unchanged",
        lambda answers: answers,
        "You hand the decoder the right answers as they stand: at each step it would be given the very word "
        "it has to find. Each must come one step later, behind <bos>.",
    ),
    Misconception(
        "shifted the other way",
        lambda answers: torch.cat([answers[..., 1:], torch.full_like(answers[..., :1], START)], dim=-1),
        "You shifted to the left: at each step the decoder would be given the word *after* the one it has to "
        "find. Put <bos> in front and drop the last word.",
    ),
    Misconception(
        "one too many",
        lambda answers: torch.cat([torch.full_like(answers[..., :1], START), answers], dim=-1),
        "<bos> stands in front, but the last word is still there: the input is one longer than the answers. "
        "Nothing comes after the last answer, so nobody needs it as input.",
    ),
    Misconception(
        "rolled",
        lambda answers: answers.roll(1, dims=-1),
        "`torch.roll` brings the last word round to the front. The first input is <bos>, whose id is 1, "
        "whatever the sentence.",
    ),
    Misconception(
        "sentences shifted",
        lambda answers: torch.cat([torch.full_like(answers[:1], START), answers[:-1]]),
        "You shifted along the first dimension: in a batch [B, T] that moves whole sentences. Count from the "
        "end: `answers[..., :-1]`, joined with `dim=-1`.",
    ),
    Misconception(
        "overwritten",
        lambda answers: torch.cat([torch.full_like(answers[..., :1], START), answers[..., 1:]], dim=-1),
        "You wrote <bos> over the first word, and the others stay where they were. All words move one place "
        "to the right.",
    ),
]


def check_shift(fn: object) -> Result:
    """Check ``fn(answers)``: the decoder's input under teacher forcing, ids [..., T] -> ids [..., T]."""
    cases = [
        Case({"answers": _answers(*shape)}, batched=len(shape) > 1) for shape in ((5,), (7,), (3, 5), (2, 7))
    ]
    return Exercise("inputs", _shifted, cases, SHIFTS).check(fn)


Step = Callable[[int, Any], tuple[Tensor, Any]]
Writer = Callable[[Step, Any, int, int, int], list[int]]
_CALLS = 60


class _Decoder:
    """A decoder of random numbers: the next word depends on the word given and on the state."""

    def __init__(self, seed: int) -> None:
        generator = torch.Generator().manual_seed(seed)
        self.table = torch.randn(7, 5, 5, generator=generator)  # state, word, next word
        self.calls = 0

    def __call__(self, word: int, state: int) -> tuple[Tensor, int]:
        self.calls += 1
        if self.calls > _CALLS:
            raise RuntimeError("the decoder was asked again and again")
        return self.table[int(state), int(word)], (int(state) * 3 + int(word) + 1) % 7


def _greedy(step: Step, state: Any, start: int, end: int, max_len: int, fault: str = "") -> list[int]:
    """Write greedily; `fault` names what a learner may do wrong."""
    words: list[int] = []
    word, first = start, state
    while len(words) < max_len:
        logits, state = step(start if fault == "input" else word, first if fault == "state" else state)
        word = int(logits.argmin() if fault == "argmin" else logits.argmax())
        if word == end and fault != "stop":
            return [*words, end] if fault == "end" else words
        words.append(word)
    return words


FAULTS = {
    "end": "The end word is still in your list. It says that the sentence is over and is none of its words.",
    "stop": "You write on after the end word. When the decoder writes it, the sentence is over.",
    "input": "You give the decoder the start word at every step. From the second step on it must get the "
    "word it has just written.",
    "state": "You start every step from the first state. Each step returns the state the next one needs.",
    "argmin": "You take the least likely word. The likeliest has the largest logit.",
}


def check_greedy(fn: object) -> Result:
    """Check ``fn(step, state, start, end, max_len)``: the words a decoder writes greedily, without the end.

    ``step(word, state)`` returns the logits ``[V]`` of the next word, and the next state.
    """
    if blank(fn):
        return unattempted("Replace the placeholder by your function.")
    if not callable(fn) or not takes(fn, 5):
        return failed(f"Expected a function of step, state, start, end and max_len, got {describe(fn)}.")
    lengths = []
    for seed in range(12):
        arguments = (seed % 7, 0, 4, 3 + seed % 5)
        expected = _greedy(_Decoder(seed), *arguments)
        try:
            got = fn(_Decoder(seed), *arguments)
        except NotImplementedError:
            return unattempted("Your function still raises NotImplementedError.")
        except Exception as error:
            hint = " Does your loop end after max_len words?" if "again and again" in str(error) else ""
            return failed(f"Your function stopped with {type(error).__name__}: {error}.{hint}")
        if blank(got):
            return unattempted("Your function returns nothing. Is `return words` missing?")
        if isinstance(got, Tensor):
            got = got.tolist()
        if not isinstance(got, list | tuple):
            return failed(f"Expected a list of words, got {describe(got)}.")
        words = [int(word) for word in got]
        if words != expected:
            came = f"Expected {expected}, got {words} (start 0, end 4, at most {arguments[3]} words)."
            for fault, message in FAULTS.items():
                if words == _greedy(_Decoder(seed), *arguments, fault=fault):
                    return failed(f"{message}\n{came}")
            if len(words) > arguments[3]:
                return failed(f"Your function writes more than max_len words.\n{came}")
            return failed(came)
        lengths.append(len(words))
    return passed(f"Equal to greedy decoding for {len(lengths)} decoders; {max(lengths)} words at most.")


_NOWS = 8


def _writes_vamos(bias: float, lets: bool) -> bool:
    """Whether the chapter's hand-made machine translates "(let's) go now … now" as vamos rather than ve."""
    forget = 1 / (1 + math.exp(-bias))
    c1 = c2 = 0.0
    for x1, x2 in [*([(1.0, 0.0)] if lets else []), (0.0, 1.0), *[(0.0, 0.0)] * _NOWS]:
        c1, c2 = forget * c1 + math.tanh(x1), forget * c2 + math.tanh(x2)
    return 10 * math.tanh(c1) - 2 > 0


def check_forget_gate(bias: object) -> Result:
    """Check the bias of the hand-made encoder's forget gate: "let's go" and eight "now" must stay vamos."""
    if blank(bias):
        return unattempted("Replace the placeholder by a number.")
    if isinstance(bias, Tensor) and bias.numel() == 1:
        bias = bias.item()
    if isinstance(bias, bool) or not isinstance(bias, int | float) or not math.isfinite(bias):
        return failed(f"Expected a finite number, got {describe(bias)}.")
    bias = max(-700.0, float(bias))  # exp(700) is the largest there is
    forget = 1 / (1 + math.exp(-bias))
    left = math.tanh(1) * forget ** (_NOWS + 1)
    kept = f"The gate lets {forget:.3f} through at each step, so c₁ ends at {left:.3f}"
    if not _writes_vamos(bias, lets=True):
        hint = "which is less than 0.203. Let the gate forget less."
        if forget < 0.5:
            hint += " A negative bias closes it even further."
        return failed(f"{kept}, {hint}")
    return passed(f"{kept} and h₁ at {math.tanh(left):.3f}, above 0.2: still vamos after eight more words.")
