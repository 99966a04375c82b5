r"""A window that slides along: every token sees those just before it, and no others. Taught in chapter 15.

What lies behind the window is never looked at again. So attention costs T times the window, not T times T
(`windowed_attention`), and a cache may forget (`ForgettingCache`).
"""

from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

from unrolled.nn.cache import KVCache
from unrolled.nn.functional import Taps, attention
from unrolled.nn.masks import Sight, causal_mask
from unrolled.shapes import Mask, check_sizes

__all__ = ["ForgettingCache", "SlidingWindow", "windowed_attention"]

# Shorter blocks cost more calls than they save products.
_SHORTEST = 64


@dataclass(frozen=True)
class SlidingWindow:
    r"""A mask rule: a query sees itself, the `width` - 1 positions before it, and the first `kept` of all.

    .. math::  j \text{ is seen by } i \iff i - w < j \le i \;\text{ or }\; j < k,\, j \le i

    Args:
        width: w, positions seen.
        kept: k, first positions that stay in sight: attention that has nothing to say goes to them, and a
            model that loses them goes astray.

    Raises:
        TypeError: a number is not an integer.
        ValueError: `width` is not positive, or `kept` negative.

    Reference:
        Beltagy et al., Longformer, 2020; Jiang et al., Mistral 7B, 2023. Kept tokens: Xiao et al., Efficient
        Streaming Language Models with Attention Sinks, 2023.

    Example:
        >>> from unrolled.nn import SlidingWindow
        >>> SlidingWindow(2)(4, 4).int()
        tensor([[1, 0, 0, 0],
                [1, 1, 0, 0],
                [0, 1, 1, 0],
                [0, 0, 1, 1]], dtype=torch.int32)
    """

    width: int
    kept: int = 0

    def __post_init__(self) -> None:
        """Refuse what is no window."""
        check_sizes(width=self.width)
        check_sizes(low=0, kept=self.kept)

    def __call__(self, n_queries: int, n_keys: int, *, device: torch.device | None = None) -> Mask:
        """Return the mask ``[T, S]``; the queries are the last T of the S positions."""
        before = causal_mask(n_queries, n_keys, device=device)
        near = before.triu(n_keys - n_queries - self.width + 1)
        near[:, : self.kept] = before[:, : self.kept]
        return near


def windowed_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    window: SlidingWindow,
    *,
    dropout: float = 0.0,
    taps: Taps | None = None,
) -> Tensor:
    """Return what `attention` does under the mask of `window`, for T times the window in time and memory.

    Queries are taken in blocks at least as long as the window, so each block needs its own keys, those of the
    block before it and the kept ones.

    Args:
        query: ``[..., T, K]``.
        key: ``[..., T, K]``; heads may be shared as in `attention`.
        value: ``[..., T, K']``.
        window: which positions are seen.
        dropout: fraction of the weights set to zero.
        taps: as in `attention`; scores and weights pass in blocks.

    Returns:
        One mixed vector per query, ``[..., T, K']``.

    Raises:
        ShapeError, TypeError: as in `attention`.

    Example:
        >>> import torch
        >>> from unrolled.nn import SlidingWindow, windowed_attention
        >>> x = torch.rand(1, 2, 6, 4)
        >>> windowed_attention(x, x, x, SlidingWindow(3)).shape
        torch.Size([1, 2, 6, 4])
    """
    size, kept = block_length(window), window.kept
    blocks = zip(*(torch.split(x, size, -2) for x in (query, key, value)), strict=True)
    first_keys, first_values = key[..., :kept, :], value[..., :kept, :]

    @cache
    def sight(n_queries: int, n_keys: int) -> Sight:
        return Sight(window(n_queries, n_keys, device=query.device), causal=True)  # nobody sees nothing

    found, earlier_keys, earlier_values = [], list[Tensor](), list[Tensor]()
    for n, (queries, keys, values) in enumerate(blocks):
        near = torch.cat([*earlier_keys, keys], -2), torch.cat([*earlier_values, values], -2)
        seen = sight(queries.shape[-2], near[0].shape[-2])
        found.append(attention(queries, *near, seen, dropout=dropout, taps=taps))
        # From the third block on, the kept positions stand in none of the two.
        earlier_keys = [first_keys, keys] if kept and n > 0 else [keys]
        earlier_values = [first_values, values] if kept and n > 0 else [values]
    return torch.cat(found, -2)


