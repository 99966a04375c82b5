"""bertviz's head view: the package itself in a live notebook, its script without a network in the book."""

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any, ClassVar

import numpy as np
import traitlets

from unrolled.widgets.base import Widget, in_book, table_html
from unrolled.widgets.maps import MAX_TOKENS, maps_of, names_of

__all__ = ["BertvizHeadView", "bertviz_head_view"]

MAX_HEADS = 12
# A line's opacity shows no more, and a page stays light.
DIGITS = 3


class BertvizHeadView(Widget):
    """bertviz's head view, drawn by its own script, with labelled controls and no network.

    Tokens stand left and right, and a line from one to the other is the stronger the larger the weight, in
    one colour for each head. Layers and heads are counted from 0, as bertviz does. Taught in chapter 6.

    Args:
        weights: ``[layers, heads, T, T]``, or with fewer dimensions as in `AttentionMap`.
        tokens: the T tokens.
        title: a heading, if any.

    Raises:
        TypeError: the weights are no numbers, or the tokens no strings.
        ValueError: what `AttentionMap` refuses, or more than 12 heads.

    Reference:
        Vig, A Multiscale Visualization of Attention in the Transformer Model, 2019.
    """

    name: ClassVar[str] = "bertviz-head-view"

    weights: traitlets.List[Any] = traitlets.List().tag(sync=True)
    tokens = traitlets.List(traitlets.Unicode()).tag(sync=True)
    title = traitlets.Unicode("").tag(sync=True)

    def __init__(self, weights: Any, tokens: Sequence[str], *, title: str | None = None) -> None:
        names = names_of("tokens", tokens, MAX_TOKENS)
        maps = maps_of(weights, len(names), len(names))
        if maps.shape[1] > MAX_HEADS:
            raise ValueError(f"weights: expected at most {MAX_HEADS} heads, got {maps.shape[1]}; choose some")
        super().__init__(weights=np.round(maps, DIGITS).tolist(), tokens=names, title=title or "")

    def fallback_html(self) -> str:
        """Return every map as a table."""
        about = f"{self.title}. " if self.title else ""
        return "".join(
            table_html(
                f"{about}Layer {i}, head {j}. Each row: how much its token attends to each column's.",
                self.tokens,
                list(zip(self.tokens, rows, strict=True)),
                full=1.0,
            )
            for i, heads in enumerate(self.weights)
            for j, rows in enumerate(heads)
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
        TypeError: the weights are no numbers, or the tokens no strings.
        ValueError: what `BertvizHeadView` refuses.
    """
    widget = BertvizHeadView(weights, tokens, title=title)
    if in_book() or find_spec("bertviz") is None:
        return widget
    import bertviz
    import torch

    layers = [torch.tensor([heads]) for heads in widget.weights]  # [1, H, T, T] each
    bertviz.head_view(attention=layers, tokens=list(widget.tokens), prettify_tokens=False)
    return None
