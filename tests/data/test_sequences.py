"""Tasks whose answer and whose right attention map are known."""

import re

import pytest
import torch

from unrolled.data.sequences import (
    FIRST_SYMBOL,
    copy,
    cycled,
    repeated,
    reversal,
    which_came_first,
)


@pytest.mark.parametrize(("task", "backwards"), [(copy, False), (reversal, True)])
def test_the_answer_is_the_sequence_forwards_or_backwards(task, backwards):
    made = task(300, seed=3, min_len=2, max_len=7, n_symbols=5)
    assert made.source.shape == made.target.shape == (300, 7)
    assert made.alignment.shape == (300, 7, 7)
    assert set(made.lengths.tolist()) == {2, 3, 4, 5, 6, 7}
    for source, target, n in zip(
        made.source.tolist(), made.target.tolist(), made.lengths.tolist(), strict=True
    ):
        assert target[:n] == (source[:n][::-1] if backwards else source[:n])
        assert source[n:] == target[n:] == [0] * (7 - n)
    real = made.source[made.source > 0]
    assert set(real.tolist()) == set(range(FIRST_SYMBOL, FIRST_SYMBOL + 5))


@pytest.mark.parametrize("task", [copy, reversal])
def test_a_perfect_map_fetches_the_answer(task):
    made = task(50, seed=0, min_len=3, max_len=9)
    fetched = (made.alignment @ made.source.float()[..., None])[..., 0]
    assert torch.equal(fetched.long(), made.target)
    assert torch.equal(made.alignment.sum(-1), (made.target > 0).float())


@pytest.mark.parametrize("task", [copy, reversal, which_came_first, repeated])
def test_a_seed_fixes_everything(task):
    first, again, other = task(20, seed=5), task(20, seed=5), task(20, seed=6)
    for name in first.__dataclass_fields__:
        assert torch.equal(getattr(first, name), getattr(again, name))
    name = next(iter(first.__dataclass_fields__))
    assert getattr(first, name).shape != getattr(other, name).shape or not torch.equal(
        getattr(first, name), getattr(other, name)
    )


def test_the_label_says_which_came_first():
    made = which_came_first(400, seed=1, length=11, n_symbols=6)
    a, b = FIRST_SYMBOL, FIRST_SYMBOL + 1
    places = set()
    for tokens, label in zip(made.tokens.tolist(), made.labels.tolist(), strict=True):
        assert tokens.count(a) == tokens.count(b) == 1
        assert label == (tokens.index(a) < tokens.index(b))
        places |= {tokens.index(a), tokens.index(b)}
        assert set(tokens) <= set(range(a, a + 6))
    assert places == set(range(11))
    assert made.labels.sum() == 200


def test_a_stretch_occurs_twice_and_nothing_else_does():
    made = repeated(200, seed=2, length=20, n_symbols=18, min_copy=2, max_copy=6)
    distances, copied = set(), set()
    for row, tokens in enumerate(made.tokens.tolist()):
        twice = [t for t in range(20) if tokens[t] in tokens[:t]]
        assert twice == list(range(twice[0], twice[-1] + 1))  # one stretch
        first = [tokens.index(tokens[t]) for t in twice]
        assert first == list(range(first[0], first[0] + len(first)))
        assert first[-1] < twice[0]  # the two do not overlap
        assert all(tokens.count(token) <= 2 for token in tokens)
        assert made.looked_up[row].nonzero()[:, 0].tolist() == twice[:-1]
        distances.add(twice[0] - first[0])
        copied.add(len(twice))
    assert copied == {2, 3, 4, 5, 6}
    assert len(distances) > 8


def test_a_cycle_is_some_symbols_over_and_over():
    made = cycled(200, seed=2, length=19, n_symbols=11, min_period=2, max_period=7)
    assert made.shape == (200, 19)
    periods = set()
    for row in made.tolist():
        period = len(set(row))
        assert row == (row[:period] * 19)[:19]
        periods.add(period)
    assert periods == {2, 3, 4, 5, 6, 7}
    assert set(made.flatten().tolist()) == set(range(FIRST_SYMBOL, FIRST_SYMBOL + 11))
    assert torch.equal(made, cycled(200, seed=2, length=19, n_symbols=11, min_period=2, max_period=7))
    assert not torch.equal(made, cycled(200, seed=3, length=19, n_symbols=11, min_period=2, max_period=7))
    assert max(len(set(row)) for row in cycled(200, seed=2, length=19).tolist()) == 9


def test_a_perfect_induction_head_reads_the_next_symbol():
    made = repeated(100, seed=4)
    read = (made.alignment @ made.tokens.float()[..., None])[..., 0].long()  # [B, T]
    assert torch.equal(read[:, :-1][made.looked_up[:, :-1]], made.tokens[:, 1:][made.looked_up[:, :-1]])
    assert not made.looked_up[:, -1].any()
    assert torch.equal(made.alignment.sum(-1), made.looked_up.float())
    assert torch.equal(made.alignment, made.alignment.tril(-1))  # it looks back


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: copy(0, seed=0), "n: expected 1 or more, got 0"),
        (lambda: copy(1, seed=0, min_len=0), "min_len: expected 1 or more, got 0"),
        (lambda: reversal(1, seed=0, min_len=5, max_len=4), "max_len: expected 5 or more, got 4"),
        (lambda: reversal(1, seed=0, n_symbols=0), "n_symbols: expected 1 or more, got 0"),
        (lambda: which_came_first(3, seed=0), "n: expected an even number, for half of each answer, got 3"),
        (lambda: which_came_first(2, seed=0, length=1), "length: expected 2 or more, got 1"),
        (lambda: which_came_first(2, seed=0, n_symbols=2), "n_symbols: expected 3 or more, got 2"),
        (lambda: repeated(1, seed=0, min_copy=1), "min_copy: expected 2 or more, got 1"),
        (lambda: repeated(1, seed=0, length=6), "max_copy: expected 4 or more, got 3"),
        (lambda: repeated(1, seed=0, length=9, max_copy=5), "length: expected 10 or more, got 9"),
        (lambda: cycled(0, seed=0), "n: expected 1 or more, got 0"),
        (lambda: cycled(1, seed=0, min_period=0), "min_period: expected 1 or more, got 0"),
        (lambda: cycled(1, seed=0, max_period=5), "max_period: expected 6 or more, got 5"),
        (lambda: cycled(1, seed=0, length=7, max_period=8), "length: expected 8 or more, got 7"),
        (lambda: cycled(1, seed=0, n_symbols=15), "n_symbols: expected 16 or more, got 15"),
        (lambda: repeated(1, seed=0, n_symbols=27), "n_symbols: expected 28 or more, got 27"),
    ],
)
def test_bad_arguments_are_told(make, said):
    with pytest.raises(ValueError, match=f"^{re.escape(said)}$"):
        make()
