"""What widgets that show attention maps take: weights of any shape, checked; names of tokens and heads."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from unrolled.inputs import floats

__all__ = ["MAX_NUMBERS", "MAX_TOKENS", "full_scale", "maps_of", "named", "names_of", "text_of"]

# A page stays quick with 100 x 100 cells, and light with the numbers of 12 x 12 heads over 20 tokens.
MAX_TOKENS = 100
MAX_NUMBERS = 60_000
# Half precision leaves a row of 100 weights this far from one.
SUM_TOLERANCE = 5e-3


def full_scale(weights: Any) -> float:
    """Return the weight that gets the full colour: the largest there is, rounded up. Same in JavaScript."""
    largest = float(np.max(weights))
    return next(step for step in (0.05, 0.1, 0.2, 0.5, 1.0) if largest <= step or step == 1.0)


def text_of(what: str, given: Any) -> str:
    """Return a text, or nothing where none is given; TypeError for what is something else."""
    if given is not None and not isinstance(given, str):
        raise TypeError(f"{what}: expected a text, got {type(given).__name__}")
    return given or ""


def names_of(what: str, given: Any, limit: int) -> list[str]:
    """Return a list of strings, or say what came instead."""
    if isinstance(given, str) or not isinstance(given, Sequence):
        raise TypeError(f"{what}: expected a list of strings, got {type(given).__name__}")
    for i, name in enumerate(given):
        if not isinstance(name, str):
            raise TypeError(f"{what}: expected strings, got {type(name).__name__} at position {i}")
    if not 1 <= len(given) <= limit:
        raise ValueError(f"{what}: expected 1 to {limit}, got {len(given)}")
    return list(given)


def named(what: str, given: Sequence[str] | None, count: int) -> list[str]:
    """Return the names of the layers or heads."""
    if given is None:
        return [f"{what} {i + 1}" for i in range(count)]
    names = names_of(f"{what}_names", given, MAX_NUMBERS)
    if len(names) != count:
        raise ValueError(f"{what}_names: expected {count} for {count} {what}s, got {len(names)}")
    return names


def maps_of(
    weights: Any, n_queries: int, n_keys: int, *, most: int | None = MAX_NUMBERS, whole: bool = True
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the weights as float64 ``[layers, heads, T, S]``, every one of them checked.

    Args:
        weights: ``[layers, heads, T, S]``, or with fewer dimensions.
        n_queries: T.
        n_keys: S.
        most: how many numbers there may be, if there is a limit.
        whole: whether every row has to sum to 1, or to 0; else to no more than 1, as in a model whose heads
            may attend to nothing.
    """
    try:
        maps = floats(weights)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"weights: expected numbers in rows of one length, got {type(weights).__name__} ({error})"
        ) from None
    expected = f"[T, S] = [{n_queries}, {n_keys}] for {n_queries} tokens and {n_keys} keys"
    if not 2 <= maps.ndim <= 4:
        raise ValueError(
            f"weights: expected shape {expected}, or with heads, or layers and heads, before it; "
            f"got {list(maps.shape)}"
        )
    if maps.shape[-2:] != (n_queries, n_keys):
        front = ["layers", "heads"][4 - maps.ndim :]
        shape = ", ".join([*front, "T", "S"])
        sizes = ", ".join(map(str, [*maps.shape[:-2], n_queries, n_keys]))
        raise ValueError(
            f"weights: expected shape [{shape}] = [{sizes}] for {n_queries} tokens and {n_keys} keys, "
            f"got {list(maps.shape)}"
        )
    if most is not None and maps.size > most:
        raise ValueError(
            f"weights: expected at most {most:,} numbers on a page, got {maps.size:,}; "
            "show fewer layers, heads or tokens"
        )
    if maps.size == 0:
        raise ValueError(f"weights: expected at least one layer and one head, got {list(maps.shape)}")
    _refuse(maps, ~np.isfinite(maps), "expected finite numbers")
    _refuse(maps, (maps < -1e-4) | (maps > 1 + 1e-4), "expected weights from 0 to 1")
    sums = maps.sum(-1)
    if whole:
        off = (np.abs(sums - 1) > SUM_TOLERANCE) & (np.abs(sums) > 1e-4)
        expected = "expected every row to sum to 1, or to 0 where it attends to nothing"
    else:
        off = sums > 1 + SUM_TOLERANCE
        expected = "expected no row to sum to more than 1"
    _refuse(sums, off, expected, "the sum of row ")
    return maps.clip(0.0, 1.0).reshape((1,) * (4 - maps.ndim) + maps.shape)


def _refuse(values: Any, wrong: Any, expected: str, what: str = "") -> None:
    """Raise if any is wrong; the message names the first."""
    if wrong.any():
        place = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise ValueError(
            f"weights: {expected}, got {values[place]:g} at {what}[{', '.join(map(str, place))}]"
        )
