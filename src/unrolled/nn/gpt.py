r"""GPT: a stack of causal blocks that predicts the next token. Taught in chapter 10.

The layout is GPT-2's (Radford et al., Language Models are Unsupervised Multitask Learners, 2019): pre-norm,
learned positions, tanh GELU, output weights tied to the embedding. Hugging Face's `GPT2LMHeadModel` is the
reference it is tested against.
"""

from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from unrolled.nn.blocks import AttentionBlock, EncoderBlock
from unrolled.nn.cache import DecoderCache
from unrolled.nn.embedding import (
    Positions,
    added_positions,
    check_tokens,
    init_normal,
    positions_in_attention,
)
from unrolled.nn.feedforward import Activation
from unrolled.nn.positional import ALiBi, Rotary
from unrolled.shapes import Mask, ShapeError, Tokens

__all__ = ["GPT", "GPTConfig"]


@dataclass(frozen=True)
class GPTConfig:
    """The sizes and choices of a `GPT`; the defaults are the smallest GPT-2, of 124 million parameters."""

    vocab_size: int = 50257
    max_len: int = 1024
    d_model: int = 768
    n_heads: int = 12
    n_layers: int = 12
    d_ff: int | None = None
    """Four times `d_model` unless given; 0 for blocks of attention alone."""
    n_kv_heads: int | None = None
    """Heads of keys and values; `n_heads` unless given."""
    dropout: float = 0.0
    positions: Positions = "learned"
    activation: Activation = "gelu_tanh"
    bias: bool = True
    norm_eps: float = 1e-5
    tied: bool = True
    """Whether the output layer shares its weights with the token embedding."""


def _block(c: GPTConfig, rotary: Rotary | None, alibi: ALiBi | None) -> AttentionBlock | EncoderBlock:
    shared: dict[str, Any] = {
        "norm": "pre",
        "dropout": c.dropout,
        "bias": c.bias,
        "norm_eps": c.norm_eps,
        "n_kv_heads": c.n_kv_heads,
        "rotary": rotary,
        "alibi": alibi,
    }
    if c.d_ff == 0:
        return AttentionBlock(c.d_model, c.n_heads, **shared)
    d_ff = 4 * c.d_model if c.d_ff is None else c.d_ff
    return EncoderBlock(c.d_model, c.n_heads, d_ff, activation=c.activation, **shared)


class GPT(nn.Module):
    r"""Predict the next token from those before it, at every position at once.

    .. math::  p(x_1 \dots x_T) = \prod_t p(x_t \mid x_1 \dots x_{t-1})

    Raises:
        ValueError: a size or a choice that is not possible.
    """

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.config = config
        c = config
        rotary, alibi = positions_in_attention(c.positions, c.d_model, c.n_heads, c.max_len)
        self.token_embedding = nn.Embedding(c.vocab_size, c.d_model)
        self.positions = added_positions(c.positions, c.d_model, c.max_len)
        self.dropout = nn.Dropout(c.dropout)
        # A decoder without cross-attention is built of the encoder's blocks, used causally.
        self.layers = nn.ModuleList(_block(c, rotary, alibi) for _ in range(c.n_layers))
        self.final_norm = nn.LayerNorm(c.d_model, c.norm_eps, bias=c.bias)
        self.lm_head = nn.Linear(c.d_model, c.vocab_size, bias=False)
        self.apply(init_normal)
        for name, weight in self.named_parameters():
            # What is added to the residual stream 2 n_layers times starts smaller, so that the sum does not.
            if name.endswith(("out_proj.weight", "down_proj.weight")):
                nn.init.normal_(weight, std=0.02 / (2 * c.n_layers) ** 0.5)
        if c.tied:
            self.lm_head.weight = self.token_embedding.weight

    def forward(
        self,
        tokens: Tokens,
        mask: Mask | None = None,
        cache: DecoderCache | None = None,
        *,
        positions: Tensor | None = None,
    ) -> Tensor:
        """Return a score for every word as the next one, at every position: logits ``[B, T, V]``.

        Args:
            tokens: integers ``[B, T]``.
            mask: boolean, True = may attend, broadcastable to ``[B, T, S]``, on top of the causal rule; a
                `padding_mask` for sequences that are padded.
            cache: from `new_cache`; `tokens` then continue what it holds, S counts both.
            positions: where the tokens stand, ``[B, T]``, when that is not 0, 1, 2, ...: sequences that are
                padded on the left, with learned or sinusoidal positions.

        Raises:
            ShapeError: the tokens, the mask or the cache have another shape than expected.
            TypeError: the tokens are no integers, or the mask is not boolean.
            ValueError: the sequence is longer than `max_len`.
        """
        held = 0 if cache is None else cache.length
        check_tokens("tokens", tokens, self.config.max_len, held)
        if cache is not None and len(cache.layers) != len(self.layers):
            raise ShapeError(f"cache: expected {len(self.layers)} layers, got {len(cache.layers)}")
        x = self.token_embedding(tokens)  # [B, T, D]
        if self.positions is not None:
            x = self.positions(x, held, positions)
        x = self.dropout(x)
        for i, layer in enumerate(self.layers):
            x = layer(x, mask, causal=True, cache=None if cache is None else cache.layers[i])
        logits: Tensor = self.lm_head(self.final_norm(x))  # [B, T, V]
        return logits

    def new_cache(self, max_len: int | None = None) -> DecoderCache:
        """Return an empty key/value cache, for the whole context or for the `max_len` positions needed."""
        return DecoderCache(self.config.n_layers, self.config.max_len if max_len is None else max_len)
