"""Who may look at whom: boolean masks, True = may attend. Taught in chapter 5."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from unrolled.shapes import Lengths, Mask, ShapeError, check_shape, check_sizes

__all__ = [
    "MaskRule",
    "Sight",
    "causal_mask",
    "check_broadcasts",
    "check_mask",
    "model_sight",
    "padding_mask",
    "per_head",
    "sight",
]

# Called as rule(n_queries, n_keys, device=device), as `causal_mask` is: a mask [T, S] for any lengths, where
# the queries are the last T of the S positions.
MaskRule = Callable[..., Mask]


def causal_mask(n_queries: int, n_keys: int | None = None, *, device: torch.device | None = None) -> Mask:
    """Return the mask ``[T, S]`` in which every query sees its own position and what stands before it.

    Args:
        n_queries: T, the number of query positions.
        n_keys: S, the number of key positions; T unless given. With more keys than queries the queries
            are the last T positions, as they are when earlier keys come from a cache.
        device: where the mask is made.

    Raises:
        TypeError, ValueError: a number that cannot be, or fewer keys than queries.

    Example:
        >>> from unrolled.nn import causal_mask
        >>> causal_mask(3).int()
        tensor([[1, 0, 0],
                [1, 1, 0],
                [1, 1, 1]], dtype=torch.int32)
    """
    check_sizes(low=0, n_queries=n_queries, n_keys=n_keys)
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

    Example:
        >>> import torch
        >>> from unrolled.nn import padding_mask
        >>> padding_mask(torch.tensor([3, 1])).int().squeeze(1)
        tensor([[1, 1, 1],
                [1, 0, 0]], dtype=torch.int32)
    """
    check_shape("lengths", lengths, "B")
    check_sizes(low=0, max_len=max_len)
    if max_len is None:
        max_len = int(lengths.max()) if lengths.numel() else 0
    if bool((lengths < 0).any()) or bool((lengths > max_len).any()):
        raise ValueError(f"padding_mask: expected lengths from 0 to {max_len}, got {lengths.tolist()}")
    positions = torch.arange(max_len, device=lengths.device)
    return positions < lengths[:, None, None]  # [1, 1, S] < [B, 1, 1] -> [B, 1, S]


def per_head(mask: Mask) -> Mask:
    """Return `mask` ready for scores ``[B, H, T, S]``: one of ``[B, T, S]`` holds for all heads.

    Masks of two dimensions ``[T, S]`` and of four are left as they are; heads that see different things
    take ``[1, H, T, S]``.

    Example:
        >>> import torch
        >>> from unrolled.nn import padding_mask, per_head
        >>> mask = padding_mask(torch.tensor([3, 1]))
        >>> mask.shape, per_head(mask).shape
        (torch.Size([2, 1, 3]), torch.Size([2, 1, 1, 3]))
    """
    return mask.unsqueeze(1) if mask.dim() == 3 else mask


class Sight(NamedTuple):
    """Who may attend to whom, put together once: the mask, the causal rule, and who is left with nothing.

    Attributes:
        mask: broadcastable to the scores, with the rows that see nothing opened; None where nothing is
            hidden, or nothing but what the causal rule hides, which kernels know by themselves.
        blind: the queries that see nothing, ``[..., T, 1]``, or None where there cannot be any.
        causal: whether the causal rule holds; where there is a mask, it is in it.
    """

    mask: Mask | None = None
    blind: Mask | None = None
    causal: bool = False


