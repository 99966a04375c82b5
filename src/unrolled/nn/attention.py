r"""One attention head with queries, keys and values of its own. Taught in chapter 5."""

from jaxtyping import Float
from torch import Tensor, nn

from unrolled.nn.functional import attention
from unrolled.shapes import Mask, Sequence, Source, check_shape
from unrolled.tap import Tap

__all__ = ["SingleHeadAttention"]


class SingleHeadAttention(nn.Module):
    r"""Let every token look for what it needs, among the tokens of its own or of another sequence.

    .. math::  Q = XW_q, \quad K = ZW_k, \quad V = ZW_v, \qquad
               \mathrm{softmax}\!\left(\frac{QK^\top}{\sqrt{d_{head}}}\right) V

    With :math:`Z = X` it is self-attention; with another source, cross-attention: the same code.

    Args:
        d_model: numbers per token of `x`.
        d_head: numbers per query, key and value; `d_model` unless given.
        d_source: numbers per token of the source; `d_model` unless given.
        bias: whether the projections add a bias.
        dropout: share of the weights set to zero while training.

    Reference:
        Vaswani et al., Attention Is All You Need, 2017, section 3.2.1.
    """

    def __init__(
        self,
        d_model: int,
        d_head: int | None = None,
        *,
        d_source: int | None = None,
        bias: bool = False,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.d_model = d_model
        self.d_head = d_model if d_head is None else d_head
        self.d_source = d_model if d_source is None else d_source
        self.dropout = dropout
        self.q_proj = nn.Linear(d_model, self.d_head, bias=bias)
        self.k_proj = nn.Linear(self.d_source, self.d_head, bias=bias)
        self.v_proj = nn.Linear(self.d_source, self.d_head, bias=bias)
        self.weights = Tap()

    def forward(
        self, x: Sequence, source: Source | None = None, mask: Mask | None = None, *, causal: bool = False
    ) -> Float[Tensor, "*B T _"]:
        """Return one context vector per token of `x`, ``[..., T, d_head]``.

        Args:
            x: the tokens that look, ``[..., T, D]``.
            source: the tokens that are looked at, ``[..., S, d_source]``; `x` itself unless given.
            mask: boolean, broadcastable to ``[..., T, S]``, True = may attend. A token that may attend to
                nothing gets zeros.
            causal: let every token see itself and what stands before it.

        Raises:
            ShapeError: a shape differs from what is expected.
            TypeError: the mask is not boolean.
        """
        source = x if source is None else source
        check_shape("x", x, "... T D", D=self.d_model)
        check_shape("source", source, "... S D", D=self.d_source)
        query = self.q_proj(x)  # [..., T, K]
        key = self.k_proj(source)  # [..., S, K]
        value = self.v_proj(source)  # [..., S, K]
        dropout = self.dropout if self.training else 0.0
        return attention(query, key, value, mask, causal=causal, dropout=dropout, tap=self.weights)
