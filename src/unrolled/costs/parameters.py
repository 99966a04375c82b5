r"""How many parameters a model has, part by part; taught in chapter 13.

A linear layer from a to b has ab + b of them, a norm a gain and a bias for each of d components. Per block,
with H heads of queries and G of keys and values, each K wide:

.. math::  \underbrace{d(H + 2G)K + HKd}_{\text{attention}} +
           \underbrace{2\,d\,d_{\mathrm{ff}}}_{\text{3 with a gate}} + \text{biases and norms}
"""

from dataclasses import astuple, dataclass

from unrolled.costs.sizes import Sizes

__all__ = ["Parameters", "linear", "norm", "parameters"]


@dataclass(frozen=True)
class Parameters:
    """Parameters of a model's parts.

    Attributes:
        embedding: the vectors of words, of learned positions and of segments.
        attention: the projections of all blocks.
        feedforward: the feed-forward layers of all blocks; of a mixture, all experts and their routers.
        norms: gains and biases, those of queries and keys too.
        head: the output layer where it is not tied, or an encoder's pooler.
    """

    embedding: int
    attention: int
    feedforward: int
    norms: int
    head: int

    @property
    def total(self) -> int:
        """All of them."""
        return sum(astuple(self))


def linear(n_in: int, n_out: int, bias: bool) -> int:
    """Return the parameters of a linear layer."""
    return n_in * n_out + (n_out if bias else 0)


def norm(d_model: int, bias: bool) -> int:
    """Return the parameters of a norm: a gain, and a bias where there is one."""
    return 2 * d_model if bias else d_model


def parameters(s: Sizes) -> Parameters:
    """Return how many parameters a model of these sizes has.

    Example:
        >>> from unrolled.costs import KNOWN, parameters
        >>> parameters(KNOWN["Llama 2 13B"].sizes).total
        13015864320
    """
    d, f, wide = s.d_model, s.ff, s.n_heads * s.d_head
    today = s.besides
    attention = linear(d, wide + 2 * s.kv_heads * s.d_head, s.bias) + linear(wide, d, today.out_bias)
    feedforward = (
        (2 if s.gated else 1) * linear(d, f, today.ff_bias) + linear(f, d, today.ff_bias) if f else 0
    )
    if today.n_experts is not None:
        feedforward = today.n_experts * (feedforward + d)  # the router has a vector for each
    norms_of_a_block = (2 if f else 1) * (2 if today.norms_behind else 1)
    of_heads = {"each": 2 * s.d_head, "across": (s.n_heads + s.kv_heads) * s.d_head, None: 0}
    norm_bias = s.bias and s.today is None
    rows = s.vocab_size + (s.max_len if s.learned else 0) + (2 if s.encoder else 0)
    return Parameters(
        embedding=rows * d,
        attention=s.n_layers * attention,
        feedforward=s.n_layers * feedforward,
        norms=(norms_of_a_block * s.n_layers + 1) * norm(d, norm_bias)
        + s.n_layers * of_heads[today.head_norm],
        head=linear(d, d, s.bias) if s.encoder else 0 if s.tied else s.vocab_size * d,
    )
