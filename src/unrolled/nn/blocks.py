r"""The blocks a transformer is stacked from: attention, then feed-forward, each with a path around it.

.. code-block:: text

    pre-norm                      post-norm
    x ──┬─ norm ─ sublayer ─ + ─  x ──┬─ sublayer ─ + ─ norm ─
        └────────────────────┘        └─────────────┘

What a sublayer's output passes before it is added, such as a second norm, is one of the parts too
(`Parts.after`). A block is composed of sublayers, which `Parts` make; `ParallelBlock` has a file of its own.
Taught in chapter 8 (`EncoderBlock`), chapter 9 (`DecoderBlock`) and chapter 12 (`AttentionBlock`).
"""

from functools import partial

from torch import Tensor, nn
from torch.nn.functional import dropout

from unrolled.nn.cache import KVCache
from unrolled.nn.feedforward import Activation
from unrolled.nn.lean import Step, has_lean, lean
from unrolled.nn.masks import Sight
from unrolled.nn.parts import RESIDUALS, NormOrder, Parts, Residual, make_after, make_feedforward
from unrolled.shapes import Mask, Sequence, Source, check_share, check_sizes
from unrolled.tap import Tap

__all__ = ["AttentionBlock", "Block", "DecoderBlock", "EncoderBlock"]


class Block(nn.Module):
    """What all blocks share: the residual path, the place of its norms, the tap after the last sublayer."""

    attention: nn.Module
    attention_after: nn.Module | None
    feedforward: nn.Module
    feedforward_after: nn.Module | None

    def __init__(self, d_model: int, norm: NormOrder | Residual, p: float) -> None:
        super().__init__()
        check_sizes(d_model=d_model)
        check_share(dropout=p)
        if not callable(norm) and norm not in RESIDUALS:
            raise ValueError(f"norm: expected 'pre', 'post' or a function, got {norm!r}")
        self.norm = norm
        self.dropout = p
        self.stream = Tap()

    def residual(self, x: Tensor, norm: Step, sublayer: Step) -> Tensor:
        """Return `x` after a sublayer with its norm and with the path around it."""
        residual = self._path()
        if self.training and self.dropout > 0:
            return residual(x, norm, lambda h: dropout(sublayer(h), self.dropout))
        return residual(x, norm, sublayer)

    def _path(self) -> Residual:
        return self.norm if callable(self.norm) else RESIDUALS[self.norm]

    def _attend(self, mask: Mask | Sight | None, causal: bool, cache: KVCache | None) -> Step:
        """Return the block's attention within the sequence, and what its output passes."""
        return then(partial(self.attention, mask=mask, causal=causal, cache=cache), self.attention_after)

    def _think(self) -> Step:
        """Return the block's feed-forward network, and what its output passes."""
        return then(self.feedforward, self.feedforward_after)

    def _lean_attention(self, cache: KVCache) -> Step:
        """Return the short step of the block's attention, and of what its output passes."""
        attention, after = self.attention, self.attention_after
        step = lean(attention, cache, call=lambda h: attention(h, mask=None, causal=True, cache=cache))
        return then(step, None if after is None else lean(after))

    def _lean_feedforward(self) -> Step:
        """Return the short step of the block's feed-forward network, and of what its output passes."""
        after = self.feedforward_after
        return then(lean(self.feedforward), None if after is None else lean(after))


@has_lean
class AttentionBlock(Block):
    r"""Tokens talk to each other, and that is all.

    .. math::  x \leftarrow x + \mathrm{MHA}(\mathrm{LN}(x))

    An `EncoderBlock` without its feed-forward network: a model of these alone is small enough to be taken
    apart. The arguments are those of `EncoderBlock`.

    Reference:
        Elhage et al., A Mathematical Framework for Transformer Circuits, 2021.

    Example:
        >>> import torch
        >>> from unrolled.nn import AttentionBlock
        >>> AttentionBlock(d_model=8, n_heads=2)(torch.zeros(2, 5, 8), causal=True).shape
        torch.Size([2, 5, 8])
    """

    def __init__(
        self,
        d_model: int,
        n_heads: int,
        *,
        norm: NormOrder | Residual = "pre",
        dropout: float = 0.0,
        parts: Parts | None = None,
    ) -> None:
        super().__init__(d_model, norm, dropout)
        parts = Parts() if parts is None else parts
        self.attention_norm = parts.norm(d_model)
        self.attention = parts.attention(d_model, n_heads, dropout=dropout)
        self.attention_after = make_after(parts, d_model)

    def forward(
        self,
        x: Sequence,
        mask: Mask | Sight | None = None,
        *,
        causal: bool = False,
        cache: KVCache | None = None,
    ) -> Sequence:
        """Return the tokens ``[B, T, D]`` after the block; for the arguments see `MultiHeadAttention`."""
        x = self.residual(x, self.attention_norm, self._attend(mask, causal, cache))
        x = self.stream(x)
        return x

    def lean(self, cache: KVCache) -> Step:
        """Return what `forward` does to the newest token in evaluation mode, given the cache."""
        norm, attention = lean(self.attention_norm), self._lean_attention(cache)
        stream, residual = lean(self.stream), self._path()
        return lambda x: stream(residual(x, norm, attention))


