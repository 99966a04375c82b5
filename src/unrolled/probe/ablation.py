"""What a model does without a head: with nothing, with the usual, or with another sentence in its place.

The functions make edits for the tap `context` of a `MultiHeadAttention`, what each head found:

>>> with edit(model, {"layers.1.attention.context": zero_head(0)}):     # doctest: +SKIP
...     model(tokens)

The three need not agree. Zero is something no later layer has ever met; the mean takes away only what
distinguishes one token from another; another sentence brings news that are wrong. Taught in chapter 12.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from unrolled.nn.blocks import AttentionBlock, EncoderBlock
from unrolled.nn.multihead import MultiHeadAttention
from unrolled.shapes import ShapeError, check_shape
from unrolled.tap import Edit, edit

__all__ = ["check_head", "mean_head", "resample_head", "without_head", "zero_head"]


def check_head(head: int, n_heads: int) -> None:
    """Raise a ValueError unless there is such a head.

    Example:
        >>> from unrolled.probe.ablation import check_head
        >>> check_head(2, n_heads=2)
        Traceback (most recent call last):
        ValueError: head: expected 0 to 1, got 2
    """
    if not 0 <= head < n_heads:
        raise ValueError(f"head: expected 0 to {n_heads - 1}, got {head}")


def zero_head(head: int) -> Edit:
    """Return an edit that takes away what one head found: zeros in its place.

    Raises:
        ValueError: when the tap is passed: it has no such head.

    Example:
        >>> import torch
        >>> from unrolled.probe import zero_head
        >>> zero_head(1)(torch.ones(1, 2, 3, 2))[0, :, 0]  # the first token of both heads
        tensor([[1., 1.],
                [0., 0.]])
    """

    def zero(x: Tensor) -> Tensor:
        check_head(head, x.shape[1])
        x[:, head] = 0.0
        return x

    return zero


def mean_head(kept: Tensor, head: int) -> Edit:
    """Return an edit that puts, in place of what one head found, its mean over other sentences.

    Args:
        kept: what was recorded there ``[B, H, T, K]``; the mean is that over sequences and tokens.
        head: which head.

    Raises:
        ShapeError: `kept` has not four dimensions, or, when the tap is passed, other sizes H or K.
        ValueError: `kept` holds nothing, or there is no such head.

    Example:
        >>> import torch
        >>> from unrolled.probe import mean_head
        >>> kept = torch.arange(12.0).view(1, 2, 3, 2)
        >>> mean_head(kept, 1)(torch.zeros(1, 2, 3, 2))[0, 1]
        tensor([[8., 9.],
                [8., 9.],
                [8., 9.]])
    """
    check_shape("kept", kept, "B H T K")
    check_head(head, kept.shape[1])
    if kept.shape[0] * kept.shape[2] == 0:
        raise ValueError(f"kept: expected one token or more to take the mean of, got {list(kept.shape)}")
    mean = kept[:, head].mean((0, 1))  # [B, T, K] -> [K]

    def put(x: Tensor) -> Tensor:
        check_shape("kept", kept, "B H T K", H=x.shape[1], K=x.shape[3])
        x[:, head] = mean
        return x

    return put


def resample_head(kept: Tensor, head: int) -> Edit:
    """Return an edit that puts, in place of what one head found, what it found in another sentence.

    Args:
        kept: what was recorded there, of two sentences or more, ``[N, H, T, K]``. Sequence b gets that of
            sentence b + 1, counted round, so that `kept` may come from the same sentences.
        head: which head.

    Raises:
        ShapeError: `kept` has not four dimensions, or, when the tap is passed, other sizes H, T or K.
        ValueError: `kept` has no two sentences, or there is no such head.

    Example:
        >>> import torch
        >>> from unrolled.probe import resample_head
        >>> kept = torch.tensor([1.0, 2.0]).view(2, 1, 1, 1)  # two sentences
        >>> resample_head(kept, 0)(torch.zeros(2, 1, 1, 1)).flatten()
        tensor([2., 1.])
    """
    check_shape("kept", kept, "B H T K")
    check_head(head, kept.shape[1])
    if kept.shape[0] < 2:
        raise ValueError(f"kept: expected two sentences or more, got {kept.shape[0]}")

    def put(x: Tensor) -> Tensor:
        if kept.shape[1:] != x.shape[1:]:
            raise ShapeError(
                f"kept: expected [N, {', '.join(map(str, x.shape[1:]))}], got {list(kept.shape)}"
            )
        others = (torch.arange(x.shape[0], device=kept.device) + 1) % kept.shape[0]
        x[:, head] = kept[others, head]
        return x

    return put


@contextmanager
def without_head(block: AttentionBlock | EncoderBlock, head: int) -> Iterator[None]:
    """Switch one attention head of a block off: what it found reaches nobody, until the ``with`` ends.

    It is an `edit` with `zero_head`, at the tap ``attention.context`` of the block.

    Raises:
        TypeError: its attention is not a `MultiHeadAttention`.
        ValueError: the block has no such head.

    Example:
        >>> import torch
        >>> from unrolled.nn import AttentionBlock
        >>> from unrolled.probe import without_head
        >>> block, x = AttentionBlock(d_model=8, n_heads=2).eval(), torch.rand(1, 3, 8)
        >>> with without_head(block, 0):
        ...     without = block(x)
        >>> torch.equal(without, block(x))
        False
    """
    attention = block.attention
    if not isinstance(attention, MultiHeadAttention):
        raise TypeError(f"block: expected one with MultiHeadAttention, got {type(attention).__name__}")
    check_head(head, attention.n_heads)
    with edit(attention, {"context": zero_head(head)}):
        yield
