"""Chapter 3: what its hand example says is due to the weights, and changes where all are equal."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.book.cells import run


@pytest.fixture(scope="module")
def page() -> dict[str, Any]:
    return run(
        "03_attention",
        "class AttentiveTranslator",
        "def set_gates",
        "def translate(",
        "def batch(",
        "def train(",
        "class Bahdanau",
        until={"class Bahdanau": "wirings = "},
    )


@pytest.fixture
def says(page: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Return a function that translates, with the weights of the scores or with others."""

    def translate(sentence: str, weigh: Callable[[Tensor], Tensor] | None = None) -> str:
        def look(hidden: Tensor, states: Tensor, lengths: None) -> tuple[Tensor, Tensor]:
            assert weigh is not None
            weights = weigh(hidden @ states.mT)
            return weights @ states, weights

        if weigh is not None:
            monkeypatch.setattr(page["by_hand"], "look", look)
        with torch.no_grad():
            written = page["translate"](page["by_hand"], sentence)
        monkeypatch.undo()
        return " ".join(word for word, _ in written)

    return translate


def equal(scores: Tensor) -> Tensor:
    return torch.full_like(scores, 1 / scores.shape[-1])


def last(scores: Tensor) -> Tensor:
    return torch.nn.functional.one_hot(torch.full(scores.shape[:-1], scores.shape[-1] - 1)).float()


def test_equal_shares_make_an_order_of_an_invitation(says: Callable[..., str]) -> None:
    assert says("well let's go") == "vamos <eos>"
    assert says("well let's go", equal) == "ve <eos>"


def test_the_last_state_alone_forgets_lets(says: Callable[..., str]) -> None:
    assert says("let's go now") == "vamos <eos>"
    assert says("let's go now", last) == "ve <eos>"


def test_the_opposite_scores_make_an_order_of_an_invitation(says: Callable[..., str]) -> None:
    assert says("well let's go", lambda scores: torch.softmax(-scores, dim=-1)) == "ve <eos>"


def test_what_the_page_says_of_equal_shares_elsewhere(says: Callable[..., str]) -> None:
    for sentence in ("let's go", "go", "well go"):
        assert says(sentence) == says(sentence, equal)


def test_without_a_mask_the_padding_takes_a_share(page: dict[str, Any]) -> None:
    scores = page["two_scores"]
    masked = page["masked_weights"](scores, torch.tensor([2, 3]))
    assert masked[0, 0, 2] == 0 < torch.softmax(scores, dim=-1)[0, 0, 2]
    torch.testing.assert_close(masked[0, :, :2], torch.softmax(scores[0, :, :2], dim=-1))
    torch.testing.assert_close(masked[1], torch.softmax(scores[1], dim=-1))


def test_padding_changes_nothing_of_what_the_class_says(page: dict[str, Any]) -> None:
    torch.manual_seed(3)
    model = page["AttentiveTranslator"](11, 13, 5, 7)
    row, given = torch.tensor([[2, 3, 5]]), torch.tensor([[0, 7]])
    padded, lengths = torch.cat([row, torch.tensor([[8, 9]])], dim=1), torch.tensor([3])
    with torch.no_grad():
        alone, *_ = model.decode(given, *model.encode(row))
        masked, *_ = model.decode(given, *model.encode(padded, lengths), lengths)
        open_to_all, *_ = model.decode(given, *model.encode(padded, lengths))
    torch.testing.assert_close(alone, masked)
    assert not torch.allclose(alone, open_to_all)


def test_the_class_of_the_page_learns_and_without_its_look_learns_less(page: dict[str, Any]) -> None:
    def nothing(self: Any, hidden: Tensor, states: Tensor, lengths: Tensor | None) -> tuple[Tensor, None]:
        return torch.zeros_like(hidden), None

    blinded = type("Blinded", (page["AttentiveTranslator"],), {"look": nothing})
    seeing, blind = (
        page["train"](kind, seed=5, steps=70)[1] for kind in (page["AttentiveTranslator"], blinded)
    )
    chance = torch.tensor(float(page["VOCABULARY"])).log().item()
    assert seeing[0] > chance - 0.3  # it starts by guessing, not by being wrong
    assert seeing[0] < chance + 0.3
    assert seeing[-1] < 0.7 * blind[-1] < 0.7 * chance


def test_both_wirings_learn_and_only_one_asks_before_its_step(page: dict[str, Any]) -> None:
    assert page["train"](page["Bahdanau"], seed=5, steps=70)[1][-1] < 1.2
    torch.manual_seed(3)
    for kind, asks_before in (("AttentiveTranslator", False), ("Bahdanau", True)):
        model = page[kind](11, 13, 5, 7)
        states, last = model.encode(torch.tensor([[2, 3, 5, 7]]))
        with torch.no_grad():
            weights = [model.decode(torch.tensor([[word]]), states, last)[2] for word in (4, 6)]
        assert torch.equal(*weights) == asks_before  # the word that is given has no say in where it looks
