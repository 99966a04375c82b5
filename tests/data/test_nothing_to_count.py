"""A share or a mean of nothing is an error by name, never NaN: whatever divides by a count that can be 0."""

from collections.abc import Callable

import pytest
import torch

from unrolled.data.bears import VOCABULARY, Sentence
from unrolled.data.clusters import leave_one_out, nearest_centroid, principal_plane, purity, silhouette
from unrolled.data.memorisation import valid_words, verbatim
from unrolled.data.plane import plane
from unrolled.data.word_vectors import WordVectors, cooccurrence, ppmi, word_vectors
from unrolled.probe import map_score, previous_token_score
from unrolled.training.centroid_probe import accuracies, mean_of_others, window_mean

EMPTY = torch.zeros(0, 3)
NONE = torch.zeros(0, dtype=torch.long)
KNOWN, KINDS = torch.eye(5), torch.tensor([0, 0, 1, 1, 1])
VECTORS = WordVectors(("bears", "love"), torch.eye(2))
ALONE = Sentence(("bears",), "animal", 0, (0, 1))
PAIR = Sentence(("bears", "love"), "animal", 0, (0, 2))
CASES: dict[str, tuple[Callable[[], object], str]] = {
    "one token": (lambda: previous_token_score(torch.ones(2, 3, 1, 1)), "weights: expected one sequence or"),
    "no sequence": (
        lambda: previous_token_score(torch.ones(0, 3, 5, 5)),
        "weights: expected one sequence or",
    ),
    "no place": (lambda: map_score(torch.ones(2, 3, 5, 7), torch.zeros(2, 5, 7)), "alignment: expected at"),
    "no map": (
        lambda: map_score(torch.ones(0, 3, 5, 7), torch.zeros(0, 5, 7)),
        "alignment: expected at least",
    ),
    "one kind": (lambda: silhouette(KNOWN, torch.zeros(5).long()), r"labels: expected two kinds or more"),
    "one of a kind": (lambda: silhouette(KNOWN[:3], KINDS[:3]), r"labels: expected .* got \[2, 1\]"),
    "no vectors": (lambda: silhouette(EMPTY, NONE), r"labels: expected two kinds or more, .* got \[\]"),
    "nothing known": (lambda: nearest_centroid(EMPTY, NONE, EMPTY), "labels: expected two kinds or more"),
    "nothing to leave out": (lambda: leave_one_out(EMPTY, NONE), "labels: expected two kinds or more"),
    "no clusters": (lambda: purity(NONE, NONE), "labels: expected one or more, got none"),
    "no plane": (lambda: principal_plane(EMPTY), "vectors: expected two or more"),
    "nothing asked": (
        lambda: accuracies(KNOWN, {"plain": EMPTY}, KINDS),
        r"asked\['plain'\]: expected shape",
    ),
    "one asked": (
        lambda: accuracies(KNOWN, {"plain": KNOWN[:1]}, KINDS),
        r"asked\['plain'\]: .* with N=5, got",
    ),
    "a word alone": (lambda: mean_of_others(VECTORS)(ALONE), 'expected a word beside "bears"'),
    "a window of nothing": (lambda: window_mean(VECTORS, 0)(PAIR), 'expected a word beside "bears"'),
    "no pair": (lambda: ppmi(torch.zeros(3, 3)), "counts: expected at least one pair"),
    "no word": (lambda: cooccurrence([], ["a"]), "sentences: expected at least one word"),
    "only chance": (
        lambda: word_vectors([("a", "a")], 1),
        "sentences: .* more often than by chance, got none",
    ),
    "zeros": (lambda: plane(zeros()), "vectors: expected some that are not all zeros, got none"),
    "no words written": (lambda: valid_words("", "a b"), "text: expected one word or more, got none"),
    "no sentence written": (lambda: verbatim("", "A b."), "text: expected one sentence or more, got none"),
}


def zeros() -> WordVectors:

    return WordVectors(VOCABULARY, torch.zeros(len(VOCABULARY), 2))


@pytest.mark.parametrize("case", CASES)
def test_nothing_to_count_is_told(case: str) -> None:
    call, said = CASES[case]
    with pytest.raises(ValueError, match=said):
        call()


def test_the_fewest_there_can_be() -> None:
    assert previous_token_score(torch.tensor([[[[1.0, 0.0], [0.25, 0.75]]]])).tolist() == [0.25]
    assert purity(torch.tensor([7]), torch.tensor([3])) == 1.0
    same = torch.ones(4, 3)
    assert silhouette(same, torch.tensor([0, 0, 1, 1])) == 0.0
    assert principal_plane(same)[1] == 0.0
    assert nearest_centroid(KNOWN, KINDS, KNOWN[:0]).shape == (0,)
    assert mean_of_others(VECTORS)(PAIR).tolist() == [0.0, 1.0]
