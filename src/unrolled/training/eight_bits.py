"""Weights of 8 bits: a quarter of the bytes, and hardly another answer.

Matrices are kept as `unrolled.rounding.whole_rows` makes them, vectors in half precision: they are few.
Beside a matrix ``x`` stands ``x.step``, one for each row.
The idea, with finer steps for outliers: Dettmers et al., LLM.int8(), 2022.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from unrolled.rounding import whole_rows

__all__ = ["STEP", "from_eight_bits", "to_eight_bits"]

STEP = ".step"
"""What the name of a matrix's steps ends in."""


def to_eight_bits(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors in fewer bits: matrices ``[R, C]`` as int8 with steps ``[R]``, the rest halved.

    Args:
        tensors: by name, such as a model's ``state_dict()``.

    Raises:
        ValueError: a number is not finite, or a name ends like that of a step.
    """
    small: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        if name.endswith(STEP):
            raise ValueError(f"{name}: expected a name that does not end in {STEP!r}")
        if not tensor.isfinite().all():
            raise ValueError(f"{name}: expected finite numbers, got some that are not")
        if tensor.ndim != 2 or not tensor.is_floating_point():
            small[name] = tensor.half() if tensor.is_floating_point() else tensor
            continue
        whole, steps = whole_rows(tensor.detach().float().cpu().numpy())
        small[name], small[name + STEP] = torch.from_numpy(whole), torch.from_numpy(steps)
    return small


def from_eight_bits(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return what `to_eight_bits` was given, rounded, in float32; tensors without steps only widened.

    Raises:
        ValueError: a matrix of int8 has no step for each of its rows, or steps have no matrix.
    """
    wide: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        if name.endswith(STEP):
            matrix = tensors.get(name.removesuffix(STEP))
            if matrix is None or matrix.dtype != torch.int8:
                raise ValueError(f"{name}: expected a matrix of 8 bits that the steps belong to")
            continue
        if tensor.dtype == torch.int8:
            steps = tensors.get(name + STEP)
            if steps is None or steps.shape != tensor.shape[:1]:
                got = "none" if steps is None else list(steps.shape)
                raise ValueError(f"{name}{STEP}: expected {list(tensor.shape[:1])}, got {got}")
            wide[name] = tensor.float() * steps.float()[:, None]
        else:
            wide[name] = tensor.float() if tensor.is_floating_point() else tensor
    return wide
