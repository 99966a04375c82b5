"""Right solutions of chapter 2's exercises pass; each wrong one is told what is wrong with it."""

from typing import Any

import pytest
import torch
from torch import Tensor

from unrolled.exercises import encoder_decoder as check

BOS = 1


def shift(answers: Tensor) -> Tensor:
    return torch.cat([torch.full_like(answers[..., :1], BOS), answers[..., :-1]], dim=-1)


def shift_in_place(answers: Tensor) -> Tensor:
    inputs = answers.roll(1, dims=-1)
    inputs[..., 0] = BOS
    return inputs


def shift_one(answers: Tensor) -> Tensor:
    return torch.cat([torch.tensor([BOS]), answers[:-1]])


@pytest.mark.parametrize(
    "fn", [shift, shift_in_place, lambda a: torch.nn.functional.pad(a[..., :-1], (1, 0), value=BOS)]
)
def test_a_right_shift_passes(fn: Any) -> None:
    result = check.check_shift(fn)
    assert result.passed, result


@pytest.mark.parametrize(
    ("fn", "message"),
    [
        (lambda a: a, "the very word it has to find"),
        (lambda a: torch.cat([a[..., 1:], torch.full_like(a[..., :1], BOS)], -1), "shifted to the left"),
        (lambda a: torch.cat([torch.full_like(a[..., :1], BOS), a], -1), "one longer than the answers"),
        (lambda a: a.roll(1, -1), "brings the last word round"),
        (lambda a: torch.cat([torch.full_like(a[..., :1], BOS), a[..., 1:]], -1), "over the first word"),
        (shift_one, "right for one sentence, but not for a batch"),
        (lambda a: shift(a).double(), "expected inputs in integers, got torch.float64"),
        (lambda a: shift(a) + 1, r"expected inputs\[0\] = 1, got 2"),
        (lambda a: shift(a).tolist(), "as a torch tensor of shape"),
    ],
)
def test_a_wrong_shift_is_told_why(fn: Any, message: str) -> None:
    result = check.check_shift(fn)
    assert result.attempted
    assert not result.passed
    assert message.replace("\\", "") in result.message, result


def greedy(step: Any, state: Any, start: int, end: int, max_len: int) -> list[int]:
    words: list[int] = []
    word = start
    for _ in range(max_len):
        logits, state = step(word, state)
        word = int(logits.argmax())
        if word == end:
            break
        words.append(word)
    return words


def as_tensor(step: Any, state: Any, start: int, end: int, max_len: int) -> Tensor:
    return torch.tensor(greedy(step, state, start, end, max_len))


def loop(step: Any, state: Any, start: int, end: int, max_len: int, fault: str) -> list[int]:
    words: list[int] = []
    word, first = start, state
    while fault == "endless" or len(words) < max_len:
        logits, state = step(start if fault == "input" else word, first if fault == "state" else state)
        word = int(-logits.argmax() if fault == "sign" else logits.argmax())
        if fault == "end":
            words.append(word)
            if word == end:
                break
        elif word == end and fault not in ("stop", "endless"):
            break
        else:
            words.append(word)
    return words


@pytest.mark.parametrize("fn", [greedy, as_tensor])
def test_right_decoding_passes(fn: Any) -> None:
    result = check.check_greedy(fn)
    assert result.passed, result


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("end", "The end word is still in your list"),
        ("stop", "You write on after the end word"),
        ("input", "the start word at every step"),
        ("state", "every step from the first state"),
        ("endless", "Does your loop end after max_len words?"),
        ("sign", "Expected [], got [-4"),
    ],
)
def test_wrong_decoding_is_told_why(fault: str, message: str) -> None:
    def fn(step: Any, state: Any, start: int, end: int, max_len: int) -> list[int]:
        return loop(step, state, start, end, max_len, fault)

    result = check.check_greedy(fn)
    assert result.attempted
    assert not result.passed
    assert message in result.message, result


@pytest.mark.parametrize("bias", [2, 5.0, 700, torch.tensor(3.0), 1.85])
def test_a_gate_that_remembers_passes(bias: Any) -> None:
    result = check.check_forget_gate(bias)
    assert result.passed, result


@pytest.mark.parametrize(
    ("bias", "message"),
    [
        (0, "Let the gate forget less."),
        (1.83, "Let the gate forget less."),
        (-3, "A negative bias closes it"),
        (-1e9, "A negative bias closes it"),
        (float("inf"), "Expected a finite number"),
        ("5", "Expected a finite number, got str"),
        (True, "Expected a finite number, got bool"),
    ],
)
def test_a_gate_that_forgets_is_told_how_much(bias: Any, message: str) -> None:
    result = check.check_forget_gate(bias)
    assert result.attempted
    assert not result.passed
    assert message in result.message, result


@pytest.mark.parametrize("checked", [check.check_shift, check.check_greedy, check.check_forget_gate])
def test_nothing_is_no_attempt(checked: Any) -> None:
    assert not checked(None).attempted
    assert not checked(...).attempted


def test_an_unwritten_function_is_no_attempt() -> None:
    def unwritten(*arguments: Any) -> None:
        """Do nothing yet."""

    def raising(step: Any, state: Any, start: Any, end: Any, max_len: Any) -> None:
        raise NotImplementedError

    assert not check.check_greedy(unwritten).attempted
    assert not check.check_greedy(raising).attempted
    assert check.check_greedy(lambda step: step).attempted
    assert not check.check_greedy(lambda step: step).passed
