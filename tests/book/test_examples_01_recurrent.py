"""Chapter 1: what its examples say is due to the state and to the gates, and changes without them."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.book.cells import run

LONG = "don't eat the delicious looking and smelling pizza"
SHORT = "don't eat pizza"
VERDICT = 1


@pytest.fixture(scope="module")
def page() -> dict[str, Any]:
    return run(
        "01_recurrent_networks",
        "class MyRNN",
        "long = ",
        "def verdict(",
        "def repeat(",
        "class MyLSTM",
        "class Recaller",
        "def train(build",
    )


def gated(page: dict[str, Any], sentence: str, **forced: float) -> Tensor:
    """Return the last verdict of the hand-made LSTM, some of its gates held at a number."""
    h = c = torch.zeros(2)
    for x in page["vectors"](sentence):
        sums = (page["U_x"] @ x + page["U_h"] @ h + page["u"]).chunk(4)
        i, f, o = (torch.sigmoid(sums[n]) for n in (0, 1, 3))
        gates = {name: torch.full((2,), forced.get(name, -1.0)) for name in "ifo"}
        i, f, o = (gates[name] if name in forced else own for name, own in zip("ifo", (i, f, o), strict=True))
        c = f * c + i * torch.tanh(sums[2])
        h = o * torch.tanh(c)
    return h[VERDICT]


def test_without_a_state_the_rnn_eats_what_it_should_leave(page: dict[str, Any]) -> None:
    X = page["vectors"](SHORT)
    assert page["rnn"](X)[-1, VERDICT] < 0
    assert torch.tanh(X @ page["W_x"].T + page["b"])[-1, VERDICT] > 0


def test_at_eight_words_the_rnn_is_wrong_and_the_lstm_right(page: dict[str, Any]) -> None:
    X = page["vectors"](LONG)
    assert page["rnn"](X)[-1, VERDICT] > 0
    lstm = page["lstm"](X)[-1, VERDICT]
    assert lstm < 0
    assert torch.allclose(lstm, gated(page, LONG))


@pytest.mark.parametrize("forget", [0.0, 0.5])
def test_without_an_open_forget_gate_the_verdict_turns_round(page: dict[str, Any], forget: float) -> None:
    assert gated(page, LONG) < 0 < gated(page, LONG, f=forget)


def test_without_an_input_gate_a_word_that_says_nothing_writes(page: dict[str, Any]) -> None:
    assert gated(page, "don't eat") > -0.05
    assert gated(page, "don't eat", i=1.0) < -0.5


@pytest.mark.parametrize("weight", [-1.5, -2.0, -2.5, -3.0, -4.0])
def test_for_each_weight_there_is_a_sentence_long_enough(page: dict[str, Any], weight: float) -> None:
    assert page["verdict"](weight, 1) < 0 < page["verdict"](weight, 30)


def test_a_weight_that_keeps_the_state_kills_the_derivative(page: dict[str, Any]) -> None:
    leaking, held = page["repeat"](1.0), page["repeat"](2.0)
    assert leaking[0][-1] < 0.5 < 0.95 < held[0][-1]
    assert held[1][-1] < 1e-6 * leaking[1][-1]


def test_the_readers_classes_read_a_batch_as_they_read_its_sentences(page: dict[str, Any]) -> None:
    X = page["vectors"](LONG)
    batch = torch.stack([X, X.flip(0), 2 * X])
    for name in ("rnn", "lstm"):
        alone = torch.stack([page[name](sentence) for sentence in batch])
        assert torch.allclose(page[name](batch), alone)
        assert not torch.allclose(alone[0], alone[1])


@pytest.mark.parametrize(("mine", "torchs"), [("MyRNN", torch.nn.RNN), ("MyLSTM", torch.nn.LSTM)])
def test_the_readers_classes_start_where_torchs_do(
    page: dict[str, Any], mine: str, torchs: Callable[[int, int], torch.nn.Module]
) -> None:
    torch.manual_seed(0)
    ours, theirs = page[mine](67, 61).parameters(), torchs(67, 61).parameters()
    for parameter, other in zip(ours, theirs, strict=False):
        assert parameter.shape == other.shape
        assert torch.allclose(parameter.std(), other.std(), rtol=0.1)
        assert parameter.abs().max() <= 61**-0.5


@pytest.mark.parametrize(("name", "choices"), [("MyRNN", {}), ("MyLSTM", {"forget_bias": 3.0})])
def test_the_readers_classes_learn_and_without_their_state_they_guess(
    page: dict[str, Any], monkeypatch: pytest.MonkeyPatch, name: str, choices: dict[str, float]
) -> None:
    train, cls = page["train"], page[name]
    curve = train(lambda: cls(8, 16, **choices), seed=2, steps=100)[1]
    assert abs(curve["training"][0] - math.log(4)) < 0.1
    assert curve["held out"][-1] < 0.1
    forward = cls.forward
    monkeypatch.setattr(
        cls, "forward", lambda net, X: forward(net, X[:, -1:])
    )  # from zeros, at the last word
    curve = train(lambda: cls(8, 16, **choices), seed=2, steps=100)[1]
    assert curve["held out"][-1] > 1.35
