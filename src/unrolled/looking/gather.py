"""One kind of attention of one text, checked, and thinned out as the caller chose.

Used in the appendix on `look`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from unrolled.looking.pieces import Pieces, gathered
from unrolled.widgets.maps import maps_of, names_of

__all__ = ["MAX_BYTES", "MAX_TOKENS", "WRITTEN", "Attention", "Heard", "checked", "shown"]

# Twelve layers of twelve heads over a hundred tokens, 1,440,000 weights of two bytes, leave room to spare; in
# the file they take a third more, and with all the rest it stays below 5 MB.
MAX_BYTES = 3_500_000
MAX_TOKENS = 512
"""The longest text that is shown, in tokens."""
# How many tokens a model writes by itself at most, where it is not told what to read.
WRITTEN = 40
Array = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Heard:
    """What a model was heard to attend to.

    Attributes:
        name: which attention it is, such as "cross-attention".
        weights: ``[layers, heads, T, S]``.
        queries: the T pieces that look.
        keys: the S pieces looked at.
    """

    name: str
    weights: Any
    queries: Pieces
    keys: Pieces


@dataclass(frozen=True)
class Attention:
    """One kind of attention, as `Look` shows it.

    Attributes:
        name: which it is, such as "cross-attention".
        weights: ``[layers, heads, T, S]``.
        tokens: the T tokens that look.
        keys: the S tokens looked at.
        layers: the numbers of the layers.
        heads: the numbers of the heads.
        of_layers: how many layers the model has.
        of_heads: how many heads.

    Example:
        >>> import numpy as np
        >>> from unrolled import Look
        >>> from unrolled.looking import Attention
        >>> half, words = np.full((1, 1, 2, 2), 0.5), ["two", "words"]
        >>> one = Attention("mine", half, words, words, layers=[0], heads=[0], of_layers=1, of_heads=1)
        >>> Look([one]).weights().shape
        (1, 1, 2, 2)
    """

    name: str
    weights: Array = field(repr=False)
    tokens: list[str]
    keys: list[str]
    layers: list[int]
    heads: list[int]
    of_layers: int
    of_heads: int

    def __post_init__(self) -> None:
        """Refuse weights that are not of these layers, heads and tokens."""
        sizes = (len(self.layers), len(self.heads), len(self.tokens), len(self.keys))
        if self.weights.shape != sizes or 0 in sizes:
            raise ValueError(
                f"weights: expected [layers, heads, T, S] = {list(sizes)}, none of them 0, got "
                f"{list(self.weights.shape)}"
            )
        if not (np.isfinite(self.weights).all() and self.weights.min() >= 0 and self.weights.max() <= 1.001):
            raise ValueError("weights: expected shares from 0 to 1, got others")
        if not all(isinstance(text, str) for text in (self.name, *self.tokens, *self.keys)):
            raise TypeError("name, tokens, keys: expected texts, got others")
        for name, count in (("of_layers", self.of_layers), ("of_heads", self.of_heads)):
            if isinstance(count, bool) or not isinstance(count, int) or count < 1:
                raise ValueError(f"{name}: expected a whole number from 1, got {count!r}")


def checked(
    weights: Any, tokens: Sequence[str], keys: Sequence[str] | None = None, *, whole: bool = True
) -> tuple[Array, list[str], list[str]]:
    """Return weights as ``[layers, heads, T, S]``, with the names of the tokens, every one of them checked.

    Args:
        weights: ``[T, S]``, ``[heads, T, S]`` or ``[layers, heads, T, S]``.
        tokens: the T tokens that look.
        keys: the S tokens looked at; `tokens` unless given.
        whole: whether every row has to sum to 1, or to 0; else to no more than 1.
    """
    queries = [_text(name) for name in names_of("tokens", tokens, MAX_TOKENS)]
    looked_at = queries if keys is None else [_text(name) for name in names_of("keys", keys, MAX_TOKENS)]
    maps = maps_of(weights, len(queries), len(looked_at), most=None, whole=whole)
    return maps, queries, looked_at


def _text(name: str) -> str:
    """Return a name that a file can hold: half a pair of surrogates is no character."""
    return name.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def shown(
    heard: Heard,
    *,
    join: bool,
    special: bool,
    layers: Iterable[int] | None,
    heads: Iterable[int] | None,
) -> Attention:
    """Return what is shown of what was heard.

    Raises:
        TypeError: a layer or a head is no whole number.
        ValueError: there is no such layer or head, nothing is left to show, or what was heard are no weights.
    """
    maps, _, _ = checked(heard.weights, heard.queries.labels, heard.keys.labels, whole=False)
    n_layers, n_heads = maps.shape[:2]
    chosen_layers, chosen_heads = chosen("layers", layers, n_layers), chosen("heads", heads, n_heads)
    maps = maps[chosen_layers][:, chosen_heads]
    maps, tokens, keys = gathered(maps, heard.queries, heard.keys, join=join, special=special)
    if not tokens or not keys:
        raise ValueError(f"special: {heard.name} is empty without special tokens; expected special=True")
    return Attention(
        heard.name,
        maps.clip(0.0, 1.0),
        [_text(token) for token in tokens],
        [_text(key) for key in keys],
        chosen_layers,
        chosen_heads,
        n_layers,
        n_heads,
    )


def chosen(what: str, given: Iterable[int] | None, count: int) -> list[int]:
    """Return which layers or heads are shown: all of them unless given."""
    if given is None:
        return list(range(count))
    if isinstance(given, str | bytes) or not isinstance(given, Iterable):
        raise TypeError(f"{what}: expected whole numbers such as [0, 1], got {given!r}")
    numbers = list(given)
    for number in numbers:
        if isinstance(number, bool) or not hasattr(number, "__index__"):
            raise TypeError(f"{what}: expected whole numbers, got {number!r}")
    numbers = [int(number) for number in numbers]
    if not numbers or len(set(numbers)) < len(numbers):
        raise ValueError(f"{what}: expected one or more, each once, got {numbers}")
    if wrong := [number for number in numbers if not 0 <= number < count]:
        raise ValueError(f"{what}: expected numbers from 0 to {count - 1}, got {wrong[0]}")
    return numbers
