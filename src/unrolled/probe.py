"""Look into a model: the vectors of every layer, who looks at whom, and what is lost without a head.

Taught in chapters 6, 11 and 12.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from unrolled.nn.bert import BERT
from unrolled.nn.blocks import AttentionBlock, EncoderBlock
from unrolled.nn.multihead import MultiHeadAttention
from unrolled.shapes import Mask, Tokens, Weights, check_shape
from unrolled.tap import record

__all__ = ["Layers", "bert_layers", "head_columns", "map_score", "previous_token_score", "without_head"]


@dataclass(frozen=True)
class Layers:
    """What a BERT makes of some sentences on the way.

    Attributes:
        vectors: before the first block and after each, n_layers + 1 times ``[B, T, D]``.
        weights: attention in each block, n_layers times ``[B, H, T, T]``; a row is who looks.
    """

    vectors: list[Tensor]
    weights: list[Tensor]


def bert_layers(
    model: BERT, tokens: Tokens, mask: Mask | None = None, token_types: Tokens | None = None
) -> Layers:
    """Return the vectors and the attention weights of every layer, detached; arguments as in `BERT.encode`.

    The vectors are those that run from block to block: a norm behind the last block is not in them.
    """
    before: list[Tensor] = []

    def keep(_: nn.Module, arguments: tuple[Any, ...]) -> None:
        before.append(arguments[0].detach())

    handle = model.encoder.register_forward_pre_hook(keep)
    try:
        with torch.no_grad(), record(model, "encoder.layers.*") as heard:
            model.encode(tokens, mask, token_types)
    finally:
        handle.remove()
    blocks = [f"encoder.layers.{i}" for i in range(len(model.encoder.layers))]
    return Layers(
        vectors=[before[0], *(heard[f"{block}.stream"][0] for block in blocks)],
        weights=[heard[f"{block}.attention.weights"][0] for block in blocks],
    )


def head_columns(attention: MultiHeadAttention, head: int) -> slice:
    """Return the columns of ``out_proj.weight`` that read what one head found.

    Raises:
        ValueError: there is no such head.
    """
    if not 0 <= head < attention.n_heads:
        raise ValueError(f"head: expected 0 to {attention.n_heads - 1}, got {head}")
    return slice(head * attention.d_head, (head + 1) * attention.d_head)


@contextmanager
def without_head(block: AttentionBlock | EncoderBlock, head: int) -> Iterator[None]:
    """Switch one attention head of a block off: what it found reaches nobody, until the ``with`` ends.

    Its columns of the output matrix are zero for that long.

    Raises:
        ValueError: the block has no such head.
    """
    columns, weight = head_columns(block.attention, head), block.attention.out_proj.weight
    kept = weight.detach()[:, columns].clone()
    try:
        with torch.no_grad():
            weight[:, columns] = 0.0
        yield
    finally:
        with torch.no_grad():
            weight[:, columns] = kept


def map_score(weights: Weights, alignment: Tensor) -> Tensor:
    r"""Return how much of its weight each head puts where a known map points, ``[H]``, 0 to 1.

    .. math::  \frac{\sum_{btj} m_{btj}\, a_{bhtj}}{\sum_{btj} m_{btj}}

    With the map of `unrolled.data.sequences.repeated` this is the induction score.

    Args:
        weights: of the heads of one layer, ``[B, H, T, S]``.
        alignment: the map m, ``[B, T, S]``: one 1 in a row, or zeros where nothing is asked.

    Raises:
        ShapeError: the two do not belong together.
        ValueError: the map points nowhere.

    Reference:
        Olsson et al., In-context Learning and Induction Heads, 2022.
    """
    check_shape("weights", weights, "B H T S")
    n, _, t, s = weights.shape
    check_shape("alignment", alignment, "B T S", B=n, T=t, S=s)
    asked = alignment.sum()
    if asked == 0:
        raise ValueError("alignment: expected at least one place to look at, got none")
    return (weights * alignment[:, None]).sum((0, 2, 3)) / asked  # [H]


def previous_token_score(weights: Weights) -> Tensor:
    r"""Return how much of its weight each head puts on the token before, ``[H]``, 0 to 1.

    .. math::  \frac{1}{B(T-1)} \sum_{b,\,t \ge 1} a_{bh,t,t-1}

    Args:
        weights: of the heads of one layer over one sequence, ``[B, H, T, T]``.

    Raises:
        ShapeError: they are not square.
    """
    check_shape("weights", weights, "B H T S", S=weights.shape[-2])
    return weights.diagonal(-1, -2, -1).mean((0, 2))  # [B, H, T - 1] -> [H]
