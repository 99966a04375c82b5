"""Chapter 2: what its machine says is due to the vector and the feedback, and changes without them."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.book.cells import run

State = tuple[Tensor, Tensor]


@pytest.fixture
def page() -> dict[str, Any]:
    return run("02_one_vector", "class EncoderDecoder", "END = 0", "def set_gates")


def says(page: dict[str, Any], sentence: str) -> str:
    source = torch.tensor([page["english"].index(word) for word in sentence.split()])
    with torch.no_grad():
        return " ".join(
            page["spanish_words"][n] for n in page["translate"](page["by_hand"], source, max_len=5)
        )


def test_without_the_context_vector_all_sentences_are_one(
    page: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (says(page, "let's go"), says(page, "go")) == ("vamos", "ve")
    zeros = (torch.zeros(1, 1, 2), torch.zeros(1, 1, 2))
    monkeypatch.setattr(page["by_hand"], "encode", lambda source: zeros)
    assert says(page, "let's go") == says(page, "go")


def test_without_its_own_last_word_the_decoder_does_not_stop(
    page: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = page["by_hand"]
    decode = model.decode

    def deaf(target: Tensor, state: State) -> tuple[Tensor, State]:
        found: tuple[Tensor, State] = decode(torch.zeros_like(target), state)
        return found

    monkeypatch.setattr(model, "decode", deaf)
    assert says(page, "let's go") == "vamos vamos vamos vamos vamos"


def test_what_is_forgotten_is_forgotten_by_the_half_open_gate(page: dict[str, Any]) -> None:
    assert says(page, "let's go now") == "ve"
    with torch.no_grad():
        page["set_gates"](page["by_hand"].encoder, forget=20.0)
    assert says(page, "let's go now").split()[0] == "vamos"


@pytest.fixture(scope="module")
def taught() -> dict[str, Any]:
    """Return the cells of the page up to the trained model, as they are printed."""
    return run(
        "02_one_vector", "class EncoderDecoder", "END = 0", "lessons = {", "def vocabulary", "def say(model"
    )


def lessons_right(page: dict[str, Any], model: Any) -> int:
    with torch.no_grad():
        return sum(page["say"](model, sentence) == right for sentence, right in page["lessons"].items())


def test_the_readers_class_learns_its_lessons_and_nothing_new(taught: dict[str, Any]) -> None:
    training, held_out = taught["curve"]["training"], taught["curve"]["held out"]
    chance = math.log(len(taught["target_words"]))
    assert abs(training[0] - chance) < 0.3, "it starts from guessing"
    assert training[-1] < 0.02 < chance < held_out[-1]
    assert lessons_right(taught, taught["small"]) == 15
    with torch.no_grad():
        assert not any(taught["say"](taught["small"], s) == t for s, t in taught["held_out"].items())


def test_without_the_shift_it_learns_to_copy_and_cannot_write(
    taught: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    batch_of = taught["batch_of"]

    def unshifted(pairs: dict[str, str]) -> tuple[Tensor, ...]:
        source, lengths, _, wanted = batch_of(pairs)
        return source, lengths, wanted.clamp_min(0), wanted

    monkeypatch.setitem(taught, "batch_of", unshifted)
    model, curve = taught["train"](steps=150)
    assert curve["training"][-1] < 0.02, "all it is asked for stands in its input"
    assert lessons_right(taught, model) == 0


def test_without_the_context_vector_training_stays_dear(
    taught: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    cls = taught["EncoderDecoder"]
    encode = cls.encode
    monkeypatch.setattr(
        cls, "encode", lambda model, *given: tuple(part * 0 for part in encode(model, *given))
    )
    model, curve = taught["train"]()
    assert curve["training"][-1] > 0.5
    assert lessons_right(taught, model) <= 1
