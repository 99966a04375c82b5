"""The honest table of chapter 4, and the measure behind it."""

import pytest
import torch

from unrolled.data.bears import SENSES, Sentence, corpus
from unrolled.data.word_vectors import WordVectors
from unrolled.training.centroid_probe import (
    context_free,
    evaluate,
    failure_table,
    mean_of_others,
    self_attention,
    window_mean,
)

WORDS = ("bears", "love", "i", "today", "here")
VECTORS = WordVectors(WORDS, torch.tensor([[1.0, 0.0], [0.0, 4.0], [2.0, 0.0], [0.0, 8.0], [6.0, 6.0]]))
SENTENCE = Sentence(("here", "i", "love", "bears", "today"), "animal", 3, (0, 5))


def test_representations_by_hand() -> None:
    assert context_free(VECTORS)(SENTENCE).tolist() == [1.0, 0.0]
    assert mean_of_others(VECTORS)(SENTENCE).tolist() == [2.0, 4.5]
    assert window_mean(VECTORS)(SENTENCE).tolist() == pytest.approx([2 / 3, 4.0])
    assert window_mean(VECTORS, reach=1)(SENTENCE).tolist() == [0.0, 6.0]
    x = VECTORS.lookup(SENTENCE.words)
    shares = torch.tensor([6.0, 2.0, 0.0, 1.0, 0.0]).exp()
    torch.testing.assert_close(self_attention(VECTORS)(SENTENCE), shares / shares.sum() @ x)


def test_knowing_is_one_and_its_opposite_is_zero() -> None:
    unit = torch.eye(3)
    knows = evaluate(lambda sentence: unit[SENSES.index(sentence.sense)], n=30)
    assert knows == {"plain": 1.0, "conflict": 1.0, "conflict+gap": 1.0}

    def fooled(sentence: Sentence) -> torch.Tensor:  # right as long as there is one clause
        turn = sentence.clause != (0, len(sentence.words))
        return unit[(SENSES.index(sentence.sense) + turn) % 3]

    assert evaluate(fooled, n=30) == {"plain": 1.0, "conflict": 0.0, "conflict+gap": 0.0}


@pytest.mark.parametrize("seed", [0, 1])
def test_each_baseline_fails_where_the_chapter_says(seed: int) -> None:
    table = failure_table(seed)
    third = pytest.approx(1 / 3)
    assert table["context-free vector"] == {"plain": third, "conflict": third, "conflict+gap": third}
    for name in ("mean of the other words", "softmax(XXᵀ)X"):
        assert table[name]["plain"] >= 0.98
        assert 0.1 <= table[name]["conflict"] <= 0.4
        assert 0.1 <= table[name]["conflict+gap"] <= 0.4
    window = table["±2-word window"]
    assert window["plain"] >= 0.98
    assert window["conflict"] >= 0.98
    assert 0.27 <= window["conflict+gap"] <= 0.40


def test_the_table_repeats() -> None:
    assert failure_table(3, n=30) == failure_table(3, n=30)


def test_bad_input_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="n: expected a multiple of 3 from 6 up, got 10"):
        evaluate(context_free(VECTORS), n=10)
    without = corpus(n=4)[3]
    with pytest.raises(ValueError, match='expected one with "bears", got'):
        context_free(VECTORS)(without)
