"""bertviz's views: the package itself in a live notebook, its scripts without a network in the book.

Used in chapters 6 and 12.
"""

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any, ClassVar

import numpy as np
import traitlets

from unrolled.widgets.base import Widget, in_book, table_html
from unrolled.widgets.maps import MAX_TOKENS, maps_of, names_of

__all__ = ["BertvizHeadView", "BertvizModelView", "bertviz_head_view", "bertviz_model_view"]

MAX_HEADS = 12
MAX_LAYERS = 12
# The model view draws all its lines at once.
MAX_LINES = 20_000
# A line's opacity shows no more, and a page stays light.
DIGITS = 3


class _BertvizView(Widget):
    """What the views have in common: weights with few digits, tokens, and a table for every map."""

    weights: traitlets.List[Any] = traitlets.List().tag(sync=True)
    tokens = traitlets.List(traitlets.Unicode()).tag(sync=True)
    title = traitlets.Unicode("").tag(sync=True)

    def __init__(self, weights: Any, tokens: Sequence[str], *, title: str | None = None) -> None:
        names = names_of("tokens", tokens, MAX_TOKENS)
        maps = maps_of(weights, len(names), len(names))
        self._check(maps)
        super().__init__(weights=np.round(maps, DIGITS).tolist(), tokens=names, title=title or "")

    def _check(self, maps: np.ndarray[Any, np.dtype[np.float64]]) -> None:
        """Raise a ValueError where ``[layers, heads, T, T]`` are more than the view can show."""
        _at_most("heads", MAX_HEADS, maps.shape[1])

    def fallback_html(self) -> str:
        """Return every map as a table."""
        about = f"{self.title}. " if self.title else ""
        return "".join(
            table_html(
                f"{about}Layer {i}, head {j}. "
                "Each row: how much its token attends to the token of each column.",
                self.tokens,
                list(zip(self.tokens, rows, strict=True)),
                full=1.0,
            )
            for i, heads in enumerate(self.weights)
            for j, rows in enumerate(heads)
        )


def _at_most(what: str, most: int, got: int) -> None:
    if got > most:
        raise ValueError(f"weights: expected at most {most} {what}, got {got}; choose some")


class BertvizHeadView(_BertvizView):
    """bertviz's head view, drawn by its own script, with labelled controls and no network.

    Tokens stand left and right, and a line from one to the other is the stronger the larger the weight, in
    one colour for each head. Layers and heads are counted from 0, as bertviz does. Taught in chapter 6.

    Args:
        weights: ``[layers, heads, T, T]``, or with fewer dimensions as in `AttentionMap`.
        tokens: the T tokens.
        title: a heading, if any.

    Raises:
        TypeError: the weights are not numbers, or the tokens are not strings.
        ValueError: what `AttentionMap` refuses, or more than 12 heads.

    Reference:
        Vig, A Multiscale Visualization of Attention in the Transformer Model, 2019.
    """

    name: ClassVar[str] = "bertviz-head-view"


class BertvizModelView(_BertvizView):
    """bertviz's model view, drawn by its own script, with labelled controls and no network.

    A small map for every head, one row for each layer and one column for each head, and one of them large,
    with its words. Layers and heads are counted from 0, as bertviz does. Taught in chapter 12.

    Args:
        weights: ``[layers, heads, T, T]``, or with fewer dimensions as in `AttentionMap`.
        tokens: the T tokens.
        title: a heading, if any.

    Raises:
        TypeError: the weights are not numbers, or the tokens are not strings.
        ValueError: what `AttentionMap` refuses, more than 12 layers or heads, or more than 20,000 weights.

    Reference:
        Vig, A Multiscale Visualization of Attention in the Transformer Model, 2019.
    """

    name: ClassVar[str] = "bertviz-model-view"

    def _check(self, maps: np.ndarray[Any, np.dtype[np.float64]]) -> None:
        _at_most("layers", MAX_LAYERS, maps.shape[0])
        super()._check(maps)
        if maps.size > MAX_LINES:
            raise ValueError(
                f"weights: expected at most {MAX_LINES:,} in one picture, got {maps.size:,}; "
                "show fewer layers, heads or tokens"
            )


def bertviz_head_view(
    weights: Any, tokens: Sequence[str], *, title: str | None = None
) -> BertvizHeadView | None:
    """Show weights as bertviz's head view.

    In a live notebook that has bertviz this is ``bertviz.head_view``, which fetches its scripts from a
    content delivery network; elsewhere it is `BertvizHeadView`, which fetches nothing.

    Args:
        weights: ``[layers, heads, T, T]``, or with fewer dimensions as in `AttentionMap`.
        tokens: the T tokens.
        title: a heading; bertviz itself has none.

    Returns:
        The widget, or None where bertviz has displayed its own.

    Raises:
        TypeError: the weights are not numbers, or the tokens are not strings.
        ValueError: what `BertvizHeadView` refuses.
    """
    widget = BertvizHeadView(weights, tokens, title=title)
    return None if _shown_live("head_view", widget) else widget


def bertviz_model_view(
    weights: Any, tokens: Sequence[str], *, title: str | None = None
) -> BertvizModelView | None:
    """Show weights as bertviz's model view.

    In a live notebook that has bertviz this is ``bertviz.model_view``, which fetches its scripts from a
    content delivery network; elsewhere it is `BertvizModelView`, which fetches nothing.

    Args:
        weights: ``[layers, heads, T, T]``, or with fewer dimensions as in `AttentionMap`.
        tokens: the T tokens.
        title: a heading; bertviz itself has none.

    Returns:
        The widget, or None where bertviz has displayed its own.

    Raises:
        TypeError: the weights are not numbers, or the tokens are not strings.
        ValueError: what `BertvizModelView` refuses.
    """
    widget = BertvizModelView(weights, tokens, title=title)
    return None if _shown_live("model_view", widget, display_mode="light") else widget


def _shown_live(view: str, widget: _BertvizView, **options: Any) -> bool:
    """Let bertviz itself show what the widget holds, and return True: in a live notebook that has it."""
    if in_book() or find_spec("bertviz") is None:
        return False
    import bertviz
    import torch

    layers = [torch.tensor([heads]) for heads in widget.weights]  # [1, H, T, T] each
    show = getattr(bertviz, view)
    show(attention=layers, tokens=list(widget.tokens), prettify_tokens=False, **options)
    return True
