"""Keys and values computed once and kept, so that a new token costs one token. Taught in chapter 10."""

from torch import Tensor

from unrolled.shapes import ShapeError, check_integers, check_shape, check_sizes

__all__ = ["DecoderCache", "KVCache"]


class KVCache:
    """The keys and values of one attention layer, in buffers that never grow past the context size.

    Args:
        max_len: how many positions there is room for. The buffers are made on the first `append`, with its
            batch, heads and dtype.

    Raises:
        TypeError, ValueError: `max_len` is not a positive integer.

    Example:
        >>> import torch
        >>> from unrolled.nn import KVCache
        >>> cache = KVCache(max_len=8)
        >>> keys, values = cache.append(torch.zeros(1, 2, 3, 4), torch.zeros(1, 2, 3, 4))
        >>> keys, values = cache.append(torch.zeros(1, 2, 1, 4), torch.zeros(1, 2, 1, 4))
        >>> keys.shape, cache.length
        (torch.Size([1, 2, 4, 4]), 4)
    """

    def __init__(self, max_len: int) -> None:
        check_sizes(max_len=max_len)
        self.max_len = max_len
        self.length = 0
        self._keys: Tensor | None = None
        self._values: Tensor | None = None

    def append(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Add the newest positions ``[B, H, T, K]`` and return all keys and values so far, ``[B, H, S, K]``.

        Raises:
            ShapeError: batch, heads or size differ from what the cache holds.
            ValueError: more positions than there is room for.
            RuntimeError: gradients are wanted; buffers that are written in place cannot carry them.
        """
        self._check(key, value)
        if self._keys is None or self._values is None:
            self._keys = key.new_empty(*key.shape[:2], self.max_len, key.shape[3])
            self._values = value.new_empty(*value.shape[:2], self.max_len, value.shape[3])
        start, length = self.length, key.shape[2]
        self._keys.narrow(2, start, length).copy_(key)
        self._values.narrow(2, start, length).copy_(value)
        self.length = start + length
        return self.held()

    def _check(self, key: Tensor, value: Tensor) -> None:
        """Raise unless the newest positions go behind what is held."""
        if key.requires_grad or value.requires_grad:
            raise RuntimeError("KVCache: a cache carries no gradients; call the model under torch.no_grad()")
        if self._keys is None:
            check_shape("key", key, "B H T K")
        if self.length + key.shape[2] > self.max_len:
            raise ValueError(
                f"KVCache: no room for {key.shape[2]} more tokens after {self.length}, max_len={self.max_len}"
            )
        if self._keys is None:
            return
        came, (batch, heads, _, size) = list(key.shape), key.shape
        held = self._keys.shape
        if held[0] != batch or held[1] != heads or held[3] != size:
            raise ShapeError(
                f"KVCache: expected keys [{held[0]}, {held[1]}, T, {held[3]}] as before, got {came}"
            )

    def held(self) -> tuple[Tensor, Tensor]:
        """Return the keys and values so far, ``[B, H, S, K]``.

        Raises:
            RuntimeError: the cache is still empty.
        """
        if self._keys is None or self._values is None:
            raise RuntimeError("KVCache: nothing was appended yet")
        return self._keys.narrow(2, 0, self.length), self._values.narrow(2, 0, self.length)

    def reorder(self, rows: Tensor) -> None:
        """Keep the given sequences of the batch, in that order: what a beam search does to its hypotheses."""
        if self._keys is not None and self._values is not None:
            self._keys = self._keys.index_select(0, rows)
            self._values = self._values.index_select(0, rows)


class DecoderCache:
    """The caches of all layers of a decoder, a `GPT` included.

    Args:
        n_layers: how many layers the decoder has.
        max_len: its context size.
        source_len: S, the length of the encoder's output; none for a decoder without cross-attention.

    Example:
        >>> import torch
        >>> from unrolled.nn import GPT, GPTConfig
        >>> model = GPT(GPTConfig(vocab_size=11, max_len=7, d_model=8, n_heads=2, n_layers=1)).eval()
        >>> cache = model.new_cache()
        >>> with torch.no_grad():
        ...     logits = model(torch.tensor([[1, 5, 7]]), cache=cache)
        >>> cache.length
        3
    """

    def __init__(self, n_layers: int, max_len: int, source_len: int | None = None) -> None:
        check_sizes(max_len=max_len, source_len=source_len)
        check_sizes(low=0, n_layers=n_layers)
        self.max_len = max_len
        self.layers = [KVCache(max_len) for _ in range(n_layers)]
        # Filled once, from the encoder's output, which does not change while the decoder writes.
        self.cross = [] if source_len is None else [KVCache(source_len) for _ in range(n_layers)]

    @property
    def length(self) -> int:
        """How many positions are held already."""
        return self.layers[0].length if self.layers else 0

    def reorder(self, rows: Tensor) -> None:
        """Keep the given sequences ``[B']`` of the batch, in that order, in every layer.

        Raises:
            TypeError: `rows` holds something else than integers.
        """
        check_integers("rows", rows)
        for cache in (*self.layers, *self.cross):
            cache.reorder(rows)
