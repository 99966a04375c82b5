r"""The blocks a transformer is stacked from: attention, then feed-forward, each with a way around it.

.. code-block:: text

    pre-norm                      post-norm
    x ──┬─ norm ─ sublayer ─ + ─  x ──┬─ sublayer ─ + ─ norm ─
        └────────────────────┘        └─────────────┘

Taught in chapter 8 (`EncoderBlock`), chapter 9 (`DecoderBlock`) and chapter 12 (`AttentionBlock`).
"""

from collections.abc import Callable
from typing import Literal, get_args

from torch import Tensor, nn
from torch.nn.functional import dropout

from unrolled.nn.cache import KVCache
from unrolled.nn.feedforward import Activation, FeedForward
from unrolled.nn.multihead import MultiHeadAttention
from unrolled.nn.positional import ALiBi, Rotary
from unrolled.shapes import Mask, Sequence, Source
from unrolled.tap import Tap

__all__ = ["AttentionBlock", "DecoderBlock", "EncoderBlock", "NormOrder"]

NormOrder = Literal["pre", "post"]


class _Block(nn.Module):
    """What both blocks share: the residual path and the place of its norm."""

    def __init__(self, norm: NormOrder, p: float) -> None:
        super().__init__()
        if norm not in get_args(NormOrder):
            raise ValueError(f"expected norm='pre' or 'post', got {norm!r}")
        self.norm: NormOrder = norm
        self.dropout = p
        self.stream = Tap()

    def around(self, x: Tensor, norm: nn.LayerNorm, sublayer: Callable[[Tensor], Tensor]) -> Tensor:
        """Add to `x` what the sublayer makes of it, normalised before or after."""
        # Under autocast a sublayer answers in 16 bits: adding two types is slower than widening one first.
        if self.norm == "pre":
            return x + self._drop(sublayer(norm(x))).to(x.dtype)
        after: Tensor = norm(x + self._drop(sublayer(x)).to(x.dtype))
        return after

    def _drop(self, x: Tensor) -> Tensor:
        return dropout(x, self.dropout) if self.training and self.dropout > 0 else x


class AttentionBlock(_Block):
    r"""Tokens talk to each other, and that is all.

    .. math::  x \leftarrow x + \mathrm{MHA}(\mathrm{LN}(x))

    An `EncoderBlock` without its feed-forward network: a model of these alone is small enough to be taken
    apart. The arguments are those of `EncoderBlock`.

    Reference:
        Elhage et al., A Mathematical Framework for Transformer Circuits, 2021.
    """

    def __init__(
        self,
        d_model: int,
        n_heads: int,
        *,
        norm: NormOrder = "pre",
        dropout: float = 0.0,
        bias: bool = True,
        norm_eps: float = 1e-5,
        n_kv_heads: int | None = None,
        rotary: Rotary | None = None,
        alibi: ALiBi | None = None,
    ) -> None:
        super().__init__(norm, dropout)
        self.attention_norm = nn.LayerNorm(d_model, norm_eps, bias=bias)
        self.attention = MultiHeadAttention(
            d_model, n_heads, n_kv_heads, bias=bias, dropout=dropout, rotary=rotary, alibi=alibi
        )

    def forward(
        self, x: Sequence, mask: Mask | None = None, *, causal: bool = False, cache: KVCache | None = None
    ) -> Sequence:
        """Return the tokens ``[B, T, D]`` after the block; for the arguments see `MultiHeadAttention`."""
        x = self.around(
            x, self.attention_norm, lambda h: self.attention(h, mask=mask, causal=causal, cache=cache)
        )
        x = self.stream(x)
        return x


