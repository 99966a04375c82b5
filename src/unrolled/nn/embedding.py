"""What the models share on the way from tokens to vectors: checks, first weights, kinds of position.

Used in chapters 9, 10 and 11.
"""

from typing import Literal, get_args

from torch import Tensor, nn

from unrolled.nn.positional import ALiBi, Learned, PositionRule, Sinusoidal
from unrolled.nn.rotary import ROTARY_BASE, Rotary
from unrolled.shapes import Tokens, check_integers, check_shape

__all__ = [
    "Positions",
    "added_positions",
    "check_base",
    "check_tokens",
    "init_normal",
    "positions_in_attention",
]

Positions = Literal["learned", "sinusoidal", "rotary", "alibi", "none"]
"""How a model is told where its tokens stand."""


def check_base(kind: Positions, base: float) -> None:
    """Refuse a base that positions of this kind would not read.

    Raises:
        ValueError: it is another than the usual one, and the positions are not rotary.
    """
    if kind != "rotary" and base != ROTARY_BASE:
        raise ValueError(f"rotary_base: expected {ROTARY_BASE} where positions are {kind!r}, got {base!r}")


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
    kind: Positions, d_model: int, n_heads: int, max_len: int, *, rotary_base: float = ROTARY_BASE
) -> PositionRule | None:
    """Return the rule by which attention itself sees positions, or None for the kinds that work elsewhere."""
    if kind == "rotary":
        return Rotary(d_model // n_heads, max_len, rotary_base)
    return ALiBi(n_heads) if kind == "alibi" else None


def check_tokens(name: str, tokens: Tokens, max_len: int, held: int = 0) -> None:
    """Raise unless `tokens` are integers ``[B, T]`` that fit the context after the `held` ones of a cache.

    Raises:
        ShapeError: not two-dimensional.
        TypeError: not integers.
        ValueError: longer than the context.
    """
    check_shape(name, tokens, "B T")
    check_integers(name, tokens, "integer tokens")
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
