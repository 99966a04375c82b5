"""One way to ask any encoder–decoder for the next token, so that one search serves all of them.

.. code-block:: text

    start(source) -> state
    step(tokens, state) -> logits, state      for each token written
    reorder(state, rows) -> state            when a search keeps some hypotheses and drops others
"""

from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Int
from torch import Tensor

from unrolled.nn.cache import DecoderCache
from unrolled.nn.masks import padding_mask
from unrolled.nn.seq2seq import Memory, Seq2Seq
from unrolled.nn.transformer import Transformer
from unrolled.shapes import Lengths, Mask, Sequence, ShapeError, check_shape, check_sizes

__all__ = [
    "RecurrentStepDecoder",
    "StepDecoder",
    "TransformerStepDecoder",
    "check_options",
    "check_source",
    "step_decoder",
]


@runtime_checkable
class StepDecoder(Protocol):
    """What greedy and beam search ask of a model.

    Attributes:
        vocab_size: tokens of the target language.

    Example:
        >>> from unrolled.generate import StepDecoder, step_decoder
        >>> from unrolled.nn import Seq2Seq, Seq2SeqConfig
        >>> decoder = step_decoder(Seq2Seq(Seq2SeqConfig(source_vocab_size=11, target_vocab_size=13)))
        >>> isinstance(decoder, StepDecoder), decoder.vocab_size
        (True, 13)
    """

    vocab_size: int

    def start(self, source: Int[Tensor, "B S"], lengths: Lengths | None, max_len: int) -> Any:
        """Read the source ``[B, S]``; return the state in which at most `max_len` tokens can be written."""

    def step(self, tokens: Tensor, state: Any) -> tuple[Tensor, Any]:
        """Return logits ``[B, V]`` after `tokens` ``[B]``, the newest of each row, and the state."""

    def reorder(self, state: Any, rows: Tensor) -> Any:
        """Return the state of the given rows ``[B']``, in that order; a row may come more than once."""


def _append(written: Tensor | None, tokens: Tensor) -> Tensor:
    return tokens[:, None] if written is None else torch.cat([written, tokens[:, None]], dim=1)


@dataclass(frozen=True)
class _RecurrentState:
    memory: Memory
    hidden: tuple[Tensor, ...] | None = None
    written: Tensor | None = None


class RecurrentStepDecoder:
    """A `Seq2Seq`, token by token: its hidden state is all the cache it needs.

    Args:
        model: the encoder–decoder.
        cache: whether to keep the state; without, everything written is read again at every step.

    Example:
        >>> from unrolled.generate.decoders import RecurrentStepDecoder
        >>> from unrolled.nn import Seq2Seq, Seq2SeqConfig
        >>> config = Seq2SeqConfig(source_vocab_size=11, target_vocab_size=13)
        >>> RecurrentStepDecoder(Seq2Seq(config)).vocab_size
        13
    """

    def __init__(self, model: Seq2Seq, cache: bool = True) -> None:
        self.model, self.cache = model, cache
        self.vocab_size = model.config.target_vocab_size

    def start(self, source: Int[Tensor, "B S"], lengths: Lengths | None, max_len: int) -> _RecurrentState:
        """Encode the source; a recurrent network may write as long as it likes."""
        return _RecurrentState(self.model.encode(source, lengths))

    def step(self, tokens: Tensor, state: _RecurrentState) -> tuple[Tensor, _RecurrentState]:
        """Return logits ``[B, V]`` after `tokens` ``[B]``, and the state."""
        if not self.cache:
            written = _append(state.written, tokens)
            logits, _ = self.model.decode(written, state.memory)
            state = replace(state, written=written)
        else:
            logits, hidden = self.model.decode(tokens[:, None], state.memory, state.hidden)
            state = replace(state, hidden=hidden)
        return logits[:, -1], state

    def reorder(self, state: _RecurrentState, rows: Tensor) -> _RecurrentState:
        """Return the state of the given rows."""
        first, outputs, mask = state.memory
        memory = Memory(
            tuple(part.index_select(1, rows) for part in first),
            outputs.index_select(0, rows),
            None if mask is None else mask.index_select(0, rows),
        )
        return _RecurrentState(
            memory,
            None if state.hidden is None else tuple(part.index_select(1, rows) for part in state.hidden),
            None if state.written is None else state.written.index_select(0, rows),
        )


@dataclass(frozen=True)
class _TransformerState:
    memory: Sequence
    mask: Mask | None
    cache: DecoderCache | None
    written: Tensor | None = None


