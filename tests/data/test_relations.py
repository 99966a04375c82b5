"""People at a table: every answer can be found, and where to look is what the maps say."""

import pytest
import torch
from torch import Generator

from unrolled.data.relations import NAMES, NUMBERS, two_relations, write_table


def test_friend_and_boss_sit_at_the_table_and_hold_the_answers():
    made = two_relations(211, seed=3, people=5)
    assert made.tokens.shape == (211, 5, 4)
    assert made.answers.shape == (211, 5, 2)
    assert made.alignment.shape == (211, 2, 5, 5)
    for table, answers, maps in zip(made.tokens.tolist(), made.answers.tolist(), made.alignment, strict=True):
        held = {name: number for name, _, _, number in table}
        assert len(held) == 5, "no name twice"
        for i, ((name, friend, boss, _), answer) in enumerate(zip(table, answers, strict=True)):
            assert len({name, friend, boss}) == 3
            assert answer == [held[friend], held[boss]]
            looked_at = maps[:, i].argmax(-1).tolist()
            assert [table[j][0] for j in looked_at] == [friend, boss]
    assert torch.equal(made.alignment.sum(-1), torch.ones(211, 2, 5))


def test_names_numbers_and_places_all_come_up():
    made = two_relations(500, seed=0, people=6)
    assert set(made.tokens[..., 0].flatten().tolist()) == set(range(len(NAMES)))
    assert set(made.tokens[..., 3].flatten().tolist()) == set(range(NUMBERS))
    share = made.alignment.mean((0, 1))
    off = share[~torch.eye(6, dtype=torch.bool)]
    assert (share.diagonal() == 0).all()
    assert (off - 0.2).abs().max() < 0.05
    same = (made.answers[..., 0] == made.answers[..., 1]).float().mean()
    assert same == pytest.approx(1 / NUMBERS, abs=0.02)


def test_a_seed_or_a_generator_decides():
    one = two_relations(7, seed=5).tokens
    assert torch.equal(one, two_relations(7, seed=5).tokens)
    assert torch.equal(one, two_relations(7, seed=Generator().manual_seed(5)).tokens)
    assert not torch.equal(one, two_relations(7, seed=6).tokens)


def test_a_table_in_words():
    assert write_table(torch.tensor([[0, 1, 2, 7], [1, 2, 0, 3]])) == [
        "Ann holds 7; friend Ben, boss Cleo",
        "Ben holds 3; friend Cleo, boss Ann",
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n": 0}, "n: expected 1 or more, got 0"),
        ({"n": 2, "people": 2}, "people: expected 3 to 12, got 2"),
        ({"n": 2, "people": 13}, "people: expected 3 to 12, got 13"),
    ],
)
def test_what_cannot_be_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        two_relations(seed=0, **options)
