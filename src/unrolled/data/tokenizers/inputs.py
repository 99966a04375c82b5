"""What every tokenizer checks: that a text is one, and that ids are in range."""

import operator
from collections.abc import Iterable, Sequence

__all__ = ["check_ids", "check_text"]


def check_text(text: str) -> str:
    """Return a text as it came; TypeError for anything else."""
    if not isinstance(text, str):
        raise TypeError(f"text: expected a string, got {type(text).__name__}")
    return text


def check_ids(ids: Iterable[int], vocab_size: int) -> Sequence[int]:
    """Return ids as whole numbers; TypeError where they are none, ValueError where one is out of range."""
    try:
        ids = [operator.index(i) for i in ids]
    except TypeError as error:
        raise TypeError(f"ids: expected whole numbers, got {ids!r:.60}") from error
    for i in ids:
        if not 0 <= i < vocab_size:
            raise ValueError(f"ids: expected 0 to {vocab_size - 1}, got {i}")
    return ids
