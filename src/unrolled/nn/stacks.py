"""Blocks upon blocks: the encoder and the decoder of a transformer. Taught in chapter 9."""

from torch import nn

from unrolled.nn.blocks import DecoderBlock, EncoderBlock, NormOrder
from unrolled.nn.cache import DecoderCache
from unrolled.nn.feedforward import Activation
from unrolled.nn.positional import ALiBi, Rotary
from unrolled.shapes import Mask, Sequence, ShapeError, Source

__all__ = ["Decoder", "Encoder"]


class _Stack(nn.Module):
    """Blocks of one kind, and a norm behind the last."""

    block: type[EncoderBlock] | type[DecoderBlock]

    def __init__(
        self,
        n_layers: int,
        d_model: int,
        n_heads: int,
        d_ff: int,
        *,
        norm: NormOrder = "pre",
        final_norm: bool | None = None,
        dropout: float = 0.0,
        activation: Activation = "gelu",
        norm_eps: float = 1e-5,
        rotary: Rotary | None = None,
        alibi: ALiBi | None = None,
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            self.block(
                d_model,
                n_heads,
                d_ff,
                norm=norm,
                dropout=dropout,
                activation=activation,
                norm_eps=norm_eps,
                rotary=rotary,
                alibi=alibi,
            )
            for _ in range(n_layers)
        )
        closes = norm == "pre" if final_norm is None else final_norm
        self.final_norm = nn.LayerNorm(d_model, norm_eps) if closes else nn.Identity()


class Encoder(_Stack):
    """A stack of `EncoderBlock`: every token may look at every token, in both directions.

    Args:
        n_layers: how many blocks.
        d_model: numbers per token.
        n_heads: attention heads of each block.
        d_ff: width of the feed-forward networks.
        norm: ``"pre"`` or ``"post"``.
        final_norm: whether a norm follows the last block; with pre-norm unless given, since there the sum of
            all blocks arrives unnormalised.
        dropout: see `EncoderBlock`, as for `activation`, `norm_eps`, `rotary` and `alibi`.

    Raises:
        ValueError: a size or a choice that is not possible.
    """

    block = EncoderBlock

    def forward(self, x: Sequence, mask: Mask | None = None) -> Sequence:
        """Return the tokens `x` ``[B, T, D]`` after all blocks; `mask` is broadcastable to ``[B, T, T]``."""
        for layer in self.layers:
            x = layer(x, mask)
        x = self.final_norm(x)
        return x


class Decoder(_Stack):
    """A stack of `DecoderBlock`: each target token looks back at the target, and across at the source.

    The arguments are those of `Encoder`.
    """

    block = DecoderBlock

    def forward(
        self,
        x: Sequence,
        memory: Source,
        mask: Mask | None = None,
        memory_mask: Mask | None = None,
        *,
        cache: DecoderCache | None = None,
    ) -> Sequence:
        """Return the target tokens `x` ``[B, T, D]`` after all blocks; for the arguments see `DecoderBlock`.

        Raises:
            ShapeError: the cache is one of another number of layers.
        """
        if cache is not None and len(cache.cross) != len(self.layers):
            raise ShapeError(
                f"cache: expected {len(self.layers)} layers with cross-attention, got {len(cache.cross)}"
            )
        for i, layer in enumerate(self.layers):
            x = layer(
                x,
                memory,
                mask,
                memory_mask,
                cache=None if cache is None else cache.layers[i],
                cross_cache=None if cache is None else cache.cross[i],
            )
        x = self.final_norm(x)
        return x
