"""The paint mixer: attention weights as amounts of paint. Used in chapter 4."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import traitlets

from unrolled.widgets import colour
from unrolled.widgets.base import Widget, table_html

__all__ = ["PaintMixer"]

MAX_COLOURS = 8
MAX_SCORE = 5.0

BROCHURE = {
    "coral": "#ff7f5c",
    "gold": "#f0b820",
    "light green": "#90dd80",
    "teal": "#0f7f80",
    "sky blue": "#6fc0f5",
    "lavender": "#c4b5f0",
    "navy": "#14235c",
}


class PaintMixer(Widget):
    r"""Scores compete for a can of paint: softmax turns them into amounts, and the amounts mix the colours.

    .. math::  a = \mathrm{softmax}(s), \qquad \text{colour} = \sum_j a_j v_j

    The values :math:`v_j` are the paints' red, green and blue light (linear sRGB), so the colour in the can
    is the weighted average attention takes, not what pigments do. On the second tab the reader asks for a
    colour: the query q and each key :math:`k_j` are red, green and blue of the wish and of the paint, from
    -1 (none) to 1 (full), and the scores are :math:`s_j = c\, q \cdot k_j`. Taught in chapters 4 and 5.

    Args:
        colours: two to eight paints, ``{name: "#rrggbb"}``.
        scores: one score per paint, from -5 to 5; zero for all unless given.
        wishes: the colours of the brochure, ``{name: "#rrggbb"}``.
        sharpness: the factor c, from 0 to 5.
        title: a heading, if any.

    Raises:
        TypeError: `colours` or `wishes` is not a mapping.
        ValueError: too few or too many colours, a colour that is not ``"#rrggbb"``, scores of another number
            or out of range, or a sharpness out of range.
    """

    name: ClassVar[str] = "paint-mixer"

    names = traitlets.List(traitlets.Unicode()).tag(sync=True)
    colours = traitlets.List(traitlets.Unicode()).tag(sync=True)
    scores = traitlets.List(traitlets.Float()).tag(sync=True)
    wishes = traitlets.Dict().tag(sync=True)
    sharpness = traitlets.Float(2.0).tag(sync=True)
    plain_names = traitlets.Dict(colour.NAMES).tag(sync=True)
    title = traitlets.Unicode("").tag(sync=True)

    def __init__(
        self,
        colours: Mapping[str, str],
        scores: Sequence[float] | None = None,
        *,
        wishes: Mapping[str, str] | None = None,
        sharpness: float = 2.0,
        title: str | None = None,
    ) -> None:
        wishes = BROCHURE if wishes is None else wishes
        for what, given, least in (("colours", colours, 2), ("wishes", wishes, 1)):
            if not isinstance(given, Mapping):
                raise TypeError(f'{what}: expected {{name: "#rrggbb"}}, got {type(given).__name__}')
            if not least <= len(given) <= MAX_COLOURS:
                raise ValueError(f"{what}: expected {least} to {MAX_COLOURS} of them, got {len(given)}")
            for value in given.values():
                colour.rgb(value)
        super().__init__(
            names=list(colours),
            colours=list(colours.values()),
            scores=[0.0] * len(colours) if scores is None else [float(score) for score in scores],
            wishes=dict(wishes),
            sharpness=float(sharpness),
            title=title or "",
        )

    @traitlets.validate("scores")
    def _check_scores(self, proposal: Any) -> Any:
        scores = proposal["value"]
        if len(scores) != len(self.names):
            raise ValueError(f"scores: expected one for each of {len(self.names)} colours, got {len(scores)}")
        if not all(abs(score) <= MAX_SCORE for score in scores):
            raise ValueError(f"scores: expected numbers from {-MAX_SCORE:g} to {MAX_SCORE:g}, got {scores}")
        return scores

    @traitlets.validate("sharpness")
    def _check_sharpness(self, proposal: Any) -> Any:
        if not (math.isfinite(proposal["value"]) and 0 <= proposal["value"] <= MAX_SCORE):
            raise ValueError(f"sharpness: expected a number from 0 to {MAX_SCORE:g}, got {proposal['value']}")
        return proposal["value"]

    def amounts(self) -> list[float]:
        """Return how much of each paint falls into the can: the softmax of the scores."""
        scores = np.asarray(self.scores, dtype=np.float64)
        powers = np.exp(scores - scores.max())
        return [float(a) for a in powers / powers.sum()]

    def mixed(self) -> str:
        """Return the colour in the can, ``"#rrggbb"``: the paints' light, averaged by the amounts."""
        return colour.mix(np.asarray(self.amounts()), self.colours)

    def wish_scores(self, wish: str) -> list[float]:
        """Return each paint's score for a wish of the brochure: sharpness times query times key.

        Raises:
            KeyError: the brochure has no such wish.
        """
        if wish not in self.wishes:
            raise KeyError(f"wish: expected one of {', '.join(self.wishes)}, got {wish!r}")
        query = 2 * colour.rgb(self.wishes[wish]) - 1
        return [float(self.sharpness * (query @ (2 * colour.rgb(paint) - 1))) for paint in self.colours]

    def fallback_html(self) -> str:
        """Return scores, amounts and the mixed colour as a table."""
        mixed = self.mixed()
        caption = f"Paint in the can. Mixed: {mixed}, close to {colour.nearest_name(mixed)}."
        labels = [f"{name} {paint}" for name, paint in zip(self.names, self.colours, strict=True)]
        rows = [(label, [s, a]) for label, s, a in zip(labels, self.scores, self.amounts(), strict=True)]
        return table_html(caption, ["score", "amount"], rows)
