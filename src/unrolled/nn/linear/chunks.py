r"""A state that is a matrix, written to and read out of in pieces of a sequence. Taught in chapter 17.

All of the course's linear attention is one recurrence, with other writings :math:`u_t` and gates:

.. math::  S_t = \alpha_t S_{t-1} + k_t u_t^\top, \qquad o_t = S_t^\top q_t

Unrolled over a chunk that begins with the state :math:`S`, with :math:`\gamma_t = \alpha_1 \cdots \alpha_t`:

.. math::  O = \left(QK^\top \odot \Gamma\right) U + \gamma \odot QS, \qquad
           \Gamma_{ts} = \gamma_t / \gamma_s \text{ for } s \le t, \text{ else } 0
"""

from collections.abc import Callable

import torch
from torch import Tensor

from unrolled.shapes import ShapeError, check_shape, check_sizes

__all__ = ["Decay", "check_memory", "decays", "in_chunks", "one_by_one"]

# Of a chunk: how much of each earlier writing is left at each position ``[..., T, T]``, and how much of the
# state before the chunk ``[..., T]``; None where nothing is forgotten.
Decay = tuple[Tensor, Tensor] | None


def check_memory(query: Tensor, key: Tensor, value: Tensor, **gates: Tensor | None) -> None:
    """Raise unless shapes fit: query, key ``[..., T, K]``, value ``[..., T, V]``, every gate ``[..., T]``.

    Raises:
        TypeError: one of them is not a tensor.
        ShapeError: a shape differs.
    """
    check_shape("query", query, "... T K")
    check_shape("key", key, "... T K", T=query.shape[-2], K=query.shape[-1])
    check_shape("value", value, "... T V", T=query.shape[-2])
    front = query.shape[:-2]
    for name, tensor in {"key": key, "value": value}.items():
        if tensor.shape[:-2] != front:
            raise ShapeError(f"{name}: expected leading dimensions {list(front)}, got {list(tensor.shape)}")
    for name, gate in gates.items():
        if gate is not None:
            check_shape(name, gate, "... T", T=query.shape[-2])
            if gate.shape[:-1] != front:
                raise ShapeError(f"{name}: expected leading dimensions {list(front)}, got {list(gate.shape)}")


def in_chunks(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    log_gate: Tensor | None,
    put: Callable[[slice, Decay, Tensor], Tensor],
    *,
    chunk: int | None,
    state: Tensor | None,
) -> tuple[Tensor, Tensor]:
    """Return the contexts ``[..., T, V]`` and the last state ``[..., K, V]``, chunk after chunk.

    Args:
        query: ``[..., T, K]``, checked by `check_memory` like the others.
        key: ``[..., T, K]``.
        value: ``[..., T, V]``.
        log_gate: ``[..., T]``, if there is a gate.
        put: what a chunk writes, given which positions it has, its decay, and the state before it.
        chunk: positions taken at once; all unless given.
        state: the state before the first position; zeros unless given.

    Raises:
        ShapeError: the state has another shape.
        TypeError, ValueError: `chunk` is not a positive integer.
    """
    check_sizes(chunk=chunk)
    state, length = _first_state(key, value, state), query.shape[-2]
    size = max(1, length) if chunk is None else chunk
    found = []
    for start in range(0, length, size):
        here = slice(start, min(start + size, length))
        q, k = query[..., here, :], key[..., here, :]
        decay = None if log_gate is None else decays(log_gate[..., here])
        u = put(here, decay, state)
        found.append(_read(q, k, u, decay, state))
        state = _written(k, u, decay, state)
    return (torch.cat(found, -2) if found else torch.zeros_like(value)), state


def one_by_one(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    log_gate: Tensor | None,
    put: Callable[[int, Tensor], Tensor],
    state: Tensor | None,
) -> tuple[Tensor, Tensor]:
    """Return what `in_chunks` returns, position after position.

    `put` says what a position writes ``[..., V]``, given which it is and what the gate left of the state.
    """
    state = _first_state(key, value, state)
    found = []
    for t in range(query.shape[-2]):
        if log_gate is not None:
            state = log_gate[..., t, None, None].exp() * state
        state = state + key[..., t, :, None] * put(t, state)[..., None, :]  # [..., K, V]
        found.append((query[..., t, None, :] @ state)[..., 0, :])  # [..., V]
    return (torch.stack(found, -2) if found else torch.zeros_like(value)), state


def _first_state(key: Tensor, value: Tensor, state: Tensor | None) -> Tensor:
    """Return the state before the first position ``[..., K, V]``: zeros unless one is given.

    Raises:
        ShapeError: the state has another shape.
    """
    shape = (*key.shape[:-2], key.shape[-1], value.shape[-1])
    if state is None:
        return value.new_zeros(shape)
    if state.shape != shape:
        raise ShapeError(f"state: expected shape {list(shape)}, got {list(state.shape)}")
    return state


def decays(log_gate: Tensor | None) -> Decay:
    r"""Return :math:`\Gamma` ``[..., T, T]`` and :math:`\gamma` ``[..., T]`` of a chunk, if gated."""
    if log_gate is None:
        return None
    summed = log_gate.cumsum(-1)  # [..., T]
    ratio = summed[..., :, None] - summed[..., None, :]  # [..., T, T]
    later = torch.ones(ratio.shape[-2:], dtype=torch.bool, device=ratio.device).triu(1)
    # Filled before exp: what lies after would overflow, and its gradient be 0 times infinity.
    return ratio.masked_fill(later, -torch.inf).exp(), summed.exp()


def _read(query: Tensor, key: Tensor, put: Tensor, decay: Decay, state: Tensor) -> Tensor:
    """Return what every query finds ``[..., T, V]``: in this chunk's writings and in the state before it."""
    scores = query @ key.transpose(-2, -1)  # [..., T, T]
    if decay is None:
        return scores.tril() @ put + query @ state
    within, since = decay
    return (scores * within) @ put + since[..., None] * (query @ state)


def _written(key: Tensor, put: Tensor, decay: Decay, state: Tensor) -> Tensor:
    """Return the state after the chunk, ``[..., K, V]``."""
    if decay is None:
        return state + key.transpose(-2, -1) @ put
    within, since = decay
    left = within[..., -1, :, None]  # of each writing, at the end
    return since[..., -1, None, None] * state + (key * left).transpose(-2, -1) @ put
