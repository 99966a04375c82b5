"""A state in place of keys and values: a cache whose size does not grow. Taught in chapter 17."""

from torch import Tensor

from unrolled.nn.cache import KVCache
from unrolled.shapes import ShapeError

__all__ = ["StateCache"]


class StateCache(KVCache):
    """The state of one layer of linear attention: K × V numbers a head, however many positions came.

    Args:
        max_len: how many positions may come.

    Raises:
        TypeError, ValueError: `max_len` is not a positive integer.

    Example:
        >>> import torch
        >>> from unrolled.nn import LinearAttention
        >>> layer = LinearAttention(d_model=8, n_heads=2).eval()
        >>> cache = layer.new_cache(16)
        >>> with torch.no_grad():
        ...     out = layer(torch.zeros(1, 5, 8), causal=True, cache=cache)
        >>> cache.length
        5
    """

    def __init__(self, max_len: int) -> None:
        super().__init__(max_len)
        self.state: Tensor | None = None

    def append(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Refuse keys and values: they are not kept.

        Raises:
            TypeError: always.
        """
        raise TypeError(
            "StateCache: expected a layer of linear attention, got one that keeps keys and values"
        )

    def held(self) -> tuple[Tensor, Tensor]:
        """Refuse, as `append` does.

        Raises:
            TypeError: always.
        """
        raise TypeError(
            "StateCache: expected a layer of linear attention, got one that keeps keys and values"
        )

    def check(self, x: Tensor, n_heads: int, gradients: bool) -> None:
        """Raise unless the newest tokens ``[B, T, D]`` go behind those that came.

        Raises:
            ShapeError: another batch or other heads than the state's.
            ValueError: more positions than the cache admits.
            RuntimeError: gradients are wanted.
        """
        if gradients:
            raise RuntimeError(
                "StateCache: a cache carries no gradients; call the model under torch.no_grad()"
            )
        if self.length + x.shape[1] > self.max_len:
            raise ValueError(
                f"StateCache: no room for {x.shape[1]} more tokens after {self.length}, "
                f"max_len={self.max_len}"
            )
        if self.state is not None and list(self.state.shape[:2]) != [x.shape[0], n_heads]:
            held, new = list(self.state.shape[:2]), [x.shape[0], n_heads]
            raise ShapeError(f"StateCache: expected batch and heads {held} as before, got {new}")

    def put(self, state: Tensor, n_new: int) -> None:
        """Keep the state after `n_new` more positions."""
        self.state = state
        self.length += n_new

    def reorder(self, rows: Tensor) -> None:
        """Keep the given sequences of the batch, in that order."""
        if self.state is not None:
            self.state = self.state.index_select(0, rows)
