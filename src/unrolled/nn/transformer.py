r"""The transformer of 2017 whole: an encoder reads, a decoder writes. Taught in chapter 9."""

from dataclasses import dataclass
from typing import Literal, get_args

from torch import Tensor, nn

from unrolled.nn.cache import DecoderCache
from unrolled.nn.embedding import (
    Positions,
    added_positions,
    check_base,
    check_tokens,
    positions_in_attention,
)
from unrolled.nn.feedforward import Activation
from unrolled.nn.masks import Sight, model_sight
from unrolled.nn.parts import NormOrder, Parts, make_parts
from unrolled.nn.rotary import ROTARY_BASE
from unrolled.nn.stacks import Decoder, Encoder
from unrolled.shapes import Mask, ShapeError, Source, SourceTokens, Tokens, check_share, check_sizes
from unrolled.tap import Tap

__all__ = ["Transformer", "TransformerConfig"]

Tied = Literal["none", "target", "all"]


@dataclass(frozen=True)
class TransformerConfig:
    """The sizes and choices of a `Transformer`; the defaults are the base model of 2017.

    Example:
        >>> from unrolled.nn import TransformerConfig
        >>> config = TransformerConfig(source_vocab_size=11, target_vocab_size=13)
        >>> config.norm, config.positions, config.activation
        ('post', 'sinusoidal', 'relu')
    """

    source_vocab_size: int
    target_vocab_size: int
    max_len: int = 512
    d_model: int = 512
    n_heads: int = 8
    n_layers: int = 6
    n_decoder_layers: int | None = None
    """`n_layers` unless given."""
    d_ff: int | None = None
    """Four times `d_model` unless given."""
    dropout: float = 0.1
    norm: NormOrder = "post"
    positions: Positions = "sinusoidal"
    rotary_base: float = ROTARY_BASE
    """What the angles of rotary positions come from; larger for longer contexts."""
    activation: Activation = "relu"
    norm_eps: float = 1e-5
    tied: Tied = "none"
    """Whether the output layer shares its weights with the target's embedding, or with both embeddings."""

    def __post_init__(self) -> None:
        """Refuse sizes that make no model."""
        sizes = ("source_vocab_size", "target_vocab_size", "max_len", "d_model", "n_heads", "d_ff")
        check_sizes(**{name: getattr(self, name) for name in sizes})
        check_sizes(low=0, n_layers=self.n_layers, n_decoder_layers=self.n_decoder_layers)
        check_share(dropout=self.dropout)
        check_base(self.positions, self.rotary_base)

    def parts(self) -> Parts:
        """Return the makers of the blocks' parts; with `dataclasses.replace`, a model is made of others."""
        return make_parts(
            norm_eps=self.norm_eps,
            activation=self.activation,
            positions=positions_in_attention(
                self.positions, self.d_model, self.n_heads, self.max_len, rotary_base=self.rotary_base
            ),
        )


