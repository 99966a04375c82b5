r"""Attention whose keys and values are made of one small vector per token. Taught in chapter 15."""

import torch
from torch import Tensor, nn

from unrolled.nn.cache import KVCache
from unrolled.nn.functional import Taps, attention
from unrolled.nn.heads import head_size, in_own_type
from unrolled.nn.masks import Sight, per_head
from unrolled.nn.norms import RMSNorm
from unrolled.nn.rotary import Rotary
from unrolled.shapes import Mask, Sequence, check_shape, check_share, check_sizes
from unrolled.tap import Tap, plain

__all__ = ["LatentAttention"]


class LatentAttention(nn.Module):
    r"""Multi-head latent attention: the cache keeps a latent vector, and one turned key for all heads.

    .. math::  c_t = \mathrm{RMSNorm}(x_t W_c), \qquad k_{t,h} = [c_t W_{k,h};\ \mathrm{turn}_t(x_t W_r)],
               \qquad v_{t,h} = c_t W_{v,h}

    Without a cache keys and values are formed. With one they are not: :math:`q (c W_k)^\top = (q W_k^\top)
    c^\top`, so queries are brought to the latent vectors, all heads attend to the same, and what each found
    is brought back by :math:`W_{v,h}`. Both are the same numbers.

    Args:
        d_model: components per token.
        n_heads: heads.
        d_latent: components of the latent vector.
        positions: rotary positions for the part that is turned, whose `d_head` says how wide that is.
        d_head: components per key and value that are not turned; ``d_model / n_heads`` unless given.
        dropout: fraction of the weights set to zero while training.

    The taps hear `queries` ``[B, H, T, K + R]``, `latents` ``[B, 1, S, L]``, the turned `keys`
    ``[B, 1, S, R]``, `scores` and `weights` ``[B, H, T, S]``, `context` ``[B, H, T, K]`` and the `output`
    ``[B, T, D]``.

    Raises:
        TypeError: a size is not an integer.
        ValueError: `d_model` cannot be shared out among the heads.

    Reference:
        DeepSeek-AI, DeepSeek-V2, 2024, section 2.1.

    Example:
        >>> import torch
        >>> from unrolled.nn import LatentAttention, Rotary
        >>> layer = LatentAttention(d_model=8, n_heads=2, d_latent=3, positions=Rotary(4))
        >>> layer(torch.zeros(2, 5, 8), causal=True).shape
        torch.Size([2, 5, 8])
    """

    def __init__(
        self,
        d_model: int,
        n_heads: int,
        *,
        d_latent: int,
        positions: Rotary,
        d_head: int | None = None,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        check_sizes(d_latent=d_latent)
        check_share(dropout=dropout)
        self.d_model, self.n_heads, self.d_latent = d_model, n_heads, d_latent
        self.d_head = head_size(d_model, n_heads, d_head)
        self.dropout, self.positions = dropout, positions
        wide = self.d_head + positions.d_head
        self.q_proj = nn.Linear(d_model, n_heads * wide, bias=False)
        self.latent_proj = nn.Linear(d_model, d_latent + positions.d_head, bias=False)
        self.latent_norm = RMSNorm(d_latent)
        self.kv_proj = nn.Linear(
            d_latent, n_heads * 2 * self.d_head, bias=False
        )  # each head's keys, then values
        self.out_proj = nn.Linear(n_heads * self.d_head, d_model, bias=False)
        self.queries, self.latents, self.keys = Tap(), Tap(), Tap()
        self.scores, self.weights = Tap(), Tap()
        self.context, self.output = Tap(), Tap()

    def forward(
        self,
        x: Sequence,
        mask: Mask | Sight | None = None,
        *,
        causal: bool = False,
        cache: KVCache | None = None,
    ) -> Sequence:
        """Return one new vector per token of `x`, ``[B, T, D]``; for the arguments see `MultiHeadAttention`.

        Raises:
            ShapeError: a shape differs from what is expected.
            TypeError: the mask is not boolean.
            ValueError: the sequence is longer than the cache or the positions admit.
        """
        check_shape("x", x, "B T D", D=self.d_model)
        offset = 0 if cache is None else cache.length
        query = self.q_proj(x).view(*x.shape[:2], self.n_heads, -1).transpose(1, 2)  # [B, H, T, K + R]
        still, turning = query[..., : self.d_head], query[..., self.d_head :]
        query = self.queries(torch.cat([still, self.positions.turn(turning, offset)], -1))
        both = self.latent_proj(x).unsqueeze(1)  # [B, 1, T, L + R]
        latent = in_own_type(self.latent_norm, both[..., : self.d_latent])
        key = self.positions.turn(both[..., self.d_latent :], offset)
        if cache is not None:
            latent, key = cache.append(latent, key)
        latent, key = self.latents(latent), self.keys(key)
        mask = per_head(mask) if isinstance(mask, Tensor) else mask
        # A layer that was changed or is listened to has to be called.
        absorbs = cache is not None and type(self.kv_proj) is nn.Linear and plain(self.kv_proj)
        attend = self._absorbed if absorbs else self._formed
        context = self.context(attend(query, latent, key, mask, causal))  # [B, H, T, K]
        x = self.output(self.out_proj(context.transpose(1, 2).flatten(2)))
        return x

    def _formed(
        self, query: Tensor, latent: Tensor, turned: Tensor, mask: Mask | Sight | None, causal: bool
    ) -> Tensor:
        """Attend with keys and values formed."""
        both = self.kv_proj(latent[:, 0]).view(len(latent), -1, self.n_heads, 2 * self.d_head)
        key, value = both.transpose(1, 2).chunk(2, -1)  # [B, H, S, K]
        key = torch.cat([key, turned.expand(-1, self.n_heads, -1, -1)], -1)  # [B, H, S, K + R]
        return attention(query, key, value, mask, causal=causal, dropout=self._dropped(), taps=self._taps())

    def _absorbed(
        self, query: Tensor, latent: Tensor, turned: Tensor, mask: Mask | Sight | None, causal: bool
    ) -> Tensor:
        """Attend to the latent vectors themselves, which are keys and values of all heads."""
        rows = self.kv_proj.weight.view(self.n_heads, 2, self.d_head, self.d_latent)
        still, turning = query[..., : self.d_head], query[..., self.d_head :]
        query = torch.cat([still @ rows[:, 0], turning], -1)  # [B, H, T, L + R]
        key = torch.cat([latent, turned], -1)  # [B, 1, S, L + R]
        # Scores are divided by the root of the width they have here; they should be by that of the heads.
        query = query * (key.shape[-1] / (self.d_head + turned.shape[-1])) ** 0.5
        if query.shape[2] == 1 and mask is None and not self._taps().watched:
            # One token sees all that is held, and all its heads look at the same: they are its queries.
            found = attention(query.transpose(1, 2), key, latent, dropout=self._dropped()).transpose(1, 2)
        else:
            found = attention(
                query, key, latent, mask, causal=causal, dropout=self._dropped(), taps=self._taps()
            )
        return found @ rows[:, 1].mT  # [B, H, T, L] @ [H, L, K]

    def _dropped(self) -> float:
        return self.dropout if self.training else 0.0

    def _taps(self) -> Taps:
        return Taps(self.scores, self.weights)
