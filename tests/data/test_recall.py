"""Pairs to recall: every query has one answer, which stands where its key was written last."""

import pytest
import torch

from unrolled.data.recall import N_KEYS, N_VALUES, pairs_to_recall
from unrolled.data.seeds import seeded


@pytest.mark.parametrize("separate", [False, True])
@pytest.mark.parametrize("writes", [1, 3])
def test_the_answer_is_the_last_value_of_the_key(writes: int, separate: bool) -> None:
    """Found by reading each sequence from the left, pair by pair."""
    drawn = pairs_to_recall(11, 7, seeded("a"), writes=writes, separate=separate)
    for keys, values, answers in zip(*(part.tolist() for part in drawn), strict=True):
        held: dict[int, int] = {}
        asked, waiting = [], -1
        n_written = 7 * writes * (2 if separate else 1)
        for place, (key, value) in enumerate(zip(keys, values, strict=True)):
            if place >= n_written:
                assert value == 0
                asked.append(held[key])
            elif value and key >= 0:
                held[key] = value
            elif value:
                held[waiting] = value
            waiting = key
        assert asked == answers
        assert len(set(keys[-7:])) == 7
        assert len(keys) == n_written + 7


def test_keys_and_values_are_within_their_ranges() -> None:
    """And all of them come."""
    drawn = pairs_to_recall(97, N_KEYS, seeded("b"))
    assert set(drawn.keys.flatten().tolist()) == set(range(N_KEYS))
    assert set(drawn.answers.flatten().tolist()) == set(range(1, N_VALUES + 1))
    assert torch.equal(drawn.keys, pairs_to_recall(97, N_KEYS, seeded("b")).keys)


def test_more_pairs_than_keys_are_refused() -> None:
    """And numbers that are none."""
    with pytest.raises(ValueError, match="pairs: expected at most 32, got 33"):
        pairs_to_recall(2, 33, seeded("c"))
    with pytest.raises(ValueError, match="writes: expected a positive integer, got 0"):
        pairs_to_recall(2, 3, seeded("c"), writes=0)
