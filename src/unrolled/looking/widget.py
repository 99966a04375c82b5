"""The picture of attention: a head, a layer, or the whole model."""

import base64
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import traitlets

from unrolled.inputs import user_path
from unrolled.looking import export, scene
from unrolled.looking.gather import MAX_BYTES, Attention, checked
from unrolled.widgets.base import Widget, table_html
from unrolled.widgets.maps import full_scale

__all__ = ["Look"]

# The table beneath has this many numbers at most, where no script makes others.
MAX_TABLED = 10_000
DIGITS = (2, 3, 4)
Whole = np.ndarray[Any, np.dtype[np.int64]]


class Look(Widget):
    """What a model attends to: one head as a map or as lines, the heads of a layer, or all of them.

    Made by `unrolled.look` of a model, by `Look.of` of arrays. Weights are rounded to `digits` digits after
    the point, which the picture says, and kept as whole numbers of one or two bytes. What a reader chooses
    are traits, by which `to_svg` and `to_png` draw: `shown`, `view`, `layer`, `head`, `drawing`, `token`,
    `least`.

    Args:
        attentions: one or more kinds, each with its tokens.
        digits: how many digits after the point are kept: 2 take one byte a weight, 3 and 4 two.
        title: a heading, if any.
        notes: sentences beneath the picture, such as what was left out of it.

    Raises:
        ValueError: there are none, too many weights for one picture, or another number of digits.

    Example:
        >>> from unrolled import Look
        >>> picture = Look.of([[0.75, 0.25], [0.5, 0.5]], ["two", "words"])
        >>> picture.weights()
        array([[[[0.75, 0.25],
                 [0.5 , 0.5 ]]]])
    """

    name: ClassVar[str] = "look"

    data = traitlets.Unicode().tag(sync=True)
    attentions: traitlets.List[Any] = traitlets.List().tag(sync=True)
    digits = traitlets.Int(3).tag(sync=True)
    full = traitlets.Float(1.0).tag(sync=True)
    title = traitlets.Unicode("").tag(sync=True)
    notes = traitlets.List(traitlets.Unicode()).tag(sync=True)
    shown = traitlets.Int(0).tag(sync=True)
    view = traitlets.Enum(["head", "layer", "model"], "head").tag(sync=True)
    layer = traitlets.Int(0).tag(sync=True)  # the how many-eth of those shown, as is the head
    head = traitlets.Int(0).tag(sync=True)
    drawing = traitlets.Enum(["map", "lines"], "map").tag(sync=True)
    token = traitlets.Int(-1).tag(sync=True)  # -1: all of them
    least = traitlets.Float(0.0).tag(sync=True)

    def __init__(
        self,
        attentions: Sequence[Attention],
        *,
        digits: int = 3,
        title: str | None = None,
        notes: Sequence[str] = (),
    ) -> None:
        if digits not in DIGITS:
            raise ValueError(f"digits: expected one of {', '.join(map(str, DIGITS))}, got {digits!r}")
        if not attentions:
            raise ValueError("attentions: expected one or more, got none")
        _check_size(attentions, digits)
        whole = [
            np.rint(one.weights * 10**digits).astype("<u1" if digits == 2 else "<u2") for one in attentions
        ]
        super().__init__(
            data=base64.b64encode(b"".join(numbers.tobytes() for numbers in whole)).decode("ascii"),
            attentions=[
                {
                    "name": one.name,
                    "tokens": one.tokens,
                    "keys": one.keys,
                    "layers": [f"layer {i}" for i in one.layers],
                    "heads": [f"head {j}" for j in one.heads],
                }
                for one in attentions
            ],
            digits=digits,
            full=max(full_scale(one.weights) for one in attentions),
            title=title or "",
            notes=[*notes, *_thinned(attentions), f"Weights are rounded to {digits} digits after the point."],
            view="model"
            if max(one.weights.shape[0] * one.weights.shape[1] for one in attentions) > 1
            else "head",
        )

    @classmethod
    def of(
        cls,
        weights: Any,
        tokens: Sequence[str],
        keys: Sequence[str] | None = None,
        *,
        name: str = "attention",
        digits: int = 3,
        title: str | None = None,
    ) -> "Look":
        """Return a picture of weights that you have.

        Args:
            weights: ``[T, S]``, ``[heads, T, S]`` or ``[layers, heads, T, S]``; a tensor, an array or lists.
            tokens: the T tokens that look; also the S looked at, unless `keys` is given.
            keys: the S tokens looked at, where they differ.
            name: which attention it is.
            digits: how many digits after the point are kept, 2 to 4.
            title: a heading, if any.

        Raises:
            TypeError: the weights are not numbers, or the tokens are not strings.
            ValueError: a shape that does not fit the tokens, a weight that is not finite or lies outside 0 to
                1, a row whose sum is neither 1 nor 0, more than 512 tokens, or too many weights.
        """
        maps, queries, looked_at = checked(weights, tokens, keys)
        layers, heads = list(range(maps.shape[0])), list(range(maps.shape[1]))
        one = Attention(name, maps, queries, looked_at, layers, heads, len(layers), len(heads))
        return cls([one], digits=digits, title=title)

    def weights(self, shown: int | None = None) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Return the rounded weights ``[layers, heads, T, S]`` of one kind: the one in sight unless given."""
        shown = self.shown if shown is None else shown
        sizes = [_shape(one) for one in self.attentions]
        first = sum(int(np.prod(size)) for size in sizes[:shown])
        numbers = np.frombuffer(base64.b64decode(self.data), "<u1" if self.digits == 2 else "<u2")
        one = numbers[first : first + int(np.prod(sizes[shown]))].reshape(sizes[shown])
        return np.asarray(one / 10**self.digits, np.float64)

    def to_dict(self) -> dict[str, Any]:
        """Return all that is shown, ready for JSON: of each kind the tokens, layers, heads and weights."""
        return {
            "title": self.title,
            "notes": list(self.notes),
            "digits": self.digits,
            "attentions": [
                {**one, "weights": self.weights(k).tolist()} for k, one in enumerate(self.attentions)
            ],
        }

    def to_svg(self) -> str:
        """Return the picture that the traits choose, as SVG that any program can draw."""
        return export.to_svg(scene.scene(self))

    def to_png(self, scale: float = 2.0) -> bytes:
        """Return the same picture as PNG, drawn by matplotlib, `scale` pixels for one of the SVG."""
        return export.to_png(scene.scene(self), scale)

    def save_html(self, path: str | os.PathLike[str]) -> Path:
        """Write one file that shows all of this in any browser, without a network; return where it is."""
        where = user_path("path", path)
        where.write_text(export.page(self), encoding="utf-8")
        return where

    def fallback_html(self) -> str:
        """Return the head in sight as a table, and what is not in it."""
        one, maps = self.attentions[self.shown], self.weights()
        map_ = maps[self.layer, self.head]
        rows = [
            (token if any(row) else f"{token} (attends to nothing)", row)
            for token, row in zip(one["tokens"], map_.tolist(), strict=True)
        ]
        kept = rows[: max(1, MAX_TABLED // len(one["keys"]))]
        names = ", ".join([one["name"], one["layers"][self.layer], one["heads"][self.head]])
        about = f"{self.title}. " if self.title else ""
        caption = f"{about}{names}. Each row: how much its token attends to the token of each column."
        told = [*self.notes]
        if len(kept) < len(rows):
            told.append(f"The first {len(kept)} of {len(rows)} rows.")
        count = sum(len(other["layers"]) * len(other["heads"]) for other in self.attentions)
        if count > 1:
            told.append(f"One of {count} maps; the others need a page with JavaScript.")
        return table_html(caption, one["keys"], kept, self.digits) + f"<p>{' '.join(told)}</p>"


def _shape(one: dict[str, Any]) -> tuple[int, int, int, int]:
    return len(one["layers"]), len(one["heads"]), len(one["tokens"]), len(one["keys"])


def _check_size(attentions: Sequence[Attention], digits: int) -> None:
    """Raise a ValueError where a file with these would be too large."""
    count = sum(one.weights.size for one in attentions)
    most = MAX_BYTES // (1 if digits == 2 else 2)
    if count <= most:
        return
    largest = max(attentions, key=lambda one: one.weights.size)
    shape = " x ".join(map(str, largest.weights.shape))
    less = "" if digits == 2 else ", or digits=2, which takes half the room"
    raise ValueError(
        f"weights: expected at most {most:,} in one picture with {digits} digits, got {count:,} "
        f"({len(attentions)} of up to {shape}: layers, heads, tokens, keys); "
        f"show fewer layers, heads or tokens{less}"
    )


def _thinned(attentions: Sequence[Attention]) -> list[str]:
    """Return what is said of layers and heads that are not shown."""
    told: dict[str, None] = {}  # each sentence once
    for one in attentions:
        for what, some, count in (("layers", one.layers, one.of_layers), ("heads", one.heads, one.of_heads)):
            if len(some) < count:
                of = f" of the {one.name.rpartition(', ')[2]}" if len(attentions) > 1 else ""
                told[f"Of the {count} {what}{of} these are shown: {', '.join(map(str, some))}."] = None
    return list(told)
