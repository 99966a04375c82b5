"""Batches: nothing lost, little padding, the same from the same seed; chunks and crops; hidden words."""

import re

import pytest
import torch

from unrolled.data.batches import (
    IGNORED,
    chunks,
    corrupt,
    crops,
    length_batches,
    pad,
    translation_batches,
)
from unrolled.data.seeds import seeded
from unrolled.data.special_tokens import SPECIAL
from unrolled.shapes import ShapeError

LENGTHS = torch.randint(1, 40, (997,), generator=torch.Generator().manual_seed(0)).tolist()


def padded(batches: list[list[int]]) -> int:
    return sum(len(batch) * max(LENGTHS[i] for i in batch) for batch in batches)


def test_sequences_are_filled_up_behind():
    tokens, lengths = pad([[7, 8], [9], [], [5, 6, 7]])
    assert tokens.tolist() == [[7, 8, 0], [9, 0, 0], [0, 0, 0], [5, 6, 7]]
    assert lengths.tolist() == [2, 1, 0, 3]
    assert tokens.dtype == lengths.dtype == torch.long
    assert pad([[1], [2, 3]], value=IGNORED)[0].tolist() == [[1, -100], [2, 3]]
    with pytest.raises(ValueError, match=r"^sequences: expected one or more, got none$"):
        pad([])


def test_a_generator_is_fixed_by_its_numbers():
    def draw(*numbers: int) -> int:
        return int(torch.randint(1 << 40, (1,), generator=seeded(*numbers)))

    assert draw(1, 2) == draw(1, 2)
    assert len({draw(1, 2), draw(2, 1), draw(12), draw(1), draw(1, 2, 0), draw(-1, 2)}) == 6


@pytest.mark.parametrize(
    "limits", [{"batch_size": 16}, {"max_tokens": 300}, {"batch_size": 10, "max_tokens": 200}]
)
@pytest.mark.parametrize("seed", [0, None])
def test_every_sequence_is_in_one_batch_within_the_limits(limits, seed):
    batches = length_batches(LENGTHS, **limits, seed=seed)
    assert sorted(i for batch in batches for i in batch) == list(range(997))
    for batch in batches:
        assert 1 <= len(batch) <= limits.get("batch_size", 997)
        assert len(batch) * max(LENGTHS[i] for i in batch) <= limits.get("max_tokens", 40_000)
    assert padded(batches) < 1.1 * sum(LENGTHS)
    shuffled = [list(range(start, min(start + 16, 997))) for start in range(0, 997, 16)]
    assert padded(shuffled) > 1.5 * sum(LENGTHS)


def test_batches_are_fixed_by_seed_and_epoch():
    first = length_batches(LENGTHS, batch_size=8, seed=3, epoch=1)
    assert length_batches(LENGTHS, batch_size=8, seed=3, epoch=1) == first
    for seed, epoch in ((3, 2), (4, 1)):
        other = length_batches(LENGTHS, batch_size=8, seed=seed, epoch=epoch)
        together = {frozenset(batch) for batch in first}
        assert len(together & {frozenset(batch) for batch in other}) < 5
    few = length_batches(LENGTHS[:100], batch_size=8, seed=3)
    longest = [max(LENGTHS[i] for i in batch) for batch in few]
    assert longest != sorted(longest)


def test_without_a_seed_the_shortest_come_first():
    batches = length_batches([3, 1, 2, 1], batch_size=2, seed=None)
    assert batches == [[1, 3], [2, 0]]
    assert length_batches([], batch_size=2) == []


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ({}, "expected batch_size or max_tokens, got neither"),
        ({"batch_size": 0}, "batch_size: expected 1 or more, got 0"),
        ({"max_tokens": -3}, "max_tokens: expected 1 or more, got -3"),
        ({"max_tokens": 6}, "max_tokens: expected 7 or more, the longest sequence, got 6"),
    ],
)
def test_limits_are_checked(limits, said):
    with pytest.raises(ValueError, match=f"^{re.escape(said)}$"):
        length_batches([7, 2], **limits)


def test_translations_are_ready_for_teacher_forcing():
    pairs = [([5, 6], [7]), ([8], [9, 10, 11])]
    (batch,) = translation_batches(pairs, batch_size=2, seed=None)
    assert batch.source.tolist() == [[5, 6, 2], [8, 2, 0]]
    assert batch.target.tolist() == [[1, 7, 0, 0], [1, 9, 10, 11]]
    assert batch.labels.tolist() == [[7, 2, 0, 0], [9, 10, 11, 2]]
    assert batch.source_lengths.tolist() == [3, 2]
    assert batch.target_lengths.tolist() == [2, 4]
    assert batch.n_tokens == 6
    assert batch.source_mask.tolist() == [[[True, True, True]], [[True, True, False]]]
    assert batch.target_mask.tolist() == [[[True, True, False, False]], [[True] * 4]]
    assert batch.to("meta").labels.device.type == "meta"


