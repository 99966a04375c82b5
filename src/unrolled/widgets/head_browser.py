r"""The head browser: all heads of all layers at a glance, one or two of them large. Used in chapter 6."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import traitlets

from unrolled.inputs import floats
from unrolled.widgets.base import Widget, table_html
from unrolled.widgets.maps import MAX_TOKENS, full_scale, maps_of, named, names_of

__all__ = ["HeadBrowser", "head_summary"]

# Beside the summary, the tables beneath hold the maps themselves up to this many numbers.
MAX_TABLED = 600
Array = np.ndarray[Any, np.dtype[np.float64]]


class HeadBrowser(Widget):
    """Every head of every layer as a small map; choose one to see it large, and another to set beside it.

    Under each large map stands what the head does on average: how much a token gives itself, the tokens
    before and after it and the first one, how much it gives where a relation points, and how many bits of
    entropy its weights have. Taught in chapter 6.

    Args:
        weights: ``[layers, heads, T, S]``, or with fewer dimensions as in `AttentionMap`.
        tokens: the T tokens that look; also the S looked at, unless `keys` is given.
        keys: the S tokens looked at, where they differ (cross-attention).
        relations: by name, a map ``[T, S]`` that is 1 where a relation points and 0 elsewhere, such as from
            each verb to its subject; the summary tells how much each head gives there.
        ordered: whether the order of the tokens means anything; if not, nothing is said of the tokens
            before and after, and the first.
        title: a heading, if any.
        layer_names: what the layers are called; "layer 1", "layer 2", … unless given.
        head_names: what the heads are called; "head 1", "head 2", … unless given.

    Raises:
        TypeError: the weights are not numbers, or the tokens are not strings.
        ValueError: what `AttentionMap` refuses, or a relation that is not a map of zeros and ones.
    """

    name: ClassVar[str] = "head-browser"

    weights: traitlets.List[Any] = traitlets.List().tag(sync=True)
    tokens = traitlets.List(traitlets.Unicode()).tag(sync=True)
    key_tokens = traitlets.List(traitlets.Unicode()).tag(sync=True)
    relation_names = traitlets.List(traitlets.Unicode()).tag(sync=True)
    relation_maps: traitlets.List[Any] = traitlets.List().tag(sync=True)
    to_itself = traitlets.Bool(True).tag(sync=True)  # whether a token and its key are one and the same
    ordered = traitlets.Bool(True).tag(sync=True)
    title = traitlets.Unicode("").tag(sync=True)
    layer_names = traitlets.List(traitlets.Unicode()).tag(sync=True)
    head_names = traitlets.List(traitlets.Unicode()).tag(sync=True)

    def __init__(
        self,
        weights: Any,
        tokens: Sequence[str],
        keys: Sequence[str] | None = None,
        *,
        relations: Mapping[str, Any] | None = None,
        ordered: bool = True,
        title: str | None = None,
        layer_names: Sequence[str] | None = None,
        head_names: Sequence[str] | None = None,
    ) -> None:
        queries = names_of("tokens", tokens, MAX_TOKENS)
        looked_at = queries if keys is None else names_of("keys", keys, MAX_TOKENS)
        maps = maps_of(weights, len(queries), len(looked_at))
        shape = (len(queries), len(looked_at))
        super().__init__(
            weights=np.round(maps, 6).tolist(),
            tokens=queries,
            key_tokens=looked_at,
            relation_names=names_of("relations", list(relations), MAX_TOKENS) if relations else [],
            relation_maps=[
                _relation(name, given, shape).tolist() for name, given in (relations or {}).items()
            ],
            to_itself=keys is None,
            ordered=ordered,
            title=title or "",
            layer_names=named("layer", layer_names, maps.shape[0]),
            head_names=named("head", head_names, maps.shape[1]),
        )

    def fallback_html(self) -> str:
        """Return the summary of all heads as a table and, where that is not too much, every map."""
        relations = dict(zip(self.relation_names, self.relation_maps, strict=True))
        summary = head_summary(
            self.weights, relations=relations, to_itself=self.to_itself, ordered=self.ordered
        )
        many = len(self.layer_names) > 1
        names = [
            (f"{layer}, {head}" if many else head, i, j)
            for i, layer in enumerate(self.layer_names)
            for j, head in enumerate(self.head_names)
        ]
        about = f"{self.title}. " if self.title else ""
        rows = [(name, [float(figure[i, j]) for figure in summary.values()]) for name, i, j in names]
        caption = f"{about}What each head gives on average, and its entropy in bits."
        tables = [table_html(caption, list(summary), rows)]
        size = len(self.tokens) * len(self.key_tokens) * len(names)
        if size <= MAX_TABLED:
            full = full_scale(self.weights)
            for name, i, j in names:
                lines = list(zip(self.tokens, self.weights[i][j], strict=True))
                caption = f"{about}{name}. Each row: how much its token attends to the token of each column."
                tables.append(table_html(caption, self.key_tokens, lines, full=full))
        return "".join(tables)


def head_summary(
    weights: Any,
    *,
    relations: Mapping[str, Any] | None = None,
    to_itself: bool = True,
    ordered: bool = True,
) -> dict[str, Array]:
    r"""Return what each head does on average over the tokens that attend to anything.

    .. math::

       \begin{aligned}
       \text{itself} &= \overline{a_{ii}} & \text{the first} &= \overline{a_{i1}} \\
       \text{the one before} &= \overline{a_{i,i-1}} & \text{the one after} &= \overline{a_{i,i+1}} \\
       \text{entropy} &= -\overline{\textstyle\sum_j a_{ij} \log_2 a_{ij}} &
       \text{a relation } r &= \overline{\textstyle\sum_j r_{ij} a_{ij}}
       \end{aligned}

    The mean for the one before leaves out the first token, which has none, and that for the one after the
    last. The mean for a relation is over the tokens it points anywhere from.

    Args:
        weights: ``[layers, heads, T, S]``, or with fewer dimensions.
        relations: by name, a map ``[T, S]`` of zeros and ones.
        to_itself: whether the tokens looked at are those that look; if not, there is no itself, no before
            and no after.
        ordered: whether the order of the tokens means anything; if not, there is no before, no after
            and no first.

    Returns:
        For each figure an array ``[layers, heads]``; 0 where there is no token to count.
    """
    maps = floats(weights)
    maps = maps.reshape((1,) * (4 - maps.ndim) + maps.shape)
    n_queries, n_keys = maps.shape[-2:]
    counted = maps.sum(-1) > 0  # [layers, heads, T]

    def mean(figure: Array, among: Any = True) -> Array:
        those = counted & among
        summed = np.where(those, figure, 0.0).sum(-1)
        return np.asarray(summed / np.maximum(those.sum(-1), 1))

    summary: dict[str, Array] = {}
    if to_itself and n_queries == n_keys:
        summary["itself"] = mean(np.diagonal(maps, axis1=-2, axis2=-1))
        if ordered:
            before, after = np.zeros(maps.shape[:-1]), np.zeros(maps.shape[:-1])
            before[..., 1:] = np.diagonal(maps, offset=-1, axis1=-2, axis2=-1)
            after[..., :-1] = np.diagonal(maps, offset=1, axis1=-2, axis2=-1)
            summary["the one before"] = mean(before, np.arange(n_queries) > 0)
            summary["the one after"] = mean(after, np.arange(n_queries) < n_queries - 1)
    if ordered:
        summary["the first"] = mean(maps[..., 0])
    for name, given in (relations or {}).items():
        relation = _relation(name, given, (n_queries, n_keys))
        summary[name] = mean((maps * relation).sum(-1), relation.sum(-1) > 0)
    logs = np.log2(np.where(maps > 0, maps, 1.0))
    summary["entropy"] = mean(-(maps * logs).sum(-1))
    return summary


def _relation(name: str, given: Any, shape: tuple[int, int]) -> Array:
    """Return a relation as an array ``[T, S]`` of zeros and ones, or say what came instead."""
    relation = floats(given)
    if relation.shape != shape:
        raise ValueError(f"relations: expected {name!r} of shape {list(shape)}, got {list(relation.shape)}")
    if not np.isin(relation, (0.0, 1.0)).all():
        raise ValueError(f"relations: expected zeros and ones in {name!r}")
    return relation
