"""Who may look at whom: boolean masks, True = may attend. Taught in chapter 5."""

import torch

from unrolled.shapes import Lengths, Mask, check_shape

__all__ = ["causal_mask", "padding_mask", "per_head"]


def causal_mask(n_queries: int, n_keys: int | None = None, *, device: torch.device | None = None) -> Mask:
    """Return the mask ``[T, S]`` in which every query sees its own position and what stands before it.

    Args:
        n_queries: T, the number of query positions.
        n_keys: S, the number of key positions; T unless given. With more keys than queries the queries
            are the last T positions, as they are when earlier keys come from a cache.
        device: where the mask is made.

    Raises:
        ValueError: fewer keys than queries.
    """
    n_keys = n_queries if n_keys is None else n_keys
    if n_keys < n_queries:
        raise ValueError(
            f"causal_mask: expected at least as many keys as queries ({n_queries}), got {n_keys}"
        )
    ones = torch.ones(n_queries, n_keys, dtype=torch.bool, device=device)
    return ones.tril(n_keys - n_queries)


def padding_mask(lengths: Lengths, max_len: int | None = None) -> Mask:
    """Return the mask ``[B, 1, S]`` in which no query sees a key past its sequence's length.

    Args:
        lengths: how many tokens of each sequence are real, ``[B]``.
        max_len: S, the padded length; the longest sequence's unless given.

    Raises:
        ShapeError: `lengths` is not one-dimensional.
        ValueError: a length is negative or exceeds `max_len`.
    """
    check_shape("lengths", lengths, "B")
    max_len = int(lengths.max()) if max_len is None else max_len
    if bool((lengths < 0).any()) or bool((lengths > max_len).any()):
        raise ValueError(f"padding_mask: expected lengths from 0 to {max_len}, got {lengths.tolist()}")
    positions = torch.arange(max_len, device=lengths.device)
    return positions < lengths[:, None, None]  # [1, 1, S] < [B, 1, 1] -> [B, 1, S]


def per_head(mask: Mask) -> Mask:
    """Return `mask` ready for scores ``[B, H, T, S]``: one of ``[B, T, S]`` holds for all heads.

    Masks of two dimensions ``[T, S]`` and of four are left as they are; heads that see different things
    take ``[1, H, T, S]``.
    """
    return mask.unsqueeze(1) if mask.dim() == 3 else mask