def test_an_epoch_of_translations_has_every_pair_once():
    pairs = [([5] * n, [6] * (40 - n)) for n in LENGTHS]
    seen = []
    for batch in translation_batches(pairs, max_tokens=400, seed=1, epoch=2):
        assert batch.source.numel() <= 400
        assert batch.target.numel() <= 400
        assert torch.equal((batch.labels > 0).sum(1), batch.target_lengths)
        seen += (batch.source_lengths - 1).tolist()
    assert sorted(seen) == sorted(LENGTHS)


def test_chunks_hold_every_token_once():
    inputs, targets = chunks(torch.arange(23), 5)
    assert inputs.tolist() == [list(range(start, start + 5)) for start in (0, 5, 10, 15)]
    assert torch.equal(targets, inputs + 1)
    assert chunks(torch.arange(6), 5)[0].shape == (1, 5)
    assert chunks(torch.arange(21), 5)[1][-1, -1] == 20
    assert chunks(torch.arange(20), 5)[0].shape == (3, 5)


def test_crops_are_anywhere_and_fixed_by_the_generator():
    tokens = torch.arange(30) + 100
    inputs, targets = crops(tokens, 500, 7, seeded(1))
    assert inputs.shape == targets.shape == (500, 7)
    assert torch.equal(targets, inputs + 1)
    assert torch.equal(inputs[:, 1:], inputs[:, :-1] + 1)
    assert set(inputs[:, 0].tolist()) == set(range(100, 123))  # the last target is the last token
    assert torch.equal(crops(tokens, 500, 7, seeded(1))[0], inputs)
    assert not torch.equal(crops(tokens, 500, 7, seeded(2))[0], inputs)


@pytest.mark.parametrize("length", [0, 10, 11])
def test_a_text_that_is_too_short_is_told(length):
    said = rf"^length: expected 1 to 9, for 10 tokens, got {length}$"
    with pytest.raises(ValueError, match=said):
        chunks(torch.arange(10), length)
    with pytest.raises(ValueError, match=said):
        crops(torch.arange(10), 1, length, seeded(0))
    with pytest.raises(ShapeError):
        chunks(torch.zeros(2, 5), 1)


def masked(rate: float = 0.15, *, pure: bool = False, seed: int = 0) -> tuple[torch.Tensor, ...]:
    tokens = torch.randint(5, 60, (400, 50), generator=seeded(9))
    tokens[:, 0], tokens[:, 40:] = SPECIAL.bos, SPECIAL.pad
    tokens[0] = SPECIAL.pad
    return tokens, *corrupt(tokens, vocab_size=60, generator=seeded(seed), rate=rate, pure=pure)


def test_hidden_words_are_masked_replaced_or_kept():
    tokens, inputs, labels = masked()
    chosen = labels != IGNORED
    assert torch.equal(labels[chosen], tokens[chosen])
    assert torch.equal(inputs[~chosen], tokens[~chosen])
    assert (tokens[chosen] >= len(SPECIAL)).all()  # no padding, no ends
    n_words = (tokens >= len(SPECIAL)).sum()
    assert 0.14 < (chosen.sum() / n_words).item() < 0.165
    was_masked = inputs[chosen] == SPECIAL.mask
    assert 0.77 < was_masked.float().mean().item() < 0.83
    others = inputs[chosen][~was_masked]
    kept = others == tokens[chosen][~was_masked]
    assert 0.43 < kept.float().mean().item() < 0.58
    assert set(others.tolist()) == set(range(5, 60))
    assert not chosen[0].any()
    assert chosen[1:].any(1).all()


def test_a_low_rate_still_asks_for_a_word_in_every_row_that_has_one():
    tokens, inputs, labels = masked(1e-9, pure=True)
    assert (labels != IGNORED).sum(1).tolist() == [0] + [1] * 399
    assert (inputs != tokens).sum(1).tolist() == [0] + [1] * 399


def test_pure_masking_hides_all_that_are_chosen():
    tokens, inputs, labels = masked(1.0, pure=True)
    words = tokens >= len(SPECIAL)
    assert (inputs[words] == SPECIAL.mask).all()
    assert torch.equal(labels[words], tokens[words])
    assert torch.equal(inputs[~words], tokens[~words])


def test_what_is_hidden_is_fixed_by_the_generator():
    assert torch.equal(masked()[1], masked()[1])
    assert not torch.equal(masked()[2], masked(seed=1)[2])


def test_masking_arguments_are_checked():
    tokens = torch.full((1, 3), 7)
    for rate in (0, 1.5):
        with pytest.raises(ValueError, match=rf"^rate: expected above 0 and at most 1, got {rate}$"):
            corrupt(tokens, vocab_size=9, generator=seeded(0), rate=rate)
    with pytest.raises(ValueError, match=r"^vocab_size: expected more than the 5 special tokens, got 5$"):
        corrupt(tokens, vocab_size=5, generator=seeded(0))
    with pytest.raises(ShapeError):
        corrupt(tokens[0], vocab_size=9, generator=seeded(0))
