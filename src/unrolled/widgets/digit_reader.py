"""The digit reader: draw a digit, and a whole vision transformer reads it in the page. Used in chapter 16."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
import traitlets

from unrolled.inputs import floats
from unrolled.widgets.base import Widget, table_html
from unrolled.widgets.checks import state_text
from unrolled.widgets.packed import check_heads, check_shapes, pack

__all__ = ["DigitReader"]

LEVELS = 16
"""Of ink in a cell: scikit-learn's digits count how many of 16 dots were written on."""


class DigitReader(Widget):
    r"""A trained `ViT` that reads what a reader draws, and shows what its class token attends to.

    The reader draws in a grid of cells by pointer, touch or keyboard, or takes a picture of the test set. The
    attention of the class token lies over the strokes, head by head, as a mean or as rollout. A patch can be
    wiped, which leaves paper without ink, or its token taken out. Every number is computed in the page.
    Taught in chapter 16.

    Args:
        tensors: the weights by name, as in ``model.state_dict()`` of a `ViT` with learned positions and one
            channel; the page computes with them in half precision, as `packed` has them.
        examples: what each picture is called, and its ink ``[side, side]`` in whole numbers from 0 to 16. The
            first is there to begin with; the network is given sixteenths.
        n_heads: attention heads of each block.
        n_layers: blocks.
        chances: the probability of each label for the first picture, as the package computes it, for readers
            without JavaScript.
        attention: likewise what the class token attends to, ``[n_layers, n_heads, N + 1]``, itself
            first.
        activation: see `FeedForward`.
        eps: added to the variance in the norms.
        title: a heading, if any.

    Raises:
        ValueError: shapes that do not belong together, or ink that is none.
    """

    name: ClassVar[str] = "digit-reader"

    packed = traitlets.Dict().tag(sync=True)
    side = traitlets.Int().tag(sync=True)
    patch = traitlets.Int().tag(sync=True)
    n_heads = traitlets.Int().tag(sync=True)
    n_layers = traitlets.Int().tag(sync=True)
    activation = traitlets.Unicode("gelu").tag(sync=True)
    eps = traitlets.Float(1e-5).tag(sync=True)
    examples: traitlets.List[Any] = traitlets.List().tag(sync=True)
    ink: traitlets.List[Any] = traitlets.List().tag(sync=True)
    wiped: traitlets.List[Any] = traitlets.List().tag(sync=True)
    gone: traitlets.List[Any] = traitlets.List().tag(sync=True)
    title = traitlets.Unicode("").tag(sync=True)

    def __init__(
        self,
        tensors: Mapping[str, Any],
        examples: Sequence[tuple[str, Any]],
        *,
        n_heads: int,
        n_layers: int,
        chances: Any,
        attention: Any,
        activation: Literal["relu", "gelu", "gelu_tanh"] = "gelu",
        eps: float = 1e-5,
        title: str | None = None,
    ) -> None:
        arrays = {name: floats(tensor) for name, tensor in tensors.items()}
        tokens, width = arrays["positions"].shape
        check_heads(n_heads, width)
        check_shapes(arrays, width)
        across, patch = round((tokens - 1) ** 0.5), round(arrays["patch_proj.weight"].shape[1] ** 0.5)
        if across**2 != tokens - 1:
            raise ValueError(f"positions: expected one and a square number of them, got {tokens}")
        if arrays["patch_proj.weight"].shape != (width, patch**2):
            raise ValueError(
                f"patch_proj.weight: expected [{width}, a square number], got "
                f"{list(arrays['patch_proj.weight'].shape)}"
            )
        side, labels = across * patch, len(arrays["head.bias"])
        if not len(examples):
            raise ValueError("examples: expected one picture or more, got none")
        pictures = []
        for called, picture in examples:
            ink = floats(picture)
            if ink.shape != (side, side):
                raise ValueError(f"examples: expected [{side}, {side}] for {called!r}, got {list(ink.shape)}")
            if not np.isin(ink, range(LEVELS + 1)).all():
                raise ValueError(f"examples: expected whole numbers from 0 to {LEVELS} for {called!r}")
            pictures.append({"name": called, "ink": ink.astype(int).flatten().tolist()})
        self._chances, self._attention = floats(chances), floats(attention)
        state_text({"chances": self._chances.tolist(), "attention": self._attention.tolist()})
        for name, array, wanted in (
            ("chances", self._chances, (labels,)),
            ("attention", self._attention, (n_layers, n_heads, tokens)),
        ):
            if array.shape != wanted:
                raise ValueError(f"{name}: expected {list(wanted)}, got {list(array.shape)}")
        super().__init__(
            packed=pack(arrays),
            side=side,
            patch=patch,
            n_heads=n_heads,
            n_layers=n_layers,
            activation=activation,
            eps=eps,
            examples=pictures,
            ink=pictures[0]["ink"],
            title=title or "",
        )

    def fallback_html(self) -> str:
        """Return the probability of each digit, and what the class token attends to, as tables."""
        read = table_html(
            "How probable each digit is.",
            [str(digit) for digit in range(len(self._chances))],
            [("probability", self._chances.tolist())],
        )
        across = self.side // self.patch
        places = [f"{row},{column}" for row in range(1, across + 1) for column in range(1, across + 1)]
        rows = [
            (f"block {layer + 1}, head {head + 1}", self._attention[layer, head].tolist())
            for layer in range(self.n_layers)
            for head in range(self.n_heads)
        ]
        seen = table_html(
            "What the class token attends to: itself, and each patch by its row and column.",
            ["itself", *places],
            rows,
            full=1.0,
        )
        return read + seen
