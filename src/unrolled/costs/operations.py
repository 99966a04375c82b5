r"""How many operations a model takes, part by part; taught in chapter 13.

Counted are the products, as `torch.utils.flop_counter.FlopCounterMode` counts them: an :math:`[m, k]` matrix
times a :math:`[k, n]` matrix is :math:`2mnk`, a multiplication and an addition for each term. Looking up
embeddings, norms, softmax, activations and sums are not counted. Of T tokens that look at S, in one block:

.. math::  \underbrace{2T\,(d(H + 2G)K + HKd)}_{\text{projections}} +
           \underbrace{4\,T\,S\,HK}_{\text{scores and context}} +
           \underbrace{4\,T\,d\,d_{\mathrm{ff}}}_{\text{6 with a gate}}

The half of the scores that a causal mask hides counts too, as is the custom; with a window, what attention in
blocks computes. Of a mixture of experts count the router, the experts chosen, and the sum of their answers.
A backward pass is two products for each one of the forward pass: training counts three times.
"""

from dataclasses import astuple, dataclass
from typing import Literal, get_args

from unrolled.costs.sizes import Sizes
from unrolled.costs.whole import whole

__all__ = ["Operations", "Phase", "operations"]

Phase = Literal["training", "prefill", "decode"]
"""What a model does: learn, read a prompt, or write."""


@dataclass(frozen=True)
class Operations:
    """Operations of a model's parts.

    Attributes:
        projections: attention's four.
        pairs: scores and context, which grow with the square of the length.
        feedforward: the feed-forward layers.
        head: the output layer, at every position, or an encoder's pooler, at the first.
    """

    projections: int
    pairs: int
    feedforward: int
    head: int

    @property
    def total(self) -> int:
        """All of them."""
        return sum(astuple(self))


def operations(s: Sizes, length: int, batch: int = 1, phase: Phase = "prefill") -> Operations:
    """Return what one pass over a batch takes.

    Args:
        s: the model.
        length: the context in tokens.
        batch: sequences side by side.
        phase: ``"prefill"``: `length` tokens at once, forward; ``"training"``: the same, forward and
            backward; ``"decode"``: one token, the last of `length`, which looks at all of them in the cache.

    Raises:
        TypeError: a number is not an integer.
        ValueError: a number is not positive, or there is no such phase, or an encoder is to decode.
    """
    whole(length=length, batch=batch)
    check_phase(s, phase)
    tokens = batch if phase == "decode" else batch * length
    d, wide, times = s.d_model, s.n_heads * s.d_head, 3 if phase == "training" else 1
    today = s.besides
    projections = 2 * tokens * (d * (s.n_heads + 2 * s.kv_heads) * s.d_head + wide * d)
    pairs = 4 * batch * today.pairs(length, phase == "decode") * wide
    feedforward = 2 * tokens * (3 if s.gated else 2) * d * s.ff
    if today.n_experts is not None:  # the router; those it chooses; and a sum of what they answer
        feedforward = today.top_k * feedforward + 2 * tokens * d * (today.n_experts + today.top_k)
    head = 2 * batch * d * d if s.encoder else 2 * tokens * d * s.vocab_size
    return Operations(
        projections=times * s.n_layers * projections,
        pairs=times * s.n_layers * pairs,
        feedforward=times * s.n_layers * feedforward,
        head=times * head,
    )


def check_phase(s: Sizes, phase: Phase) -> None:
    """Raise unless a model of these sizes has this phase."""
    if phase not in get_args(Phase):
        raise ValueError(f"phase: expected one of {', '.join(get_args(Phase))}, got {phase!r}")
    if phase == "decode" and s.encoder:
        raise ValueError("phase: an encoder writes no tokens; expected training or prefill, got 'decode'")
