"""Attention of any model on one line."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from unrolled.looking.gather import Attention, Heard, shown
from unrolled.looking.widget import Look

__all__ = ["look"]


def look(
    model: Any,
    tokenizer: Any,
    text: str | Sequence[str],
    second_text: str | Sequence[str] | None = None,
    *,
    join: bool = False,
    special: bool = True,
    layers: Iterable[int] | None = None,
    heads: Iterable[int] | None = None,
    digits: int = 3,
    title: str | None = None,
) -> Look:
    """Return a picture of all that a model attends to while it reads a text.

    The model reads in evaluation mode, without gradients, and is left as it was. Layers and heads are counted
    from 0. The picture says what was left out of it. Taught in the appendix on `look`.

    Args:
        model: of ``transformers``: an encoder, a decoder, or both, that returns attentions; or of
            `unrolled.nn`, where a `ViT` reads a picture ``[C, H, W]``.
        tokenizer: the model's own; for ours with two vocabularies, that of the source and that of the target.
        text: what it reads, or several texts, each read by itself.
        second_text: for an encoder the second text of a pair; for an encoder and decoder what the decoder
            writes. Unless given, it writes by itself, 40 tokens at most, always the likeliest.
        join: whether the pieces of a word are joined: it attends as they do on average, and gets what they
            get together.
        special: whether tokens that were added to the text, such as ``[CLS]``, are shown. Where they are not,
            rows sum to less than 1.
        layers: the layers that are shown; all of them unless given.
        heads: the heads that are shown; all of them unless given.
        digits: how many digits after the point are kept, 2 to 4.
        title: a heading; the model's class unless given.

    Raises:
        TypeError: there is no tokenizer, a text is no string, or the model is no model.
        ValueError: a text is empty or longer than the model sees, a layer or head is not there, the model
            returns no attentions, or there are too many weights for one picture.

    Reference:
        Vig, A Multiscale Visualization of Attention in the Transformer Model, 2019.

    Example:
        >>> from unrolled import look
        >>> from unrolled.training.stored import stored
        >>> trained = stored("three-bears")
        >>> task = trained.recipe.task()
        >>> both = (task.source_tokenizer, task.target_tokenizer)
        >>> picture = look(trained.model, both, "she bears the pain")
        >>> picture.weights().shape  # layers, heads, tokens that look, tokens looked at
        (2, 4, 5, 5)
    """
    from unrolled.looking import ours, theirs  # they bring in torch, which arrays can do without

    if theirs.is_theirs(model):
        hear = theirs.heard
    elif ours.is_ours(model):
        hear = ours.heard
    else:
        raise TypeError(
            f"model: expected one of transformers or of unrolled.nn, got {type(model).__name__}; "
            "to show weights that you have: Look.of(weights, tokens)"
        )
    pairs = _pairs(text, second_text)
    found = [
        (k, one) for k, (first, second) in enumerate(pairs) for one in hear(model, tokenizer, first, second)
    ]
    each = [
        shown(_numbered(one, k, len(pairs)), join=join, special=special, layers=layers, heads=heads)
        for k, one in found
    ]
    notes = _notes(each, join=join, special=special, wrote=second_text is None)
    return Look(each, digits=digits, title=type(model).__name__ if title is None else title, notes=notes)


def _pairs(text: Any, second: Any) -> list[tuple[Any, Any]]:
    """Return the texts, each with the one that goes with it."""
    if isinstance(text, str) or hasattr(text, "ndim"):
        if second is not None and not isinstance(second, str):
            raise TypeError(f"second_text: expected one text, got {type(second).__name__}")
        return [(text, second)]
    texts = _texts("text", text)
    seconds = [None] * len(texts) if second is None else _texts("second_text", second)
    if len(seconds) != len(texts):
        raise ValueError(f"second_text: expected {len(texts)}, one for each text, got {len(seconds)}")
    return list(zip(texts, seconds, strict=True))


def _texts(name: str, given: Any) -> list[str]:
    if isinstance(given, str) or not isinstance(given, Sequence):
        raise TypeError(f"{name}: expected a text, or a list of texts, got {type(given).__name__}")
    for one in given:
        if not isinstance(one, str):
            raise TypeError(f"{name}: expected texts, got {type(one).__name__}")
    if not given:
        raise ValueError(f"{name}: expected at least one text, got none")
    return list(given)


def _numbered(one: Heard, k: int, count: int) -> Heard:
    """Return what was heard, with the number of its text in its name where there are several."""
    name = one.name if count == 1 else f"text {k + 1}, {one.name}"
    return replace(one, name=name)


def _notes(each: list[Attention], *, join: bool, special: bool, wrote: bool) -> list[str]:
    """Return what the picture says of what it leaves out."""
    notes = []
    if join:
        notes.append(
            "The pieces of a word are joined: it attends as they do on average, "
            "and gets what they get together."
        )
    if not special:
        notes.append("Special tokens are hidden, and what they get with them.")
    if special and any(
        ((sums := one.weights.sum(-1)) > 1e-4).any() and sums[sums > 1e-4].min() < 0.99 for one in each
    ):
        notes.append("Some rows sum to less than 1: a head may attend to nothing.")
    if wrote and any(one.name.endswith("cross-attention") for one in each):
        notes.append("The decoder wrote by itself, always the likeliest.")
    return notes
