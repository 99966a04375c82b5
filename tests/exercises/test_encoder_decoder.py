"""Right solutions of chapter 2's exercises pass; each wrong one is told what is wrong with it."""

from typing import Any

import pytest
import torch
from torch import Tensor

from tests.exercises.solutions import told
from unrolled.exercises import encoder_decoder as check

BOS = 1


def shifted(words: Tensor) -> Tensor:
    return torch.nn.functional.pad(words[:, :-1], (1, 0), value=BOS)


def scheduled(wanted: Tensor, written: Tensor, own: Tensor) -> Tensor:
    return shifted(torch.where(own, written, wanted))


def by_loop(wanted: Tensor, written: Tensor, own: Tensor) -> Tensor:
    given = torch.full_like(wanted, BOS)
    for row, step in own[:, :-1].new_ones(own[:, :-1].shape).nonzero().tolist():
        given[row, step + 1] = written[row, step] if own[row, step] else wanted[row, step]
    return given


@pytest.mark.parametrize("fn", [scheduled, by_loop])
def test_right_inputs_pass(fn: Any) -> None:
    result = check.check_scheduled(fn)
    assert result.passed, result


@pytest.mark.parametrize(
    ("fn", "message"),
    [
        (lambda wanted, written, own: scheduled(wanted, written, ~own), "You turned `own` round"),
        (lambda wanted, written, own: torch.where(own, written, wanted), "Nothing has moved"),
        (
            lambda wanted, written, own: torch.where(own, shifted(written), shifted(wanted)),
            "You chose after the shift",
        ),
        (
            lambda wanted, written, own: torch.where(own, written, shifted(wanted)),
            "the decoder's own do not",
        ),
        (
            lambda wanted, written, own: torch.cat(
                [torch.where(own, written, wanted)[:, 1:], torch.full_like(wanted[:, :1], BOS)], 1
            ),
            "shifted to the left",
        ),
        (
            lambda wanted, written, own: torch.cat(
                [torch.full_like(wanted[:, :1], BOS), torch.where(own, written, wanted)], 1
            ),
            "the last word is still there",
        ),
        (lambda wanted, written, own: shifted(wanted), "That is teacher forcing"),
        (lambda wanted, written, own: shifted(written), "nothing but its own words"),
        (lambda *given: scheduled(*given).double(), "expected inputs in integers, got torch.float64"),
        (lambda *given: scheduled(*given) + 1, "expected inputs[0, 0] = 1, got 2"),
        (lambda wanted: wanted, "a function of wanted and written and own"),
    ],
)
def test_wrong_inputs_are_told_why(fn: Any, message: str) -> None:
    result = check.check_scheduled(fn)
    assert result.attempted
    assert not result.passed
    assert message in told(result), result


@pytest.mark.parametrize("decoder", [(0.6, 0.5, 1.0), (0.4, 0.0, 0.55), torch.tensor([0.51, 0.6, 0.1])])
def test_a_decoder_that_greed_misleads_passes(decoder: Any) -> None:
    result = check.check_beats_greedy(decoder)
    assert result.passed, result


def test_what_greed_writes_is_said() -> None:
    assert check.check_beats_greedy((0.4, 0.0, 0.55)).message == (
        "Greedy decoding writes b a, with 0.33; a b has 0.40."
    )


@pytest.mark.parametrize(
    ("decoder", "message"),
    [
        ((0.6, 0.9, 1.0), "writes a a, with 0.54, and no pair is likelier. Let the greedy first word"),
        ((0.7, 0.5, 1.0), "half of it is more than all of the other"),
        ((0.5, 0.5, 1.0), "no first word to prefer"),
        ((0.6, 0.5), "Expected three probabilities, p(a), p(a | a), p(a | b), got a tuple of 2"),
        ((0.6, 0.5, 1.5), "Expected three numbers from 0 to 1"),
        ((0.6, True, 0.5), "Expected three numbers from 0 to 1"),
        (0.6, "Expected three probabilities"),
    ],
)
def test_a_decoder_that_greed_serves_is_told_why(decoder: Any, message: str) -> None:
    result = check.check_beats_greedy(decoder)
    assert result.attempted
    assert not result.passed
    assert message in told(result), result


@pytest.mark.parametrize("bias", [2, 2.5, torch.tensor(3.0), 1.85, 3.5])
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
        (5.0, "writes 'vamos ve'. Too much is left of"),
        (700, "Let the gate forget more."),
        (float("inf"), "Expected a finite number"),
        ("5", "Expected a finite number, got str"),
        (True, "Expected a finite number, got bool"),
    ],
)
def test_a_gate_that_forgets_is_told_how_much(bias: Any, message: str) -> None:
    result = check.check_forget_gate(bias)
    assert result.attempted
    assert not result.passed
    assert message in told(result), result


@pytest.mark.parametrize(
    "checked", [check.check_scheduled, check.check_beats_greedy, check.check_forget_gate]
)
def test_nothing_is_no_attempt(checked: Any) -> None:
    assert not checked(None).attempted
    assert not checked(...).attempted