def sight(
    mask: Mask | Sight | None,
    n_queries: int,
    n_keys: int,
    *,
    causal: bool = False,
    rule: MaskRule | None = None,
    device: torch.device | None = None,
) -> Sight:
    """Join a mask, the causal rule and a rule of one's own.

    A query that sees nothing is made to look at everything, and its row of the outcome is thrown away later:
    no softmax meets a row of nothing but -inf, where it answers NaN, and no gradient passes.

    Args:
        mask: boolean, or a `Sight`, which comes back as it is where no rule is left to be joined.
        n_queries: T.
        n_keys: S.
        causal: let each query see its own position and what stands before it; the queries are the last T.
        rule: a mask for any lengths, such as a sliding window.
        device: where masks are made.

    Raises:
        TypeError: the mask is not boolean.
        ValueError: `causal` with fewer keys than queries.

    Example:
        >>> from unrolled.nn import SlidingWindow
        >>> from unrolled.nn.masks import sight
        >>> sight(None, 3, 3, rule=SlidingWindow(2)).mask.int()
        tensor([[1, 0, 0],
                [1, 1, 0],
                [0, 1, 1]], dtype=torch.int32)
    """
    allowed: Tensor | None
    if isinstance(mask, Sight):
        if rule is None and (mask.causal or not causal):
            return mask
        causal = causal or mask.causal
        allowed = mask.mask if mask.mask is None or mask.blind is None else mask.mask & ~mask.blind
    else:
        allowed = mask
    if allowed is not None:
        check_mask(allowed)
    if causal and n_keys < n_queries:
        raise ValueError(f"attention: causal needs as many keys as queries ({n_queries}), got {n_keys}")
    if rule is not None:
        ruled = rule(n_queries, n_keys, device=device)
        allowed = ruled if allowed is None else allowed & ruled
    may_be_blind = allowed is not None  # under the causal rule alone every query sees at least itself
    # The kernel's own causal rule aligns the first query with the first key, so it fits only T = S; a single
    # query is the last position and sees everything.
    if causal and n_queries > 1 and (allowed is not None or n_queries != n_keys):
        before = causal_mask(n_queries, n_keys, device=device)
        allowed = before if allowed is None else allowed & before
    if allowed is None or not may_be_blind:
        return Sight(allowed, causal=causal)
    allowed = torch.atleast_2d(allowed)  # type: ignore[no-untyped-call]
    blind = ~allowed.any(-1, keepdim=True)
    return Sight(allowed | blind, blind, causal)


def model_sight(
    name: str, mask: Mask | Sight | None, size: tuple[int, int, int], *, causal: bool = False
) -> Sight | None:
    """Check and join a mask at a model's door, once for all its layers, whose scores are ``[B, H, T, S]``.

    Args:
        name: what the caller calls the mask, for the message.
        mask: as the caller gave it.
        size: B, T and S.
        causal: see `sight`.

    Returns:
        What every layer is given in the mask's place, or None where there is no mask to prepare.

    Raises:
        ShapeError: the mask does not broadcast, or could be meant in two ways: ``[B, S]`` where B = T.
        TypeError: the mask is not boolean.
    """
    if mask is None or isinstance(mask, Sight):
        return mask
    check_mask(mask, name=name)
    batch, n_queries, n_keys = size
    if mask.dim() == 2 and 1 < batch == n_queries == mask.shape[0]:
        raise ShapeError(
            f"{name}: with B = T = {batch}, {list(mask.shape)} could be [B, S] or [T, S]; expected "
            f"{name}[:, None, :] for one row per sequence, or {name}[None] for one row per query"
        )
    heads = mask.shape[-3:-2] if mask.dim() > 3 else ()  # how many there are is for each layer to check
    check_broadcasts(name, mask, torch.Size((batch, *heads, n_queries, n_keys)))
    return sight(per_head(mask), n_queries, n_keys, causal=causal, device=mask.device)


def check_mask(mask: Tensor, scores_shape: torch.Size | None = None, *, name: str = "mask") -> None:
    """Raise unless `mask` is a boolean tensor that broadcasts to the scores, if their shape is known.

    Raises:
        TypeError: it is not boolean.
        ShapeError: it does not broadcast to ``[..., T, S]``.
    """
    if not isinstance(mask, Tensor) or mask.dtype != torch.bool:
        came = mask.dtype if isinstance(mask, Tensor) else type(mask).__name__
        raise TypeError(f"{name}: expected a boolean tensor, True = may attend, got {came}")
    if scores_shape is not None:
        check_broadcasts(name, mask, scores_shape)


def check_broadcasts(name: str, tensor: Tensor, scores_shape: torch.Size) -> None:
    """Raise unless `tensor` broadcasts to the scores, ``[..., T, S]``.

    Raises:
        ShapeError: it does not.
    """
    sizes = zip(reversed(tensor.shape), reversed(scores_shape), strict=False)
    if tensor.dim() > len(scores_shape) or any(given not in (1, size) for given, size in sizes):
        raise ShapeError(
            f"{name}: expected a shape that broadcasts to the scores {list(scores_shape)}, "
            f"got {list(tensor.shape)}"
        )
