r"""GPT: a stack of causal blocks that predicts the next token. Taught in chapter 10.

The layout is GPT-2's (Radford et al., Language Models are Unsupervised Multitask Learners, 2019): pre-norm,
learned positions, tanh GELU, output weights tied to the embedding. Hugging Face's `GPT2LMHeadModel` is the
reference it is tested against.
"""

from dataclasses import dataclass
from functools import partial

from torch import Tensor, nn

from unrolled.nn.blocks import AttentionBlock, EncoderBlock
from unrolled.nn.cache import DecoderCache, KVCache
from unrolled.nn.embedding import (
    Positions,
    added_positions,
    check_base,
    check_tokens,
    init_normal,
    positions_in_attention,
)
from unrolled.nn.feedforward import Activation
from unrolled.nn.lean import Step, has_lean, lean
from unrolled.nn.masks import Sight, model_sight
from unrolled.nn.parts import Parts, make_parts
from unrolled.nn.rotary import ROTARY_BASE
from unrolled.shapes import Mask, ShapeError, Tokens, check_share, check_sizes
from unrolled.tap import Tap

__all__ = ["GPT", "GPTConfig"]


@dataclass(frozen=True)
class GPTConfig:
    """The sizes and choices of a `GPT`; the defaults are the smallest GPT-2, of 124 million parameters.

    Example:
        >>> from unrolled.nn import GPTConfig
        >>> GPTConfig(n_layers=2).d_model
        768
        >>> GPTConfig(n_layers=-1)
        Traceback (most recent call last):
        ValueError: n_layers: expected 0 or a positive integer, got -1
    """

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
    rotary_base: float = ROTARY_BASE
    """What the angles of rotary positions come from; larger for longer contexts."""
    activation: Activation = "gelu_tanh"
    bias: bool = True
    norm_eps: float = 1e-5
    tied: bool = True
    """Whether the output layer shares its weights with the token embedding."""

    def __post_init__(self) -> None:
        """Refuse sizes that make no model."""
        sizes = ("vocab_size", "max_len", "d_model", "n_heads", "n_kv_heads")
        check_sizes(**{name: getattr(self, name) for name in sizes})
        check_sizes(low=0, n_layers=self.n_layers, d_ff=self.d_ff)
        check_share(dropout=self.dropout)
        check_base(self.positions, self.rotary_base)

    def parts(self) -> Parts:
        """Return the makers of the blocks' parts; with `dataclasses.replace`, a model is made of others."""
        return make_parts(
            norm_eps=self.norm_eps,
            bias=self.bias,
            activation=self.activation,
            n_kv_heads=self.n_kv_heads,
            positions=positions_in_attention(
                self.positions, self.d_model, self.n_heads, self.max_len, rotary_base=self.rotary_base
            ),
        )


def _block(c: GPTConfig, parts: Parts) -> nn.Module:
    norm = parts.residual
    if c.d_ff == 0 and parts.block is None:
        return AttentionBlock(c.d_model, c.n_heads, norm=norm, dropout=c.dropout, parts=parts)
    block = EncoderBlock if parts.block is None else parts.block
    d_ff = 4 * c.d_model if c.d_ff is None else c.d_ff
    return block(c.d_model, c.n_heads, d_ff, norm=norm, dropout=c.dropout, parts=parts)


def _causal(
    layer: nn.Module, x: Tensor, mask: Mask | Sight | None = None, *, cache: KVCache | None
) -> Tensor:
    after: Tensor = layer(x, mask, causal=True, cache=cache)
    return after


