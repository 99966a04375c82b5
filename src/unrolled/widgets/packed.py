"""Trained weights for a widget that runs the whole model: few bits a number, in base64, by name."""

import base64
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

__all__ = ["pack", "unpack"]

_Floats = np.ndarray[Any, np.dtype[np.float64]]


def pack(tensors: Mapping[str, Any], bits: Literal[8, 16] = 16) -> dict[str, Any]:
    r"""Return tensors as ``{"data": base64, "tensors": [[name, shape, bits], …]}``, for ``js/unpack.mjs``.

    With 16 bits, numbers are rounded to half precision: stored weights come back exactly. With 8, each row
    of a matrix is kept as whole numbers from -127 to 127 and the size of one step,

    .. math::  w \approx q \cdot s, \qquad s = \max_k |w_k| / 127

    and vectors stay in half precision. `unpack` says what numbers the page computes with.

    Args:
        tensors: arrays or tensors of one or two dimensions by name, such as a model's ``state_dict()``.
        bits: for each number of a matrix.

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
        own = bits if array.ndim == 2 else 16
        names.append([name, list(array.shape), own])
        if own == 16:
            chunks.append(half.tobytes())
        else:
            steps = (np.abs(array).max(axis=1) / 127).astype("<f4")
            whole = np.round(array / np.where(steps > 0, steps, 1)[:, None])
            chunks += [steps.tobytes(), whole.astype("<i1").tobytes()]
    return {"data": base64.b64encode(b"".join(chunks)).decode("ascii"), "tensors": names}


def unpack(packed: Mapping[str, Any]) -> dict[str, _Floats]:
    """Return the numbers a page computes with, by name, in float64: what `pack` made of them."""
    data = base64.b64decode(packed["data"])
    at, tensors = 0, {}

    def take(kind: str, count: int) -> _Floats:
        nonlocal at
        numbers = np.frombuffer(data, kind, count, at)
        at += numbers.nbytes
        return numbers.astype(np.float64)

    for name, shape, bits in packed["tensors"]:
        steps = take("<f4", shape[0])[:, None] if bits == 8 else np.float64(1)
        tensors[name] = take("<i1" if bits == 8 else "<f2", int(np.prod(shape))).reshape(shape) * steps
    return tensors
