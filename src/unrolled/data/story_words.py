"""The stories of `unrolled.data.text` as a row of words: a language that a model learns in seconds.

There are four hundred words and marks, all in small letters, so a guess is a choice among words and not among
characters, and a story is about 126 of them long. Taught in chapters 7 and 8.
"""

from functools import cache

import torch
from torch import Tensor

from unrolled.data.special_tokens import SPECIAL
from unrolled.data.text import stories
from unrolled.data.tokenizers import Words

__all__ = ["story_tokenizer", "story_words"]


@cache
def story_tokenizer() -> Words:
    """Return the tokenizer: every word and mark the stories have, the most frequent first."""
    return Words.train(stories(2000, seed=0), punctuation=True, lowercase=True, strict=True)


def story_words(n: int, *, seed: int) -> Tensor:
    """Return `n` stories in a row, ``<eos>`` after each, as ids ``[N]``.

    Raises:
        ValueError: `n` is below 1.
    """
    if n < 1:
        raise ValueError(f"n: expected 1 or more stories, got {n}")
    tokenizer = story_tokenizer()
    rows = [[*tokenizer.encode(story), SPECIAL.eos] for story in stories(n, seed)]
    return torch.tensor([i for row in rows for i in row])
