r"""Numbers in 8 bits: how a page and a stored model round them.

Each row of a matrix is kept as whole numbers from -127 to 127 and the size of one step,

.. math::  w \approx q \cdot s, \qquad s = \max_k |w_k| / 127
"""

from typing import Any

import numpy as np

__all__ = ["whole_rows"]

_Array = np.ndarray[Any, np.dtype[Any]]


def whole_rows(matrix: _Array) -> tuple[_Array, _Array]:
    """Return a matrix ``[R, C]`` of floats as whole numbers (int8), and its rows' steps ``[R]`` (float32)."""
    steps = (np.abs(matrix).max(axis=1) / 127).astype("<f4")
    whole = np.round(matrix / np.where(steps > 0, steps, 1)[:, None])
    return whole.astype("<i1"), steps
