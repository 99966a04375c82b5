r"""Cross-entropy as a sum and a count, so that batches and processes of unequal size can be put together."""

import torch
from torch import Tensor
from torch.nn import functional

from unrolled.data.batches import IGNORED
from unrolled.shapes import ShapeError

__all__ = ["cross_entropy"]


def cross_entropy(logits: Tensor, targets: Tensor, *, label_smoothing: float = 0.0) -> tuple[Tensor, Tensor]:
    r"""Return the summed loss over all targets, and how many there are.

    .. math::  -\sum_t \Big[(1 - \epsilon) \log p_t(y_t) + \frac{\epsilon}{V} \sum_v \log p_t(v)\Big]

    Args:
        logits: ``[..., V]``.
        targets: the right words ``[...]``; `IGNORED` where none is asked for.
        label_smoothing: :math:`\epsilon`, the share of probability spread over all words.

    Raises:
        ShapeError: logits and targets do not belong together.
        ValueError: the smoothing is not in [0, 1).

    Reference:
        Szegedy et al., Rethinking the Inception Architecture, 2016, section 7.

    Example:
        >>> import torch
        >>> from unrolled.training import cross_entropy
        >>> cross_entropy(torch.zeros(1, 3, 4), torch.tensor([[1, 2, 3]]))
        (tensor(4.1589), tensor(3))
    """
    if logits.shape[:-1] != targets.shape:
        raise ShapeError(f"targets: expected shape {list(logits.shape[:-1])}, got {list(targets.shape)}")
    if not 0 <= label_smoothing < 1:
        raise ValueError(f"label_smoothing: expected 0 or more and less than 1, got {label_smoothing}")
    # In float32 also under autocast: a sum of many logarithms needs the digits.
    total = functional.cross_entropy(
        logits.flatten(0, -2).to(torch.promote_types(logits.dtype, torch.float32)),
        targets.flatten(),
        ignore_index=IGNORED,
        reduction="sum",
        label_smoothing=label_smoothing,
    )
    return total, (targets != IGNORED).sum()
