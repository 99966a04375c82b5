"""The vectors and the attention weights of every layer. Taught in chapter 11."""

from dataclasses import dataclass

import torch
from torch import Tensor

from unrolled.nn.bert import BERT
from unrolled.shapes import Mask, Tokens
from unrolled.tap import record

__all__ = ["Layers", "bert_layers"]


@dataclass(frozen=True)
class Layers:
    """What a BERT makes of some sentences on the way.

    Attributes:
        vectors: before the first block and after each, n_layers + 1 times ``[B, T, D]``.
        weights: attention in each block, n_layers times ``[B, H, T, T]``; a row is who looks.

    Example:
        >>> import torch
        >>> from unrolled.nn import BERT, BertConfig
        >>> from unrolled.probe import bert_layers
        >>> model = BERT(BertConfig(vocab_size=11, max_len=7, d_model=8, n_heads=2, n_layers=3)).eval()
        >>> layers = bert_layers(model, torch.tensor([[1, 5, 7]]))
        >>> len(layers.vectors), len(layers.weights)
        (4, 3)
    """

    vectors: list[Tensor]
    weights: list[Tensor]


def bert_layers(
    model: BERT, tokens: Tokens, mask: Mask | None = None, token_types: Tokens | None = None
) -> Layers:
    """Return the vectors and the attention weights of every layer, detached; arguments as in `BERT.encode`.

    The vectors are those that run from block to block: a norm after the last block is not in them.

    Example:
        >>> import torch
        >>> from unrolled.nn import BERT, BertConfig
        >>> from unrolled.probe import bert_layers
        >>> model = BERT(BertConfig(vocab_size=11, max_len=7, d_model=8, n_heads=2, n_layers=3)).eval()
        >>> bert_layers(model, torch.tensor([[1, 5, 7]])).weights[0].shape
        torch.Size([1, 2, 3, 3])
    """
    with torch.no_grad(), record(model, "embedded", "*.stream", "*.weights") as heard:
        model.encode(tokens, mask, token_types)
    blocks = [f"encoder.layers.{i}" for i in range(len(model.encoder.layers))]
    return Layers(
        vectors=[heard["embedded"][0], *(heard[f"{block}.stream"][0] for block in blocks)],
        weights=[heard[f"{block}.attention.weights"][0] for block in blocks],
    )