class TransformerStepDecoder:
    """A `Transformer`, token by token, with keys and values kept from step to step.

    Args:
        model: the encoder–decoder.
        cache: whether to keep them; without, everything written is read again at every step.

    Example:
        >>> from unrolled.generate.decoders import TransformerStepDecoder
        >>> from unrolled.nn import Transformer, TransformerConfig
        >>> config = TransformerConfig(11, 13, d_model=8, n_heads=2, n_layers=1)
        >>> TransformerStepDecoder(Transformer(config)).vocab_size
        13
    """

    def __init__(self, model: Transformer, cache: bool = True) -> None:
        self.model, self.cache = model, cache
        self.vocab_size = model.config.target_vocab_size

    def start(self, source: Int[Tensor, "B S"], lengths: Lengths | None, max_len: int) -> _TransformerState:
        """Encode the source.

        Raises:
            ValueError: the model has no positions for `max_len` tokens.
        """
        if max_len > self.model.config.max_len:
            raise ValueError(f"max_len: the model writes at most {self.model.config.max_len}, got {max_len}")
        check_shape("source", source, "B S")
        mask = None
        if lengths is not None:
            check_shape("lengths", lengths, "B", B=source.shape[0])
            mask = padding_mask(lengths, source.shape[1])
        memory = self.model.encode(source, mask)
        kept = self.model.new_cache(source.shape[1], max_len) if self.cache else None
        return _TransformerState(memory, mask, kept)

    def step(self, tokens: Tensor, state: _TransformerState) -> tuple[Tensor, _TransformerState]:
        """Return logits ``[B, V]`` after `tokens` ``[B]``, and the state; a cache grows in place."""
        if state.cache is None:
            written = _append(state.written, tokens)
            logits = self.model.decode(written, state.memory, state.mask)
            state = replace(state, written=written)
        else:
            logits = self.model.decode(tokens[:, None], state.memory, state.mask, cache=state.cache)
        return logits[:, -1], state

    def reorder(self, state: _TransformerState, rows: Tensor) -> _TransformerState:
        """Return the state of the given rows; a cache is reordered in place."""
        if state.cache is not None:
            state.cache.reorder(rows)
        return _TransformerState(
            state.memory.index_select(0, rows),
            None if state.mask is None else state.mask.index_select(0, rows),
            state.cache,
            None if state.written is None else state.written.index_select(0, rows),
        )


def step_decoder(model: Seq2Seq | Transformer | StepDecoder, cache: bool = True) -> StepDecoder:
    """Return `model` as a `StepDecoder`; what already is one is returned as it is.

    Raises:
        TypeError: nobody knows how to ask this model for its next token.

    Example:
        >>> import torch
        >>> from unrolled.generate import step_decoder
        >>> from unrolled.nn import Seq2Seq, Seq2SeqConfig
        >>> decoder = step_decoder(Seq2Seq(Seq2SeqConfig(source_vocab_size=11, target_vocab_size=13)).eval())
        >>> state = decoder.start(torch.tensor([[5, 7, 2]]), None, 6)
        >>> logits, state = decoder.step(torch.tensor([1]), state)
        >>> logits.shape
        torch.Size([1, 13])
    """
    if isinstance(model, Seq2Seq):
        return RecurrentStepDecoder(model, cache)
    if isinstance(model, Transformer):
        return TransformerStepDecoder(model, cache)
    if isinstance(model, StepDecoder):
        return model
    raise TypeError(
        "expected a Seq2Seq, a Transformer, or an object with vocab_size, start, step and reorder, "
        f"got {type(model).__name__}"
    )


def check_source(source: Tensor) -> None:
    """Raise unless there is something to translate.

    Raises:
        ShapeError: the source is not ``[B, S]``, or has no tokens.
    """
    check_shape("source", source, "B S")
    if source.shape[1] == 0:
        raise ShapeError(f"source: expected at least one token, got {list(source.shape)}")


def check_options(decoder: StepDecoder, max_len: int, **tokens: int) -> None:
    """Raise unless the named tokens are in the vocabulary and there is room for one.

    Raises:
        ValueError: a token is not, or `max_len` is below 1.
    """
    check_sizes(max_len=max_len)
    for name, token in tokens.items():
        if not 0 <= token < decoder.vocab_size:
            raise ValueError(f"{name}: expected a token from 0 to {decoder.vocab_size - 1}, got {token}")
