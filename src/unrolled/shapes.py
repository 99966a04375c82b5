"""The one legend of dimensions, the type aliases made of it, and the check behind every shape error.

Every letter means the same thing in every file, docstring, chapter and widget:

======  ==========  ====================================================
letter  argument    meaning
======  ==========  ====================================================
``B``   batch       sequences handled side by side
``T``   length      query positions: the tokens that look
``S``   length      key positions: the tokens that are looked at
``D``   d_model     components per token (the chapters write d)
``H``   n_heads     attention heads
``K``   d_head      components per query and key within a head
``V``   vocab_size  words the model knows
======  ==========  ====================================================

Batch comes first. A mask is boolean and True means "may attend", as in
`torch.nn.functional.scaled_dot_product_attention`. Used from chapter 4 on.
"""

from numbers import Integral, Real

import torch
from jaxtyping import Bool, Float, Int
from torch import SymInt, Tensor

__all__ = [
    "LEGEND",
    "Lengths",
    "Mask",
    "Scores",
    "Sequence",
    "ShapeError",
    "Source",
    "SourceTokens",
    "Tokens",
    "Weights",
    "check_integers",
    "check_shape",
    "check_share",
    "check_sizes",
]

LEGEND = {
    "B": "batch: sequences handled side by side",
    "T": "query positions: the tokens that look",
    "S": "key positions: the tokens that are looked at",
    "D": "d_model: components per token",
    "H": "n_heads: attention heads",
    "K": "d_head: components per query and key within a head",
    "V": "vocab_size: words the model knows",
}
"""What each letter of a shape stands for."""

Sequence = Float[Tensor, "*B T D"]
"""A vector for every token."""
Source = Float[Tensor, "*B S _"]
"""What is looked at, when it is another sequence: as wide as its own model."""
Scores = Float[Tensor, "*B T S"]
"""How well each query matches each key."""
Weights = Float[Tensor, "*B T S"]
"""How much each query takes of each key; every row sums to 1."""
Mask = Bool[Tensor, "..."]
"""True where a query may attend to a key.

Any shape that broadcasts to the scores ``[*B, T, S]``: ``[S]``, ``[T, S]``, ``[B, 1, S]``, and
``[B, 1, T, S]`` with heads.
"""
Lengths = Int[Tensor, "B"]
"""How many tokens of each sequence are real; those behind are padding."""
Tokens = Int[Tensor, "B T"]
"""Sequences of words as numbers."""
SourceTokens = Int[Tensor, "B S"]
"""What a translator reads, as numbers."""


class ShapeError(ValueError):
    """A tensor of the wrong shape; the message states what was expected and what came.

    Example:
        >>> import torch
        >>> from unrolled.nn import MultiHeadAttention
        >>> MultiHeadAttention(d_model=8, n_heads=2)(torch.zeros(2, 5, 7))
        Traceback (most recent call last):
        unrolled.shapes.ShapeError: x: expected shape [B, T, D] with D=8, got [2, 5, 7]
    """


def check_shape(name: str, tensor: Tensor, pattern: str, **sizes: int) -> None:
    """Raise unless `tensor` has the shape that `pattern` spells.

    Args:
        name: what the caller calls the tensor, for the message.
        tensor: the tensor to look at.
        pattern: letters of the legend, such as ``"T D"``; a first ``...`` admits any leading dimensions.
        **sizes: the letters whose size is already known, such as ``D=4``.

    Raises:
        TypeError: `tensor` is not a tensor.
        ShapeError: the number of dimensions or a known size differs.

    Example:
        >>> import torch
        >>> check_shape("X", torch.zeros(3, 5), "... T D", D=4)
        Traceback (most recent call last):
        unrolled.shapes.ShapeError: X: expected shape [..., T, D] with D=4, got [3, 5]
    """
    if not isinstance(tensor, Tensor):
        raise TypeError(f"{name}: expected a torch tensor, got {type(tensor).__name__}")
    letters = pattern.split()
    open_front = letters[0] == "..."
    named = letters[1:] if open_front else letters
    shape = tensor.shape
    fits = len(shape) >= len(named) if open_front else len(shape) == len(named)
    for letter, size in sizes.items():  # few, and this runs for every layer of every token written
        fits = fits and (letter not in named or shape[named.index(letter) - len(named)] == size)
    if not fits:
        known = ", ".join(f"{letter}={sizes[letter]}" for letter in named if letter in sizes)
        expected = f"[{', '.join(letters)}]" + (f" with {known}" if known else "")
        raise ShapeError(f"{name}: expected shape {expected}, got {list(shape)}")


def check_sizes(*, low: int = 1, **sizes: int | None) -> None:
    """Raise unless every named size is an integer of at least `low`; one that is None was not given.

    Raises:
        TypeError: a size is not an integer; True and False are not.
        ValueError: a size is below `low`.

    Example:
        >>> check_sizes(d_model="8")
        Traceback (most recent call last):
        TypeError: d_model: expected a positive integer, got '8'
    """
    for name, size in sizes.items():
        if size is None or isinstance(size, SymInt):  # the latter stands for many, while a model is exported
            continue
        is_integer = isinstance(size, Integral) and not isinstance(size, bool)
        if not is_integer or size < low:
            expected = {0: "0 or a positive integer", 1: "a positive integer"}[low]
            raise (ValueError if is_integer else TypeError)(f"{name}: expected {expected}, got {size!r}")


def check_integers(name: str, tensor: Tensor, what: str = "integers") -> None:
    """Raise unless a tensor holds what can be looked up or counted with, `what` in the message.

    Raises:
        TypeError: it is not of int64 or int32.

    Example:
        >>> import torch
        >>> check_integers("tokens", torch.zeros(3))
        Traceback (most recent call last):
        TypeError: tokens: expected integers (int64 or int32), got torch.float32
    """
    if tensor.dtype not in (torch.int64, torch.int32):
        raise TypeError(f"{name}: expected {what} (int64 or int32), got {tensor.dtype}")


def check_share(**shares: float) -> None:
    """Raise unless every named share, such as a dropout, is a number from 0 to 1.

    Raises:
        TypeError: a share is not a number.
        ValueError: a share is out of range.

    Example:
        >>> check_share(dropout=1.5)
        Traceback (most recent call last):
        ValueError: dropout: expected a share from 0 to 1, got 1.5
    """
    for name, share in shares.items():
        is_number = isinstance(share, Real) and not isinstance(share, bool)
        if not is_number or not 0.0 <= share <= 1.0:
            raise (ValueError if is_number else TypeError)(
                f"{name}: expected a share from 0 to 1, got {share!r}"
            )
