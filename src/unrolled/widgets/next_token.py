"""The next-token bench: a whole trained GPT writes in the page, as the reader tells it to choose.

Used in chapter 10.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
import traitlets

from unrolled.inputs import floats, not_text
from unrolled.widgets.base import Widget, table_html
from unrolled.widgets.checks import state_text
from unrolled.widgets.packed import check_heads, check_shapes, pack

__all__ = ["NextTokenBench"]

MAX_CONTEXT = 512
TABLED = 12


class NextTokenBench(Widget):
    r"""A trained GPT, its next token, and how it is chosen: temperature, top-k, top-p, or by hand.

    .. math::  v \sim \mathrm{softmax}(\ell / \tau)

    The reader begins from a text, draws tokens or picks them, takes them back, and watches the key/value
    cache fill. Every share is computed in the page, and is that of `unrolled.generate.sample_next`. Taught in
    chapter 10.

    Args:
        tensors: the weights by name, as in ``model.state_dict()`` of a `GPT` with learned positions.
        tokens: how every token is written, in the order of their ids, special ones first.
        prompt: the ids to begin from.
        likeliest: what the package says comes next, ``[(token, probability), …]``, for readers without
            JavaScript.
        n_heads: attention heads of each block.
        max_len: the most tokens the model sees.
        n_special: how many tokens at the front nobody can type.
        joiner: what stands between two tokens in a text: nothing for characters, a space for words.
        temperature: to begin with; one of the slider's steps.
        top_k: to begin with; None for all.
        top_p: to begin with.
        activation: see `FeedForward`.
        eps: added to the variance in the norms.
        bits: kept of each number of a matrix, see `pack`.
        title: a heading, if any.

    Raises:
        ValueError: tokens, prompt or weights do not belong together.
    """

    name: ClassVar[str] = "next-token"

    packed = traitlets.Dict().tag(sync=True)
    # Not "tokens" alone: ids and texts are both that.
    tokens = traitlets.List(traitlets.Unicode()).tag(sync=True)
    prompt = traitlets.List(traitlets.Int()).tag(sync=True)
    first = traitlets.Int(0).tag(sync=True)
    n_heads = traitlets.Int().tag(sync=True)
    n_layers = traitlets.Int().tag(sync=True)
    max_len = traitlets.Int().tag(sync=True)
    joiner = traitlets.Unicode("").tag(sync=True)
    temperature = traitlets.Float(1.0).tag(sync=True)
    top_k = traitlets.Int(0).tag(sync=True)
    top_p = traitlets.Float(1.0).tag(sync=True)
    activation = traitlets.Unicode("gelu_tanh").tag(sync=True)
    eps = traitlets.Float(1e-5).tag(sync=True)
    title = traitlets.Unicode("").tag(sync=True)

    def __init__(
        self,
        tensors: Mapping[str, Any],
        tokens: Sequence[str],
        prompt: Sequence[int],
        *,
        likeliest: Sequence[tuple[str, float]],
        n_heads: int,
        max_len: int,
        n_special: int = 0,
        joiner: str = "",
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float = 1.0,
        activation: Literal["relu", "gelu", "gelu_tanh"] = "gelu_tanh",
        eps: float = 1e-5,
        bits: Literal[8, 16] = 16,
        title: str | None = None,
    ) -> None:
        embedding = floats(tensors["token_embedding.weight"])
        vocabulary, width = embedding.shape
        if len(not_text("tokens", tokens, "tokens")) != vocabulary:
            raise ValueError(
                f"tokens: expected {vocabulary}, one for each row of the embedding, got {len(tokens)}"
            )
        check_heads(n_heads, width)
        if not 1 <= max_len <= MAX_CONTEXT:
            raise ValueError(f"max_len: expected 1 to {MAX_CONTEXT}, got {max_len}")
        check_shapes(tensors, width, max_len)
        if not 1 <= len(prompt) < max_len:
            raise ValueError(f"prompt: expected 1 to {max_len - 1} tokens, got {len(prompt)}")
        if wrong := [i for i in prompt if not n_special <= i < vocabulary]:
            raise ValueError(f"prompt: expected ids from {n_special} to {vocabulary - 1}, got {wrong[0]}")
        self._likeliest = [(str(token), float(share)) for token, share in likeliest][:TABLED]
        if not all(isinstance(token, str) for token, _ in likeliest):
            raise TypeError("likeliest: expected pairs of a token and its probability, got another token")
        state_text({"likeliest": self._likeliest})
        # Tied output weights are the embedding: they need not travel twice.
        tied = "lm_head.weight" in tensors and np.array_equal(floats(tensors["lm_head.weight"]), embedding)
        kept = {name: t for name, t in tensors.items() if not (tied and name == "lm_head.weight")}
        super().__init__(
            packed=pack(kept, bits),
            tokens=list(tokens),
            prompt=list(prompt),
            first=n_special,
            n_heads=n_heads,
            n_layers=len({name.split(".")[1] for name in tensors if name.startswith("layers.")}),
            max_len=max_len,
            joiner=joiner,
            temperature=float(temperature),
            top_k=top_k or 0,
            top_p=float(top_p),
            activation=activation,
            eps=eps,
            title=title or "",
        )

    def fallback_html(self) -> str:
        """Return the likeliest next tokens after the prompt as a table."""
        begun = self.joiner.join(self.tokens[i] for i in self.prompt)
        caption = f"The likeliest next tokens after “{begun}”, and their probability."
        return table_html(caption, ["probability"], [(_visible(t), [p]) for t, p in self._likeliest])


def _visible(token: str) -> str:
    """Return a token that can be seen; js/next-token.mjs does the same."""
    return {" ": "␣", "\n": "↵"}.get(token, token)