class Transformer(nn.Module):
    r"""Read a source sequence, write a target sequence.

    .. math::  p(y_1 \dots y_T \mid x) = \prod_t p(y_t \mid y_1 \dots y_{t-1}, x)

    Args:
        config: sizes and choices.
        parts: what the blocks are made of; ``config.parts()`` unless given.

    The taps `source_embedded` ``[B, S, D]`` and `target_embedded` ``[B, T, D]`` hear the vectors that enter
    the first blocks.

    Raises:
        ValueError: a choice that is not possible.

    Reference:
        Vaswani et al., Attention Is All You Need, 2017.

    Example:
        >>> import torch
        >>> from unrolled.nn import Transformer, TransformerConfig
        >>> config = TransformerConfig(11, 13, d_model=8, n_heads=2, n_layers=1)
        >>> model = Transformer(config).eval()
        >>> model(torch.tensor([[1, 5, 7, 2]]), torch.tensor([[1, 4, 4]])).shape
        torch.Size([1, 3, 13])
    """

    def __init__(self, config: TransformerConfig, parts: Parts | None = None) -> None:
        super().__init__()
        self.config = config
        c, parts = config, config.parts() if parts is None else parts
        if c.tied not in get_args(Tied):
            raise ValueError(f"expected tied of {get_args(Tied)}, got {c.tied!r}")
        if c.tied == "all" and c.source_vocab_size != c.target_vocab_size:
            raise ValueError(
                "tied='all' needs one vocabulary, got "
                f"source_vocab_size={c.source_vocab_size} and target_vocab_size={c.target_vocab_size}"
            )
        d_ff = 4 * c.d_model if c.d_ff is None else c.d_ff
        self.source_embedding = nn.Embedding(c.source_vocab_size, c.d_model)
        self.target_embedding = nn.Embedding(c.target_vocab_size, c.d_model)
        self.source_positions = added_positions(c.positions, c.d_model, c.max_len)
        self.target_positions = added_positions(c.positions, c.d_model, c.max_len)
        self.dropout = nn.Dropout(c.dropout)
        self.source_embedded, self.target_embedded = Tap(), Tap()
        self.encoder = Encoder(
            c.n_layers,
            c.d_model,
            c.n_heads,
            d_ff,
            norm=c.norm,
            dropout=c.dropout,
            parts=parts,
        )
        self.decoder = Decoder(
            c.n_layers if c.n_decoder_layers is None else c.n_decoder_layers,
            c.d_model,
            c.n_heads,
            d_ff,
            norm=c.norm,
            dropout=c.dropout,
            parts=parts,
        )
        self.lm_head = nn.Linear(c.d_model, c.target_vocab_size, bias=False)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                if isinstance(module.bias, Tensor):
                    nn.init.zeros_(module.bias)
        for embedding in (self.source_embedding, self.target_embedding):
            # Times sqrt(d_model) in `embed`, so that words start as large as the waves of their positions.
            nn.init.normal_(embedding.weight, std=c.d_model**-0.5)
        if c.tied != "none":
            self.lm_head.weight = self.target_embedding.weight
        if c.tied == "all":
            self.source_embedding.weight = self.target_embedding.weight

    def forward(
        self,
        source: SourceTokens,
        target: Tokens,
        source_mask: Mask | Sight | None = None,
        target_mask: Mask | Sight | None = None,
    ) -> Tensor:
        """Return a score for every word as the next of the target, at every position: logits ``[B, T, V]``.

        Args:
            source: integers ``[B, S]``.
            target: integers ``[B, T]``: what is written so far, under teacher forcing the true target
                shifted right.
            source_mask: boolean, True = may attend, broadcastable to ``[B, 1, S]``: a `padding_mask`.
            target_mask: the same for the target, on top of the causal rule.

        Raises:
            ShapeError: tokens or a mask have another shape than expected.
            TypeError: tokens are not integers, or a mask is not boolean.
            ValueError: a sequence is longer than `max_len`.
        """
        return self.decode(target, self.encode(source, source_mask), source_mask, target_mask)

    def encode(self, source: SourceTokens, source_mask: Mask | Sight | None = None) -> Source:
        """Return the encoder's output ``[B, S, D]`` for the source; for the arguments see `forward`."""
        check_tokens("source", source, self.config.max_len)
        x = self.source_embedding(source) * self.config.d_model**0.5  # [B, S, D]
        if self.source_positions is not None:
            x = self.source_positions(x)
        source_mask = model_sight("source_mask", source_mask, (*source.shape, source.shape[1]))
        memory: Tensor = self.encoder(self.source_embedded(self.dropout(x)), source_mask)
        return memory

    def decode(
        self,
        target: Tokens,
        memory: Source,
        source_mask: Mask | Sight | None = None,
        target_mask: Mask | Sight | None = None,
        cache: DecoderCache | None = None,
    ) -> Tensor:
        """Return logits ``[B, T, V]`` for the target, given the encoder's output `memory` ``[B, S, D]``.

        With a `cache` from `new_cache`, `target` continues what the cache holds. Other arguments and errors
        as in `forward`.
        """
        held = 0 if cache is None else cache.length
        check_tokens("target", target, self.config.max_len, held)
        if target.shape[0] != memory.shape[0]:
            raise ShapeError(
                f"target: expected as many sequences as the source, {memory.shape[0]}, got {target.shape[0]}"
            )
        x = self.target_embedding(target) * self.config.d_model**0.5  # [B, T, D]
        if self.target_positions is not None:
            x = self.target_positions(x, held)
        batch, length = target.shape
        target_mask = model_sight("target_mask", target_mask, (batch, length, held + length), causal=True)
        source_mask = model_sight("source_mask", source_mask, (batch, length, memory.shape[1]))
        x = self.target_embedded(self.dropout(x))
        x = self.decoder(x, memory, target_mask, source_mask, cache=cache)
        logits: Tensor = self.lm_head(x)  # [B, T, V]
        return logits

    def new_cache(self, source_len: int, max_len: int | None = None) -> DecoderCache:
        """Return an empty cache for a source of S tokens and a target of at most `max_len`."""
        max_len = self.config.max_len if max_len is None else max_len
        return DecoderCache(len(self.decoder.layers), max_len, source_len)
