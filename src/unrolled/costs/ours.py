"""The models of this package in the terms of their costs; taught in chapter 13.

Apart from the rest of `unrolled.costs`, which needs no torch.
"""

from unrolled.costs.operations import Operations, operations
from unrolled.costs.parameters import linear, norm, parameters
from unrolled.costs.sizes import Sizes
from unrolled.costs.today import Today
from unrolled.costs.whole import whole
from unrolled.nn.bert import BertConfig
from unrolled.nn.gpt import GPTConfig
from unrolled.nn.llama import LlamaConfig
from unrolled.nn.transformer import TransformerConfig
from unrolled.nn.window import SlidingWindow, block_length

__all__ = [
    "bert_operations",
    "bert_parameters",
    "gpt_sizes",
    "transformer_cache_bytes",
    "transformer_operations",
    "transformer_parameters",
]


def gpt_sizes(c: GPTConfig) -> Sizes:
    """Return the sizes of a `GPT`: what `parameters`, `operations` and `cache_bytes` take.

    Of a `LlamaConfig` too. Operations are those of ``GPT(c)`` while nobody listens; a model that
    `load_llama` has given windows in some of its layers only is not of one size.

    Raises:
        TypeError: a configuration of another kind, whose blocks have other parts.
    """
    if type(c) not in (GPTConfig, LlamaConfig):
        raise TypeError(
            f"c: expected a GPTConfig or a LlamaConfig, got {type(c).__name__}, whose parts are not counted"
        )
    return Sizes(
        vocab_size=c.vocab_size,
        max_len=c.max_len,
        d_model=c.d_model,
        n_heads=c.n_heads,
        n_layers=c.n_layers,
        n_kv_heads=c.n_kv_heads,
        d_ff=c.d_ff,
        bias=c.bias,
        learned=c.positions == "learned",
        tied=c.tied,
        gated=isinstance(c, LlamaConfig),
        today=_today(c) if isinstance(c, LlamaConfig) else None,
    )


def _today(c: LlamaConfig) -> Today:
    return Today(
        d_head=c.d_head,
        out_bias=c.out_bias,
        ff_bias=c.ff_bias,
        head_norm=c.head_norm,
        norms_behind=c.norm_order == "both",
        n_experts=c.n_experts,
        top_k=c.top_k,
        window=c.window,
        block=None if c.window is None else block_length(SlidingWindow(c.window)),
    )


def _bert_sizes(c: BertConfig) -> Sizes:
    return Sizes(
        vocab_size=c.vocab_size,
        max_len=c.max_len,
        d_model=c.d_model,
        n_heads=c.n_heads,
        n_layers=c.n_layers,
        d_ff=c.d_ff,
        encoder=True,
    )


def bert_parameters(c: BertConfig) -> int:
    """Return how many parameters a `BERT` has: it has no pooler, and its head guesses words."""
    p, d = parameters(_bert_sizes(c)), c.d_model
    whole_model = p.total - p.head + (c.n_token_types - 2) * d
    if c.norm == "pre":
        whole_model += norm(d, True)  # after the last block
    head = linear(d, d, True) + norm(d, True) + c.vocab_size  # the decoder's matrix is the embedding's
    return whole_model + (head if c.mlm_head else 0)


def bert_operations(c: BertConfig, length: int, batch: int = 1) -> int:
    """Return the operations of one forward pass of a `BERT`; see `operations` for what is counted."""
    o, d = operations(_bert_sizes(c), length, batch), c.d_model
    head = 2 * batch * length * (d * d + d * c.vocab_size) if c.mlm_head else 0
    return o.total - o.head + head


def _decoder_layers(c: TransformerConfig) -> int:
    return c.n_layers if c.n_decoder_layers is None else c.n_decoder_layers


def _two_stacks(c: TransformerConfig) -> tuple[Sizes, Sizes]:
    """Return the encoder and the decoder, each as a stack of self-attention and feed-forward layers."""
    encoder, decoder = (
        Sizes(
            vocab_size=vocabulary,
            max_len=c.max_len,
            d_model=c.d_model,
            n_heads=c.n_heads,
            n_layers=layers,
            d_ff=c.d_ff,
            learned=c.positions == "learned",
            tied=c.tied != "none",
        )
        for vocabulary, layers in (
            (c.source_vocab_size, c.n_layers),
            (c.target_vocab_size, _decoder_layers(c)),
        )
    )
    return encoder, decoder


def transformer_parameters(c: TransformerConfig) -> int:
    """Return how many parameters a `Transformer` has: two stacks, and the decoder's cross-attention."""
    d = c.d_model
    reads, writes = (parameters(stack) for stack in _two_stacks(c))
    total = reads.total - reads.head + writes.total
    # Cross-attention: four projections and a norm for each block that writes.
    total += _decoder_layers(c) * (4 * linear(d, d, True) + norm(d, True))
    if c.norm == "post":
        total -= 2 * norm(d, True)  # none after the last block
    return total - (c.source_vocab_size * d if c.tied == "all" else 0)


def transformer_operations(c: TransformerConfig, source_len: int, length: int, batch: int = 1) -> Operations:
    """Return the operations of one forward pass of a `Transformer`: S source tokens, T target tokens."""
    reads, writes = _two_stacks(c)
    source, target = operations(reads, source_len, batch), operations(writes, length, batch)
    d, layers = c.d_model, _decoder_layers(c)
    # Queries and outputs of T tokens, keys and values of S; then T times S pairs.
    across = 2 * batch * (2 * length + 2 * source_len) * d * d
    return Operations(
        projections=source.projections + target.projections + layers * across,
        pairs=source.pairs + target.pairs + layers * 4 * batch * length * source_len * d,
        feedforward=source.feedforward + target.feedforward,
        head=target.head,
    )


def transformer_cache_bytes(
    c: TransformerConfig, source_len: int, length: int, batch: int = 1, bits: int = 32
) -> int:
    """Return what keys and values of a `Transformer` take: `length` target tokens, and the source once."""
    whole(source_len=source_len, length=length, batch=batch)
    return 2 * _decoder_layers(c) * c.d_model * (length + source_len) * batch * bits // 8
