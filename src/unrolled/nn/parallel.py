r"""A block whose two sublayers work side by side on the same tokens. Taught in chapter 15.

.. code-block:: text

            ┌─ attention ────┐
    x ─┬─ norm               + ─ + ─ x
       │    └─ feed-forward ─┘   │
       └─────────────────────────┘
"""

from unrolled.nn.blocks import Block
from unrolled.nn.cache import KVCache
from unrolled.nn.lean import Step, has_lean, lean
from unrolled.nn.masks import Sight
from unrolled.nn.parts import NormOrder, Parts, Residual, make_after, make_feedforward
from unrolled.shapes import Mask, Sequence

__all__ = ["ParallelBlock"]


@has_lean
class ParallelBlock(Block):
    r"""Tokens talk to each other and think for themselves at once, and both is added.

    .. math::  x \leftarrow x + \mathrm{MHA}(\mathrm{LN}(x)) + \mathrm{FFN}(\mathrm{LN}(x))

    As `block` of the `Parts` it stands in an `EncoderBlock`'s place. One norm serves both, as in GPT-J, Phi
    and Cohere; the second norm of GPT-NeoX has the same input, so only its gain and bias are others, and the
    first layer of the network can take these up.

    Args:
        d_model, n_heads, d_ff: as for an `EncoderBlock`.
        norm: how the sum of the two is added: ``"pre"``, ``"post"`` or a function like `pre_norm`.
        dropout: fraction of the weights, and of the sum of the two, set to zero while training.
        parts: makers of the norm, attention and feed-forward network, and of what each output passes.

    The tap `stream` hears the tokens after the block; the two have taps of their own.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size or a choice that is not possible.

    Reference:
        Wang and Komatsuzaki, GPT-J-6B, 2021; Chowdhery et al., PaLM, 2022, section 2.

    Example:
        >>> import torch
        >>> from unrolled.nn import ParallelBlock
        >>> ParallelBlock(d_model=8, n_heads=2, d_ff=32)(torch.zeros(2, 5, 8)).shape
        torch.Size([2, 5, 8])
    """

    def __init__(
        self,
        d_model: int,
        n_heads: int,
        d_ff: int,
        *,
        norm: NormOrder | Residual = "pre",
        dropout: float = 0.0,
        parts: Parts | None = None,
    ) -> None:
        super().__init__(d_model, norm, dropout)
        parts = Parts() if parts is None else parts
        self.shared_norm = parts.norm(d_model)
        self.attention = parts.attention(d_model, n_heads, dropout=dropout)
        self.attention_after = make_after(parts, d_model)
        self.feedforward = make_feedforward(parts, d_model, d_ff, None)
        self.feedforward_after = make_after(parts, d_model)

    def forward(
        self,
        x: Sequence,
        mask: Mask | Sight | None = None,
        *,
        causal: bool = False,
        cache: KVCache | None = None,
    ) -> Sequence:
        """Return the tokens ``[B, T, D]`` after the block; for the arguments see `MultiHeadAttention`."""
        attend, think = self._attend(mask, causal, cache), self._think()
        x = self.stream(self.residual(x, self.shared_norm, lambda h: attend(h) + think(h)))
        return x

    def lean(self, cache: KVCache) -> Step:
        """Return what `forward` does to the newest token in evaluation mode, given the cache."""
        norm, attend, think = lean(self.shared_norm), self._lean_attention(cache), self._lean_feedforward()
        stream, residual = lean(self.stream), self._path()
        return lambda x: stream(residual(x, norm, lambda h: attend(h) + think(h)))
