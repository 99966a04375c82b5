"""A training step of the LSTM encoder–decoder with each score, beside fused `nn.LSTM` without attention."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from benchmarks.timing import Row, Timer
from unrolled.nn.score import SCORES
from unrolled.nn.seq2seq import Seq2Seq, Seq2SeqConfig

__all__ = ["CAPTIONS", "SMALL", "Plain", "Sizes", "measure"]


@dataclass(frozen=True)
class Sizes:
    """A batch of sentence pairs, and the model that learns from it."""

    name: str = "71 and 104 words"
    batch: int = 64
    source_len: int = 24
    target_len: int = 24
    source_vocab_size: int = 71
    target_vocab_size: int = 104
    d_model: int = 64
    d_hidden: int = 128


SMALL = Sizes()
"""The recipe of chapters 2 and 3."""
CAPTIONS = Sizes(
    "captions", 64, 16, 16, source_vocab_size=5000, target_vocab_size=5000, d_model=128, d_hidden=256
)
"""The size of chapter 9's ladder."""


class Plain(nn.Module):
    """Encoder and decoder of `nn.LSTM`, and nothing between them but the last state."""

    def __init__(self, s: Sizes) -> None:
        super().__init__()
        self.source_embedding = nn.Embedding(s.source_vocab_size, s.d_model)
        self.target_embedding = nn.Embedding(s.target_vocab_size, s.d_model)
        self.encoder = nn.LSTM(s.d_model, s.d_hidden // 2, batch_first=True, bidirectional=True)
        self.decoder = nn.LSTM(s.d_model, s.d_hidden, batch_first=True)
        self.lm_head = nn.Linear(s.d_hidden, s.target_vocab_size)

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        _, (h, c) = self.encoder(self.source_embedding(source))
        state = tuple(torch.cat([part[0], part[1]], dim=-1)[None] for part in (h, c))
        hidden, _ = self.decoder(self.target_embedding(target), state)
        logits: Tensor = self.lm_head(hidden)
        return logits


def measure(timer: Timer, sizes: tuple[Sizes, ...] = (SMALL, CAPTIONS)) -> Iterator[Row]:
    """Without attention and with each of the scores, under teacher forcing; all sentences of full length."""
    for s in sizes:
        torch.manual_seed(0)
        source = torch.randint(s.source_vocab_size, (s.batch, s.source_len))
        target = torch.randint(s.target_vocab_size, (s.batch, s.target_len + 1))
        for score in (None, *SCORES):
            config = Seq2SeqConfig(
                s.source_vocab_size, s.target_vocab_size, s.d_model, s.d_hidden, score=score
            )
            ours = _step(Seq2Seq(config), source, target)
            race = timer.race(ours, nn_LSTM_no_attention=_step(Plain(s), source, target))
            name = f"seq2seq step, {s.name}, {'no attention' if score is None else score + ' score'}"
            at_least = 0.9 if score == "dot" else None
            yield race.row(name, "nn_LSTM_no_attention", at_least=at_least, work=s.batch * s.target_len)


def _step(model: nn.Module, source: Tensor, target: Tensor) -> Callable[[], None]:
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)

    def run() -> None:
        logits = model(source, target[:, :-1])
        cross_entropy(logits.flatten(0, 1), target[:, 1:].flatten()).backward()
        optimizer.step()
        optimizer.zero_grad()

    return run
