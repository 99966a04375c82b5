"""The position clock: where a token stands, as the hands of many clocks. Used in chapter 7."""

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import numpy as np
import traitlets

from unrolled.inputs import floats
from unrolled.widgets.base import Widget, number, table_html

__all__ = ["PositionClock"]

MAX_SIZE, MAX_POSITIONS = 64, 1000


class PositionClock(Widget):
    r"""Two positions as the hands of clocks, one for each pair of components, each slower than the last.

    .. math::  w_{t,2m} = \sin \omega_m t, \qquad w_{t,2m+1} = \cos \omega_m t, \qquad
               \omega_m = 10000^{-2m/d}

    The reader moves both positions and sees the vector that is added, or the query and the key that are
    turned (`Rotary`), and that their dot product follows from the distance alone. Taught in chapter 7.

    Args:
        d: components per vector, even, at most 64.
        max_len: positions, at most 1,000.
        query: the query of the rotary picture ``[d]``; the same two components in every pair unless given.
        key: its key ``[d]``.
        t: the position to begin with.
        s: the other.
        kind: ``"sinusoidal"`` or ``"rotary"`` to begin with.
        base: 10000 in the papers.
        title: a heading, if any.

    Raises:
        ValueError: a number is out of range, or a vector of another length.

    Reference:
        Vaswani et al., Attention Is All You Need, 2017, section 3.5; Su et al., RoFormer, 2021.
    """

    name: ClassVar[str] = "position-clock"

    d = traitlets.Int().tag(sync=True)
    base = traitlets.Float(10_000.0).tag(sync=True)
    max_len = traitlets.Int().tag(sync=True)
    query: traitlets.List[Any] = traitlets.List().tag(sync=True)
    key: traitlets.List[Any] = traitlets.List().tag(sync=True)
    kind = traitlets.Int(0).tag(sync=True)
    t = traitlets.Int(0).tag(sync=True)
    s = traitlets.Int(0).tag(sync=True)
    title = traitlets.Unicode("").tag(sync=True)

    def __init__(
        self,
        d: int = 16,
        max_len: int = 128,
        *,
        query: Sequence[float] | None = None,
        key: Sequence[float] | None = None,
        t: int = 3,
        s: int = 8,
        kind: Literal["sinusoidal", "rotary"] = "sinusoidal",
        base: float = 10_000.0,
        title: str | None = None,
    ) -> None:
        if d % 2 or not 2 <= d <= MAX_SIZE:
            raise ValueError(f"d: expected an even number from 2 to {MAX_SIZE}, got {d}")
        if not 2 <= max_len <= MAX_POSITIONS:
            raise ValueError(f"max_len: expected 2 to {MAX_POSITIONS}, got {max_len}")
        for what, position in (("t", t), ("s", s)):
            if not 0 <= position < max_len:
                raise ValueError(f"{what}: expected a position from 0 to {max_len - 1}, got {position}")
        if kind not in ("sinusoidal", "rotary"):
            raise ValueError(f"kind: expected 'sinusoidal' or 'rotary', got {kind!r}")
        if not base > 1:
            raise ValueError(f"base: expected more than 1, got {base}")
        same = [1.0] * (d // 2) + [0.0] * (d // 2)
        super().__init__(
            d=d,
            base=float(base),
            max_len=max_len,
            query=_vector("query", same if query is None else query, d),
            key=_vector("key", same if key is None else key, d),
            kind=("sinusoidal", "rotary").index(kind),
            t=t,
            s=s,
            title=title or "",
        )

    def fallback_html(self) -> str:
        """Return what is added, or turned, at both positions, each pair's full turn, and the dot product."""
        speeds = self.base ** (-np.arange(0, self.d, 2) / self.d)  # [d / 2]
        angles = np.array([[self.t], [self.s]]) * speeds  # [2, d / 2]
        turns = [number(float(x), 1) for x in 2 * np.pi / speeds]
        if self.kind == 0:
            vectors = np.stack([np.sin(angles), np.cos(angles)], axis=-1).reshape(2, -1)
            columns = [f"{wave}, turn of {turn}" for turn in turns for wave in ("sin", "cos")]
            rows = [f"t, position {self.t}", f"s, position {self.s}"]
            caption, shared = "What is added at positions t and s.", "w(t) · w(s)"
        else:
            # Component i and component i + d/2 are a pair.
            first, second = np.split(np.array([self.query, self.key]), 2, axis=1)
            cos, sin = np.cos(angles), np.sin(angles)
            vectors = np.concatenate([first * cos - second * sin, first * sin + second * cos], axis=1)
            columns = [f"{which}, turn of {turn}" for which in ("first", "second") for turn in turns]
            rows = [f"query, position {self.t}", f"key, position {self.s}"]
            caption = "The query turned by position t and the key turned by position s."
            shared = "score of q at t with k at s"
        product, distance = number(float(vectors[0] @ vectors[1])), number(self.s - self.t, 0)
        caption = f"{caption} {shared} = {product}, at a distance of {distance}."
        return table_html(caption, columns, list(zip(rows, vectors.tolist(), strict=True)))


def _vector(what: str, given: Sequence[float], d: int) -> list[float]:
    numbers = floats(given)
    if numbers.shape != (d,) or not np.isfinite(numbers).all():
        raise ValueError(f"{what}: expected {d} finite numbers, got {list(numbers.shape)}")
    return [float(x) for x in numbers]
