r"""Sequence to sequence with LSTMs, without attention and with it. Taught in chapters 2 and 3.

::

    let's    go   <eos>                   <eos>       vamos
      |      |      |                       |           |
    LSTM -> LSTM -> LSTM -- last state --> LSTM -----> LSTM
      |      |      |                       |           |
      +------+------+--- all states --> attention   attention      only with a score
                                            |           |
                                          vamos       <eos>

Without a score the decoder gets one vector (the encoder's last state) to carry the whole sentence. With a
score every step of the decoder also looks at every step of the encoder (Luong et al., 2015):

.. math::
    a_{ij} = \mathrm{softmax}_j\, s(h_i, \bar h_j), \qquad c_i = \sum_j a_{ij} \bar h_j, \qquad
    \tilde h_i = \tanh(W [c_i; h_i])

No step of the decoder feeds on a context, so under teacher forcing all steps run at once, whatever the score.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from unrolled.nn.functional import attend, attention_weights
from unrolled.nn.masks import padding_mask
from unrolled.nn.recurrent import LSTM
from unrolled.nn.score import make_score
from unrolled.shapes import (
    Lengths,
    Mask,
    ShapeError,
    SourceTokens,
    Tokens,
    check_integers,
    check_shape,
    check_share,
    check_sizes,
)
from unrolled.tap import Tap

__all__ = ["Memory", "Seq2Seq", "Seq2SeqConfig"]

# What parts of a model were called in weights that were stored earlier.
_FORMER = {"source_embed": "source_embedding", "target_embed": "target_embedding", "head": "lm_head"}


@dataclass(frozen=True)
class Seq2SeqConfig:
    """The shape of a `Seq2Seq` model.

    Attributes:
        source_vocab_size: tokens of the source language.
        target_vocab_size: tokens of the target language.
        d_model: components per token vector.
        d_hidden: components per decoder state, and per encoder output (both directions together).
        n_layers: LSTM layers in the encoder and in the decoder.
        bidirectional: whether the encoder also reads backwards, with half of `d_hidden` for each direction.
        score: ``dot``, ``scaled_dot``, ``general``, ``additive``, or None for no attention.
        dropout: fraction of components set to zero while training.

    Example:
        >>> from unrolled.nn import Seq2Seq, Seq2SeqConfig
        >>> config = Seq2SeqConfig(source_vocab_size=11, target_vocab_size=13, score=None)
        >>> config.d_hidden, config.bidirectional
        (128, True)
        >>> sum(p.numel() for p in Seq2Seq(config).parameters())
        169101
    """

    source_vocab_size: int
    target_vocab_size: int
    d_model: int = 64
    d_hidden: int = 128
    n_layers: int = 1
    bidirectional: bool = True
    score: str | None = "dot"
    dropout: float = 0.0

    def __post_init__(self) -> None:
        """Refuse sizes that make no model, and a hidden size that two directions cannot share."""
        sizes = ("source_vocab_size", "target_vocab_size", "d_model", "d_hidden", "n_layers")
        check_sizes(**{name: getattr(self, name) for name in sizes})
        check_share(dropout=self.dropout)
        if self.bidirectional and self.d_hidden % 2:
            raise ValueError(f"d_hidden: expected an even number for two directions, got {self.d_hidden}")


class Memory(NamedTuple):
    """What the encoder hands over.

    Attributes:
        state: the decoder's first state, the context vector: h and c, each ``[n_layers, B, d_hidden]``.
        outputs: one vector for each source token ``[B, S, d_hidden]``; only attention looks at them.
        mask: which source tokens are real, ``[B, 1, S]``, or None where all are.

    Example:
        >>> import torch
        >>> from unrolled.nn import Seq2Seq, Seq2SeqConfig
        >>> model = Seq2Seq(Seq2SeqConfig(source_vocab_size=11, target_vocab_size=13, d_hidden=8))
        >>> memory = model.encode(torch.tensor([[1, 5, 7, 2]]))
        >>> memory.outputs.shape  # both directions, side by side
        torch.Size([1, 4, 8])
    """

    state: tuple[Tensor, ...]
    outputs: Tensor
    mask: Mask | None


class Seq2Seq(nn.Module):
    """An LSTM encoder and an LSTM decoder, with attention where the config names a score.

    The taps `scores` (before the mask) and `weights` hear the attention ``[B, T, S]``, `context` what it
    finds ``[B, T, d_hidden]``: all T at once under teacher forcing, one at a time while generating.

    Example:
        >>> import torch
        >>> from unrolled.nn import Seq2Seq, Seq2SeqConfig
        >>> model = Seq2Seq(Seq2SeqConfig(source_vocab_size=11, target_vocab_size=13))
        >>> model(torch.tensor([[1, 5, 7, 2]]), torch.tensor([[1, 4, 4]])).shape
        torch.Size([1, 3, 13])
    """

    def __init__(self, config: Seq2SeqConfig) -> None:
        super().__init__()
        self.config = config
        d_model, d_hidden, n_layers = config.d_model, config.d_hidden, config.n_layers
        self.n_directions = 2 if config.bidirectional else 1
        self.source_embedding = nn.Embedding(config.source_vocab_size, d_model)
        self.target_embedding = nn.Embedding(config.target_vocab_size, d_model)
        self.encoder = LSTM(
            d_model,
            d_hidden // self.n_directions,
            n_layers,
            bidirectional=config.bidirectional,
            dropout=config.dropout,
        )
        self.decoder = LSTM(d_model, d_hidden, n_layers, dropout=config.dropout)
        self.dropout = nn.Dropout(config.dropout)
        self.score: nn.Module | None = None
        if config.score is not None:
            self.score = make_score(config.score, d_hidden, d_hidden)
            self.scores, self.weights, self.context = Tap(), Tap(), Tap()
            # Back to the width of a token vector: nothing wider need be compared with the tokens there are.
            self.combine = nn.Linear(2 * d_hidden, d_model)
        self.lm_head = nn.Linear(d_hidden if config.score is None else d_model, config.target_vocab_size)
        self.register_load_state_dict_pre_hook(_rename_former)  # type: ignore[no-untyped-call]

    def from_former_names(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return weights that were stored under former names of the parameters under those of today."""
        found: dict[str, Tensor] = {}
        for name, tensor in tensors.items():
            part, dot, rest = name.partition(".")
            now = f"{_FORMER.get(part, part)}{dot}{rest}"
            # What the model has itself, or what comes under both names, is left to whoever compares names.
            found[name if hasattr(self, part) or now in tensors else now] = tensor
        return found

    def encode(self, source: SourceTokens, lengths: Lengths | None = None) -> Memory:
        """Read the source ``[B, S]``; `lengths` ``[B]`` says how many tokens of each sentence are real."""
        check_shape("source", source, "B S")
        check_integers("source", source, "integer tokens")
        if source.shape[1] == 0:
            raise ShapeError(f"source: expected at least one token, got {list(source.shape)}")
        outputs, state = self.encoder(self.dropout(self.source_embedding(source)), lengths=lengths)
        # The two directions of a layer stand in neighbouring rows: join them, [L * 2, B, h] -> [L, B, 2 h].
        state = tuple(
            part.unflatten(0, (self.config.n_layers, self.n_directions)).transpose(1, 2).flatten(2)
            for part in state
        )
        mask = None if lengths is None else padding_mask(lengths, source.shape[1])
        return Memory(state, outputs, mask)

    def decode(
        self, target: Tokens, memory: Memory, state: tuple[Tensor, ...] | None = None
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Return logits ``[B, T, target_vocab_size]`` for the token after each of `target`, and the state.

        Args:
            target: tokens ``[B, T]``: all of them under teacher forcing, the last one while generating.
            memory: what `encode` returned.
            state: the decoder's state before `target`; the context vector unless given.
        """
        check_shape("target", target, "B T", B=memory.outputs.shape[0])
        check_integers("target", target, "integer tokens")
        embedded = self.dropout(self.target_embedding(target))
        hidden, state = self.decoder(embedded, memory.state if state is None else state)  # [B, T, d_hidden]
        if self.score is not None:
            scores = self.scores(self.score(hidden, memory.outputs))  # [B, T, S]
            weights = self.weights(attention_weights(scores, memory.mask))
            context = self.context(attend(weights, memory.outputs))  # [B, T, d_hidden]
            hidden = torch.tanh(self.combine(torch.cat([context, hidden], dim=-1)))  # [B, T, d_model]
        return self.lm_head(self.dropout(hidden)), state

    def forward(self, source: SourceTokens, target: Tokens, lengths: Lengths | None = None) -> Tensor:
        """Return logits ``[B, T, target_vocab_size]`` under teacher forcing.

        Args:
            source: source tokens ``[B, S]``.
            target: target tokens ``[B, T]``, shifted right: each position holds the token before its answer.
            lengths: real source tokens of each sentence, ``[B]``; all S unless given.

        Raises:
            ShapeError: the batches differ, or an argument is not ``[B, length]``.
            TypeError: tokens or lengths are not integers.
            ValueError: a length is out of range.
        """
        logits, _ = self.decode(target, self.encode(source, lengths))
        return logits


def _rename_former(model: Seq2Seq, state: dict[str, Tensor], prefix: str, *_: object) -> None:
    given = {name: state.pop(name) for name in [*state] if name.startswith(prefix)}
    own = {name.removeprefix(prefix): tensor for name, tensor in given.items()}
    state.update({f"{prefix}{name}": tensor for name, tensor in model.from_former_names(own).items()})
