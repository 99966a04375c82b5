"""How many pairs does a layer remember? Attention beside its linear kin. Taught in chapter 17."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from unrolled.data.recall import N_KEYS, N_VALUES, Recall, pairs_to_recall
from unrolled.data.seeds import seeded
from unrolled.nn import (
    AttentionBlock,
    DeltaAttention,
    GatedLinearAttention,
    HeadParts,
    LinearAttention,
    MultiHeadAttention,
    Parts,
)
from unrolled.training.loss import cross_entropy
from unrolled.training.options import option
from unrolled.training.recipe import Recipe
from unrolled.training.task import Batch, Split

__all__ = ["Layer", "PairRecall", "PairRecallTask", "RecallModel"]

Layer = Literal[
    "softmax",
    "linear",
    "linear_norm",
    "linear_plain",
    "gated",
    "gated_plain",
    "delta",
    "delta_no_silu",
    "gated_delta",
    "lstm",
]
"""What looks the pairs up."""


@dataclass(frozen=True, kw_only=True)
class PairRecall(Recipe):
    """Options of the recall of pairs."""

    name = "recall"
    about = "one layer reads pairs of a key and a value, and is asked for the value of each key"
    legend: ClassVar[Mapping[str, str]] = {
        "accuracy": "share (0 to 1) of queries that get the right one of 32 values; guessing gives 0.03",
    }

    steps: int = 300
    lr: float = 1e-2
    weight_decay: float = 0.0
    validate_every: int = 0
    layer: Layer = option("softmax", "what remembers")  # noqa: RUF009
    pairs: int = option(16, "different keys in a sequence", low=1, high=N_KEYS)
    writes: int = option(1, "how often each key is written, with a new value each time", low=1)
    separate: bool = option(False, "a key and its value are two tokens, not one")
    shift: bool = option(False, "the layer sees each token together with the one before")
    d_model: int = option(64, "components per token", low=1)
    d_head: int = option(
        16, "components of keys and values: the state is their square; units of an LSTM", low=1
    )
    epoch: int = option(100, "steps that make an epoch", unit="steps", low=1)

    def model(self) -> "RecallModel":
        """Return the layer in a block, between embeddings and logits."""
        return RecallModel(_block(self.layer, self.d_model, self.d_head), self.d_model, shift=self.shift)

    def task(self, data: Path | None = None) -> "PairRecallTask":
        """Return the task; nothing is read from `data`."""
        return PairRecallTask(self)


class RecallModel(nn.Module):
    """Keys and values become vectors, are added up, go through one causal block, and become logits.

    Args:
        block: from ``[B, T, D]`` to ``[B, T, D]``, causal.
        d_model: D.
        shift: whether each token is joined with the one before it first.
    """

    def __init__(self, block: nn.Module, d_model: int, *, shift: bool = False) -> None:
        super().__init__()
        self.key_embedding = nn.Embedding(N_KEYS + 1, d_model)
        self.value_embedding = nn.Embedding(N_VALUES + 1, d_model)
        self.mix = nn.Linear(2 * d_model, d_model) if shift else None
        self.block = block
        self.final_norm = nn.LayerNorm(d_model)
        self.head = nn.Linear(d_model, N_VALUES)

    def forward(self, keys: Tensor, values: Tensor) -> Tensor:
        """Return logits of the values 1 to `N_VALUES` at every position, ``[B, T, N_VALUES]``."""
        x = self.key_embedding(keys + 1) + self.value_embedding(values)  # [B, T, D]
        if self.mix is not None:
            before = torch.cat([torch.zeros_like(x[:, :1]), x[:, :-1]], 1)
            x = self.mix(torch.cat([x, before], -1))
        logits: Tensor = self.head(self.final_norm(self.block(x)))
        return logits


class _Causal(nn.Module):
    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.block = block

    def forward(self, x: Tensor) -> Tensor:
        after: Tensor = self.block(x, causal=True)
        return after


class _Recurrent(nn.Module):
    """An LSTM in the place of attention: norm, LSTM, projection, and a path around them."""

    def __init__(self, d_model: int, d_hidden: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(d_model)
        self.lstm = nn.LSTM(d_model, d_hidden, batch_first=True)
        self.out_proj = nn.Linear(d_hidden, d_model, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        added: Tensor = self.out_proj(self.lstm(self.norm(x))[0])
        return x + added


def _unit(x: Tensor) -> Tensor:
    return normalize(x, dim=-1)


def _as_it_is(x: Tensor) -> Tensor:
    return x


def _block(layer: Layer, d_model: int, d_head: int) -> nn.Module:
    if layer == "lstm":
        return _Recurrent(d_model, d_head)
    attention: dict[str, Callable[..., nn.Module]] = {
        "softmax": partial(MultiHeadAttention, bias=False, parts=HeadParts(d_head=d_head)),
        "linear": partial(LinearAttention, d_head=d_head, norm=None),
        "linear_norm": partial(LinearAttention, d_head=d_head),
        "linear_plain": partial(LinearAttention, d_head=d_head, features=_as_it_is),
        "gated": partial(GatedLinearAttention, d_head=d_head),
        "gated_plain": partial(GatedLinearAttention, d_head=d_head, features=_as_it_is),
        "delta": partial(DeltaAttention, d_head=d_head),
        "delta_no_silu": partial(DeltaAttention, d_head=d_head, features=_unit),
        "gated_delta": partial(DeltaAttention, d_head=d_head, gated=True),
    }
    return _Causal(AttentionBlock(d_model, 1, parts=Parts(attention=attention[layer])))


class PairRecallTask:
    """Pairs to read, keys to be asked for, and the model that remembers."""

    def __init__(self, recipe: PairRecall) -> None:
        self.recipe = recipe
        self.model = recipe.model()

    def _draw(self, n: int, *parts: str | int) -> Recall:
        r = self.recipe
        return pairs_to_recall(n, r.pairs, seeded("recall", *parts), writes=r.writes, separate=r.separate)

    def batches(self, split: Split, seed: int, epoch: int) -> Iterator[Batch]:
        """Yield batches ``keys`` and ``values`` ``[B, T]`` and ``answers`` ``[B, pairs]``, always new."""
        for i in range(self.recipe.epoch if split == "train" else 4):
            yield self._draw(self.recipe.batch, split, seed, epoch, i)._asdict()

    def loss(self, model: nn.Module, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the summed cross-entropy of the answers, and how many there are."""
        answers = batch["answers"]
        logits = model(batch["keys"], batch["values"])[:, -answers.shape[1] :]
        smoothing = self.recipe.label_smoothing if model.training else 0.0
        return cross_entropy(logits, answers - 1, label_smoothing=smoothing)

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """Return the share of right answers over 500 new sequences."""
        drawn, device = self._draw(500, "test"), next(model.parameters()).device
        logits = model(drawn.keys.to(device), drawn.values.to(device))[:, -self.recipe.pairs :]
        right = logits.argmax(-1).cpu() + 1 == drawn.answers
        return {"accuracy": float(right.double().mean())}
