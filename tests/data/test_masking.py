"""What stands in the place of a chosen word: every rule asks for those words and leaves the rest alone."""

import pytest
import torch

from unrolled.data.masking import always_mask, eighty_ten_ten
from unrolled.data.special_tokens import SPECIAL
from unrolled.shapes import ShapeError

V = 211


def draw(n=20_011):
    g = torch.Generator().manual_seed(3)
    tokens = torch.randint(len(SPECIAL), V, (7, n), generator=g)
    return tokens, torch.rand(tokens.shape, generator=g) < 0.4, g


def test_always_the_mask():
    tokens, chosen, g = draw(11)
    state = g.get_state()
    seen = always_mask(tokens, chosen, g)
    assert bool((seen[chosen] == SPECIAL.mask).all())
    assert torch.equal(seen[~chosen], tokens[~chosen])
    assert torch.equal(g.get_state(), state), "nothing is drawn"


def test_of_ten_chosen_words_eight_are_hidden_one_is_another_and_one_stays():
    tokens, chosen, g = draw()
    seen = eighty_ten_ten(V)(tokens, chosen, g)
    assert torch.equal(seen[~chosen], tokens[~chosen])
    was, now = tokens[chosen], seen[chosen]
    masked, same = now == SPECIAL.mask, now == was
    other = now[~masked & ~same]
    assert masked.double().mean().item() == pytest.approx(0.8, abs=0.01)
    assert same.double().mean().item() == pytest.approx(0.1, abs=0.01)
    assert len(other) / len(now) == pytest.approx(0.1, abs=0.01)
    # Random words are words, all of them, each as often as the next.
    counts = torch.bincount(other, minlength=V)
    assert counts[: len(SPECIAL)].sum() == 0
    assert counts[len(SPECIAL) :].min() > 0.5 * counts[len(SPECIAL) :].double().mean()


def test_a_rule_that_cannot_be_is_refused():
    with pytest.raises(ValueError, match="vocab_size: expected more than 5 special tokens, got 5"):
        eighty_ten_ten(5)
    tokens, chosen, g = draw(5)
    for rule in (always_mask, eighty_ten_ten(V)):
        with pytest.raises(ShapeError, match=r"chosen: expected shape"):
            rule(tokens, chosen[:, :3], g)
