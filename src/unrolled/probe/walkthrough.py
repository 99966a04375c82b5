"""Every number on the way from tokens to logits of a GPT, by name: what the playground draws."""

from typing import Any

import torch
from torch import Tensor, nn

from unrolled.nn.blocks import EncoderBlock
from unrolled.nn.gpt import GPT
from unrolled.nn.multihead import MultiHeadAttention
from unrolled.shapes import ShapeError

__all__ = ["walkthrough"]


@torch.no_grad()
def walkthrough(model: GPT, tokens: Tensor) -> dict[str, Tensor]:
    r"""Return what a GPT computes for one text, from the embedding to the logits.

    Names without a block: ``tokens`` ``[T]``; ``word``, ``place``, ``embedded`` ``[T, D]``; ``final``
    ``[T, D]`` with ``final.mean`` and ``final.variance`` ``[T]``; ``logits`` ``[T, V]``. Those of block ``l``
    begin with ``l.``: ``norm``, ``second_norm`` ``[T, D]``, each with its mean and variance ``[T]``;
    ``query``, ``key``, ``value``, ``context`` ``[H, T, K]``; ``scores`` (before the mask) and ``weights``
    ``[H, T, T]``; ``joined``, ``projected``, ``middle``, ``down``, ``output`` ``[T, D]``; ``up`` and
    ``hidden`` ``[T, F]``; and ``lens`` ``[T, V]``, the logits if the model ended after the block.

    Args:
        model: a `GPT` of pre-norm blocks with learned positions and as many heads of keys as of queries.
        tokens: integers ``[T]``.

    Raises:
        ShapeError: the tokens are not a single text.
        ValueError: the model is built in another way: the numbers would not be its own.

    Example:
        >>> import torch
        >>> from unrolled.nn import GPT, GPTConfig
        >>> gpt = GPT(GPTConfig(vocab_size=11, max_len=8, d_model=6, n_heads=2, n_layers=1))
        >>> walk = walkthrough(gpt, torch.tensor([3, 1, 4]))
        >>> walk["0.weights"].shape, walk["logits"].shape
        (torch.Size([2, 3, 3]), torch.Size([3, 11]))
    """
    if tokens.ndim != 1:
        raise ShapeError(f"tokens: expected [T], got {list(tokens.shape)}")
    table = getattr(model.positions, "table", None)
    if not isinstance(table, nn.Embedding):
        raise ValueError(f"model: expected learned positions, got {model.config.positions!r}")
    training = model.training
    model.eval()
    try:
        walk = _walk(model, tokens, table)
        same = torch.allclose(walk["logits"], model(tokens[None])[0], rtol=1e-4, atol=1e-4)
    finally:
        model.train(training)
    if not same:
        raise ValueError("model: expected pre-norm blocks of attention and feed-forward and nothing else")
    return walk


def _walk(model: GPT, tokens: Tensor, table: nn.Embedding) -> dict[str, Tensor]:
    walk = {"tokens": tokens, "word": model.token_embedding(tokens), "place": table.weight[: len(tokens)]}
    x = walk["embedded"] = walk["word"] + walk["place"]
    for layer, block in enumerate(model.layers):
        if not isinstance(block, EncoderBlock) or not isinstance(block.attention, MultiHeadAttention):
            raise ValueError(f"layers.{layer}: expected an EncoderBlock, got {type(block).__name__}")
        own = _attention(block, x)
        own["middle"] = x + own["projected"]
        own |= _norm("second_norm", block.feedforward_norm, own["middle"])
        feedforward: Any = block.feedforward
        own["up"] = feedforward.up_proj(own["second_norm"])
        own["hidden"] = feedforward.activation(own["up"])
        own["down"] = feedforward.down_proj(own["hidden"])
        x = own["output"] = own["middle"] + own["down"]
        own["lens"] = model.lm_head(model.final_norm(x))
        walk |= {f"{layer}.{name}": tensor for name, tensor in own.items()}
    walk |= _norm("final", model.final_norm, x)
    walk["logits"] = model.lm_head(walk["final"])
    return walk


def _norm(name: str, norm: nn.Module, x: Tensor) -> dict[str, Tensor]:
    return {
        f"{name}.mean": x.mean(-1),
        f"{name}.variance": x.var(-1, correction=0),
        name: norm(x),
    }


def _attention(block: EncoderBlock, x: Tensor) -> dict[str, Tensor]:
    own = _norm("norm", block.attention_norm, x)
    attention: Any = block.attention
    packed = attention.qkv_proj(own["norm"]).unflatten(-1, (3, attention.n_heads, -1))  # [T, 3, H, K]
    query, key, value = packed.permute(1, 2, 0, 3)  # [H, T, K] each
    scores = query @ key.mT / query.shape[-1] ** 0.5
    causal = torch.ones(len(x), len(x), dtype=torch.bool, device=x.device).tril()
    weights = scores.masked_fill(~causal, -torch.inf).softmax(-1)
    context = weights @ value
    joined = context.transpose(0, 1).flatten(1)  # [T, D]
    own |= {"query": query, "key": key, "value": value, "scores": scores, "weights": weights}
    return own | {"context": context, "joined": joined, "projected": attention.out_proj(joined)}
