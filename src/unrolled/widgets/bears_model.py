"""The bears model: type a sentence, and a whole trained BERT says in the page which "bears" it expects.

Used in chapter 11.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
import traitlets

from unrolled.inputs import floats, not_text
from unrolled.widgets.base import Widget, table_html
from unrolled.widgets.checks import state_text
from unrolled.widgets.packed import check_heads, check_shapes, pack

__all__ = ["BearsModel"]

# More marks tell a reader nothing more, and every one is an element of the page.
MAX_KNOWN = 200


class BearsModel(Widget):
    r"""A trained masked language model that reads what a reader types, on a map of the senses.

    The word `target` is hidden from the model. Its vector there, the one that is compared with all words, is
    held against the centroids :math:`c_k` of the senses:

    .. math::  \arg\min_k \lVert x - c_k \rVert

    Two sentences stand side by side, each head can be switched off, and every number is computed in the page.
    Taught in chapter 11.

    Args:
        tensors: the weights by name, as in ``model.state_dict()`` of a `BERT` with norms before its sublayers
            and without token types; the page computes with them as `packed` has them, see `unpack`.
        words: the vocabulary, without the special tokens, which come first among the ids.
        hidden: the id of the token that stands for a hidden word.
        n_heads: attention heads of each block.
        n_layers: blocks.
        known: for each sense the vectors of "bears" in plain sentences, ``{sense: [N, D]}``. They give the
            centroids, and the map, which is the plane of the three centroids; the first 60 are drawn.
        sentences: one or two to begin with.
        target: the word in question.
        max_words: the longest sentence the model can read.
        expected: for each of `sentences` its distance from each centroid, as the package computes it, for
            readers without JavaScript.
        norm: where the norms of a block stand.
        activation: see `FeedForward`.
        eps: added to the variance in the norms.
        bits: kept of each number of a matrix.
        title: a heading, if any.

    Raises:
        ValueError: shapes that do not belong together, or another number of sentences.
    """

    name: ClassVar[str] = "bears-model"

    packed = traitlets.Dict().tag(sync=True)
    words = traitlets.List(traitlets.Unicode()).tag(sync=True)
    first = traitlets.Int().tag(sync=True)
    hidden = traitlets.Int().tag(sync=True)
    n_heads = traitlets.Int().tag(sync=True)
    n_layers = traitlets.Int().tag(sync=True)
    max_words = traitlets.Int().tag(sync=True)
    norm = traitlets.Unicode("pre").tag(sync=True)
    activation = traitlets.Unicode("gelu").tag(sync=True)
    eps = traitlets.Float(1e-5).tag(sync=True)
    target = traitlets.Unicode("bears").tag(sync=True)
    senses = traitlets.List(traitlets.Unicode()).tag(sync=True)
    centroids: traitlets.List[Any] = traitlets.List().tag(sync=True)
    plane = traitlets.Dict().tag(sync=True)
    known: traitlets.List[Any] = traitlets.List().tag(sync=True)
    sentences = traitlets.List(traitlets.Unicode()).tag(sync=True)
    off: traitlets.List[Any] = traitlets.List().tag(sync=True)
    title = traitlets.Unicode("").tag(sync=True)

    def __init__(
        self,
        tensors: Mapping[str, Any],
        words: Sequence[str],
        *,
        hidden: int,
        n_heads: int,
        n_layers: int,
        known: Mapping[str, Any],
        sentences: Sequence[str],
        expected: Sequence[Sequence[float]],
        max_words: int,
        target: str = "bears",
        norm: Literal["pre", "post"] = "pre",
        activation: Literal["relu", "gelu", "gelu_tanh"] = "gelu",
        eps: float = 1e-5,
        bits: Literal[8, 16] = 16,
        title: str | None = None,
    ) -> None:
        embedding = floats(tensors["token_embedding.weight"])
        check_heads(n_heads, embedding.shape[1])
        check_shapes(tensors, embedding.shape[1], max_words)
        first = len(embedding) - len(not_text("words", words, "words"))
        if not 0 <= hidden < first:
            raise ValueError(
                f"hidden: expected the id of a special token, one of {first} before the {len(words)} words, "
                f"got {hidden}"
            )
        if isinstance(sentences, str) or not 1 <= len(sentences) <= 2:
            raise ValueError(f"sentences: expected a list of one or two, got {sentences!r}")
        there = len({name.split(".")[2] for name in tensors if name.startswith("encoder.layers.")})
        if n_layers != there:
            raise ValueError(f"n_layers: expected {there}, as many as there are weights of, got {n_layers}")
        vectors = {sense: floats(rows) for sense, rows in known.items()}
        self._expected = [[float(x) for x in row] for row in expected]
        for sense, rows in vectors.items():
            if rows.ndim != 2 or len(rows) < 1 or rows.shape[1] != embedding.shape[1]:
                raise ValueError(
                    f"known: expected [N, {embedding.shape[1]}] for {sense!r}, got {list(rows.shape)}"
                )
        # Distances and what lies in the plane stand in the page's table, or are computed on the way there.
        state_text({"expected": self._expected, "known": {s: rows.tolist() for s, rows in vectors.items()}})
        if len(vectors) < 2:
            raise ValueError(f"known: expected two senses or more, got {len(vectors)}")
        if [len(row) for row in self._expected] != [len(vectors)] * len(sentences):
            raise ValueError(
                f"expected: expected {len(sentences)} rows of {len(vectors)} distances, got "
                f"{[len(row) for row in self._expected]}"
            )
        centroids = np.stack([rows.mean(0) for rows in vectors.values()])
        origin, axes = _plane(centroids)
        kept = [rows[: MAX_KNOWN // len(vectors)] for rows in vectors.values()]
        two = list(sentences) + [""] * (2 - len(sentences))
        super().__init__(
            # The output layer's matrix is the embedding.
            packed=pack({name: t for name, t in tensors.items() if name != "head.decoder.weight"}, bits),
            words=list(words),
            first=first,
            hidden=hidden,
            n_heads=n_heads,
            n_layers=n_layers,
            max_words=max_words,
            norm=norm,
            activation=activation,
            eps=eps,
            target=target,
            senses=list(vectors),
            centroids=np.round(centroids, 6).tolist(),
            plane={
                "origin": np.round(origin, 6).tolist(),
                "axes": np.round(axes, 6).tolist(),
                "marks": np.round((centroids - origin) @ axes.T, 3).tolist(),
            },
            known=[np.round((rows - origin) @ axes.T, 3).tolist() for rows in kept],
            sentences=two,
            off=[[] for _ in range(n_layers)],
            title=title or "",
        )

    def fallback_html(self) -> str:
        """Return, for each sentence, its distance from the centroid of each sense, as a table."""
        caption = f"How far “{self.target}” is from the centroid of each sense. The nearest is what it means."
        rows = list(zip(filter(None, self.sentences), self._expected, strict=False))
        return table_html(caption, list(self.senses), rows)


def _plane(centroids: np.ndarray[Any, Any]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return the mean of the centroids ``[D]`` and the two directions ``[2, D]`` they differ in most."""
    origin = centroids.mean(0)
    axes = np.linalg.svd(centroids - origin)[2][:2]
    # A singular vector's sign is an accident: each axis points to where its largest number is positive.
    largest = np.abs(axes).argmax(1)
    return origin, axes * np.sign(axes[np.arange(2), largest])[:, None]
