r"""The delta rule: look up what the state says of a key, and write the difference. Taught in chapter 17."""

import torch
from torch import Tensor
from torch.linalg import solve_triangular

from unrolled.nn.linear.chunks import Decay, check_memory, decays, in_chunks, one_by_one

__all__ = ["delta_rule", "delta_rule_by_loop", "delta_weights"]


def delta_rule(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    beta: Tensor,
    log_gate: Tensor | None = None,
    *,
    chunk: int | None = None,
    state: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    r"""Return what queries find in a state that is corrected at each position, and the state left.

    .. math::  u_t = \beta_t\left(v_t - \alpha_t S_{t-1}^\top k_t\right), \qquad
               S_t = \alpha_t S_{t-1} + k_t u_t^\top, \qquad o_t = S_t^\top q_t

    What is written at a position depends on what was written before, all at once by one triangular system:

    .. math::  \left(I + \mathrm{diag}(\beta)\,(KK^\top \odot \Gamma)_{s<t}\right) U
               = \mathrm{diag}(\beta)\,(V - \gamma \odot KS)

    Args:
        query: ``[..., T, K]``.
        key: ``[..., T, K]``, of length 1 if the rule is to replace what a key had: nothing here norms it.
        value: ``[..., T, V]``.
        beta: how much of the difference is written, from 0 to 1, ``[..., T]``.
        log_gate: :math:`\log \alpha_t`, at most 0, ``[..., T]``; nothing is forgotten unless given.
        chunk: positions taken at once; all unless given.
        state: what earlier positions left, ``[..., K, V]``; zeros unless given.

    Returns:
        The contexts ``[..., T, V]``, and the state after the last position ``[..., K, V]``.

    Raises:
        ShapeError: a shape differs from what is expected.
        TypeError, ValueError: `chunk` is not a positive integer.

    Reference:
        Schlag et al., Linear Transformers Are Secretly Fast Weight Programmers, 2021; Yang et al.,
        Parallelizing Linear Transformers with the Delta Rule over Sequence Length, 2024; with gates: Yang et
        al., Gated Delta Networks, 2025.

    Example:
        >>> import torch
        >>> from unrolled.nn import delta_rule
        >>> key, value = torch.eye(2)[None], torch.tensor([[[1.0, 0.0], [0.0, 5.0]]])
        >>> out, state = delta_rule(key, key, value, beta=torch.ones(1, 2))
        >>> out  # what was written under a key is read with it
        tensor([[[1., 0.],
                 [0., 5.]]])
    """
    check_memory(query, key, value, beta=beta, log_gate=log_gate)

    def put(here: slice, decay: Decay, state: Tensor) -> Tensor:
        k = key[..., here, :]
        known = k @ state if decay is None else decay[1][..., None] * (k @ state)
        return _solved(k, beta[..., here], decay, value[..., here, :] - known)

    return in_chunks(query, key, value, log_gate, put, chunk=chunk, state=state)


def delta_rule_by_loop(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    beta: Tensor,
    log_gate: Tensor | None = None,
    *,
    state: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Return what `delta_rule` returns, position after position; arguments and errors are the same.

    Example:
        >>> import torch
        >>> from unrolled.nn import delta_rule, delta_rule_by_loop
        >>> x, beta = torch.nn.functional.normalize(torch.rand(2, 5, 4), dim=-1), torch.rand(2, 5)
        >>> torch.allclose(delta_rule_by_loop(x, x, x, beta)[0], delta_rule(x, x, x, beta)[0], atol=1e-5)
        True
    """
    check_memory(query, key, value, beta=beta, log_gate=log_gate)

    def put(t: int, state: Tensor) -> Tensor:
        known = (key[..., t, None, :] @ state)[..., 0, :]  # [..., V]
        return beta[..., t, None] * (value[..., t, :] - known)

    return one_by_one(query, key, value, log_gate, put, state)


def delta_weights(query: Tensor, key: Tensor, beta: Tensor, log_gate: Tensor | None = None) -> Tensor:
    """Return the weights ``[..., T, T]`` with which the values are summed; some may be negative.

    Raises:
        ShapeError: a shape differs from what is expected.

    Example:
        >>> import torch
        >>> from unrolled.nn.linear import delta_weights
        >>> delta_weights(torch.eye(2), torch.eye(2), torch.ones(2))
        tensor([[1., 0.],
                [0., 1.]])
    """
    check_memory(query, key, key, beta=beta, log_gate=log_gate)
    decay, size = decays(log_gate), query.shape[-2]
    each = torch.eye(size, dtype=key.dtype, device=key.device).expand(*key.shape[:-1], size)
    put = _solved(key, beta, decay, each)  # what is written of each value
    scores = query @ key.transpose(-2, -1)
    return (scores.tril() if decay is None else scores * decay[0]) @ put


def _solved(key: Tensor, beta: Tensor, decay: Decay, new: Tensor) -> Tensor:
    """Return what is written ``[..., T, V]``, given what is new against the state before the chunk."""
    overlap = key @ key.transpose(-2, -1)  # [..., T, T]
    overlap = overlap if decay is None else overlap * decay[0]
    system = (beta[..., None] * overlap).tril(-1)  # the ones of its diagonal are implied
    right = beta[..., None] * new
    put: Tensor = solve_triangular(system, right, upper=False, unitriangular=True)
    return put
