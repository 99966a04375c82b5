"""Blocks upon blocks: the encoder and the decoder of a transformer. Taught in chapter 9."""

from torch import nn

from unrolled.nn.blocks import DecoderBlock, EncoderBlock
from unrolled.nn.cache import DecoderCache
from unrolled.nn.masks import Sight, model_sight
from unrolled.nn.parts import NormOrder, Parts, Residual, pre_norm
from unrolled.shapes import Mask, Sequence, ShapeError, Source, check_sizes

__all__ = ["Decoder", "Encoder"]


class _Stack(nn.Module):
    """Blocks of one kind, and a norm after the last."""

    block: type[EncoderBlock] | type[DecoderBlock]

    def __init__(
        self,
        n_layers: int,
        d_model: int,
        n_heads: int,
        d_ff: int,
        *,
        norm: NormOrder | Residual = "pre",
        final_norm: bool | None = None,
        dropout: float = 0.0,
        parts: Parts | None = None,
    ) -> None:
        super().__init__()
        check_sizes(low=0, n_layers=n_layers)
        check_sizes(d_model=d_model)
        parts = Parts() if parts is None else parts
        parts.refuse_parts_of_gpt(type(self).__name__)
        self.layers = nn.ModuleList(
            self.block(d_model, n_heads, d_ff, norm=norm, dropout=dropout, parts=parts)
            for _ in range(n_layers)
        )
        closes = norm in ("pre", pre_norm) if final_norm is None else final_norm
        self.final_norm = parts.norm(d_model) if closes else nn.Identity()


class Encoder(_Stack):
    """A stack of `EncoderBlock`: every token may look at every token, in both directions.

    Args:
        n_layers: how many blocks.
        d_model: components per token.
        n_heads: attention heads of each block.
        d_ff: width of the feed-forward networks.
        norm: ``"pre"`` or ``"post"``, or a function: see `EncoderBlock`.
        final_norm: whether a norm follows the last block; with pre-norm unless given, since there the sum of
            all blocks arrives unnormalised.
        dropout: see `EncoderBlock`.
        parts: see `EncoderBlock`; the norm after the last block is one of theirs too.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size or a choice that is not possible, or a part that only a `GPT` reads.

    Example:
        >>> import torch
        >>> from unrolled.nn import Encoder
        >>> Encoder(n_layers=2, d_model=8, n_heads=2, d_ff=32)(torch.zeros(2, 5, 8)).shape
        torch.Size([2, 5, 8])
    """

    block = EncoderBlock

    def forward(self, x: Sequence, mask: Mask | Sight | None = None) -> Sequence:
        """Return the tokens `x` ``[B, T, D]`` after all blocks; `mask` is broadcastable to ``[B, T, T]``.

        Raises:
            ShapeError: `x` or the mask has another shape, or the mask could be meant in two ways.
            TypeError: the mask is not boolean.
        """
        if mask is not None and x.dim() == 3:
            mask = model_sight("mask", mask, (x.shape[0], x.shape[1], x.shape[1]))
        for layer in self.layers:
            x = layer(x, mask)
        x = self.final_norm(x)
        return x


class Decoder(_Stack):
    """A stack of `DecoderBlock`: each target token looks back at the target, and across at the source.

    The arguments are those of `Encoder`.

    Example:
        >>> import torch
        >>> from unrolled.nn import Decoder
        >>> decoder = Decoder(n_layers=2, d_model=8, n_heads=2, d_ff=32)
        >>> decoder(torch.zeros(2, 5, 8), torch.zeros(2, 7, 8)).shape
        torch.Size([2, 5, 8])
    """

    block = DecoderBlock

    def forward(
        self,
        x: Sequence,
        memory: Source,
        mask: Mask | Sight | None = None,
        memory_mask: Mask | Sight | None = None,
        *,
        cache: DecoderCache | None = None,
    ) -> Sequence:
        """Return the target tokens `x` ``[B, T, D]`` after all blocks; for the arguments see `DecoderBlock`.

        Raises:
            ShapeError: the cache is one of another number of layers, or a mask could be meant in two ways.
            TypeError: a mask is not boolean.
        """
        if cache is not None and len(cache.cross) != len(self.layers):
            raise ShapeError(
                f"cache: expected {len(self.layers)} layers with cross-attention, got {len(cache.cross)}"
            )
        if x.dim() == memory.dim() == 3:
            batch, length, held = x.shape[0], x.shape[1], 0 if cache is None else cache.length
            mask = model_sight("mask", mask, (batch, length, held + length), causal=True)
            memory_mask = model_sight("memory_mask", memory_mask, (batch, length, memory.shape[1]))
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