class EncoderBlock(_Block):
    r"""Tokens talk to each other, then each thinks for itself.

    .. math::  x \leftarrow x + \mathrm{MHA}(\mathrm{LN}(x)), \qquad
               x \leftarrow x + \mathrm{FFN}(\mathrm{LN}(x))

    (pre-norm; post-norm is :math:`x \leftarrow \mathrm{LN}(x + \mathrm{MHA}(x))` and so on). With `causal` it
    is also the block of a decoder without cross-attention, such as `GPT`.

    Args:
        d_model: numbers per token.
        n_heads: attention heads.
        d_ff: width of the feed-forward network.
        norm: ``"pre"`` or ``"post"``.
        dropout: share of the weights, and of each sublayer's output, set to zero while training.
        activation: see `FeedForward`.
        bias: whether the projections add a bias.
        norm_eps: added to the variance in the norms.
        n_kv_heads: see `MultiHeadAttention`, as for `rotary` and `alibi`.

    Raises:
        ValueError: a size or a choice that is not possible.

    Reference:
        Vaswani et al., 2017, section 3.1; Xiong et al., On Layer Normalization in the Transformer, 2020.
    """

    def __init__(
        self,
        d_model: int,
        n_heads: int,
        d_ff: int,
        *,
        norm: NormOrder = "pre",
        dropout: float = 0.0,
        activation: Activation = "gelu",
        bias: bool = True,
        norm_eps: float = 1e-5,
        n_kv_heads: int | None = None,
        rotary: Rotary | None = None,
        alibi: ALiBi | None = None,
    ) -> None:
        super().__init__(norm, dropout)
        self.attention_norm = nn.LayerNorm(d_model, norm_eps, bias=bias)
        self.attention = MultiHeadAttention(
            d_model, n_heads, n_kv_heads, bias=bias, dropout=dropout, rotary=rotary, alibi=alibi
        )
        self.feedforward_norm = nn.LayerNorm(d_model, norm_eps, bias=bias)
        self.feedforward = FeedForward(d_model, d_ff, activation=activation, bias=bias)

    def forward(
        self, x: Sequence, mask: Mask | None = None, *, causal: bool = False, cache: KVCache | None = None
    ) -> Sequence:
        """Return the tokens ``[B, T, D]`` after the block; for the arguments see `MultiHeadAttention`."""
        x = self.around(
            x, self.attention_norm, lambda h: self.attention(h, mask=mask, causal=causal, cache=cache)
        )
        x = self.stream(self.around(x, self.feedforward_norm, self.feedforward))
        return x


class DecoderBlock(_Block):
    r"""The tokens written so far talk to each other, then listen to the encoder, then think.

    Self-attention (causal), cross-attention over the encoder's output, feed-forward; the arguments are those
    of `EncoderBlock`. Positions that work inside attention act on the self-attention alone: source and
    target have no common ruler.
    """

    def __init__(
        self,
        d_model: int,
        n_heads: int,
        d_ff: int,
        *,
        norm: NormOrder = "pre",
        dropout: float = 0.0,
        activation: Activation = "gelu",
        bias: bool = True,
        norm_eps: float = 1e-5,
        n_kv_heads: int | None = None,
        rotary: Rotary | None = None,
        alibi: ALiBi | None = None,
    ) -> None:
        super().__init__(norm, dropout)
        self.attention_norm = nn.LayerNorm(d_model, norm_eps, bias=bias)
        self.attention = MultiHeadAttention(
            d_model, n_heads, n_kv_heads, bias=bias, dropout=dropout, rotary=rotary, alibi=alibi
        )
        self.cross_norm = nn.LayerNorm(d_model, norm_eps, bias=bias)
        self.cross_attention = MultiHeadAttention(d_model, n_heads, n_kv_heads, bias=bias, dropout=dropout)
        self.feedforward_norm = nn.LayerNorm(d_model, norm_eps, bias=bias)
        self.feedforward = FeedForward(d_model, d_ff, activation=activation, bias=bias)

    def forward(
        self,
        x: Sequence,
        memory: Source,
        mask: Mask | None = None,
        memory_mask: Mask | None = None,
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
        x = self.around(
            x, self.attention_norm, lambda h: self.attention(h, mask=mask, causal=causal, cache=cache)
        )
        x = self.around(
            x, self.cross_norm, lambda h: self.cross_attention(h, memory, memory_mask, cache=cross_cache)
        )
        x = self.stream(self.around(x, self.feedforward_norm, self.feedforward))
        return x
