r"""What the weights of a head do, read off the weights alone: no text, no run.

A head has two halves that never meet. The QK circuit says from which token it looks at which; the OV circuit
says what it writes once it looks. Both are products of matrices that training only ever uses together.

**Left out**, because it depends on the text: the division in each norm (its centring and its weights are in),
all biases, positions, caps on scores and logits, sinks, and what other layers have added to the stream.
Taught in chapter 12.

Reference:
    Elhage et al., A Mathematical Framework for Transformer Circuits, 2021.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from unrolled.nn.blocks import AttentionBlock, EncoderBlock
from unrolled.nn.gpt import GPT
from unrolled.nn.multihead import MultiHeadAttention
from unrolled.nn.norms import RMSNorm
from unrolled.nn.parts import pre_norm
from unrolled.probe.ablation import check_head

__all__ = ["Composition", "composition", "head_columns", "ov_circuit", "qk_circuit"]

Block = AttentionBlock | EncoderBlock


class Composition(NamedTuple):
    """How strongly each head of one block reads what each head of a block before wrote, ``[H, H']`` each.

    Attributes:
        queries: through what it looks for.
        keys: through what it is found by: high where an induction head reads a previous-token head.
        values: through what it hands over.

    Example:
        >>> from unrolled.nn import AttentionBlock
        >>> from unrolled.probe import composition
        >>> found = composition(AttentionBlock(d_model=8, n_heads=2), AttentionBlock(d_model=8, n_heads=4))
        >>> found.queries.shape, found.keys.shape, found.values.shape
        (torch.Size([2, 4]), torch.Size([2, 4]), torch.Size([2, 4]))
    """

    queries: Tensor
    keys: Tensor
    values: Tensor


def head_columns(attention: MultiHeadAttention, head: int) -> slice:
    """Return the columns of ``out_proj.weight`` that read what one head found.

    Raises:
        ValueError: there is no such head.

    Example:
        >>> from unrolled.nn import MultiHeadAttention
        >>> from unrolled.probe import head_columns
        >>> head_columns(MultiHeadAttention(d_model=8, n_heads=2), 1)
        slice(4, 8, None)
    """
    check_head(head, attention.n_heads)
    return slice(head * attention.d_head, (head + 1) * attention.d_head)


@torch.no_grad()
def qk_circuit(model: GPT, layer: int, head: int) -> Tensor:
    r"""Return the score that each token gives to each token, as far as weights say, ``[V, V]``.

    .. math::  E\, W_q^\top W_k\, E^\top / \sqrt{d_{head}}

    Row: the token that looks; column: the one that is looked at. See the module for what is left out.

    Raises:
        TypeError: the model is no `GPT`, its attention no `MultiHeadAttention`, or a norm an unknown one.
        ValueError: there is no such layer or head, the model is not pre-norm, or norms its queries and keys.

    Example:
        >>> from unrolled.nn import GPT, GPTConfig
        >>> from unrolled.probe import qk_circuit
        >>> model = GPT(GPTConfig(vocab_size=11, max_len=7, d_model=8, n_heads=2, n_layers=1))
        >>> qk_circuit(model, layer=0, head=1).shape
        torch.Size([11, 11])
    """
    block = _block(model, layer)
    check_head(head, _attention(block).n_heads)
    words = _words(model)
    scores: Tensor = words @ _qk(block)[head] @ words.T
    return scores


@torch.no_grad()
def ov_circuit(model: GPT, layer: int, head: int) -> Tensor:
    r"""Return what looking at each token adds to the logit of each token, as far as weights say, ``[V, V]``.

    .. math::  E\, W_v^\top W_o^\top U^\top

    Row: the token that is looked at; column: the one whose logit it moves. A diagonal that stands out means
    that the head copies. Errors as in `qk_circuit`, and a TypeError where the output layer is not linear; see
    the module for what is left out.

    Example:
        >>> from unrolled.nn import GPT, GPTConfig
        >>> from unrolled.probe import ov_circuit
        >>> model = GPT(GPTConfig(vocab_size=11, max_len=7, d_model=8, n_heads=2, n_layers=1))
        >>> ov_circuit(model, layer=0, head=1).shape
        torch.Size([11, 11])
    """
    block = _block(model, layer)
    check_head(head, _attention(block).n_heads)
    written = _words(model) @ _ov(block)[head]  # [V, D]
    if not isinstance(model.lm_head, nn.Linear):
        raise TypeError(f"model: expected a linear output layer, got {type(model.lm_head).__name__}")
    logits: Tensor = written @ _read(model.final_norm, written) @ model.lm_head.weight.T
    return logits


@torch.no_grad()
def composition(first: Block, second: Block) -> Composition:
    r"""Return how strongly the heads of the second block read what those of the first wrote.

    .. math::  \frac{\lVert W_{OV}^{1} M \rVert}{\lVert W_{OV}^{1} \rVert\, \lVert M \rVert}, \qquad
               M = W_{QK}^{2},\; (W_{QK}^{2})^\top,\; W_{OV}^{2}

    for queries, keys and values, in the Frobenius norm, vectors as rows. Matrices that have nothing to do
    with each other give about :math:`1/\sqrt{D}` and not 0: compare with a model that has not learned. A
    feed-forward network in between is left out, as is what the module names.

    Raises:
        TypeError: an attention is no `MultiHeadAttention`, or a norm an unknown one.
        ValueError: a block is not pre-norm, the second norms queries and keys, or the two differ in width.

    Example:
        >>> from unrolled.nn import AttentionBlock
        >>> from unrolled.probe import composition
        >>> found = composition(AttentionBlock(d_model=8, n_heads=2), AttentionBlock(d_model=8, n_heads=4))
        >>> found.keys.shape
        torch.Size([2, 4])
    """
    written, qk, ov = _ov(first), _qk(second), _ov(second)  # [H, D, D], [H', D, D]
    if written.shape[-1] != qk.shape[-1]:
        raise ValueError(f"second: expected width {written.shape[-1]} as the first, got {qk.shape[-1]}")

    def share(read: Tensor) -> Tensor:
        norm = torch.linalg.matrix_norm
        shares: Tensor = norm(written[:, None] @ read) / (norm(written)[:, None] * norm(read))
        return shares  # [H, H']

    return Composition(share(qk), share(qk.mT), share(ov))


def _block(model: GPT, layer: int) -> Block:
    if not isinstance(model, GPT):
        raise TypeError(f"model: expected a GPT, got {type(model).__name__}")
    if not 0 <= layer < len(model.layers):
        raise ValueError(f"layer: expected 0 to {len(model.layers) - 1}, got {layer}")
    block = model.layers[layer]
    if not isinstance(block, AttentionBlock | EncoderBlock):
        raise TypeError(f"model: expected AttentionBlock or EncoderBlock, got {type(block).__name__}")
    return block


def _words(model: GPT) -> Tensor:
    """Return the vector of every token as it enters the first block, ``[V, D]``."""
    device = model.token_embedding.weight.device
    words: Tensor = model.token_embedding(torch.arange(model.config.vocab_size, device=device))
    return words


def _attention(block: Block) -> MultiHeadAttention:
    if not isinstance(block.attention, MultiHeadAttention):
        raise TypeError(f"block: expected one with MultiHeadAttention, got {type(block.attention).__name__}")
    if block.norm not in ("pre", pre_norm):
        raise ValueError(f"block: expected norm='pre', got {block.norm!r}")
    return block.attention


def _read(norm: nn.Module, like: Tensor) -> Tensor:
    """Return the matrix ``[D, D]`` of what is linear in a norm, to multiply rows with."""
    matrix = torch.eye(like.shape[-1], dtype=like.dtype, device=like.device)
    if isinstance(norm, nn.Identity):
        return matrix
    if not isinstance(norm, nn.LayerNorm | nn.RMSNorm | RMSNorm):
        raise TypeError(f"norm: expected LayerNorm, RMSNorm or Identity, got {type(norm).__name__}")
    if isinstance(norm, nn.LayerNorm):
        matrix = matrix - 1 / like.shape[-1]
    return matrix if norm.weight is None else matrix * norm.weight


def _heads(block: Block) -> tuple[Tensor, Tensor, Tensor]:
    """Return the matrices ``[H, D, K]`` from the stream to queries, keys and values of every head."""
    attention = _attention(block)
    shared = attention.n_heads // attention.n_kv_heads
    read = _read(block.attention_norm, attention.q_proj.weight)
    q, k, v = (
        (proj.weight @ read.T).view(-1, attention.d_head, attention.d_model).mT
        for proj in (attention.q_proj, attention.k_proj, attention.v_proj)
    )
    return q, k.repeat_interleave(shared, 0), v.repeat_interleave(shared, 0)


def _qk(block: Block) -> Tensor:
    """Return the matrices from the stream of one token and that of another to their score, ``[H, D, D]``."""
    if _attention(block).query_norm is not None:
        raise ValueError("block: expected no norm of queries and keys, which no matrix stands for")
    q, k, _ = _heads(block)
    scores: Tensor = q @ k.mT * q.shape[-1] ** -0.5
    return scores


def _ov(block: Block) -> Tensor:
    """Return the matrices from the stream of a token that is looked at to what is written, ``[H, D, D]``."""
    _, _, v = _heads(block)
    attention = _attention(block)
    out = attention.out_proj.weight.view(attention.d_model, attention.n_heads, attention.d_head)
    written = v @ out.permute(1, 2, 0)  # [H, D, K] @ [H, K, D]
    return written if block.attention_after is None else written @ _read(block.attention_after, written)
