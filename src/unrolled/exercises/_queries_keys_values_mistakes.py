"""The mask of a window into the past, and the classic mistakes in it. Chapter 5."""

import torch
from torch import Tensor

from unrolled.exercises._check import Misconception

__all__ = ["WINDOWS", "window"]


def _before(n_tokens: int) -> Tensor:
    """Return how many places column j stands before row i, ``[T, T]``; after it, less than 0."""
    places = torch.arange(n_tokens)
    return places[:, None] - places


def window(n_tokens: int, width: int) -> Tensor:
    """Return the mask by which a token sees itself and the ``width - 1`` before it, ``[T, T]``."""
    before = _before(n_tokens)
    return (before >= 0) & (before < width)


WINDOWS = [
    Misconception(
        "one too many",
        lambda T, w: (_before(T) >= 0) & (_before(T) <= w),
        "Your window is one too wide: w counts the token itself, so it sees w − 1 before it.",
    ),
    Misconception(
        "both sides",
        lambda T, w: _before(T).abs() < w,
        "Your tokens see what comes after them as well. A window into the past is w wide and ends at the "
        "token itself.",
    ),
    Misconception(
        "the future",
        lambda T, w: window(T, w).mT,
        "Your window opens forward: row i looks, column j is looked at, and j stands before i where j is "
        "less than i.",
    ),
    Misconception(
        "all of the future",
        lambda T, w: _before(T) < w,
        "What is too far back is hidden, what comes after is not. Two conditions: not after the token, and "
        "not w or more before it.",
    ),
    Misconception(
        "causal",
        lambda T, w: _before(T) >= 0,
        "That is the causal mask: the past is hidden nowhere. What stands w or more places back should be.",
    ),
    Misconception(
        "turned round",
        lambda T, w: ~window(T, w),
        "The mask is turned round. Here True means: may attend. (`nn.MultiheadAttention` has it the other"
        " way.)",
    ),
    Misconception(
        "not even itself",
        lambda T, w: (_before(T) > 0) & (_before(T) < w),
        "A token may see itself. Your mask hides the diagonal, so the first token is left with nothing.",
    ),
    Misconception(
        "not even itself, one further",
        lambda T, w: (_before(T) > 0) & (_before(T) <= w),
        "Your window ends before the token. It may see itself, and the w − 1 before it.",
    ),
    Misconception(
        "minus infinity",
        lambda T, w: torch.zeros(T, T).masked_fill(~window(T, w), -torch.inf),
        "Those are numbers to be added to the scores, 0 and minus infinity. Return what may be seen, as True "
        "and False.",
    ),
]
