"""The bears plane: one word, three sentences, three places. Used in chapter 4."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import traitlets

from unrolled.inputs import floats, not_text
from unrolled.widgets._sentence import shown_word, spoken_words, word_ids
from unrolled.widgets.base import Widget, number, table_html

__all__ = ["BearsPlane"]

# As many as the plane has colours and dashes for, beside the sentence the reader types.
MAX_SENTENCES = 4


class BearsPlane(Widget):
    r"""Word vectors in a plane, and where simple self-attention takes one of them in each sentence.

    .. math::  \hat x_i = \sum_j \mathrm{softmax}_j(c\, x_i \cdot x_j)\, x_j

    The reader drags words, scales the scores by c, and types a sentence of their own. Taught in chapter 4.

    Args:
        vectors: ``{word: (x, y)}``, or a pair of the words and their vectors ``[V, 2]``.
        sentences: one to four sentences of known words, each with `target` in it and twelve words at most.
            Words are matched without regard to case and to punctuation around them.
        target: the word that is followed.
        scale: the factor c on every score.
        landmarks: named places, such as the centres of the senses: ``{name: (x, y)}``.
        limit: the plane shows -limit to limit both ways; as much as the vectors need unless given.
        simple: offer no more than dragging, the coordinates, the own sentence and Reset, and say in words
            where the target ends up: for a page that has not named scores and x̂ yet.
        title: a heading, if any.

    Raises:
        TypeError: `vectors` or `landmarks` are not mappings from names to pairs of numbers.
        ValueError: a vector that is not two finite numbers within the limit, an unknown word, an empty
            sentence, one that is too long or lacks the target.
    """

    name: ClassVar[str] = "bears-plane"

    words = traitlets.List(traitlets.Unicode()).tag(sync=True)
    vectors = traitlets.List(traitlets.List(traitlets.Float())).tag(sync=True)
    sentences = traitlets.List(traitlets.Unicode()).tag(sync=True)
    target = traitlets.Unicode("bears").tag(sync=True)
    scale = traitlets.Float(1.0).tag(sync=True)
    landmarks = traitlets.Dict().tag(sync=True)
    limit = traitlets.Float(2.0).tag(sync=True)
    simple = traitlets.Bool(False).tag(sync=True)
    title = traitlets.Unicode("").tag(sync=True)

    def __init__(
        self,
        vectors: Mapping[str, Sequence[float]] | tuple[Sequence[str], Any],
        sentences: Sequence[str],
        *,
        target: str = "bears",
        scale: float = 1.0,
        landmarks: Mapping[str, Sequence[float]] | None = None,
        limit: float | None = None,
        simple: bool = False,
        title: str | None = None,
    ) -> None:
        points = _points("vectors", vectors)
        places = _points("landmarks", landmarks or {})
        if not points:
            raise ValueError("vectors: expected at least one word, got none")
        lower = [word.lower() for word in points]
        if len(set(lower)) < len(lower):
            raise ValueError(f"vectors: expected words that differ in more than case, got {list(points)}")
        farthest = max(abs(c) for point in [*points.values(), *places.values()] for c in point)
        limit = _round_up(farthest) if limit is None else limit
        if not math.isfinite(limit) or limit < farthest or limit <= 0:
            raise ValueError(f"limit: expected a finite number of at least {farthest:g}, got {limit}")
        if isinstance(sentences, str) or not 1 <= len(sentences) <= MAX_SENTENCES:
            got = repr(sentences) if isinstance(sentences, str) else f"{len(sentences)}"
            raise ValueError(f"sentences: expected a list of 1 to {MAX_SENTENCES} sentences, got {got}")
        for sentence in sentences:
            _token_ids(sentence, list(points), target)
        super().__init__(
            words=list(points),
            vectors=[list(point) for point in points.values()],
            sentences=list(sentences),
            target=target,
            scale=float(scale),
            landmarks={place: list(point) for place, point in places.items()},
            limit=float(limit),
            simple=simple,
            title=title or "",
        )

    @traitlets.validate("vectors")
    def _check_vectors(self, proposal: Any) -> Any:
        rows = proposal["value"]
        if len(rows) != len(self.words):
            raise ValueError(f"vectors: expected shape [V, 2] with V={len(self.words)}, got {len(rows)} rows")
        for word, row in zip(self.words, rows, strict=True):
            # A comparison with NaN is false, so "all are within" refuses it too.
            if len(row) != 2 or not all(abs(c) <= self.limit for c in row):
                limits = f"between {-self.limit:g} and {self.limit:g}"
                raise ValueError(f"vectors: expected two numbers {limits} for {word!r}, got {row}")
        return rows

    @traitlets.validate("scale")
    def _check_scale(self, proposal: Any) -> Any:
        if not math.isfinite(proposal["value"]) or proposal["value"] < 0:
            raise ValueError(f"scale: expected a finite number, 0 or more, got {proposal['value']}")
        return proposal["value"]

    def attention(self, sentence: str) -> tuple[list[str], list[float], tuple[float, float]]:
        """Return the words of `sentence`, how much the target attends to each, and where that takes it.

        Raises:
            ValueError: the sentence is empty, too long, has an unknown word, or lacks the target.
        """
        ids = _token_ids(sentence, self.words, self.target)
        x = np.asarray(self.vectors, dtype=np.float64)[ids]  # [T, 2]
        query = x[[self.words[i].lower() for i in ids].index(self.target.lower())]
        scores = self.scale * (x @ query)  # [T]
        powers = np.exp(scores - scores.max())
        weights = powers / powers.sum()  # [T]
        context = weights @ x  # [2]
        return [self.words[i] for i in ids], weights.tolist(), (float(context[0]), float(context[1]))

    def fallback_html(self) -> str:
        """Return the word vectors and, for each sentence, the weights and the new place, as tables."""
        rows: dict[str, list[float]] = {}
        tables = []
        for sentence in self.sentences:
            words, weights, (x, y) = self.attention(sentence)
            rows |= {shown_word(word): self.vectors[self.words.index(word)] for word in words}
            attends = f"how much “{self.target}” attends to each word"
            caption = f"“{sentence}”: {attends}. It moves to {_pair(x, y)}"
            if self.landmarks:
                caption += f", nearest to {self._nearest_landmark((x, y))}"
            tables.append(table_html(f"{caption}.", spoken_words(sentence), [("weight", weights)]))
        return table_html("Word vectors", ["x", "y"], list(rows.items())) + "".join(tables)

    def _nearest_landmark(self, point: tuple[float, float]) -> str:
        return min(self.landmarks, key=lambda name: math.dist(self.landmarks[name], point))


def _points(what: str, given: Any) -> dict[str, tuple[float, float]]:
    """Return ``{name: (x, y)}`` from a mapping, or from a pair of names and rows."""
    if isinstance(given, Mapping):
        pairs = list(given.items())
    elif isinstance(given, tuple) and len(given) == 2:
        names, rows = not_text(what, given[0], "words"), floats(given[1])
        if rows.shape != (len(names), 2):
            raise ValueError(f"{what}: expected shape [V, 2] with V={len(names)}, got {list(rows.shape)}")
        pairs = list(zip(names, rows.tolist(), strict=True))
    else:
        raise TypeError(f"{what}: expected {{name: (x, y)}} or (names, [V, 2]), got {type(given).__name__}")
    points: dict[str, tuple[float, float]] = {}
    for name, point in pairs:
        if not isinstance(name, str) or not name or (what == "vectors" and name.split() != [name]):
            raise ValueError(f"{what}: expected single words as names, got {name!r}")
        values = floats(point)
        if values.shape != (2,) or not np.isfinite(values).all():
            raise ValueError(f"{what}: expected two finite numbers for {name!r}, got {values.tolist()}")
        if name in points:
            raise ValueError(f"{what}: expected each name once, got {name!r} twice")
        points[name] = (float(values[0]), float(values[1]))
    return points


def _pair(x: float, y: float) -> str:
    return f"({number(x)}, {number(y)})"


def _round_up(farthest: float) -> float:
    """Return a limit that is easy to read and leaves room beyond the farthest point."""
    wanted = max(1.2 * farthest, 1.0)
    return math.ceil(2 * wanted) / 2


def _token_ids(sentence: str, words: list[str], target: str) -> list[int]:
    """Return the index of each word of `sentence` among the words known; one is `target`."""
    ids = word_ids(sentence, words)
    if target.lower() not in [words[i].lower() for i in ids]:
        raise ValueError(f"sentence: expected {target!r} in it, got {sentence!r}")
    return ids
