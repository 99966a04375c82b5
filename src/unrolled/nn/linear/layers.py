r"""Layers for the place of attention, with a state instead of keys and values. Taught in chapter 17."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import logsigmoid, normalize, silu

from unrolled.nn.linear.attention import elu_plus_one, linear_attention, linear_weights
from unrolled.nn.linear.delta import delta_rule, delta_weights
from unrolled.nn.linear.state_layer import StateLayer, heard
from unrolled.nn.norms import RMSNorm
from unrolled.tap import Tap, listening

__all__ = ["DeltaAttention", "GatedLinearAttention", "LinearAttention", "silu_unit"]

Features = Callable[[Tensor], Tensor]
_OPEN = 3.0  # the first bias of a forget gate, as in chapter 1: it starts by keeping 95 % a step
_CHUNK = 64


def silu_unit(x: Tensor) -> Tensor:
    r"""Return :math:`\mathrm{SiLU}(x)` scaled to length 1, as Yang et al., 2024, make queries and keys.

    Example:
        >>> import torch
        >>> from unrolled.nn.linear import silu_unit
        >>> silu_unit(torch.tensor([[1.0, 2.0, 3.0]])).norm()
        tensor(1.)
    """
    return normalize(silu(x), dim=-1)


class Rates(NamedTuple):
    """What tokens decide about the state, ``[B, H, T]`` each; none where there is nothing to decide."""

    log_gate: Tensor | None = None
    beta: Tensor | None = None


class LinearAttention(StateLayer):
    r"""Attention without the softmax: project, split into heads, sum, norm, project.

    .. math::  o_t = \mathrm{norm}\Big(\sum_{s \le t} (\phi(q_t) \cdot \phi(k_s))\, v_s\Big)

    Args:
        d_model, n_heads, d_head, dropout: see `StateLayer`.
        features: :math:`\phi`, of queries and keys.
        norm: of every head's context, made as ``norm(d_head)``; with None the context is divided by the
            sum of its weights instead, as in the paper, and the features must not be negative.

    The taps `queries` and `keys` ``[B, H, T, K]`` (after the features), `values` ``[B, H, T, K]``, `weights`
    ``[B, H, T, T]`` (with which values are summed, before norm or division; formed only for who listens, and
    not where a cache holds what came before, where an edit is refused), and those of `StateLayer`.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size or a share that is not possible.

    Reference:
        Katharopoulos et al., Transformers are RNNs, 2020; the norm: Sun et al., Retentive Network, 2023.

    Example:
        >>> import torch
        >>> from unrolled.nn import LinearAttention
        >>> LinearAttention(d_model=8, n_heads=2)(torch.zeros(2, 5, 8), causal=True).shape
        torch.Size([2, 5, 8])
    """

    def __init__(
        self,
        d_model: int,
        n_heads: int,
        *,
        d_head: int | None = None,
        dropout: float = 0.0,
        features: Features = elu_plus_one,
        norm: Callable[[int], nn.Module] | None = RMSNorm,
    ) -> None:
        super().__init__(d_model, n_heads, d_head=d_head, dropout=dropout)
        self.qkv_proj = nn.Linear(d_model, 3 * n_heads * self.d_head, bias=False)
        self.features = features
        self.norm = None if norm is None else norm(self.d_head)
        self.queries, self.keys, self.values, self.weights = Tap(), Tap(), Tap(), Tap()
        for rows in (*self.qkv_proj.weight.chunk(3), self.out_proj.weight):
            nn.init.xavier_uniform_(rows)

    def _remember(self, x: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor]:
        if state is not None and getattr(self.weights, "edited", False):
            raise ValueError(
                "weights: expected no edit where a cache holds what came before: its state has no weights"
            )
        query, key, value = map(self._split, self.qkv_proj(x).chunk(3, dim=-1))
        query = self.queries(self.features(query))  # [B, H, T, K]
        key, value = self.keys(self.features(key)), self.values(value)
        if self.norm is None:
            # A column of ones is summed along with the values: the sum of the weights.
            value = torch.cat([value, torch.ones_like(value[..., :1])], -1)
        rates = self._rates(x)
        found, after = self._recall(query, key, value, rates, state)
        if state is None and listening(self.weights):
            found = self.weights(self._summed_with(query, key, rates)) @ value
        if self.norm is None:
            return found[..., :-1] / found[..., -1:], after
        return self.norm(found), after

    def _rates(self, x: Tensor) -> Rates:
        """Return the logarithms of the forget gates and the write strengths, ``[B, H, T]``."""
        return Rates()

    def _recall(
        self, query: Tensor, key: Tensor, value: Tensor, rates: Rates, state: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        return linear_attention(query, key, value, rates.log_gate, chunk=_CHUNK, state=state)

    def _summed_with(self, query: Tensor, key: Tensor, rates: Rates) -> Tensor:
        return linear_weights(query, key, rates.log_gate)


class _Gate(nn.Module):
    """A forget gate for every head and token, which starts open."""

    def __init__(self, d_model: int, n_heads: int) -> None:
        super().__init__()
        self.proj = nn.Linear(d_model, n_heads, bias=False)
        self.bias = nn.Parameter(torch.full((n_heads,), _OPEN))

    def forward(self, x: Tensor) -> Tensor:
        """Return the logarithms ``[B, H, T]`` of what is kept."""
        return logsigmoid(self.proj(x) + self.bias).transpose(1, 2)


class GatedLinearAttention(LinearAttention):
    r"""Linear attention whose state is multiplied by a forget gate at every token.

    .. math::  \alpha_t = \sigma(x_t w + b), \qquad S_t = \alpha_t S_{t-1} + \phi(k_t) v_t^\top

    One gate for each head; it starts at :math:`\sigma(3) = 0.95`. Arguments, taps and errors are those of
    `LinearAttention`; the tap `gates` hears :math:`\alpha` ``[B, H, T]``.

    Reference:
        Yang et al., Gated Linear Attention Transformers with Hardware-Efficient Training, 2024; one gate for
        each head: Dao and Gu, Transformers are SSMs, 2024.

    Example:
        >>> import torch
        >>> from unrolled.nn import GatedLinearAttention
        >>> GatedLinearAttention(d_model=8, n_heads=2)(torch.zeros(2, 5, 8), causal=True).shape
        torch.Size([2, 5, 8])
    """

    def __init__(
        self,
        d_model: int,
        n_heads: int,
        *,
        d_head: int | None = None,
        dropout: float = 0.0,
        features: Features = elu_plus_one,
        norm: Callable[[int], nn.Module] | None = RMSNorm,
    ) -> None:
        super().__init__(d_model, n_heads, d_head=d_head, dropout=dropout, features=features, norm=norm)
        self.gate = _Gate(d_model, n_heads)
        self.gates = Tap()

    def _rates(self, x: Tensor) -> Rates:
        return Rates(heard(self.gates, self.gate(x)))


class DeltaAttention(LinearAttention):
    r"""A state that is corrected: what a key already gives is subtracted from what is written for it.

    .. math::  \beta_t = \sigma(x_t w), \qquad
               S_t = \alpha_t S_{t-1} + k_t \beta_t (v_t - \alpha_t S_{t-1}^\top k_t)^\top

    Args:
        d_model, n_heads, d_head, dropout: see `StateLayer`.
        features: of queries and keys; they should give vectors of length 1.
        norm: of every head's context, made as ``norm(d_head)``.
        gated: whether there is a forget gate :math:`\alpha`, too; otherwise it is 1.

    The taps are those of `LinearAttention`, and `betas` ``[B, H, T]``; with gates `gates`.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size or a share that is not possible.

    Reference:
        Yang et al., Parallelizing Linear Transformers with the Delta Rule over Sequence Length, 2024; with
        gates: Yang et al., Gated Delta Networks, 2025.

    Example:
        >>> import torch
        >>> from unrolled.nn import DeltaAttention
        >>> DeltaAttention(d_model=8, n_heads=2, gated=True)(torch.zeros(2, 5, 8), causal=True).shape
        torch.Size([2, 5, 8])
    """

    def __init__(
        self,
        d_model: int,
        n_heads: int,
        *,
        d_head: int | None = None,
        dropout: float = 0.0,
        features: Features = silu_unit,
        norm: Callable[[int], nn.Module] = RMSNorm,
        gated: bool = False,
    ) -> None:
        super().__init__(d_model, n_heads, d_head=d_head, dropout=dropout, features=features, norm=norm)
        self.beta_proj = nn.Linear(d_model, n_heads, bias=False)
        self.betas = Tap()
        self.gate = _Gate(d_model, n_heads) if gated else None
        self.gates = Tap() if gated else None

    def _rates(self, x: Tensor) -> Rates:
        beta = self.betas(torch.sigmoid(self.beta_proj(x)).transpose(1, 2))
        if self.gate is None or self.gates is None:
            return Rates(beta=beta)
        return Rates(heard(self.gates, self.gate(x)), beta)

    def _recall(
        self, query: Tensor, key: Tensor, value: Tensor, rates: Rates, state: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        assert rates.beta is not None
        return delta_rule(query, key, value, rates.beta, rates.log_gate, chunk=_CHUNK, state=state)

    def _summed_with(self, query: Tensor, key: Tensor, rates: Rates) -> Tensor:
        assert rates.beta is not None
        return delta_weights(query, key, rates.beta, rates.log_gate)