@has_lean
class EncoderBlock(Block):
    r"""Tokens talk to each other, then each thinks for itself.

    .. math::  x \leftarrow x + \mathrm{MHA}(\mathrm{LN}(x)), \qquad
               x \leftarrow x + \mathrm{FFN}(\mathrm{LN}(x))

    (pre-norm; post-norm is :math:`x \leftarrow \mathrm{LN}(x + \mathrm{MHA}(x))` and so on). With `causal` it
    is also the block of a decoder without cross-attention, such as `GPT`.

    Args:
        d_model: components per token.
        n_heads: attention heads.
        d_ff: width of the feed-forward network.
        norm: ``"pre"`` or ``"post"``, or a function like `pre_norm` that says how a sublayer is added.
        dropout: fraction of the weights, and of each sublayer's output, set to zero while training.
        activation: see `FeedForward`; that of the parts unless given; if it is, their network must take one.
        parts: makers of norms, attention and feed-forward network.

    The tap `stream` hears the tokens after the last sublayer; the sublayers have taps of their own, such as
    ``attention.output`` and ``feedforward.output`` for what is added.

    Raises:
        TypeError: a size is not an integer, or an activation for a network that takes none.
        ValueError: a size or a choice that is not possible.

    Reference:
        Vaswani et al., 2017, section 3.1; Xiong et al., On Layer Normalization in the Transformer, 2020.

    Example:
        >>> import torch
        >>> from unrolled.nn import EncoderBlock
        >>> EncoderBlock(d_model=8, n_heads=2, d_ff=32)(torch.zeros(2, 5, 8)).shape
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
        activation: Activation | None = None,
        parts: Parts | None = None,
    ) -> None:
        super().__init__(d_model, norm, dropout)
        parts = Parts() if parts is None else parts
        self.attention_norm = parts.norm(d_model)
        self.attention = parts.attention(d_model, n_heads, dropout=dropout)
        self.attention_after = make_after(parts, d_model)
        self.feedforward_norm = parts.norm(d_model)
        self.feedforward = make_feedforward(parts, d_model, d_ff, activation)
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
        x = self.residual(x, self.attention_norm, self._attend(mask, causal, cache))
        x = self.stream(self.residual(x, self.feedforward_norm, self._think()))
        return x

    def lean(self, cache: KVCache) -> Step:
        """Return what `forward` does to the newest token in evaluation mode, given the cache."""
        norm_1, attention = lean(self.attention_norm), self._lean_attention(cache)
        norm_2, feedforward = lean(self.feedforward_norm), self._lean_feedforward()
        stream, residual = lean(self.stream), self._path()
        return lambda x: stream(residual(residual(x, norm_1, attention), norm_2, feedforward))


class DecoderBlock(Block):
    r"""The tokens written so far talk to each other, then listen to the encoder, then think.

    Self-attention (causal), cross-attention over the encoder's output, feed-forward; the arguments are those
    of `EncoderBlock`.

    Example:
        >>> import torch
        >>> from unrolled.nn import DecoderBlock
        >>> block = DecoderBlock(d_model=8, n_heads=2, d_ff=32)
        >>> block(torch.zeros(2, 5, 8), torch.zeros(2, 7, 8)).shape
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
        activation: Activation | None = None,
        parts: Parts | None = None,
    ) -> None:
        super().__init__(d_model, norm, dropout)
        parts = Parts() if parts is None else parts
        self.attention_norm = parts.norm(d_model)
        self.attention = parts.attention(d_model, n_heads, dropout=dropout)
        self.attention_after = make_after(parts, d_model)
        self.cross_norm = parts.norm(d_model)
        self.cross_attention = parts.cross_attention(d_model, n_heads, dropout=dropout)
        self.cross_after = make_after(parts, d_model)
        self.feedforward_norm = parts.norm(d_model)
        self.feedforward = make_feedforward(parts, d_model, d_ff, activation)
        self.feedforward_after = make_after(parts, d_model)

    def forward(
        self,
        x: Sequence,
        memory: Source,
        mask: Mask | Sight | None = None,
        memory_mask: Mask | Sight | None = None,
        *,
        causal: bool = True,
        cache: KVCache | None = None,
        cross_cache: KVCache | None = None,
    ) -> Sequence:
        """Return the target tokens ``[B, T, D]`` after the block.

        Args:
            x: the target so far, ``[B, T, D]``.
            memory: the encoder's output, ``[B, S, D]``.
            mask: who of the target may attend to whom, broadcastable to ``[B, T, T]``.
            memory_mask: who may attend to which source token, broadcastable to ``[B, T, S]``.
            causal: whether a token sees only itself and what stands before it.
            cache: keys and values of the target so far.
            cross_cache: keys and values of the source, filled at the first call.

        Raises:
            ShapeError: a shape differs from what is expected.
            TypeError: a mask is not boolean.
        """
        x = self.residual(x, self.attention_norm, self._attend(mask, causal, cache))
        x = self.residual(
            x,
            self.cross_norm,
            then(lambda h: self.cross_attention(h, memory, memory_mask, cache=cross_cache), self.cross_after),
        )
        x = self.stream(self.residual(x, self.feedforward_norm, self._think()))
        return x


def then(sublayer: Step, after: Step | None) -> Step:
    """Return what does `sublayer`, and then what its output passes, if anything."""
    return sublayer if after is None else lambda h: after(sublayer(h))
