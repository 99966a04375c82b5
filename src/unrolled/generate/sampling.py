r"""From a score for every token to one token: greedy, temperature, top-k, top-p. Taught in chapter 10."""

import math

import torch
from torch import Generator, Tensor

from unrolled.shapes import ShapeError, check_shape, check_sizes

__all__ = ["check_sampling", "keep_top_k", "keep_top_p", "sample_next"]


def check_sampling(temperature: float, top_k: int | None, top_p: float | None) -> None:
    """Raise unless the three are ones that a token can be drawn with.

    Raises:
        ValueError: the temperature is negative or not finite, `top_k` is below 1, or `top_p` not in (0, 1].

    Example:
        >>> from unrolled.generate.sampling import check_sampling
        >>> check_sampling(temperature=-1.0, top_k=None, top_p=None)
        Traceback (most recent call last):
        ValueError: temperature: expected 0 (greedy) or a positive number, got -1.0
    """
    if not 0.0 <= temperature < math.inf:
        raise ValueError(f"temperature: expected 0 (greedy) or a positive number, got {temperature}")
    check_sizes(top_k=top_k)
    if top_p is not None and not 0.0 < top_p <= 1.0:
        raise ValueError(f"top_p: expected more than 0 and at most 1, got {top_p}")


def keep_top_k(logits: Tensor, k: int) -> Tensor:
    r"""Rule out all tokens but the k likeliest: their logits become :math:`-\infty`.

    .. math::  \ell_v \leftarrow -\infty \quad \text{where } \ell_v < \ell_{(k)}

    with :math:`\ell_{(k)}` the k-th largest. Tokens that tie with it stay.

    Args:
        logits: ``[..., V]``.
        k: how many tokens stay, 1 or more; with V or more, all of them.

    Raises:
        ShapeError: `logits` has no dimension.
        ValueError: `k` is below 1.

    Reference:
        Fan, Lewis and Dauphin, Hierarchical Neural Story Generation, 2018, section 5.1.

    Example:
        >>> import torch
        >>> from unrolled.generate import keep_top_k
        >>> keep_top_k(torch.tensor([1.0, 3.0, 2.0]), k=2)
        tensor([-inf, 3., 2.])
    """
    check_shape("logits", logits, "... V")
    check_sampling(1.0, k, None)
    kth = logits.topk(min(k, logits.shape[-1])).values[..., -1:]  # [..., 1]
    return logits.masked_fill(logits < kth, -math.inf)


def keep_top_p(logits: Tensor, p: float) -> Tensor:
    r"""Rule out all but the likeliest tokens that have probability p together.

    .. math::  V_p = \text{the smallest set of likeliest tokens with } \sum_{v \in V_p} p_v \ge p

    The logits of the others become :math:`-\infty`. The likeliest token always stays. Few tokens stay where
    the model is sure, many where it is not.

    Args:
        logits: ``[..., V]``.
        p: more than 0; with 1 all tokens stay.

    Raises:
        ShapeError: `logits` has no dimension.
        ValueError: `p` is not in (0, 1].

    Reference:
        Holtzman et al., The Curious Case of Neural Text Degeneration, 2020, section 3.1 ("nucleus").

    Example:
        >>> import torch
        >>> from unrolled.generate import keep_top_p
        >>> keep_top_p(torch.tensor([0.5, 0.3, 0.2]).log(), p=0.7).exp()
        tensor([0.5000, 0.3000, 0.0000])
    """
    check_shape("logits", logits, "... V")
    check_sampling(1.0, None, p)
    if p == 1.0:  # Without this the last tokens would fall to the rounding of the sum.
        return logits
    ordered, order = logits.sort(dim=-1, descending=True)
    share = ordered.softmax(dim=-1)
    likelier = share.cumsum(dim=-1) - share  # what the tokens before this one have together
    rest = (likelier >= p).scatter(-1, order, likelier >= p)  # back in the order of the vocabulary
    return logits.masked_fill(rest, -math.inf)


def sample_next(
    logits: Tensor,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    generator: Generator | None = None,
) -> Tensor:
    r"""Choose one token from each row of logits.

    .. math::  v \sim \mathrm{softmax}(\ell / \tau)

    Args:
        logits: ``[B, V]``; :math:`-\infty` rules a token out.
        temperature: :math:`\tau`; below one the likely tokens gain, above one the unlikely. At 0 the
            likeliest token is taken, and nothing is left to chance.
        top_k: see `keep_top_k`; applied after the temperature.
        top_p: see `keep_top_p`; applied after `top_k`.
        generator: where chance comes from; torch's own unless given.

    Returns:
        Tokens ``[B]``.

    Raises:
        ShapeError: `logits` is not ``[B, V]``, or knows no token.
        ValueError: an option is out of range, or a row of logits has NaN, infinity or no token left.

    Example:
        >>> import torch
        >>> from unrolled.generate import sample_next
        >>> logits = torch.tensor([[1.0, 3.0, 2.0]])
        >>> sample_next(logits, temperature=0.0)
        tensor([1])
        >>> sample_next(logits, top_k=1, generator=torch.Generator().manual_seed(0))
        tensor([1])
    """
    check_sampling(temperature, top_k, top_p)
    check_shape("logits", logits, "B V")
    if logits.shape[1] == 0:
        raise ShapeError(f"logits: expected at least one token, got {list(logits.shape)}")
    largest, likeliest = logits.max(dim=-1)
    # NaN counts as the largest, so a look at B numbers sees it anywhere in [B, V].
    if not all(map(math.isfinite, largest.tolist())):
        raise ValueError(f"logits: expected the largest of each row to be finite, got {largest.tolist()}")
    if temperature == 0.0:
        return likeliest
    # The largest is taken off first, so that a small temperature cannot overflow; one that is smaller still
    # differs from 0 in nothing but ties.
    logits = (logits - largest[:, None]).to(torch.promote_types(logits.dtype, torch.float32))
    logits = logits / max(temperature, 1e-30)
    if top_k is not None:
        logits = keep_top_k(logits, top_k)
    if top_p is not None:
        logits = keep_top_p(logits, top_p)
    return torch.multinomial(logits.softmax(dim=-1), 1, generator=generator)[:, 0]
