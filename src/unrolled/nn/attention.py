r"""One attention head with queries, keys and values of its own. Taught in chapter 5."""

from jaxtyping import Float
from torch import Tensor, nn

from unrolled.nn.functional import Taps, attention
from unrolled.shapes import Mask, Sequence, Source, check_shape, check_share, check_sizes
from unrolled.tap import Tap

__all__ = ["SingleHeadAttention"]


class SingleHeadAttention(nn.Module):
    r"""Let every token look for what it needs, among the tokens of its own or of another sequence.

    .. math::  Q = XW_q, \quad K = ZW_k, \quad V = ZW_v, \qquad
               \mathrm{softmax}\!\left(\frac{QK^\top}{\sqrt{d_{head}}}\right) V

    With :math:`Z = X` it is self-attention; with another source, cross-attention: the same code.

    Args:
        d_model: components per token of `x`.
        d_head: components per query, key and value; `d_model` unless given.
        d_source: components per token of the source; `d_model` unless given.
        bias: whether the projections add a bias.
        dropout: fraction of the weights set to zero while training.

    The taps `queries`, `keys`, `values`, `scores` (scaled, before the mask), `weights` and `context` (what
    goes out) hear them.

    Reference:
        Vaswani et al., Attention Is All You Need, 2017, section 3.2.1.

    Example:
        >>> import torch
        >>> from unrolled.nn import SingleHeadAttention
        >>> head = SingleHeadAttention(d_model=8, d_head=4)
        >>> head(torch.zeros(2, 5, 8), causal=True).shape
        torch.Size([2, 5, 4])
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
        check_sizes(d_model=d_model, d_head=d_head, d_source=d_source)
        check_share(dropout=dropout)
        self.d_model = d_model
        self.d_head = d_model if d_head is None else d_head
        self.d_source = d_model if d_source is None else d_source
        self.dropout = dropout
        self.q_proj = nn.Linear(d_model, self.d_head, bias=bias)
        self.k_proj = nn.Linear(self.d_source, self.d_head, bias=bias)
        self.v_proj = nn.Linear(self.d_source, self.d_head, bias=bias)
        self.queries, self.keys, self.values = Tap(), Tap(), Tap()
        self.scores, self.weights, self.context = Tap(), Tap(), Tap()

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
        query = self.queries(self.q_proj(x))  # [..., T, K]
        key = self.keys(self.k_proj(source))  # [..., S, K]
        value = self.values(self.v_proj(source))  # [..., S, K]
        dropout = self.dropout if self.training else 0.0
        taps = Taps(self.scores, self.weights)
        x = attention(query, key, value, mask, causal=causal, dropout=dropout, taps=taps)
        x = self.context(x)  # [..., T, K]
        return x