def block_length(window: SlidingWindow) -> int:
    """Return how many queries `windowed_attention` takes at once."""
    return max(window.width, window.kept, _SHORTEST)


class ForgettingCache(KVCache):
    """The keys and values a `SlidingWindow` can still see: memory that does not grow with the sequence.

    It holds the last `width` positions and the first `kept`, in their order; `length` counts all that came.

    Args:
        max_len: how many positions may come.
        window: which are held.

    Raises:
        TypeError, ValueError: `max_len` is not a positive integer.

    Example:
        >>> import torch
        >>> from unrolled.nn import ForgettingCache, SlidingWindow
        >>> cache = ForgettingCache(max_len=8, window=SlidingWindow(2))
        >>> for _ in range(5):
        ...     keys, values = cache.append(torch.zeros(1, 2, 1, 4), torch.zeros(1, 2, 1, 4))
        >>> keys.shape, cache.length
        (torch.Size([1, 2, 2, 4]), 5)
    """

    def __init__(self, max_len: int, window: SlidingWindow) -> None:
        super().__init__(max_len)
        self.window = window
        # Rows of the buffers: the kept ones from 0 on, then the last ones from `_start` to `_end`.
        self._start, self._end = window.kept, 0

    def append(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Add the newest T positions ``[B, H, T, K]`` and return what the window holds, and the newest.

        Of one new position the window's own are returned, of several those that the first of them sees, and
        perhaps one more: the mask rule of the layer hides what each does not see.

        Raises:
            ShapeError, ValueError, RuntimeError: as in `KVCache`.
        """
        self._check(key, value)
        if key.shape[2] != 1 or self._keys is None or self._values is None:
            return self._append_several(key, value)
        if self._end == self._keys.shape[2]:
            self._move()
        self._keys[:, :, self._end], self._values[:, :, self._end] = key[:, :, 0], value[:, :, 0]
        self._end += 1
        self.length += 1
        self._start = max(self._start, self._end - self.window.width)
        return self.held()

    def held(self) -> tuple[Tensor, Tensor]:
        """Return the keys and values that are held, ``[B, H, S, K]``.

        Raises:
            RuntimeError: the cache is still empty.
        """
        if self._keys is None or self._values is None:
            raise RuntimeError("KVCache: nothing was appended yet")
        return self._seen(self._keys), self._seen(self._values)

    def cut(self, mask: Mask, n_keys: int) -> Mask:
        """Return those columns of a mask ``[..., S]`` over all positions that belong to the newest S keys."""
        if mask.shape[-1] != self.length or n_keys == self.length:
            return mask
        kept = self.window.kept
        return torch.cat([mask[..., :kept], mask[..., self.length - n_keys + kept :]], -1)

    def _seen(self, rows: Tensor) -> Tensor:
        kept = self.window.kept
        if self._start <= kept:
            return rows.narrow(2, 0, self._end)
        last = rows.narrow(2, self._start, self._end - self._start)
        return last if kept == 0 else torch.cat([rows.narrow(2, 0, kept), last], 2)

    def _append_several(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        self.length += key.shape[2]
        if self._keys is not None:
            keys, values = self.held()
            key, value = torch.cat([keys, key], 2), torch.cat([values, value], 2)
        self._keys, self._values = self._roomy(key), self._roomy(value)
        self._start = self.window.kept
        self._end = min(key.shape[2], self.window.kept + self.window.width)
        return key, value

    def _move(self) -> None:
        """Begin new buffers with what is held: whoever was handed the old ones keeps them as they were."""
        keys, values = self.held()
        self._keys, self._values = self._roomy(keys), self._roomy(values)
        self._start, self._end = self.window.kept, keys.shape[2]

    def _roomy(self, rows: Tensor) -> Tensor:
        """Return a buffer that begins with the kept and the last rows, and has room for a window more."""
        kept, width = self.window.kept, self.window.width
        if rows.shape[2] > kept + width:
            rows = torch.cat([rows[:, :, :kept], rows[:, :, -width:]], 2)
        room = min(self.max_len, kept + 2 * width)
        buffer = rows.new_empty(*rows.shape[:2], room, rows.shape[3])
        buffer.narrow(2, 0, rows.shape[2]).copy_(rows)
        return buffer
