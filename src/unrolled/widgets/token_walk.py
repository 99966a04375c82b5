"""One token's vector on its way through the blocks of a transformer. Used in chapter 8."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
import traitlets

from unrolled.inputs import floats, not_text
from unrolled.widgets.base import Widget, table_html
from unrolled.widgets.checks import LARGEST, state_text
from unrolled.widgets.packed import check_heads, check_shapes, pack

__all__ = ["TokenWalk"]

MAX_TOKENS = 20


class TokenWalk(Widget):
    r"""Follow a token's vector from station to station of a block, and switch off what stands on its way.

    .. math::  x \leftarrow x + \mathrm{MHA}(\mathrm{LN}(x)), \qquad
               x \leftarrow x + \mathrm{FFN}(\mathrm{LN}(x))

    The reader chooses sentence, token and block, takes away norms, the residual connection, attention or the
    feed-forward network, and sees what becomes of the vector. Every number is computed in the page. Taught in
    chapter 8.

    Args:
        tensors: the weights of the blocks by name, ``"0.attention_norm.weight"`` and so on, as in the
            ``state_dict()`` of a `ModuleList` of `EncoderBlock`.
        sentences: for each its tokens and their vectors going in, ``[(tokens, [T, D]), …]``.
        lengths: for the first sentence's `token`, how long its vector is before and after each block, as the
            package computes it, for readers without JavaScript; one more number than there are blocks.
        n_heads: attention heads of each block.
        token: the place of the token to begin with.
        norm: where the norms stand to begin with.
        activation: see `FeedForward`.
        eps: added to the variance in the norms.
        bits: kept of each number of a matrix, see `pack`.
        title: a heading, if any.

    Raises:
        ValueError: shapes that do not belong together, or more than 20 tokens.
    """

    name: ClassVar[str] = "token-walk"

    packed = traitlets.Dict().tag(sync=True)
    sentences: traitlets.List[Any] = traitlets.List().tag(sync=True)
    inputs: traitlets.List[Any] = traitlets.List().tag(sync=True)
    n_heads = traitlets.Int().tag(sync=True)
    n_layers = traitlets.Int().tag(sync=True)
    token = traitlets.Int(0).tag(sync=True)
    norm = traitlets.Unicode("pre").tag(sync=True)
    activation = traitlets.Unicode("gelu").tag(sync=True)
    eps = traitlets.Float(1e-5).tag(sync=True)
    title = traitlets.Unicode("").tag(sync=True)

    def __init__(
        self,
        tensors: Mapping[str, Any],
        sentences: Sequence[tuple[Sequence[str], Any]],
        *,
        lengths: Sequence[float],
        n_heads: int,
        token: int = 0,
        norm: Literal["pre", "post"] = "pre",
        activation: Literal["relu", "gelu", "gelu_tanh"] = "gelu",
        eps: float = 1e-5,
        bits: Literal[8, 16] = 16,
        title: str | None = None,
    ) -> None:
        layers = {name.split(".")[0] for name in tensors}
        if layers != {str(i) for i in range(len(layers))} or not layers:
            raise ValueError(f"tensors: expected names that begin with 0., 1., …, got {sorted(layers)}")
        width = len(floats(tensors["0.attention_norm.weight"]))
        check_heads(n_heads, width)
        if not sentences:
            raise ValueError("sentences: expected one or more, got none")
        inputs = [floats(vectors) for _, vectors in sentences]
        for (words, _), x in zip(sentences, inputs, strict=True):
            if not 1 <= len(not_text("sentences", words, "tokens with their vectors")) <= MAX_TOKENS:
                raise ValueError(f"sentences: expected 1 to {MAX_TOKENS} tokens, got {len(words)}")
            if not all(isinstance(word, str) for word in words):
                raise TypeError(f"sentences: expected tokens that are texts, got {list(words)!r:.60}")
            if x.shape != (len(words), width) or not (np.abs(x) < LARGEST).all():
                raise ValueError(
                    f"sentences: expected finite numbers [{len(words)}, {width}] for {' '.join(words)!r}, "
                    f"got {list(x.shape)}"
                )
        check_shapes(tensors, width)
        if not 0 <= token < len(inputs[0]):
            raise ValueError(f"token: expected 0 to {len(inputs[0]) - 1}, got {token}")
        if len(lengths) != len(layers) + 1:
            raise ValueError(f"lengths: expected {len(layers) + 1}, got {len(lengths)}")
        self._lengths = [float(length) for length in lengths]
        state_text({"lengths": self._lengths})
        super().__init__(
            packed=pack(tensors, bits),
            sentences=[list(words) for words, _ in sentences],
            inputs=[np.round(x, 7).tolist() for x in inputs],
            n_heads=n_heads,
            n_layers=len(layers),
            token=token,
            norm=norm,
            activation=activation,
            eps=eps,
            title=title or "",
        )

    def fallback_html(self) -> str:
        """Return the length of the token's vector before and after each block as a table."""
        word = self.sentences[0][self.token]
        rows = ["in", *(f"block {i + 1}" for i in range(self.n_layers))]
        caption = f"How long the vector of “{word}” is after each block."
        return table_html(caption, ["length"], [(r, [x]) for r, x in zip(rows, self._lengths, strict=True)])
