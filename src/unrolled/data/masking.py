"""What stands in the place of a word that a masked language model has to guess. Taught in chapter 11.

A rule is handed to whoever makes the batches: it gets the tokens, which of them were chosen, and a generator,
and returns what the model sees. What is asked for is the same with every rule: the chosen words.
"""

from collections.abc import Callable

import torch
from torch import Generator, Tensor

from unrolled.data.special_tokens import SPECIAL
from unrolled.shapes import Tokens, check_shape

__all__ = ["MaskingRule", "always_mask", "eighty_ten_ten"]

MaskingRule = Callable[[Tokens, Tensor, Generator], Tokens]
"""From tokens ``[B, T]``, the chosen places ``[B, T]`` and a generator to what the model reads ``[B, T]``."""


def _check(tokens: Tokens, chosen: Tensor) -> None:
    check_shape("chosen", chosen, "B T", B=tokens.shape[0], T=tokens.shape[1])


def always_mask(tokens: Tokens, chosen: Tensor, generator: Generator) -> Tokens:
    """Return the tokens ``[B, T]`` with ``<mask>`` in the place of all chosen ones; nothing is drawn.

    Raises:
        ShapeError: `chosen` has another shape than the tokens.
    """
    _check(tokens, chosen)
    return tokens.masked_fill(chosen, SPECIAL.mask)


def eighty_ten_ten(vocab_size: int) -> MaskingRule:
    """Return BERT's rule: of ten chosen words eight become ``<mask>``, one a random word, one stays.

    Args:
        vocab_size: random words are drawn from `len(SPECIAL)` up to this.

    Raises:
        ValueError: there is no word besides the special tokens.

    Reference:
        Devlin et al., BERT, 2019, section 3.1.
    """
    if vocab_size <= len(SPECIAL):
        raise ValueError(f"vocab_size: expected more than {len(SPECIAL)} special tokens, got {vocab_size}")

    def rule(tokens: Tokens, chosen: Tensor, generator: Generator) -> Tokens:
        _check(tokens, chosen)
        fate = torch.rand(tokens.shape, generator=generator)
        words = torch.randint(len(SPECIAL), vocab_size, tokens.shape, generator=generator)
        seen = tokens.masked_fill(chosen & (fate < 0.8), SPECIAL.mask)
        return torch.where(chosen & (fate >= 0.9), words, seen)

    return rule
