"""What the models share on the way from tokens to vectors: checks, first weights, kinds of position."""

from typing import Literal, get_args

import torch
from torch import Tensor, nn

from unrolled.nn.positional import ALiBi, Learned, Rotary, Sinusoidal
from unrolled.shapes import Tokens, check_shape

__all__ = ["Positions", "added_positions", "check_tokens", "init_normal", "positions_in_attention"]

Positions = Literal["learned", "sinusoidal", "rotary", "alibi", "none"]


def added_positions(kind: Positions, d_model: int, max_len: int) -> Learned | Sinusoidal | None:
    """Return the module that adds positions to embeddings, or None for the kinds that work elsewhere.

    Raises:
        ValueError: there is no such kind.
    """
    if kind not in get_args(Positions):
        raise ValueError(f"expected positions of {get_args(Positions)}, got {kind!r}")
    if kind == "learned":
        return Learned(d_model, max_len)
    return Sinusoidal(d_model, max_len) if kind == "sinusoidal" else None


def positions_in_attention(
    kind: Positions, d_model: int, n_heads: int, max_len: int
) -> tuple[Rotary | None, ALiBi | None]:
    """Return what attention needs to see positions by itself: a `Rotary`, an `ALiBi`, or neither."""
    rotary = Rotary(d_model // n_heads, max_len) if kind == "rotary" else None
    return rotary, ALiBi(n_heads) if kind == "alibi" else None


def check_tokens(name: str, tokens: Tokens, max_len: int, held: int = 0) -> None:
    """Raise unless `tokens` are integers ``[B, T]`` that fit the context after the `held` ones of a cache.

    Raises:
        ShapeError: not two-dimensional.
        TypeError: no integers.
        ValueError: longer than the context.
    """
    check_shape(name, tokens, "B T")
    if tokens.dtype not in (torch.int64, torch.int32):
        raise TypeError(f"{name}: expected integer tokens, got {tokens.dtype}")
    if held + tokens.shape[1] > max_len:
        after = f" after the {held} of the cache" if held else ""
        raise ValueError(
            f"{name}: sequence of {tokens.shape[1]} tokens{after} is longer than max_len={max_len}"
        )


def init_normal(module: nn.Module, std: float = 0.02) -> None:
    """Draw the weights of linear layers and embeddings as GPT-2 and BERT do: normal, biases zero."""
    if isinstance(module, nn.Linear | nn.Embedding):
        nn.init.normal_(module.weight, std=std)
    if isinstance(module, nn.Linear) and isinstance(module.bias, Tensor):
        nn.init.zeros_(module.bias)
