r"""Several heads side by side, each with its own view of the sequence. Taught in chapter 6."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from unrolled.nn.cache import KVCache
from unrolled.nn.functional import attend, attention, attention_scores, attention_weights
from unrolled.nn.masks import causal_mask, per_head
from unrolled.nn.positional import ALiBi, Rotary
from unrolled.shapes import Mask, Sequence, ShapeError, Source, check_shape
from unrolled.tap import Tap

__all__ = ["MultiHeadAttention", "Projection", "multi_head_by_loops"]


class Projection(NamedTuple):
    """Some rows of a larger linear layer, as a linear layer of their own: a view that owns nothing."""

    weight: Tensor
    bias: Tensor | None

    def __call__(self, x: Tensor) -> Tensor:
        r"""Return :math:`xW^\top + b`."""
        return linear(x, self.weight, self.bias)


class MultiHeadAttention(nn.Module):
    r"""Split into heads, attend in each, concatenate, project.

    .. math::  \mathrm{head}_h = \mathrm{softmax}\!\left(\frac{Q_hK_h^\top}{\sqrt{d_{head}}}\right)V_h, \qquad
               \hat X = [\mathrm{head}_1; \dots; \mathrm{head}_H]\,W_o

    The projections of queries, keys and values stand one above the other in one matrix, `qkv_proj`, since one
    large product is faster than three small ones; `q_proj`, `k_proj` and `v_proj` are views of its rows.

    Args:
        d_model: numbers per token; the heads share them out, ``d_head = d_model / n_heads``.
        n_heads: heads of queries.
        n_kv_heads: heads of keys and values, each shared by a group of query heads; `n_heads` unless given.
        bias: whether the four projections add a bias.
        dropout: share of the weights set to zero while training.
        rotary: turns queries and keys by their positions.
        alibi: lowers scores by distance.

    Raises:
        ValueError: `d_model` cannot be shared out among the heads, or the heads among `n_kv_heads`.

    Reference:
        Vaswani et al., Attention Is All You Need, 2017, section 3.2.2. Grouped queries: Ainslie et al., GQA,
        2023.
    """

    def __init__(
        self,
        d_model: int,
        n_heads: int,
        n_kv_heads: int | None = None,
        *,
        bias: bool = True,
        dropout: float = 0.0,
        rotary: Rotary | None = None,
        alibi: ALiBi | None = None,
    ) -> None:
        super().__init__()
        if n_heads < 1 or d_model % n_heads != 0:
            raise ValueError(f"expected d_model to be a multiple of n_heads, got {d_model} and {n_heads}")
        self.d_model, self.n_heads, self.d_head = d_model, n_heads, d_model // n_heads
        self.n_kv_heads = n_heads if n_kv_heads is None else n_kv_heads
        if self.n_kv_heads < 1 or n_heads % self.n_kv_heads != 0:
            raise ValueError(
                f"expected n_heads to be a multiple of n_kv_heads, got {n_heads} and {n_kv_heads}"
            )
        if rotary is not None and rotary.d_head != self.d_head:
            raise ValueError(f"expected a rotary of d_head={self.d_head}, got d_head={rotary.d_head}")
        if alibi is not None and alibi.n_heads != n_heads:
            raise ValueError(f"expected an alibi of n_heads={n_heads}, got n_heads={alibi.n_heads}")
        self.dropout = dropout
        self.rotary, self.alibi = rotary, alibi
        self.qkv_proj = nn.Linear(d_model, (n_heads + 2 * self.n_kv_heads) * self.d_head, bias=bias)
        self.out_proj = nn.Linear(d_model, d_model, bias=bias)
        self.weights = Tap()
        for proj in (self.q_proj, self.k_proj, self.v_proj, self.out_proj):
            nn.init.xavier_uniform_(proj.weight)
            if proj.bias is not None:
                nn.init.zeros_(proj.bias)

    @property
    def q_proj(self) -> Projection:
        """What makes the queries: the first ``n_heads d_head`` rows of `qkv_proj`."""
        return self._rows(0, self.n_heads)

    @property
    def k_proj(self) -> Projection:
        """What makes the keys: the next ``n_kv_heads d_head`` rows."""
        return self._rows(self.n_heads, self.n_kv_heads)

    @property
    def v_proj(self) -> Projection:
        """What makes the values: the last ``n_kv_heads d_head`` rows."""
        return self._rows(self.n_heads + self.n_kv_heads, self.n_kv_heads)

    def _rows(self, first_head: int, n_heads: int) -> Projection:
        rows = slice(first_head * self.d_head, (first_head + n_heads) * self.d_head)
        bias = None if self.qkv_proj.bias is None else self.qkv_proj.bias[rows]
        return Projection(self.qkv_proj.weight[rows], bias)

    def forward(
        self,
        x: Sequence,
        source: Source | None = None,
        mask: Mask | None = None,
        *,
        causal: bool = False,
        cache: KVCache | None = None,
    ) -> Sequence:
        """Return one new vector per token of `x`, ``[B, T, D]``.

        Args:
            x: the tokens that look, ``[B, T, D]``.
            source: the tokens that are looked at, ``[B, S, D]``; `x` itself unless given.
            mask: boolean, True = may attend, broadcastable to ``[B, T, S]``, or to ``[B, H, T, S]`` when it
                has four dimensions. A token that may attend to nothing hears silence: only the bias of
                `out_proj` is left.
            causal: let every token see itself and what stands before it.
            cache: keys and values of the tokens before `x`, to which those of `x` are added. With a source
                it is filled at the first call, and read from then on. S counts what the cache holds.

        Raises:
            ShapeError: a shape differs from what is expected.
            TypeError: the mask is not boolean.
            ValueError: the sequence is longer than the cache or the positions admit.
        """
        check_shape("x", x, "B T D", D=self.d_model)
        if source is None:
            query, key, value = self._project(x, cache)
        else:
            query, key, value = self._project_across(x, source, cache)
        context = attention(
            query,
            key,
            value,
            None if mask is None else per_head(mask),
            causal=causal,
            bias=None if self.alibi is None else self.alibi(query.shape[2], key.shape[2]),
            dropout=self.dropout if self.training else 0.0,
            tap=self.weights,
        )  # [B, H, T, K]
        x = self.out_proj(context.transpose(1, 2).flatten(2))  # [B, T, H, K] -> [B, T, D]
        return x

    def _project(self, x: Sequence, cache: KVCache | None) -> tuple[Tensor, Tensor, Tensor]:
        """Return queries ``[B, H, T, K]``, keys and values ``[B, n_kv_heads, S, K]`` of one sequence."""
        heads = self._split(self.qkv_proj(x))  # [B, H + 2 n_kv_heads, T, K]
        query, key, value = torch.split(heads, [self.n_heads, self.n_kv_heads, self.n_kv_heads], dim=1)
        if self.rotary is not None:
            offset = 0 if cache is None else cache.length
            query, key = self.rotary(query, offset), self.rotary(key, offset)
        if cache is not None:
            key, value = cache.append(key, value)
        return query, key, value

    def _project_across(
        self, x: Sequence, source: Source, cache: KVCache | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return queries of `x`, keys and values of `source`; the latter from the cache when it has them."""
        check_shape("source", source, "B S D", B=x.shape[0], D=self.d_model)
        query = self._split(self.q_proj(x))  # [B, H, T, K]
        if cache is not None and cache.length > 0:
            if cache.length != source.shape[1]:
                raise ShapeError(
                    f"source: expected the S={cache.length} tokens the cache holds, got {source.shape[1]}"
                )
            key, value = cache.held()
        else:
            key, value = self._split(self.k_proj(source)), self._split(self.v_proj(source))
            if self.rotary is not None:
                query, key = self.rotary(query), self.rotary(key)
            if cache is not None:
                key, value = cache.append(key, value)
        return query, key, value

    def _split(self, x: Tensor) -> Tensor:
        """Cut each vector into heads: ``[B, T, H K] -> [B, H, T, K]``."""
        return x.view(x.shape[0], x.shape[1], x.shape[2] // self.d_head, self.d_head).transpose(1, 2)


def multi_head_by_loops(
    layer: MultiHeadAttention, x: Sequence, mask: Mask | None = None, *, causal: bool = False
) -> Sequence:
    """Return what `layer` computes for `x`, head after head and sequence after sequence, in plain loops.

    The form to read first; `MultiHeadAttention` does all of it in one matrix product. Self-attention
    without dropout and positions; a mask is broadcastable to ``[B, H, T, S]``.
    """
    check_shape("x", x, "B T D", D=layer.d_model)
    n_sequences, length, _ = x.shape
    scores_shape = (n_sequences, layer.n_heads, length, length)
    allowed = torch.ones(scores_shape, dtype=torch.bool, device=x.device)
    if mask is not None:
        allowed = allowed & per_head(mask)
    if causal:
        allowed = allowed & causal_mask(length, device=x.device)
    group = layer.n_heads // layer.n_kv_heads
    sequences = []
    for b in range(n_sequences):
        query, key, value = layer.q_proj(x[b]), layer.k_proj(x[b]), layer.v_proj(x[b])  # [T, D]
        heads = []
        for h in range(layer.n_heads):
            mine = slice(h * layer.d_head, (h + 1) * layer.d_head)
            shared = slice(h // group * layer.d_head, (h // group + 1) * layer.d_head)
            scores = attention_scores(query[:, mine], key[:, shared], scale=layer.d_head**-0.5)  # [T, T]
            weights = attention_weights(scores, allowed[b, h])
            heads.append(attend(weights, value[:, shared]))  # [T, K]
        sequences.append(layer.out_proj(torch.cat(heads, dim=-1)))  # [T, D]
    return torch.stack(sequences)
