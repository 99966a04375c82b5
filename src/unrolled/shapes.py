"""The one legend of dimensions, the type aliases made of it, and the check behind every shape error.

Every letter means the same thing in every file, docstring, chapter and widget:

======  ==========  ====================================================
letter  argument    meaning
======  ==========  ====================================================
``B``   batch       sequences handled side by side
``T``   length      query positions: the tokens that look
``S``   length      key positions: the tokens that are looked at
``D``   d_model     numbers per token (the chapters write d)
``H``   n_heads     attention heads
``K``   d_head      numbers per query and key within a head
``V``   vocab_size  words the model knows
======  ==========  ====================================================

Batch comes first. A mask is boolean and True means "may attend", as in
`torch.nn.functional.scaled_dot_product_attention`.
"""

from jaxtyping import Bool, Float, Int
from torch import Tensor

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
    "check_shape",
]

LEGEND = {
    "B": "batch: sequences handled side by side",
    "T": "query positions: the tokens that look",
    "S": "key positions: the tokens that are looked at",
    "D": "d_model: numbers per token",
    "H": "n_heads: attention heads",
    "K": "d_head: numbers per query and key within a head",
    "V": "vocab_size: words the model knows",
}

Sequence = Float[Tensor, "*B T D"]
# What is looked at, when it is another sequence: as wide as its own model.
Source = Float[Tensor, "*B S _"]
Scores = Float[Tensor, "*B T S"]
Weights = Float[Tensor, "*B T S"]
# Any shape that broadcasts to the scores [*B, T, S]: [S], [T, S], [B, 1, S], [B, 1, T, S] with heads.
Mask = Bool[Tensor, "..."]
Lengths = Int[Tensor, "B"]
Tokens = Int[Tensor, "B T"]
SourceTokens = Int[Tensor, "B S"]


class ShapeError(ValueError):
    """A tensor of the wrong shape; the message states what was expected and what came."""


def check_shape(name: str, tensor: Tensor, pattern: str, **sizes: int) -> None:
    """Raise unless `tensor` has the shape that `pattern` spells.

    Args:
        name: what the caller calls the tensor, for the message.
        tensor: the tensor to look at.
        pattern: letters of the legend, such as ``"T D"``; a first ``...`` admits any leading dimensions.
        **sizes: the letters whose size is already known, such as ``D=4``.

    Raises:
        TypeError: `tensor` is no tensor.
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
