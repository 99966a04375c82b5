r"""The transformer of 2017 whole: an encoder reads, a decoder writes. Taught in chapter 9."""

from dataclasses import dataclass
from typing import Literal, get_args

from torch import Tensor, nn

from unrolled.nn.blocks import NormOrder
from unrolled.nn.cache import DecoderCache
from unrolled.nn.embedding import Positions, added_positions, check_tokens, positions_in_attention
from unrolled.nn.feedforward import Activation
from unrolled.nn.stacks import Decoder, Encoder
from unrolled.shapes import Mask, ShapeError, Source, SourceTokens, Tokens

__all__ = ["Transformer", "TransformerConfig"]

Tied = Literal["none", "target", "all"]


@dataclass(frozen=True)
class TransformerConfig:
    """The sizes and choices of a `Transformer`; the defaults are the base model of 2017."""

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
    activation: Activation = "relu"
    norm_eps: float = 1e-5
    tied: Tied = "none"
    """Whether the output layer shares its weights with the target's embedding, or with both embeddings."""


class Transformer(nn.Module):
    r"""Read a source sequence, write a target sequence.

    .. math::  p(y_1 \dots y_T \mid x) = \prod_t p(y_t \mid y_1 \dots y_{t-1}, x)

    Raises:
        ValueError: a size or a choice that is not possible.

    Reference:
        Vaswani et al., Attention Is All You Need, 2017.
    """

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.config = config
        c = config
        if c.tied not in get_args(Tied):
            raise ValueError(f"expected tied of {get_args(Tied)}, got {c.tied!r}")
        if c.tied == "all" and c.source_vocab_size != c.target_vocab_size:
            raise ValueError(
                "tied='all' needs one vocabulary, got "
                f"source_vocab_size={c.source_vocab_size} and target_vocab_size={c.target_vocab_size}"
            )
        d_ff = 4 * c.d_model if c.d_ff is None else c.d_ff
        rotary, alibi = positions_in_attention(c.positions, c.d_model, c.n_heads, c.max_len)
        self.source_embedding = nn.Embedding(c.source_vocab_size, c.d_model)
        self.target_embedding = nn.Embedding(c.target_vocab_size, c.d_model)
        self.source_positions = added_positions(c.positions, c.d_model, c.max_len)
        self.target_positions = added_positions(c.positions, c.d_model, c.max_len)
        self.dropout = nn.Dropout(c.dropout)
        self.encoder = Encoder(
            c.n_layers,
            c.d_model,
            c.n_heads,
            d_ff,
            norm=c.norm,
            dropout=c.dropout,
            activation=c.activation,
            norm_eps=c.norm_eps,
            rotary=rotary,
            alibi=alibi,
        )
        self.decoder = Decoder(
            c.n_layers if c.n_decoder_layers is None else c.n_decoder_layers,
            c.d_model,
            c.n_heads,
            d_ff,
            norm=c.norm,
            dropout=c.dropout,
            activation=c.activation,
            norm_eps=c.norm_eps,
            rotary=rotary,
            alibi=alibi,
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
        source_mask: Mask | None = None,
        target_mask: Mask | None = None,
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
            TypeError: tokens are no integers, or a mask is not boolean.
            ValueError: a sequence is longer than `max_len`.
        """
        return self.decode(target, self.encode(source, source_mask), source_mask, target_mask)

    def encode(self, source: SourceTokens, source_mask: Mask | None = None) -> Source:
        """Return the encoder's output ``[B, S, D]`` for the source; for the arguments see `forward`."""
        check_tokens("source", source, self.config.max_len)
        x = self.source_embedding(source) * self.config.d_model**0.5  # [B, S, D]
        if self.source_positions is not None:
            x = self.source_positions(x)
        memory: Tensor = self.encoder(self.dropout(x), source_mask)
        return memory

    def decode(
        self,
        target: Tokens,
        memory: Source,
        source_mask: Mask | None = None,
        target_mask: Mask | None = None,
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
        x = self.decoder(self.dropout(x), memory, target_mask, source_mask, cache=cache)
        logits: Tensor = self.lm_head(x)  # [B, T, V]
        return logits

    def new_cache(self, source_len: int, max_len: int | None = None) -> DecoderCache:
        """Return an empty cache for a source of S tokens and a target of at most `max_len`."""
        max_len = self.config.max_len if max_len is None else max_len
        return DecoderCache(len(self.decoder.layers), max_len, source_len)
