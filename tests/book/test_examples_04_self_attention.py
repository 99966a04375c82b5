"""Chapter 4: what its hand example says is due to mixing and to weights, and changes without them."""

from typing import Any

import pytest
import torch

from tests.book.cells import run

SENSES = {"I love bears": 0, "She bears the pain": 1, "Bears won the game": 2}
SOMEBODY = 3


@pytest.fixture(scope="module")
def page() -> dict[str, Any]:
    return run("04_self_attention", "words = [", "hand = {", "[..., T, d]", "candidates = {")


def leads(numbers: Any) -> list[int]:
    return torch.nonzero(numbers >= numbers.max() - 1e-6).flatten().tolist()


@pytest.mark.parametrize(("sentence", "sense"), SENSES.items())
def test_bears_takes_the_side_of_its_sentence(page: dict[str, Any], sentence: str, sense: int) -> None:
    X, at = page["vectors"](sentence), sentence.lower().split().index("bears")
    assert leads(page["self_attention"](X)[at]) == [sense]
    assert leads(X[at]) == [0, 1, 2]  # without mixing it takes no side


def test_equal_weights_cannot_tell_an_animal_from_somebody(page: dict[str, Any]) -> None:
    assert leads(page["vectors"]("I love bears").mean(dim=0)) == [0, SOMEBODY]


@pytest.mark.parametrize("length", [0.1, 0.5, 1.0, 2.0, 5.0])
def test_scores_are_symmetric_and_only_longer_vectors_outbid_at_any_length(length: float) -> None:
    X = length * torch.randn(97, 7, 5, generator=torch.Generator().manual_seed(3)).double()
    scores = X @ X.mT
    torch.testing.assert_close(scores, scores.mT)
    winner, lengths = scores.argmax(dim=-1), X.norm(dim=-1)
    outbid = winner != torch.arange(7)
    assert outbid.any()
    assert (lengths.gather(1, winner) > lengths)[outbid].all()


def test_with_a_matrix_between_scores_are_not_symmetric_and_a_shorter_vector_can_win() -> None:
    """So the two failures are due to comparing vectors with themselves."""
    generator = torch.Generator().manual_seed(3)
    X, W = (torch.randn(*shape, generator=generator) for shape in ((97, 7, 5), (5, 5)))
    scores = X @ W @ X.mT
    assert not torch.allclose(scores, scores.mT)
    lengths = X.norm(dim=-1)
    assert (lengths.gather(1, scores.argmax(dim=-1)) < lengths).any()


def test_only_the_window_of_the_four_candidates_asks_who_stands_where(page: dict[str, Any]) -> None:
    """So in a second clause the window alone can keep the sense, and a gap can blind it alone."""
    X = torch.randn(11, 5, generator=torch.Generator().manual_seed(3)).double()
    order = torch.tensor([3, 0, 8, 5, 9, 4, 1, 10, 6, 2, 7])
    at, moved = 4, int((order == 4).nonzero())
    for name, candidate in page["candidates"].items():
        same = torch.allclose(candidate(X, at), candidate(X[order], moved))
        assert same == (name != "±2-word window"), name


def test_a_candidate_says_what_its_name_says(page: dict[str, Any]) -> None:
    X = torch.eye(7)
    others, window = page["mean_of_others"](X, 1), page["window"](X, 1)
    torch.testing.assert_close(others, torch.tensor([1.0, 0, 1, 1, 1, 1, 1]) / 6)
    torch.testing.assert_close(window, torch.tensor([1.0, 0, 1, 1, 0, 0, 0]) / 3)
