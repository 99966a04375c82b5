r"""Several heads side by side, each with its own view of the sequence. Taught in chapter 6."""

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from unrolled.nn.cache import KVCache
from unrolled.nn.functional import Taps, attention
from unrolled.nn.heads import HeadParts, head_size, in_own_type
from unrolled.nn.lean import Step, has_lean, lean
from unrolled.nn.masks import MaskRule, Sight, check_mask, per_head, sight
from unrolled.nn.positional import PositionRule
from unrolled.nn.projection import Projection
from unrolled.nn.window import ForgettingCache, SlidingWindow, block_length, windowed_attention
from unrolled.shapes import Mask, Sequence, ShapeError, Source, check_shape, check_share, check_sizes
from unrolled.tap import Tap, listening

__all__ = ["MultiHeadAttention"]


@has_lean
class MultiHeadAttention(nn.Module):
    r"""Split into heads, attend in each, concatenate, project.

    .. math::  \mathrm{head}_h = \mathrm{softmax}\!\left(\frac{Q_hK_h^\top}{\sqrt{d_{head}}}\right)V_h, \qquad
               \hat X = [\mathrm{head}_1; \dots; \mathrm{head}_H]\,W_o

    The projections of queries, keys and values stand one above the other in one matrix, `qkv_proj`, since one
    large product is faster than three small ones; `q_proj`, `k_proj` and `v_proj` are views of its rows.

    Args:
        d_model: components per token; the heads share them out, ``d_head = d_model / n_heads``, unless
            `parts` say how large they are.
        n_heads: heads of queries.
        n_kv_heads: heads of keys and values, each shared by a group of query heads; `n_heads` unless given.
        bias: whether the four projections add a bias.
        dropout: fraction of the weights set to zero while training.
        positions: a rule by which positions come in, such as `Rotary` or `ALiBi`; layers may share one.
        mask_rule: a mask for any lengths, on top of what `forward` is given: a function like `causal_mask`.
        parts: what the heads are made of: their size, norms of queries and keys, a cap on scores, sinks.

    The taps hear what attention works with: `queries` ``[B, H, T, K]``, `keys` and `values`
    ``[B, n_kv_heads, S, K]`` (queries and keys as rotary positions have turned them, keys and values with all
    that a cache holds), `scores` (scaled, with the bias of positions, before the mask) and `weights` (before
    dropout) ``[B, H, T, S]``, `context` (what each head found) ``[B, H, T, K]``, and the `output`
    ``[B, T, D]``.

    Raises:
        TypeError: a size is not an integer.
        ValueError: `d_model` cannot be shared out among the heads, or the heads among `n_kv_heads`.

    Reference:
        Vaswani et al., Attention Is All You Need, 2017, section 3.2.2. Grouped queries: Ainslie et al., GQA,
        2023.

    Example:
        >>> import torch
        >>> from unrolled.nn import MultiHeadAttention
        >>> layer = MultiHeadAttention(d_model=8, n_heads=2)
        >>> layer(torch.zeros(2, 5, 8), causal=True).shape
        torch.Size([2, 5, 8])
    """

    def __init__(
        self,
        d_model: int,
        n_heads: int,
        n_kv_heads: int | None = None,
        *,
        bias: bool = True,
        dropout: float = 0.0,
        positions: PositionRule | None = None,
        mask_rule: MaskRule | None = None,
        parts: HeadParts | None = None,
    ) -> None:
        super().__init__()
        check_sizes(n_kv_heads=n_kv_heads)
        check_share(dropout=dropout)
        parts = HeadParts() if parts is None else parts
        self.d_model, self.n_heads = d_model, n_heads
        self.d_head = head_size(d_model, n_heads, parts.d_head)
        self.n_kv_heads = n_heads if n_kv_heads is None else n_kv_heads
        if n_heads % self.n_kv_heads != 0:
            raise ValueError(
                f"expected n_heads to be a multiple of n_kv_heads, got {n_heads} and {n_kv_heads}"
            )
        if positions is not None:
            positions.check_heads(n_heads, self.d_head)
        self.dropout = dropout
        self.positions, self.mask_rule = positions, mask_rule
        self.qkv_proj = nn.Linear(d_model, (n_heads + 2 * self.n_kv_heads) * self.d_head, bias=bias)
        out_bias = bias if parts.out_bias is None else parts.out_bias
        self.out_proj = nn.Linear(n_heads * self.d_head, d_model, bias=out_bias)
        self.query_norm = None if parts.norm is None else parts.norm(n_heads, self.d_head)
        self.key_norm = None if parts.norm is None else parts.norm(self.n_kv_heads, self.d_head)
        self.sinks = None if parts.sinks is None else nn.Parameter(parts.sinks(n_heads))
        self.queries, self.keys, self.values = Tap(), Tap(), Tap()
        self.scores, self.weights = parts.scores(), Tap()
        self.context, self.output = Tap(), Tap()
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the first weights, for queries, keys, values and output each by themselves; biases are zero.

        Reference:
            Glorot and Bengio, Understanding the Difficulty of Training Deep Feedforward Networks, 2010.
        """
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
        return Projection(
            self.qkv_proj, slice(first_head * self.d_head, (first_head + n_heads) * self.d_head)
        )

    def forward(
        self,
        x: Sequence,
        source: Source | None = None,
        mask: Mask | Sight | None = None,
        *,
        causal: bool = False,
        cache: KVCache | None = None,
    ) -> Sequence:
        """Return one new vector per token of `x`, ``[B, T, D]``.

        Args:
            x: the tokens that look, ``[B, T, D]``.
            source: the tokens that are looked at, ``[B, S, D]``; `x` itself unless given.
            mask: boolean, True = may attend, broadcastable to ``[B, T, S]``, or to ``[B, H, T, S]`` when it
                has four dimensions, or the `Sight` a model has made of one. A token that may attend to
                nothing hears silence: only the bias of `out_proj` is left.
            causal: let every token see itself and what stands before it.
            cache: keys and values of the tokens before `x`, to which those of `x` are added. With a source
                it is filled at the first call, and read from then on. S counts what the cache holds.

        Raises:
            ShapeError: a shape differs from what is expected.
            TypeError: the mask is not boolean.
            ValueError: the sequence is longer than the cache or the positions admit, or a source comes to a
                layer with positions.
        """
        check_shape("x", x, "B T D", D=self.d_model)
        if source is None:
            query, key, value = self._project(x, cache)
        else:
            query, key, value = self._project_across(x, source, cache)
        query, key, value = self.queries(query), self.keys(key), self.values(value)
        context = self.context(self._attend(query, key, value, mask, causal, cache))  # [B, H, T, K]
        x = self.output(self.out_proj(context.transpose(1, 2).flatten(2)))  # [B, T, H, K] -> [B, T, D]
        return x

    def _attend(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        mask: Mask | Sight | None,
        causal: bool,
        cache: KVCache | None,
    ) -> Tensor:
        """Return what every head found, ``[B, H, T, K]``."""
        taps = Taps(self.scores, self.weights, self.sinks)
        dropout = self.dropout if self.training else 0.0
        n_queries, n_keys = query.shape[2], key.shape[2]
        bias = None if self.positions is None else self.positions.bias(n_queries, n_keys)
        rule = self.mask_rule
        if isinstance(rule, SlidingWindow) and mask is None and bias is None and not taps.watched:
            if n_queries == 1 < n_keys and isinstance(cache, ForgettingCache):  # it holds what is seen
                return attention(query, key, value, taps=taps)
            if n_queries == n_keys > 2 * block_length(rule):
                return windowed_attention(query, key, value, rule, dropout=dropout, taps=taps)
        if isinstance(mask, Tensor):
            mask = per_head(mask)
        if rule is not None:
            mask = self._ruled(mask, query, key, causal, cache)
        return attention(query, key, value, mask, causal=causal, bias=bias, dropout=dropout, taps=taps)

    def _ruled(
        self, mask: Mask | Sight | None, query: Tensor, key: Tensor, causal: bool, cache: KVCache | None
    ) -> Sight:
        """Return the mask joined with the layer's own rule."""
        n_queries, n_keys = query.shape[2], key.shape[2]
        if isinstance(cache, ForgettingCache) and mask is not None:
            if isinstance(mask, Sight):
                mask = mask.mask if mask.mask is None or mask.blind is None else mask.mask & ~mask.blind
            mask = None if mask is None else cache.cut(mask, n_keys)
        if isinstance(mask, Tensor):
            check_mask(mask, torch.Size((*query.shape[:-1], n_keys)))
        return sight(mask, n_queries, n_keys, causal=causal, rule=self.mask_rule, device=query.device)

    def _project(self, x: Sequence, cache: KVCache | None) -> tuple[Tensor, Tensor, Tensor]:
        """Return queries ``[B, H, T, K]``, keys and values ``[B, n_kv_heads, S, K]`` of one sequence."""
        heads = self._split(self.qkv_proj(x))  # [B, H + 2 n_kv_heads, T, K]
        query, key, value = torch.split(heads, [self.n_heads, self.n_kv_heads, self.n_kv_heads], dim=1)
        query, key = in_own_type(self.query_norm, query), in_own_type(self.key_norm, key)
        if self.positions is not None:
            offset = 0 if cache is None else cache.length
            query, key = self.positions.turn(query, offset), self.positions.turn(key, offset)
        if cache is not None:
            key, value = cache.append(key, value)
        return query, key, value

    def _project_across(
        self, x: Sequence, source: Source, cache: KVCache | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return queries of `x`, keys and values of `source`; the latter from the cache when it has them."""
        check_shape("source", source, "B S D", B=x.shape[0], D=self.d_model)
        if self.positions is not None:
            raise ValueError(
                "source: positions inside attention count along one sequence, and x and the source have no "
                "common ruler; expected no source, or a layer without positions"
            )
        query = in_own_type(self.query_norm, self._split(self.q_proj(x)))  # [B, H, T, K]
        if cache is not None and cache.length > 0:
            if cache.length != source.shape[1]:
                raise ShapeError(
                    f"source: expected the S={cache.length} tokens the cache holds, got {source.shape[1]}"
                )
            key, value = cache.held()
        else:
            key, value = self._split(self.k_proj(source)), self._split(self.v_proj(source))
            key = in_own_type(self.key_norm, key)
            if cache is not None:
                key, value = cache.append(key, value)
        return query, key, value

    def lean(self, cache: KVCache) -> Step | None:
        """Return what `forward` does to the newest token in evaluation mode, given the cache."""
        taps = (self.queries, self.keys, self.values, self.scores, self.weights, self.context, self.output)
        # The newest token sees all that is held, so there is nothing to mask.
        sees_all = self.mask_rule is None or (
            type(self.mask_rule) is SlidingWindow and isinstance(cache, ForgettingCache)
        )
        turn = None if self.positions is None else lean(self.positions, cache, call=_by_calling)
        if any(map(listening, taps)) or self.sinks is not None or not sees_all or turn is _by_calling:
            return None
        project, out = lean(self.qkv_proj), lean(self.out_proj)
        query_norm = None if self.query_norm is None else lean(self.query_norm)
        key_norm = None if self.key_norm is None else lean(self.key_norm)
        heads = [self.n_heads, self.n_kv_heads, self.n_kv_heads]
        turned = [self.n_heads + self.n_kv_heads, self.n_kv_heads]
        grouped, scale = self.n_kv_heads != self.n_heads, self.d_head**-0.5
        split, width = (sum(heads), self.d_head), self.n_heads * self.d_head

        def step(x: Tensor) -> Tensor:
            projected = project(x).view(-1, 1, *split).transpose(1, 2)  # [B, H + 2 n_kv_heads, 1, K]
            if turn is not None and query_norm is None:  # all heads at once
                both, value = projected.split_with_sizes(turned, 1)
                query, key = turn(both).split_with_sizes(heads[:2], 1)
            else:
                query, key, value = projected.split_with_sizes(heads, 1)
            if query_norm is not None:
                query, key = in_own_type(query_norm, query), in_own_type(key_norm, key)
                query, key = (query, key) if turn is None else (turn(query), turn(key))
            key, value = cache.append(key, value)  # [B, n_kv_heads, S, K]
            context = scaled_dot_product_attention(query, key, value, scale=scale, enable_gqa=grouped)
            return out(context.reshape(-1, 1, width))  # [B, H, 1, K] -> [B, 1, D]

        return step

    def new_cache(self, max_len: int) -> KVCache:
        """Return an empty cache for at most `max_len` positions: one that forgets, where a window slides."""
        rule, positions = self.mask_rule, self.positions
        if not isinstance(rule, SlidingWindow):
            return KVCache(max_len)
        # A bias counts the distances among the keys it is given: between them there must be no gap.
        biased = positions is not None and type(positions).bias is not PositionRule.bias
        return KVCache(max_len) if rule.kept and biased else ForgettingCache(max_len, rule)

    def _split(self, x: Tensor) -> Tensor:
        """Cut each vector into heads: ``[B, T, H K] -> [B, H, T, K]``."""
        return x.view(x.shape[0], x.shape[1], x.shape[2] // self.d_head, self.d_head).transpose(1, 2)


def _by_calling(x: Tensor) -> Tensor:
    """Stand for positions that have no short step."""
    raise NotImplementedError