@has_lean
class GPT(nn.Module):
    r"""Predict the next token from those before it, at every position at once.

    .. math::  p(x_1 \dots x_T) = \prod_t p(x_t \mid x_1 \dots x_{t-1})

    Args:
        config: sizes and choices.
        parts: what the blocks are made of; ``config.parts()`` unless given.

    The tap `embedded` hears the vectors ``[B, T, D]`` that enter the first block.

    Raises:
        ValueError: a choice that is not possible.

    Example:
        >>> import torch
        >>> from unrolled.nn import GPT, GPTConfig
        >>> model = GPT(GPTConfig(vocab_size=11, max_len=7, d_model=8, n_heads=2, n_layers=1))
        >>> model(torch.tensor([[1, 5, 7]])).shape
        torch.Size([1, 3, 11])
    """

    def __init__(self, config: GPTConfig, parts: Parts | None = None) -> None:
        super().__init__()
        self.config = config
        c, parts = config, config.parts() if parts is None else parts
        self.token_embedding = parts.embedding(c.vocab_size, c.d_model)
        self.positions = added_positions(c.positions, c.d_model, c.max_len)
        self.dropout = nn.Dropout(c.dropout)
        self.embedded = Tap()
        # A decoder without cross-attention is built of the encoder's blocks, used causally.
        self.layers = nn.ModuleList(_block(c, parts) for _ in range(c.n_layers))
        self.final_norm = parts.norm(c.d_model)
        self.lm_head = parts.head(c.d_model, c.vocab_size)
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
        mask: Mask | Sight | None = None,
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
                padded on the left, with learned or sinusoidal positions. The other kinds count distances,
                which such padding does not change.

        Raises:
            ShapeError: the tokens, the mask or the cache have another shape than expected, or the mask could
                be meant in two ways, ``[B, S]`` with B = T.
            TypeError: the tokens are not integers, or the mask is not boolean.
            ValueError: the sequence is longer than `max_len`, or positions are given to a model that adds
                none.
        """
        held = 0 if cache is None else cache.length
        check_tokens("tokens", tokens, self.config.max_len, held)
        if cache is not None and len(cache.layers) != len(self.layers):
            raise ShapeError(f"cache: expected {len(self.layers)} layers, got {len(cache.layers)}")
        x = self.token_embedding(tokens)  # [B, T, D]
        if self.positions is not None:
            x = self.positions(x, held, positions)
        elif positions is not None:
            raise ValueError(
                f"positions: a model with positions={self.config.positions!r} adds none to its tokens; "
                "expected None"
            )
        mask = model_sight("mask", mask, (*tokens.shape, held + tokens.shape[1]), causal=True)
        x = self.embedded(self.dropout(x))
        for i, layer in enumerate(self.layers):
            x = _causal(layer, x, mask, cache=None if cache is None else cache.layers[i])
        logits: Tensor = self.lm_head(self.final_norm(x))  # [B, T, V]
        return logits

    def lean(self, cache: DecoderCache) -> Step:
        """Return a function from the newest tokens ``[B, 1]`` to the logits after them ``[B, 1, V]``.

        It does what `forward` does in evaluation mode, `cache` included: see `unrolled.nn.lean`.
        """
        embed, drop, embedded, norm, head = map(
            lean, (self.token_embedding, self.dropout, self.embedded, self.final_norm, self.lm_head)
        )
        positions = self.positions
        pairs = zip(self.layers, cache.layers, strict=True)
        blocks = [lean(layer, held, call=partial(_causal, layer, cache=held)) for layer, held in pairs]

        def step(tokens: Tensor) -> Tensor:
            x = embed(tokens)  # [B, 1, D]
            if positions is not None:
                x = positions(x, cache.length, None)
            x = embedded(drop(x))
            for block in blocks:
                x = block(x)
            return head(norm(x))  # [B, 1, V]

        return step

    def new_cache(self, max_len: int | None = None) -> DecoderCache:
        """Return an empty key/value cache, for the whole context or for the `max_len` positions needed.

        An attention layer may say, in a method `new_cache`, what it wants to keep; others keep everything.
        """
        max_len = self.config.max_len if max_len is None else max_len
        cache = DecoderCache(self.config.n_layers, max_len)
        kept = [getattr(getattr(layer, "attention", None), "new_cache", KVCache) for layer in self.layers]
        cache.layers = [make(max_len) for make in kept]
        return cache
