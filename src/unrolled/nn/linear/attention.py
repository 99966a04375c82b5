r"""Attention without the softmax, plain and with a gate that forgets. Taught in chapter 17."""

from torch import Tensor
from torch.nn.functional import elu

from unrolled.nn.linear.chunks import check_memory, decays, in_chunks, one_by_one

__all__ = ["elu_plus_one", "linear_attention", "linear_attention_by_loop", "linear_weights"]


def elu_plus_one(x: Tensor) -> Tensor:
    r"""Return :math:`\mathrm{elu}(x) + 1`: :math:`x + 1` where positive, else :math:`e^x`; never negative.

    Reference:
        Katharopoulos et al., Transformers are RNNs, 2020.

    Example:
        >>> import torch
        >>> from unrolled.nn.linear import elu_plus_one
        >>> elu_plus_one(torch.tensor([-1.0, 0.0, 2.0]))
        tensor([0.3679, 1.0000, 3.0000])
    """
    return elu(x) + 1


def linear_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    log_gate: Tensor | None = None,
    *,
    chunk: int | None = None,
    state: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    r"""Return what causal attention without a softmax finds, and the state it leaves.

    .. math::  o_t = \sum_{s \le t} \frac{\gamma_t}{\gamma_s} (q_t \cdot k_s)\, v_s, \qquad
               \gamma_t = \alpha_1 \cdots \alpha_t

    Without `chunk` this is the parallel form, all positions at once in O(T²); with it, chunks of so many
    positions hand on a state of K × V numbers, in O(T · chunk). `linear_attention_by_loop` is the same.

    Args:
        query: ``[..., T, K]``; of a feature map such as `elu_plus_one` if weights must not be negative.
        key: ``[..., T, K]``.
        value: ``[..., T, V]``.
        log_gate: :math:`\log \alpha_t`, at most 0, ``[..., T]``: how much of the state each position keeps;
            everything unless given.
        chunk: positions taken at once; all unless given.
        state: what earlier positions left, ``[..., K, V]``; zeros unless given.

    Returns:
        The contexts ``[..., T, V]``, and the state after the last position ``[..., K, V]``.

    Raises:
        ShapeError: a shape differs from what is expected.
        TypeError, ValueError: `chunk` is not a positive integer.

    Reference:
        Katharopoulos et al., Transformers are RNNs, 2020; gates: Yang et al., Gated Linear Attention
        Transformers with Hardware-Efficient Training, 2024 (there one gate for each component of the keys).

    Example:
        >>> import torch
        >>> from unrolled.nn import linear_attention
        >>> x = torch.rand(2, 5, 4)
        >>> out, state = linear_attention(x, x, x)
        >>> out.shape, state.shape
        (torch.Size([2, 5, 4]), torch.Size([2, 4, 4]))
    """
    check_memory(query, key, value, log_gate=log_gate)
    return in_chunks(
        query, key, value, log_gate, lambda here, *_: value[..., here, :], chunk=chunk, state=state
    )


def linear_attention_by_loop(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    log_gate: Tensor | None = None,
    *,
    state: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    r"""Return what `linear_attention` returns, as the recurrent network that it is.

    .. math::  S_t = \alpha_t S_{t-1} + k_t v_t^\top, \qquad o_t = S_t^\top q_t

    Arguments, shapes and errors are those of `linear_attention`.

    Example:
        >>> import torch
        >>> from unrolled.nn import linear_attention, linear_attention_by_loop
        >>> x = torch.rand(2, 5, 4)
        >>> torch.allclose(linear_attention_by_loop(x, x, x)[0], linear_attention(x, x, x)[0], atol=1e-5)
        True
    """
    check_memory(query, key, value, log_gate=log_gate)
    return one_by_one(query, key, value, log_gate, lambda t, _: value[..., t, :], state)


def linear_weights(query: Tensor, key: Tensor, log_gate: Tensor | None = None) -> Tensor:
    """Return the weights ``[..., T, T]`` with which the values are summed; they need not add up to one.

    Raises:
        ShapeError: a shape differs from what is expected.

    Example:
        >>> import torch
        >>> from unrolled.nn.linear import linear_weights
        >>> linear_weights(torch.ones(3, 2), torch.ones(3, 2))
        tensor([[2., 0., 0.],
                [2., 2., 0.],
                [2., 2., 2.]])
    """
    check_memory(query, key, key, log_gate=log_gate)
    scores, decay = query @ key.transpose(-2, -1), decays(log_gate)
    return scores.tril() if decay is None else scores * decay[0]
