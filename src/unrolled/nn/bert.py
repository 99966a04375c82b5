r"""BERT: an encoder that guesses masked words from both sides. Taught in chapter 11.

The layout is that of Devlin et al., BERT: Pre-training of Deep Bidirectional Transformers, 2019: post-norm,
learned positions, token types, exact GELU, output weights tied to the embedding. Hugging Face's
`BertForMaskedLM` is the reference it is tested against.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from unrolled.nn.embedding import check_tokens, init_normal
from unrolled.nn.feedforward import Activation, make_activation
from unrolled.nn.masks import Sight
from unrolled.nn.parts import NormOrder, Parts, make_parts
from unrolled.nn.positional import Learned
from unrolled.nn.stacks import Encoder
from unrolled.shapes import Mask, Sequence, ShapeError, Tokens, check_share, check_sizes
from unrolled.tap import Tap

__all__ = ["BERT", "BertConfig"]


@dataclass(frozen=True)
class BertConfig:
    """The sizes and choices of a `BERT`; the defaults are BERT base, of 110 million parameters.

    Example:
        >>> from unrolled.nn import BertConfig
        >>> config = BertConfig(n_layers=2)
        >>> config.norm, config.vocab_size
        ('post', 30522)
    """

    vocab_size: int = 30522
    max_len: int = 512
    d_model: int = 768
    n_heads: int = 12
    n_layers: int = 12
    d_ff: int | None = None
    """Four times `d_model` unless given."""
    n_token_types: int = 2
    """Kinds of segment a token can belong to; 0 for a model that knows none."""
    dropout: float = 0.1
    norm: NormOrder = "post"
    activation: Activation = "gelu"
    norm_eps: float = 1e-12
    mlm_head: bool = True
    """Whether the model can guess words; without, it gives vectors only."""

    def __post_init__(self) -> None:
        """Refuse sizes that make no model."""
        sizes = ("vocab_size", "max_len", "d_model", "n_heads", "d_ff")
        check_sizes(**{name: getattr(self, name) for name in sizes})
        check_sizes(low=0, n_layers=self.n_layers, n_token_types=self.n_token_types)
        check_share(dropout=self.dropout)

    def parts(self) -> Parts:
        """Return the makers of the blocks' parts; with `dataclasses.replace`, a model is made of others."""
        return make_parts(norm_eps=self.norm_eps, activation=self.activation)


class MaskedLMHead(nn.Module):
    """From a token's vector to a score for every word: one more layer, then the embedding turned round."""

    def __init__(self, config: BertConfig, parts: Parts) -> None:
        super().__init__()
        self.dense = nn.Linear(config.d_model, config.d_model)
        self.activation = make_activation(config.activation)
        self.norm = parts.norm(config.d_model)
        self.decoder = nn.Linear(config.d_model, config.vocab_size)

    def forward(self, x: Sequence) -> Tensor:
        """Return logits ``[B, T, V]`` for the vectors `x` ``[B, T, D]``."""
        logits: Tensor = self.decoder(self.norm(self.activation(self.dense(x))))
        return logits


class BERT(nn.Module):
    r"""Give every token a vector that has heard the whole sentence, and guess the words that are masked.

    .. math::  p(x_t \mid x_1 \dots x_{t-1}, \text{[MASK]}, x_{t+1} \dots x_T)

    Args:
        config: sizes and choices.
        parts: what the blocks are made of; ``config.parts()`` unless given.

    The tap `embedded` hears the vectors ``[B, T, D]`` that enter the first block.

    Raises:
        ValueError: a choice that is not possible.

    Example:
        >>> import torch
        >>> from unrolled.nn import BERT, BertConfig
        >>> config = BertConfig(vocab_size=11, max_len=7, d_model=8, n_heads=2, n_layers=1)
        >>> model = BERT(config).eval()
        >>> model(torch.tensor([[1, 5, 7]])).shape
        torch.Size([1, 3, 11])
    """

    def __init__(self, config: BertConfig, parts: Parts | None = None) -> None:
        super().__init__()
        self.config = config
        c, parts = config, config.parts() if parts is None else parts
        self.token_embedding = nn.Embedding(c.vocab_size, c.d_model)
        self.positions = Learned(c.d_model, c.max_len)
        self.type_embedding = nn.Embedding(c.n_token_types, c.d_model) if c.n_token_types else None
        self.embedding_norm = parts.norm(c.d_model)
        self.dropout = nn.Dropout(c.dropout)
        self.embedded = Tap()
        self.encoder = Encoder(
            c.n_layers,
            c.d_model,
            c.n_heads,
            4 * c.d_model if c.d_ff is None else c.d_ff,
            norm=c.norm,
            dropout=c.dropout,
            parts=parts,
        )
        self.head = MaskedLMHead(c, parts) if c.mlm_head else None
        self.apply(init_normal)
        if self.head is not None:
            self.head.decoder.weight = self.token_embedding.weight

    def encode(
        self, tokens: Tokens, mask: Mask | Sight | None = None, token_types: Tokens | None = None
    ) -> Sequence:
        """Return one vector per token that depends on all tokens, ``[B, T, D]``.

        Args:
            tokens: integers ``[B, T]``.
            mask: boolean, True = may attend, broadcastable to ``[B, T, T]``; a `padding_mask` for sequences
                that are padded.
            token_types: the segment each token belongs to, ``[B, T]``; all zero unless given.

        Raises:
            ShapeError: the tokens, their types or the mask have another shape than expected, or the mask
                could be meant in two ways, ``[B, S]`` with B = T.
            TypeError: tokens or types are not integers, or the mask is not boolean.
            ValueError: the sequence is longer than `max_len`, or types are given to a model without.
        """
        check_tokens("tokens", tokens, self.config.max_len)
        x = self.positions(self.token_embedding(tokens))  # [B, T, D]
        if self.type_embedding is not None:
            if token_types is None:
                token_types = torch.zeros_like(tokens)
            check_tokens("token_types", token_types, self.config.max_len)
            if token_types.shape != tokens.shape:
                raise ShapeError(
                    f"token_types: expected the shape of the tokens {list(tokens.shape)}, "
                    f"got {list(token_types.shape)}"
                )
            x = x + self.type_embedding(token_types)
        elif token_types is not None:
            raise ValueError("token_types: this model has none (n_token_types=0)")
        x = self.embedded(self.dropout(self.embedding_norm(x)))
        vectors: Tensor = self.encoder(x, mask)
        return vectors

    def forward(
        self, tokens: Tokens, mask: Mask | Sight | None = None, token_types: Tokens | None = None
    ) -> Tensor:
        """Return a score for every word at every position, logits ``[B, T, V]``; arguments as in `encode`.

        Raises:
            RuntimeError: the model was built without the head that guesses words.
        """
        if self.head is None:
            raise RuntimeError("this BERT has no masked-LM head (mlm_head=False): call encode(tokens)")
        logits: Tensor = self.head(self.encode(tokens, mask, token_types))
        return logits
