"""Trained weights for a widget that runs the whole model: half precision, in base64, by name."""

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np

__all__ = ["pack"]


def pack(tensors: Mapping[str, Any]) -> dict[str, Any]:
    """Return tensors of one or two dimensions as ``{"data": base64, "tensors": [[name, shape], …]}``.

    What ``js/unpack.mjs`` reads. Numbers are rounded to half precision: those that already are, as stored
    weights, come back exactly.

    Args:
        tensors: arrays or tensors by name, such as a model's ``state_dict()``.

    Raises:
        ValueError: a tensor has another number of dimensions, holds no numbers, or one half precision has no
            room for.
    """
    names: list[list[Any]] = []
    chunks: list[bytes] = []
    for name, tensor in tensors.items():
        array = np.asarray(tensor.detach().cpu() if hasattr(tensor, "detach") else tensor)
        if array.ndim not in (1, 2) or array.dtype.kind not in "fiu":
            raise ValueError(
                f"{name}: expected numbers in one or two dimensions, got {array.dtype} {list(array.shape)}"
            )
        with np.errstate(over="ignore"):  # said below, with the name
            half = array.astype("<f2")
        if not np.isfinite(half).all():
            raise ValueError(f"{name}: expected numbers below 65,504 in size, got one that is not")
        names.append([name, list(array.shape)])
        chunks.append(half.tobytes())
    return {"data": base64.b64encode(b"".join(chunks)).decode("ascii"), "tensors": names}
