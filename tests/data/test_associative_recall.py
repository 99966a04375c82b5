"""The picnic: every bear finds its friend's name among the names, and only there."""

import pytest
import torch

from unrolled.data.associative_recall import CODE, NAMES, THINGS, WIDTH, commonest_other, picnics


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_the_sought_name_is_the_friends_and_nobody_seeks_itself() -> None:
    drawn = picnics(11, 7, generator())
    assert drawn.x.shape == (11, 7, WIDTH)
    name, sought, thing = drawn.x.split([CODE, CODE, len(THINGS)], dim=-1)
    found = (sought @ name.mT).argmax(-1)  # names are codes of length 1: the right one wins
    assert torch.equal(found, drawn.friend)
    assert not (drawn.friend == torch.arange(7)).any()
    assert torch.equal(thing.argmax(-1), drawn.thing)
    assert torch.equal(thing.sum(-1), torch.ones(11, 7))


def test_answers() -> None:
    drawn = picnics(5, 3, generator(1))
    for b in range(5):
        for t in range(3):
            assert drawn.friends_thing[b, t] == drawn.thing[b, drawn.friend[b, t]]
            assert drawn.neighbours_thing[b, t] == drawn.thing[b, t - 1]


def test_names_never_come_twice_and_friends_are_any_of_the_others() -> None:
    drawn = picnics(300, 5, generator(2))
    name = drawn.x[..., :CODE]
    alike = (name @ name.mT > 0.999).sum((-1, -2))
    assert torch.equal(alike, torch.full((300,), 5))
    counts = torch.bincount(drawn.friend[:, 2], minlength=5)
    assert counts[2] == 0
    assert all(45 < count < 110 for count in counts[[0, 1, 3, 4]].tolist())


def test_chance_is_the_generators_and_codes_are_always_the_same() -> None:
    first, again, other = (picnics(2, NAMES, generator(seed)) for seed in (3, 3, 4))
    assert torch.equal(first.x, again.x)
    assert not torch.equal(first.x, other.x)
    # With all names there, both picnics hold the same set of codes.
    sums = [drawn.x[..., :CODE].sum(1) for drawn in (first, other)]
    torch.testing.assert_close(sums[0], sums[1], rtol=0, atol=1e-4)


def test_the_commonest_thing_of_the_others() -> None:
    thing = torch.tensor([[2, 2, 5, 5, 5], [0, 1, 1, 3, 3]])
    expected = torch.tensor([[5, 5, 2, 2, 2], [1, 3, 3, 1, 1]])
    assert torch.equal(commonest_other(thing), expected)


@pytest.mark.parametrize("count", [1, NAMES + 1])
def test_says_how_many_bears_it_expected(count: int) -> None:
    with pytest.raises(ValueError, match=f"n_bears: expected 2 to {NAMES}, got {count}"):
        picnics(1, count, generator())


def test_only_the_bears_that_are_named_come() -> None:
    few, all_of_them = picnics(13, 3, generator(5), names=range(7, 12)), picnics(1, NAMES, generator(6))
    codes = all_of_them.x[0, :, :CODE]
    known = {tuple(code.tolist()) for code in codes}
    came = {tuple(code.tolist()) for code in few.x[..., :CODE].flatten(0, 1)}
    assert len(came) == 5
    assert came < known
    others = picnics(13, 3, generator(5), names=range(7))
    assert came.isdisjoint(tuple(code.tolist()) for code in others.x[..., :CODE].flatten(0, 1))


@pytest.mark.parametrize(("names", "said"), [([4, NAMES], f"got {NAMES}"), ([-1, 4], "got -1")])
def test_says_which_name_there_is_not(names: list[int], said: str) -> None:
    with pytest.raises(ValueError, match=f"names: expected 0 to {NAMES - 1}, {said}"):
        picnics(1, 2, generator(), names)
