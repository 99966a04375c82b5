"""Counts and vectors, on tables small enough to check by hand."""

import math

import pytest
import torch

from unrolled.data.word_vectors import WordVectors, cooccurrence, ppmi, word_vectors

TOY = [("a", "b"), ("a", "b", "c"), ("c",)]


def test_counts_by_hand() -> None:
    expected = [[0, 2, 1], [2, 0, 1], [1, 1, 0]]
    assert cooccurrence(TOY, ["a", "b", "c"]).tolist() == expected
    expected = [[0, 2, 0], [2, 0, 1], [0, 1, 0]]  # a and c are two apart
    assert cooccurrence(TOY, ["a", "b", "c"], window=1).tolist() == expected


def test_a_repeated_word_is_its_own_neighbour() -> None:
    assert cooccurrence([("a", "a")], ["a"]).tolist() == [[2.0]]


def test_ppmi_by_hand() -> None:
    counts = torch.tensor([[0.0, 2, 1], [2, 0, 1], [1, 1, 0]], dtype=torch.float64)
    plain = ppmi(counts, smoothing=1.0)
    # p(a, b) = 2/8, p(a) = p(b) = 3/8; p(a, c) = 1/8, p(c) = 2/8
    assert plain[0, 1].item() == pytest.approx(math.log((2 / 8) / (3 / 8 * 3 / 8)))
    assert plain[0, 2].item() == pytest.approx(math.log((1 / 8) / (3 / 8 * 2 / 8)))
    assert plain[0, 0].item() == 0.0
    smooth = ppmi(counts, smoothing=0.75)
    share = 2**0.75 / (3**0.75 + 3**0.75 + 2**0.75)
    assert smooth[0, 2].item() == pytest.approx(math.log((1 / 8) / (3 / 8 * share)))
    assert smooth[0, 2] < plain[0, 2]  # the rare context weighs less


def test_what_is_rarer_than_chance_counts_as_nothing() -> None:
    counts = torch.tensor([[9.0, 1], [1, 9]], dtype=torch.float64)
    assert ppmi(counts)[0, 1].item() == 0.0


def test_all_directions_together_rebuild_the_table() -> None:
    sentences = [("a", "b"), ("a", "b", "c"), ("c", "d"), ("d", "e", "a")]
    vectors = word_vectors(sentences, 5)
    table = ppmi(cooccurrence(sentences, vectors.words))
    gram, expected = vectors.matrix @ vectors.matrix.T, table @ table.T
    torch.testing.assert_close(gram / gram.trace(), expected / expected.trace())


def test_directions_are_orthogonal_ordered_and_signed() -> None:
    sentences = [("a", "b"), ("a", "b", "c"), ("c", "d"), ("d", "e", "a"), ("b", "e")]
    matrix = word_vectors(sentences, 3).matrix
    products = matrix.T @ matrix
    torch.testing.assert_close(products, torch.diag(products.diagonal()))
    assert products.diagonal().tolist() == sorted(products.diagonal().tolist(), reverse=True)
    assert (matrix.gather(0, matrix.abs().argmax(0, keepdim=True)) > 0).all()
    assert matrix.norm(dim=1).mean().item() == pytest.approx(1.0)
    assert matrix.dtype == torch.float64


def test_words_in_like_company_get_like_vectors() -> None:
    sentences = [("cats", "purr"), ("kittens", "purr"), ("cars", "honk"), ("vans", "honk")]
    vectors = word_vectors(sentences, 2)
    torch.testing.assert_close(vectors["cats"], vectors["kittens"])
    assert (vectors["cats"] - vectors["cars"]).norm() > 0.5


def test_the_order_of_sentences_does_not_matter() -> None:
    torch.testing.assert_close(word_vectors(TOY, 2).matrix, word_vectors(TOY[::-1], 2).matrix)


def test_looking_up_words() -> None:
    vectors = WordVectors(("bears", "love"), torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))
    assert vectors["love"].tolist() == [4.0, 5.0, 6.0]
    assert vectors.lookup(["love", "bears", "love"]).tolist() == [[4, 5, 6], [1, 2, 3], [4, 5, 6]]
    assert vectors.lookup([]).shape == (0, 3)
    with pytest.raises(KeyError, match="no vector for 'lobe': expected one of 2 words; close to it: love"):
        vectors.lookup(["bears", "lobe"])


def test_bad_input_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"expected shape \[V, D\] with V=1, got \[2, 3\]"):
        WordVectors(("bears",), torch.zeros(2, 3))
    with pytest.raises(ValueError, match="d: expected a number from 1 to the 3 words there are, got 4"):
        word_vectors(TOY, 4)
    with pytest.raises(ValueError, match="window: expected at least 1 or None, got 0"):
        word_vectors(TOY, 2, window=0)
    with pytest.raises(ValueError, match="expected at least one pair of words"):
        word_vectors([("a",), ("b",)], 1)
    with pytest.raises(ValueError, match="expected at least one word"):
        cooccurrence([], ["a", "b", "c"])
