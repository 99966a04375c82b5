"""What a block is composed of: the makers of its parts, and how a sublayer is added. Taught in chapter 8."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from inspect import signature
from typing import Literal

from torch import Tensor, nn

from unrolled.nn.feedforward import Activation, FeedForward
from unrolled.nn.lean import Step
from unrolled.nn.masks import MaskRule
from unrolled.nn.multihead import MultiHeadAttention
from unrolled.nn.positional import PositionRule

__all__ = [
    "RESIDUALS",
    "NormOrder",
    "Parts",
    "Residual",
    "linear_head",
    "make_parts",
    "output_norm",
    "post_norm",
    "pre_norm",
]

NormOrder = Literal["pre", "post"]
"""Where the norm of a sublayer stands: before it, or after the sum."""
# Called as residual(x, norm, sublayer): how a sublayer is added to what runs past it.
Residual = Callable[[Tensor, Step, Step], Tensor]


def pre_norm(x: Tensor, norm: Step, sublayer: Step) -> Tensor:
    r"""Return :math:`x + \mathrm{sublayer}(\mathrm{norm}(x))`.

    Example:
        >>> import torch
        >>> from unrolled.nn.parts import pre_norm
        >>> pre_norm(torch.tensor([1.0]), norm=lambda x: 10 * x, sublayer=lambda x: x + 1)
        tensor([12.])
    """
    return x + _like(x, sublayer(norm(x)))


def post_norm(x: Tensor, norm: Step, sublayer: Step) -> Tensor:
    r"""Return :math:`\mathrm{norm}(x + \mathrm{sublayer}(x))`.

    Example:
        >>> import torch
        >>> from unrolled.nn.parts import post_norm
        >>> post_norm(torch.tensor([1.0]), norm=lambda x: 10 * x, sublayer=lambda x: x + 1)
        tensor([30.])
    """
    return norm(x + _like(x, sublayer(x)))


def output_norm(x: Tensor, norm: Step, sublayer: Step) -> Tensor:
    r"""Return :math:`x + \mathrm{norm}(\mathrm{sublayer}(x))`: only what is added is normed.

    Reference:
        OLMo Team, 2 OLMo 2 Furious, 2024, section 3.
    """
    return x + _like(x, norm(sublayer(x)))


def _like(x: Tensor, added: Tensor) -> Tensor:
    # Under autocast a sublayer answers in 16 bits: adding two types is slower than widening one first.
    return added if added.dtype == x.dtype else added.to(x.dtype)


def linear_head(d_model: int, vocab_size: int) -> nn.Module:
    """Return what makes logits of vectors: a linear layer without a bias."""
    return nn.Linear(d_model, vocab_size, bias=False)


RESIDUALS: dict[str, Residual] = {"pre": pre_norm, "post": post_norm}
"""How a sublayer is added, by where its norm stands."""


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What makes the parts of a block: hand in another maker, and every block of a model has another part.

    ``Parts(norm=nn.RMSNorm)`` changes the norms; with `functools.partial`, a part gets its options:
    ``Parts(attention=partial(MultiHeadAttention, n_kv_heads=2))``. The parts of a model are those of its
    configuration, ``config.parts()``; of these, `dataclasses.replace` changes some.

    Attributes:
        norm: called as ``norm(d_model)``.
        attention: called as ``attention(d_model, n_heads, dropout=p)``; the outcome is called as
            `MultiHeadAttention` is.
        cross_attention: the same for attention over another sequence.
        feedforward: called as ``feedforward(d_model, d_ff)``.
        after: what a sublayer's output passes before it is added, called as ``after(d_model)``; nothing
            unless given. A norm here and one in front is Gemma 2's block; a gain is a LayerScale.
        residual: how a sublayer of a `GPT` is added: ``"pre"``, ``"post"`` or a function like `output_norm`;
            of other models the configuration says it.
        block: the block of a `GPT`, made and called as an `EncoderBlock` is, which it is unless given: a
            `ParallelBlock`.
        embedding: the token vectors of a `GPT`, called as ``embedding(vocab_size, d_model)``.
        head: the output layer of a `GPT`, called as ``head(d_model, vocab_size)``; in a model that ties it,
            its weight is the token embedding's.

    Example:
        >>> from unrolled.nn import GPT, GPTConfig, Parts, RMSNorm
        >>> config = GPTConfig(vocab_size=11, max_len=7, d_model=8, n_heads=2, n_layers=1)
        >>> GPT(config, Parts(norm=RMSNorm)).final_norm
        RMSNorm(8, eps=1e-06)
    """

    norm: Callable[[int], nn.Module] = nn.LayerNorm
    attention: Callable[..., nn.Module] = MultiHeadAttention
    cross_attention: Callable[..., nn.Module] = MultiHeadAttention
    feedforward: Callable[..., nn.Module] = FeedForward
    after: Callable[[int], nn.Module] | None = None
    residual: NormOrder | Residual = "pre"
    block: Callable[..., nn.Module] | None = None
    embedding: Callable[[int, int], nn.Embedding] = nn.Embedding
    head: Callable[[int, int], nn.Module] = linear_head

    def refuse_parts_of_gpt(self, model: str) -> None:
        """Refuse the parts that only a `GPT` reads, which `model` would leave unused.

        Raises:
            ValueError: one of `residual`, `block`, `embedding` and `head` is not the default.
        """
        defaults = {
            "residual": ("pre", pre_norm),
            "block": (None,),
            "embedding": (nn.Embedding,),
            "head": (linear_head,),
        }
        for name, same in defaults.items():
            given = getattr(self, name)
            if given not in same:
                raise ValueError(
                    f"parts: {name} is read by a GPT only; expected the default for {model}, got {given!r}"
                )


def make_parts(
    *,
    norm_eps: float = 1e-5,
    bias: bool = True,
    activation: Activation = "gelu",
    n_kv_heads: int | None = None,
    positions: PositionRule | None = None,
    mask_rule: MaskRule | None = None,
) -> Parts:
    """Return the parts with the options that configurations have.

    Positions and the mask rule act on attention within one sequence alone: source and target have no common
    ruler.
    """
    attention = partial(MultiHeadAttention, n_kv_heads=n_kv_heads, bias=bias)
    return Parts(
        norm=partial(nn.LayerNorm, eps=norm_eps, bias=bias),
        attention=partial(attention, positions=positions, mask_rule=mask_rule),
        cross_attention=attention,
        feedforward=partial(FeedForward, activation=activation, bias=bias),
    )


def make_feedforward(parts: Parts, d_model: int, d_ff: int, activation: Activation | None) -> nn.Module:
    """Return a block's feed-forward network; with that activation if one is given.

    Raises:
        TypeError: the feed-forward network of the parts takes no activation.
    """
    if activation is None:
        return parts.feedforward(d_model, d_ff)
    try:
        takes = [*signature(parts.feedforward).parameters.values()]
    except ValueError:  # some callables do not tell
        takes = []
    if takes and not any(p.name == "activation" or p.kind is p.VAR_KEYWORD for p in takes):
        raise TypeError(f"activation: expected None, since parts.feedforward takes none, got {activation!r}")
    return parts.feedforward(d_model, d_ff, activation=activation)


def make_after(parts: Parts, d_model: int) -> nn.Module | None:
    """Return what a sublayer's output passes before it is added, if anything."""
    return None if parts.after is None else parts.after(d_model)
