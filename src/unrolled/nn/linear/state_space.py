r"""A selective state space in its simplest form. Taught in chapter 17."""

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from unrolled.nn.linear.attention import linear_attention
from unrolled.nn.linear.state_layer import StateLayer, heard
from unrolled.shapes import check_sizes
from unrolled.tap import Tap

__all__ = ["SelectiveStateSpace"]


class SelectiveStateSpace(StateLayer):
    r"""A linear system whose step, input and output each token chooses.

    .. math::  \Delta_t = \mathrm{softplus}(x_t W_\Delta + b), \qquad
               h_t = e^{-\Delta_t a} h_{t-1} + \Delta_t B_t x_t^\top, \qquad y_t = h_t^\top C_t + d\,x_t

    It is `linear_attention` with other names: C asks, B is the key, :math:`\Delta x` the value, and
    :math:`e^{-\Delta a}` the gate. B and C are shared by all heads; :math:`a > 0`, b and d are one number a
    head, as in Mamba 2. Mamba has a head for each component, a decay for each component of its state too,
    and makes steps of fewer numbers: a sum of layers like this one with ``d_state=1``. What both have around
    it is left out: a projection and a short convolution in front; a second gate and Mamba 2's norm behind.

    Args:
        d_model, n_heads, d_head, dropout: see `StateLayer`.
        d_state: components of B and C.

    The taps `steps` (:math:`\Delta`) and `gates` ``[B, H, T]``, and those of `StateLayer`.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size or a share that is not possible.

    Reference:
        Gu and Dao, Mamba: Linear-Time Sequence Modeling with Selective State Spaces, 2023; one decay for each
        head: Dao and Gu, Transformers are SSMs, 2024.

    Example:
        >>> import torch
        >>> from unrolled.nn import SelectiveStateSpace
        >>> SelectiveStateSpace(d_model=8, n_heads=2, d_state=4)(torch.zeros(2, 5, 8), causal=True).shape
        torch.Size([2, 5, 8])
    """

    def __init__(
        self,
        d_model: int,
        n_heads: int,
        *,
        d_head: int | None = None,
        dropout: float = 0.0,
        d_state: int = 16,
    ) -> None:
        super().__init__(d_model, n_heads, d_head=d_head, dropout=dropout)
        check_sizes(d_state=d_state)
        self.x_proj = nn.Linear(d_model, n_heads * self.d_head, bias=False)
        self.input_proj = nn.Linear(d_model, d_state, bias=False)  # B
        self.output_proj = nn.Linear(d_model, d_state, bias=False)  # C
        self.step_proj = nn.Linear(d_model, n_heads, bias=False)
        # Heads start with steps from 0.01 to 0.1: softplus of this bias.
        first = torch.logspace(-2, -1, n_heads)
        self.step_bias = nn.Parameter(first.expm1().log())
        self.log_decay = nn.Parameter(torch.zeros(n_heads))  # of a
        self.skip = nn.Parameter(torch.ones(n_heads))  # d
        self.steps, self.gates = Tap(), Tap()

    def _remember(self, x: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor]:
        value = self._split(self.x_proj(x))  # [B, H, T, K]
        heads = (x.shape[0], self.n_heads, x.shape[1], -1)
        key, query = (proj(x)[:, None].expand(heads) for proj in (self.input_proj, self.output_proj))
        step = self.steps(softplus(self.step_proj(x) + self.step_bias).transpose(1, 2))  # [B, H, T]
        log_gate = heard(self.gates, -step * self.log_decay.exp()[:, None])
        put = step[..., None] * value
        found, after = linear_attention(query, key, put, log_gate, chunk=64, state=state)
        return found + self.skip[:, None, None] * value, after
