"""Stories as a row of words."""

import pytest
import torch

from unrolled.data.special_tokens import SPECIAL
from unrolled.data.story_words import story_tokenizer, story_words
from unrolled.data.text import stories


def test_the_words_spell_the_stories():
    words = story_words(7, seed=3)
    ends = (words == SPECIAL.eos).nonzero()[:, 0].tolist()
    assert len(ends) == 7
    assert ends[-1] == len(words) - 1
    first = story_tokenizer().decode(words[: ends[0]].tolist())
    letters = "".join(c for c in stories(7, 3)[0].lower() if not c.isspace())
    assert first.replace(" ", "") == letters


def test_one_vocabulary_has_the_words_of_all_stories():
    assert story_tokenizer().vocab_size == 413
    # An unknown word would be an error.
    assert int(story_words(500, seed=41).max()) < 413
    assert SPECIAL.unk not in story_words(500, seed=43)


def test_a_seed_fixes_everything():
    assert torch.equal(story_words(5, seed=1), story_words(5, seed=1))
    assert story_words(5, seed=1).tolist() != story_words(5, seed=2).tolist()
    with pytest.raises(ValueError, match="n: expected 1 or more stories, got 0"):
        story_words(0, seed=1)
