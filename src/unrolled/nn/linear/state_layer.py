r"""What layers with a state in place of keys and values have in common. Taught in chapter 17."""

import torch
from torch import Tensor, nn
from torch.nn.functional import dropout as drop

from unrolled.nn.cache import KVCache
from unrolled.nn.heads import head_size
from unrolled.nn.linear.cache import StateCache
from unrolled.nn.masks import Sight
from unrolled.shapes import Mask, Sequence, Source, check_shape, check_share
from unrolled.tap import Tap, listening

__all__ = ["StateLayer", "heard"]


class StateLayer(nn.Module):
    """What layers with a state have in common: they are called as `MultiHeadAttention` is, causally.

    Args:
        d_model: components per token.
        n_heads: heads, each with a state of its own.
        d_head: components per value; ``d_model / n_heads`` unless given.
        dropout: fraction of the contexts' components set to zero while training; weights are not formed.

    The taps `context` (what each head found) ``[B, H, T, K]``, `state` (after the last token)
    ``[B, H, K, V]``, and `output` ``[B, T, D]``. Only later tokens read the state, from a cache: an edit of
    it changes what they find, and without a cache nothing.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size or a share that is not possible.

    Example:
        >>> import torch
        >>> from unrolled.nn import LinearAttention
        >>> from unrolled.nn.linear import StateLayer
        >>> isinstance(LinearAttention(d_model=8, n_heads=2), StateLayer)
        True
    """

    def __init__(
        self, d_model: int, n_heads: int, *, d_head: int | None = None, dropout: float = 0.0
    ) -> None:
        super().__init__()
        check_share(dropout=dropout)
        self.d_model, self.n_heads, self.dropout = d_model, n_heads, dropout
        self.d_head = head_size(d_model, n_heads, d_head)
        self.out_proj = nn.Linear(n_heads * self.d_head, d_model, bias=False)
        self.context, self.state, self.output = Tap(), Tap(), Tap()

    def forward(
        self,
        x: Sequence,
        source: Source | None = None,
        mask: Mask | Sight | None = None,
        *,
        causal: bool = True,
        cache: KVCache | None = None,
    ) -> Sequence:
        """Return one new vector per token of `x`, ``[B, T, D]``.

        Args:
            x: the tokens, ``[B, T, D]``; each is told of itself and of what stands before it.
            source: none: a state is of one sequence.
            mask: none besides the causal rule: what has been added up cannot be hidden from one token only.
            causal: True.
            cache: from `new_cache`, with the state after the tokens before `x`.

        Raises:
            ShapeError: `x` has another shape.
            TypeError: the cache is one of keys and values.
            ValueError: a source, a mask, or causal=False.
        """
        check_shape("x", x, "B T D", D=self.d_model)
        if source is not None:
            raise ValueError("source: expected None, since a state is of one sequence")
        if not causal:
            raise ValueError("causal: expected True, since a state is of what came before")
        if isinstance(mask, Sight):
            mask = mask.mask
        if mask is not None:
            raise ValueError("mask: expected None, since a state is the same for whoever reads it")
        context, state = self._remember(x, self._before(x, cache))
        state = self.state(state)
        if isinstance(cache, StateCache):
            cache.put(state, x.shape[1])
        context = self.context(context)  # [B, H, T, K]
        context = drop(context, self.dropout, self.training) if self.dropout else context
        x = self.output(self.out_proj(context.transpose(1, 2).flatten(2)))  # [B, T, H, K] -> [B, T, D]
        return x

    def _before(self, x: Tensor, cache: KVCache | None) -> Tensor | None:
        if cache is None:
            return None
        if not isinstance(cache, StateCache):
            raise TypeError(f"cache: expected a StateCache, from new_cache, got {type(cache).__name__}")
        wanted = x.requires_grad or (torch.is_grad_enabled() and self.out_proj.weight.requires_grad)
        cache.check(x, self.n_heads, wanted)
        return cache.state

    def _remember(self, x: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return the contexts ``[B, H, T, K]`` and the state after them, given that before them."""
        raise NotImplementedError

    def new_cache(self, max_len: int) -> StateCache:
        """Return an empty cache for at most `max_len` positions; its size does not depend on how many."""
        return StateCache(max_len)

    def _split(self, x: Tensor) -> Tensor:
        """Cut each vector into heads: ``[B, T, H K] -> [B, H, T, K]``."""
        return x.view(x.shape[0], x.shape[1], self.n_heads, -1).transpose(1, 2)


def heard(gates: Tap, log_gate: Tensor) -> Tensor:
    """Let who listens to the gates hear them, not their logarithms."""
    return gates(log_gate.exp()).log() if listening(gates) else log_gate
