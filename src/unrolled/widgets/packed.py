"""Trained weights for a widget that runs the whole model: few bits a number, in base64, by name.

Used in chapter 10.
"""

import base64
import re
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from unrolled.inputs import plain
from unrolled.rounding import whole_rows

__all__ = ["check_heads", "check_shapes", "pack", "unpack"]

_Floats = np.ndarray[Any, np.dtype[np.float64]]


def check_heads(n_heads: int, d_model: int) -> None:
    """Raise a ValueError unless the heads of a packed model share out its components."""
    if n_heads < 1 or d_model % n_heads:
        raise ValueError(f"n_heads: expected a divisor of d_model={d_model}, got {n_heads}")


def check_shapes(tensors: Mapping[str, Any], d_model: int, longest: int = 1) -> None:
    """Raise a ValueError unless the weights of a packed model's blocks are there and fit its width.

    A page computes with whatever comes, and of numbers that are missing it makes none that are right.

    Args:
        tensors: by name, as in a model's ``state_dict()``.
        d_model: D.
        longest: how many positions the page may ask for.
    """
    shapes = {name: tuple(np.shape(tensor)) for name, tensor in tensors.items()}
    blocks = {match[0] for name in shapes if (match := re.match(r"(?:.*layers\.)?\d+\.", name))}
    for block in sorted(blocks):
        ups = shapes.get(f"{block}feedforward.up_proj.weight", ())
        d_ff = ups[0] if ups else 0
        for part, size in _block_shapes(d_model, d_ff).items():
            name, wanted = f"{block}{part}", list(size)
            if name not in shapes:
                raise ValueError(f"{name}: expected {wanted}, there is no such tensor")
            if shapes[name] != size or 0 in size:
                raise ValueError(f"{name}: expected {wanted}, got {list(shapes[name])}")
    for name, shape in shapes.items():
        # What has a vector for each token, place or label, and what is one vector.
        if name in _ROWS and (len(shape) != 2 or shape[1] != d_model or not shape[0]):
            raise ValueError(f"{name}: expected [rows, {d_model}], got {list(shape)}")
        if _VECTOR.search(name) and shape != (d_model,):
            raise ValueError(f"{name}: expected [{d_model}], got {list(shape)}")
        if name in _WORDS and shape[:1] != shapes.get("token_embedding.weight", ())[:1]:
            raise ValueError(f"{name}: expected one row for each of the embedding, got {list(shape)}")
        if name == "positions.table.weight" and shape[0] < longest:
            raise ValueError(f"{name}: expected {longest} rows or more, got {shape[0]}")
        if name == "head.dense.weight" and shape != (d_model, d_model):
            raise ValueError(f"{name}: expected [{d_model}, {d_model}], got {list(shape)}")
        matrix = shapes.get(f"{name.removesuffix('bias')}weight", shape)
        if name.endswith(".bias") and shape[:1] != matrix[:1]:
            raise ValueError(f"{name}: expected [{matrix[0] if matrix else ''}], got {list(shape)}")


_WORDS = ("lm_head.weight", "head.decoder.weight", "head.decoder.bias")
_ROWS = ("token_embedding.weight", "positions.table.weight", "positions", "head.weight", *_WORDS[:2])
_VECTOR = re.compile(r"norm\.(?:weight|bias)$|^class_token$")


def _block_shapes(d_model: int, d_ff: int) -> dict[str, tuple[int, ...]]:
    """Return the shapes of a block's weights by name."""
    shapes: dict[str, tuple[int, ...]] = {}
    for norm in ("attention_norm", "feedforward_norm"):
        shapes |= {f"{norm}.weight": (d_model,), f"{norm}.bias": (d_model,)}
    for matrix, rows, columns in (
        ("attention.qkv_proj", 3 * d_model, d_model),
        ("attention.out_proj", d_model, d_model),
        ("feedforward.up_proj", d_ff, d_model),
        ("feedforward.down_proj", d_model, d_ff),
    ):
        shapes |= {f"{matrix}.weight": (rows, columns), f"{matrix}.bias": (rows,)}
    return shapes


def pack(tensors: Mapping[str, Any], bits: Literal[8, 16] = 16) -> dict[str, Any]:
    """Return tensors as ``{"data": base64, "tensors": [[name, shape, bits], …]}``, for ``js/unpack.mjs``.

    With 16 bits, numbers are rounded to half precision: stored weights come back exactly. With 8, matrices
    are kept as `unrolled.rounding.whole_rows` makes them, and vectors in half precision. `unpack` says what
    numbers the page computes with.

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
        array = np.asarray(plain(tensor))
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
            whole, steps = whole_rows(array)
            chunks += [steps.tobytes(), whole.tobytes()]
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
