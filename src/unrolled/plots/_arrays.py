"""What comes in: tensors, arrays or nested lists of finite numbers, and labels that fit them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrolled.inputs import floats

__all__ = ["labels", "numbers"]


def numbers(
    name: str, values: Any, dims: Sequence[str], names: Sequence[Sequence[str] | None] = ()
) -> NDArray[Any]:
    """Return `values` as float64.

    Args:
        name: what the caller calls them, for the messages.
        values: a tensor, an array or nested lists.
        dims: what each dimension counts, such as ``("tokens", "keys")``.
        names: labels for the dimensions, to name the cell that is not finite.

    Raises:
        TypeError: no numbers.
        ValueError: another number of dimensions, an empty one, or a number that is not finite.
    """
    try:
        array = floats(values)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"{name}: expected numbers [{', '.join(dims)}], got {type(values).__name__}: {error}"
        ) from None
    if array.ndim != len(dims) or 0 in array.shape:
        raise ValueError(
            f"{name}: expected shape [{', '.join(dims)}], none of them zero, got {list(array.shape)}"
        )
    bad = np.argwhere(~np.isfinite(array))
    if len(bad):
        place = [int(i) for i in bad[0]]
        told = [n[i] for n, i in zip(names, place, strict=False) if n is not None and i < len(n)]
        spelled = f" ({' → '.join(told)})" if told else ""
        raise ValueError(f"{name}{place}{spelled}: expected a finite number, got {array[tuple(place)]}")
    return array


def labels(name: str, given: Sequence[str], count: int | None = None) -> list[str]:
    """Return `given` as a list of strings.

    Raises:
        TypeError: one string, which would fall apart into letters, or something that is not a text.
        ValueError: not `count` of them.
    """
    if isinstance(given, str):
        raise TypeError(f"{name}: expected a list of texts, got the single text {given!r:.60}")
    told = list(given)
    for i, text in enumerate(told):
        if not isinstance(text, str):
            raise TypeError(f"{name}[{i}]: expected a text, got {type(text).__name__}")
    if count is not None and len(told) != count:
        raise ValueError(f"{name}: expected {count} labels, got {len(told)}")
    return told
