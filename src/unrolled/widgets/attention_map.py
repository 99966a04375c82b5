"""The attention map: who looks at whom, and how much. Used in chapters 3 and 4."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import traitlets

from unrolled.widgets.base import Widget, table_html
from unrolled.widgets.maps import MAX_TOKENS, full_scale, maps_of, named, names_of

__all__ = ["AttentionMap"]

# The tables beneath hold every map up to this many numbers, and the first one beyond.
MAX_TABLED = 600


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
        TypeError: the weights are not numbers, or the tokens are not strings.
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
        queries = names_of("tokens", tokens, MAX_TOKENS)
        looked_at = queries if keys is None else names_of("keys", keys, MAX_TOKENS)
        maps = maps_of(weights, len(queries), len(looked_at))
        n_layers, n_heads = maps.shape[:2]
        super().__init__(
            # Six digits: far below what a reader can see, and half the size of all sixteen.
            weights=np.round(maps, 6).tolist(),
            tokens=queries,
            key_tokens=looked_at,
            title=title or "",
            layer_names=named("layer", layer_names, n_layers),
            head_names=named("head", head_names, n_heads),
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
