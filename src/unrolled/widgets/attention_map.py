"""The attention map: who looks at whom, and how much."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import traitlets

from unrolled.widgets.base import Widget, table_html

__all__ = ["AttentionMap"]

# A page stays quick with 100 x 100 cells, and light with the numbers of 12 x 12 heads over 20 tokens.
MAX_TOKENS = 100
MAX_NUMBERS = 60_000
# The tables beneath hold every map up to this many numbers, and the first one beyond.
MAX_TABLED = 600
# Half precision leaves a row of 100 shares this far from one.
SUM_TOLERANCE = 5e-3


class AttentionMap(Widget):
    r"""A heat map of attention weights: one row for each token that looks, one column for each looked at.

    .. math::  a_{ij} \ge 0, \qquad \sum_j a_{ij} = 1 \text{ or, where } i \text{ may attend to nothing, } 0

    The reader moves through it with mouse, finger or arrow keys, reads a row as bars, and asks for the
    numbers. Taught in chapter 4.

    Args:
        weights: ``[T, S]``, ``[heads, T, S]`` or ``[layers, heads, T, S]``; a tensor, an array or lists.
        tokens: the T tokens that look; also the S looked at, unless `keys` is given.
        keys: the S tokens looked at, where they differ (cross-attention).
        title: a heading, if any.
        layer_names: what the layers are called; "layer 1", "layer 2", … unless given.
        head_names: what the heads are called; "head 1", "head 2", … unless given.

    Raises:
        TypeError: the weights are no numbers, or the tokens no strings.
        ValueError: a shape that does not fit the tokens, a weight that is not finite or lies outside 0 to 1,
            a row whose sum is neither 1 nor 0, more than 100 tokens, more than 60,000 numbers.
    """

    name: ClassVar[str] = "attention-map"

    weights: traitlets.List[Any] = traitlets.List().tag(sync=True)
    tokens = traitlets.List(traitlets.Unicode()).tag(sync=True)
    # Not "keys": every ipywidget has a trait of that name.
    key_tokens = traitlets.List(traitlets.Unicode()).tag(sync=True)
    title = traitlets.Unicode("").tag(sync=True)
    layer_names = traitlets.List(traitlets.Unicode()).tag(sync=True)
    head_names = traitlets.List(traitlets.Unicode()).tag(sync=True)
    layer = traitlets.Int(0).tag(sync=True)
    head = traitlets.Int(0).tag(sync=True)

    def __init__(
        self,
        weights: Any,
        tokens: Sequence[str],
        keys: Sequence[str] | None = None,
        *,
        title: str | None = None,
        layer_names: Sequence[str] | None = None,
        head_names: Sequence[str] | None = None,
    ) -> None:
        queries = _names("tokens", tokens, MAX_TOKENS)
        looked_at = queries if keys is None else _names("keys", keys, MAX_TOKENS)
        maps = _maps(weights, len(queries), len(looked_at))
        n_layers, n_heads = maps.shape[:2]
        super().__init__(
            # Six digits: far below what a reader can see, and half the size of all sixteen.
            weights=np.round(maps, 6).tolist(),
            tokens=queries,
            key_tokens=looked_at,
            title=title or "",
            layer_names=_named("layer", layer_names, n_layers),
            head_names=_named("head", head_names, n_heads),
        )

    def fallback_html(self) -> str:
        """Return the weights as tables: every layer and head, or the first where that would be too much."""
        maps = [
            (self._caption(i, j), heads[j]) for i, heads in enumerate(self.weights) for j in range(len(heads))
        ]
        size = len(self.tokens) * len(self.key_tokens)
        shown = maps if size * len(maps) <= MAX_TABLED else maps[:1]
        full = full_scale(self.weights)
        tables = [
            table_html(caption, self.key_tokens, self._rows(rows), full=full) for caption, rows in shown
        ]
        if len(shown) < len(maps):
            tables.append(f"<p>The first of {len(maps)} maps; the others need a page with JavaScript.</p>")
        return "".join(tables)

    def _caption(self, layer: int, head: int) -> str:
        which = [self.layer_names[layer]] if len(self.layer_names) > 1 else []
        which += [self.head_names[head]] if len(self.head_names) > 1 else []
        about = ", ".join([self.title or "Attention weights", *which])
        return f"{about}. Each row: how much its token attends to the token of each column."

    def _rows(self, rows: list[list[float]]) -> list[tuple[str, list[float]]]:
        return [
            (token if any(row) else f"{token} (attends to nothing)", row)
            for token, row in zip(self.tokens, rows, strict=True)
        ]


def full_scale(weights: Any) -> float:
    """Return the weight that gets the full colour: the largest there is, rounded up. Same in JavaScript."""
    largest = float(np.max(weights))
    return next(step for step in (0.05, 0.1, 0.2, 0.5, 1.0) if largest <= step or step == 1.0)


def _names(what: str, given: Any, limit: int) -> list[str]:
    """Return a list of strings, or say what came instead."""
    if isinstance(given, str) or not isinstance(given, Sequence):
        raise TypeError(f"{what}: expected a list of strings, got {type(given).__name__}")
    for i, name in enumerate(given):
        if not isinstance(name, str):
            raise TypeError(f"{what}: expected strings, got {type(name).__name__} at position {i}")
    if not 1 <= len(given) <= limit:
        raise ValueError(f"{what}: expected 1 to {limit}, got {len(given)}")
    return list(given)


def _named(what: str, given: Sequence[str] | None, count: int) -> list[str]:
    """Return the names of the layers or heads."""
    if given is None:
        return [f"{what} {i + 1}" for i in range(count)]
    names = _names(f"{what}_names", given, MAX_NUMBERS)
    if len(names) != count:
        raise ValueError(f"{what}_names: expected {count} for {count} {what}s, got {len(names)}")
    return names


def _maps(weights: Any, n_queries: int, n_keys: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the weights as float64 ``[layers, heads, T, S]``, every one of them checked."""
    if hasattr(weights, "detach"):  # A tensor; bfloat16 has no numpy of its own.
        weights = weights.detach().cpu().double().numpy()
    try:
        maps = np.asarray(weights, dtype=np.float64)
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
    if maps.size > MAX_NUMBERS:
        raise ValueError(
            f"weights: expected at most {MAX_NUMBERS:,} numbers on a page, got {maps.size:,}; "
            "show fewer layers, heads or tokens"
        )
    if maps.size == 0:
        raise ValueError(f"weights: expected at least one layer and one head, got {list(maps.shape)}")
    _refuse(maps, ~np.isfinite(maps), "expected finite numbers")
    _refuse(maps, (maps < -1e-4) | (maps > 1 + 1e-4), "expected shares from 0 to 1")
    sums = maps.sum(-1)
    off = (np.abs(sums - 1) > SUM_TOLERANCE) & (np.abs(sums) > 1e-4)
    _refuse(
        sums, off, "expected every row to sum to 1, or to 0 where it attends to nothing", "the sum of row "
    )
    return maps.clip(0.0, 1.0).reshape((1,) * (4 - maps.ndim) + maps.shape)


def _refuse(values: Any, wrong: Any, expected: str, what: str = "") -> None:
    """Raise if any is wrong; the message names the first."""
    if wrong.any():
        place = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise ValueError(
            f"weights: {expected}, got {values[place]:g} at {what}[{', '.join(map(str, place))}]"
        )
