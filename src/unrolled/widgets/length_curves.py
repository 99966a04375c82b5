"""Length curves: how well models do against how long the sentence is. Used in chapters 2, 3 and 7."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
import traitlets

from unrolled.inputs import floats
from unrolled.widgets.base import Widget, table_html
from unrolled.widgets.checks import LARGEST

__all__ = ["LengthCurves"]

MAX_MODELS = 6
MAX_LENGTHS = 40
MAX_SEEDS = 20
DIGITS = 6


class LengthCurves(Widget):
    r"""Curves of a figure against length, one for each model, with a thin line for each seed.

    .. math::  \bar y_\ell = \frac{1}{n} \sum_{s=1}^{n} y_{s\ell}, \qquad
        \min_s y_{s\ell} \le \bar y_\ell \le \max_s y_{s\ell}

    The reader picks the figure, switches models on and off, moves over the lengths with mouse, finger or
    keys, and reads mean, least and greatest over the seeds. Taught in chapters 2 and 3.

    Args:
        lengths: the L lengths in rising order, each a number or a pair (shortest, longest); a pair stands
            at its middle.
        figures: ``{figure: {model: values}}`` with values ``[seeds, L]`` or ``[L]``, zero or more. Up to six
            models, the same in every figure.
        trained_to: the greatest length in training; what lies beyond is marked as never trained on.
        unit: what is counted along the axis.
        title: a heading, if any.

    Raises:
        TypeError: `figures` is not a mapping of mappings.
        ValueError: no length or too many, lengths that do not rise, no figure, other models in one figure
            than in the first, values of another shape, below zero or not finite.
    """

    name: ClassVar[str] = "length-curves"

    lengths = traitlets.List(traitlets.List(traitlets.Float())).tag(sync=True)
    figures = traitlets.Dict().tag(sync=True)
    trained_to = traitlets.Float(None, allow_none=True).tag(sync=True)
    unit = traitlets.Unicode().tag(sync=True)
    figure = traitlets.Unicode().tag(sync=True)
    title = traitlets.Unicode("").tag(sync=True)

    def __init__(
        self,
        lengths: Sequence[float | tuple[float, float]],
        figures: Mapping[str, Mapping[str, Any]],
        *,
        trained_to: float | None = None,
        unit: str = "source words",
        title: str | None = None,
    ) -> None:
        spans = _spans(lengths)
        if not isinstance(figures, Mapping) or not all(isinstance(m, Mapping) for m in figures.values()):
            raise TypeError("figures: expected {figure: {model: values}}, mappings in a mapping")
        if not figures:
            raise ValueError("figures: expected one or more, got none")
        models = list(next(iter(figures.values())))
        if not 1 <= len(models) <= MAX_MODELS:
            raise ValueError(f"figures: expected 1 to {MAX_MODELS} models, got {len(models)}")
        values: dict[str, dict[str, list[list[float]]]] = {}
        for figure, by_model in figures.items():
            if list(by_model) != models:
                raise ValueError(f"figures[{figure!r}]: expected the models {models}, got {list(by_model)}")
            values[figure] = {m: _rows(f"figures[{figure!r}][{m!r}]", y, spans) for m, y in by_model.items()}
        super().__init__(
            lengths=spans,
            figures=values,
            trained_to=None if trained_to is None else float(trained_to),
            unit=unit,
            figure=next(iter(values)),
            title=title or "",
        )

    @traitlets.validate("figure")
    def _check_figure(self, proposal: Any) -> Any:
        if proposal["value"] not in self.figures:
            raise ValueError(f"figure: expected one of {list(self.figures)}, got {proposal['value']!r}")
        return proposal["value"]

    def fallback_html(self) -> str:
        """Return a table for each figure: mean, least and greatest of each model at each length."""
        columns = [label(low, high) + self._beyond(low, high) for low, high in self.lengths]
        tables = []
        for figure, by_model in self.figures.items():
            rows: list[tuple[str, list[float]]] = []
            for model, seeds in by_model.items():
                y = np.asarray(seeds)
                rows.append((model, y.mean(axis=0).tolist()))
                if len(y) > 1:
                    rows.append((f"{model}, least of {len(y)} seeds", y.min(axis=0).tolist()))
                    rows.append((f"{model}, greatest", y.max(axis=0).tolist()))
            tables.append(table_html(f"{figure} by length in {self.unit}", columns, rows))
        return "".join(tables)

    def _beyond(self, low: float, high: float) -> str:
        if self.trained_to is None or high <= self.trained_to:
            return ""
        return " (never trained on" + (")" if low > self.trained_to else f" above {self.trained_to:g})")


def label(low: float, high: float) -> str:
    """Return how a length is written: "30", or "26–30"."""
    return f"{low:g}" if low == high else f"{low:g}–{high:g}"


def _spans(lengths: Any) -> list[list[float]]:
    spans = [[float(part) for part in (one if isinstance(one, Sequence) else (one, one))] for one in lengths]
    if not 1 <= len(spans) <= MAX_LENGTHS:
        raise ValueError(f"lengths: expected 1 to {MAX_LENGTHS}, got {len(spans)}")
    for span in spans:
        if len(span) != 2 or not np.isfinite(span).all() or span[0] > span[1]:
            raise ValueError(f"lengths: expected numbers or pairs (shortest, longest), got {span}")
    for before, after in pairwise(spans):
        if sum(after) <= sum(before):
            raise ValueError(f"lengths: expected them in rising order, got {after} after {before}")
    return spans


def _rows(what: str, values: Any, spans: list[list[float]]) -> list[list[float]]:
    array = floats(values)
    rows = array[None] if array.ndim == 1 else array
    if rows.ndim != 2 or rows.shape[1] != len(spans) or not 1 <= len(rows) <= MAX_SEEDS:
        wanted = f"[seeds, {len(spans)}] with 1 to {MAX_SEEDS} seeds"
        raise ValueError(f"{what}: expected shape {wanted}, got {list(array.shape)}")
    if not ((rows >= 0) & (rows < LARGEST)).all():
        raise ValueError(f"{what}: expected finite numbers, zero or more, and below {LARGEST:g}")
    rounded: list[list[float]] = np.round(rows, DIGITS).tolist()
    return rounded
