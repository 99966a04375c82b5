"""One token through a GPT by its numbers alone. Taught in chapter 10.

A step of generation multiplies one vector with small matrices, and calling the modules costs more than that.
`stepper` gathers the parameters once, and takes the same operations in the same order as `GPT.forward`; tests
hold the two together. It declines wherever somebody might look or interfere: at taps that are listened to, at
hooks, in training, where a layer was exchanged for another kind, and where positions work inside attention.
"""

from collections.abc import Callable
from typing import cast

from torch import Tensor, nn
from torch.nn.functional import layer_norm, linear, scaled_dot_product_attention

from unrolled.nn.blocks import EncoderBlock
from unrolled.nn.cache import DecoderCache, KVCache
from unrolled.nn.feedforward import FeedForward
from unrolled.nn.gpt import GPT
from unrolled.nn.multihead import MultiHeadAttention
from unrolled.nn.positional import Learned, Sinusoidal
from unrolled.tap import Tap

__all__ = ["stepper"]

Step = Callable[[Tensor], Tensor]

# What the step knows how to take apart, or calls as it is. Anything else is somebody's own.
_KNOWN = {
    *(GPT, EncoderBlock, MultiHeadAttention, FeedForward, Learned, Sinusoidal, Tap),
    *(nn.Embedding, nn.LayerNorm, nn.Linear, nn.Dropout, nn.ModuleList, nn.GELU, nn.ReLU),
}


def stepper(model: GPT, cache: DecoderCache) -> Step | None:
    """Return a function from the newest tokens ``[B, 1]`` to the logits after them ``[B, 1, V]``, or None.

    Each call adds to `cache` what `GPT.forward` would. None means: call the model.
    """
    if model.training or not _plain(model):
        return None
    pairs = zip(model.layers, cache.layers, strict=True)
    blocks = [_block(cast(EncoderBlock, layer), held) for layer, held in pairs]
    final_norm, words = _norm(model.final_norm), model.lm_head.weight
    token_embedding, positions = model.token_embedding, model.positions

    def step(tokens: Tensor) -> Tensor:
        x = token_embedding(tokens)  # [B, 1, D]
        if positions is not None:
            x = positions(x, cache.length)
        for block in blocks:
            x = block(x)
        return linear(final_norm(x), words)  # [B, 1, V]

    return step


def _plain(model: nn.Module) -> bool:
    """Whether every module is of a kind the step knows, and nobody waits at it."""
    return all(
        type(module) in _KNOWN
        and not (module._forward_hooks or module._forward_pre_hooks)
        and not (isinstance(module, Tap) and module.listening)
        for module in model.modules()
    )


def _norm(norm: nn.LayerNorm) -> Step:
    shape, weight, bias, eps = norm.normalized_shape, norm.weight, norm.bias, norm.eps
    return lambda x: layer_norm(x, shape, weight, bias, eps)


def _block(layer: EncoderBlock, held: KVCache) -> Step:
    """Return what one block of the GPT, pre-norm and causal, does to the newest token ``[B, 1, D]``."""
    attention, feedforward = layer.attention, layer.feedforward
    attention_norm, feedforward_norm = _norm(layer.attention_norm), _norm(layer.feedforward_norm)
    qkv, out = attention.qkv_proj, attention.out_proj
    up, down, activation = feedforward.up_proj, feedforward.down_proj, feedforward.activation.forward
    (qkv_weight, qkv_bias), (out_weight, out_bias) = (qkv.weight, qkv.bias), (out.weight, out.bias)
    (up_weight, up_bias), (down_weight, down_bias) = (up.weight, up.bias), (down.weight, down.bias)
    heads = [attention.n_heads, attention.n_kv_heads, attention.n_kv_heads]
    grouped = attention.n_kv_heads != attention.n_heads
    split, width = (sum(heads), attention.d_head), attention.d_model

    def block(x: Tensor) -> Tensor:
        projected = linear(attention_norm(x), qkv_weight, qkv_bias).view(-1, 1, *split)  # [B, 1, H.., K]
        query, key, value = projected.transpose(1, 2).split_with_sizes(heads, 1)  # [B, H, 1, K]
        key, value = held.append(key, value)  # [B, H, S, K]
        # The newest token sees all that is held, so there is nothing to mask.
        context = scaled_dot_product_attention(query, key, value, enable_gqa=grouped)
        x = x + linear(context.reshape(-1, 1, width), out_weight, out_bias)
        hidden = activation(linear(feedforward_norm(x), up_weight, up_bias))
        return x + linear(hidden, down_weight, down_bias)

    return block
