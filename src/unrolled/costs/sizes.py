"""A transformer as a list of sizes: all that its costs depend on."""

from dataclasses import dataclass

from unrolled.costs.today import Today
from unrolled.costs.whole import whole

__all__ = ["Sizes"]


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """The sizes of a stack of blocks, encoder or decoder; taught in chapter 13.

    Attributes:
        vocab_size: V, words the model knows.
        max_len: positions it was made for.
        d_model: components per token.
        n_heads: heads of queries, each of ``d_model / n_heads`` components, unless `today` says how many.
        n_layers: blocks.
        n_kv_heads: heads of keys and values; `n_heads` unless given.
        d_ff: width of the feed-forward layer; four times `d_model` unless given, 0 for none.
        gated: whether that layer has a gate (SwiGLU): three matrices in place of two.
        bias: whether linear layers and norms add a bias.
        learned: whether positions are learned: a vector for each of `max_len`.
        tied: whether the output layer shares the embedding's weights.
        today: what a block of today has besides; nothing unless given. Taught in chapter 15.
        encoder: whether it is BERT's kind, which gives vectors and writes no tokens: a norm after the
            embedding in place of one at the end, two segment vectors, a pooler and no output layer.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is not positive, or the heads cannot be shared out.

    Example:
        >>> from unrolled.costs import KNOWN
        >>> sizes = KNOWN["Llama 2 13B"].sizes
        >>> sizes.d_model, sizes.n_layers
        (5120, 40)
    """

    vocab_size: int
    max_len: int
    d_model: int
    n_heads: int
    n_layers: int
    n_kv_heads: int | None = None
    d_ff: int | None = None
    gated: bool = False
    bias: bool = True
    learned: bool = True
    tied: bool = True
    encoder: bool = False
    today: Today | None = None

    def __post_init__(self) -> None:
        """Refuse sizes that make no model."""
        whole(
            vocab_size=self.vocab_size,
            max_len=self.max_len,
            d_model=self.d_model,
            n_heads=self.n_heads,
            n_layers=self.n_layers,
            n_kv_heads=self.kv_heads,
        )
        whole(low=0, d_ff=self.ff)
        if self.besides.d_head is None and self.d_model % self.n_heads:
            raise ValueError(
                f"d_model: expected a multiple of n_heads={self.n_heads}, got {self.d_model}: the heads "
                "share it out"
            )
        if self.n_heads % self.kv_heads:
            raise ValueError(
                f"n_heads: expected a multiple of n_kv_heads={self.kv_heads}, got {self.n_heads}: each head "
                "of keys serves a group"
            )

    @property
    def besides(self) -> Today:
        """What the block has besides: `today`, or nothing, with the biases of 2017."""
        return Today(out_bias=self.bias, ff_bias=self.bias) if self.today is None else self.today

    @property
    def d_head(self) -> int:
        """Components per query, key and value within a head."""
        own = self.besides.d_head
        return self.d_model // self.n_heads if own is None else own

    @property
    def kv_heads(self) -> int:
        """Heads of keys and values."""
        return self.n_heads if self.n_kv_heads is None else self.n_kv_heads

    @property
    def ff(self) -> int:
        """Width of the feed-forward layer; 0 if there is none."""
        return 4 * self.d_model if self.d_ff is None else self.d_ff
