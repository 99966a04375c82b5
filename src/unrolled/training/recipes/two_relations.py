"""Find two numbers at two places: one head or two. Taught in chapter 6."""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor, nn

from unrolled.data.relations import NAMES, NUMBERS, RELATIONS, two_relations
from unrolled.data.seeds import seeded
from unrolled.nn.feedforward import FeedForward
from unrolled.nn.multihead import MultiHeadAttention
from unrolled.probe import head_columns
from unrolled.shapes import ShapeError
from unrolled.tap import record
from unrolled.training.loss import cross_entropy
from unrolled.training.options import option
from unrolled.training.recipe import Recipe
from unrolled.training.task import Batch, GenerateOptions, Split

__all__ = ["TableReader", "TwoRelations", "TwoRelationsTask", "copy_without_head"]


@dataclass(frozen=True, kw_only=True)
class TwoRelations(Recipe):
    """Options of the two relations."""

    name = "two-relations"
    about = "one layer of attention learns to report a friend's and a boss's number, with one head or two"
    legend: ClassVar[Mapping[str, str]] = {
        "friend": "share (0 to 1) of people for whom the friend's number comes out right",
        "boss": "share (0 to 1) of people for whom the boss's number comes out right",
        "both": "share (0 to 1) of people for whom both do",
        "both, a head less": "the same without the head that is missed most",
        "pair": (
            "share (0 to 1) of people with two different numbers for whom the right two are named, "
            "in either order"
        ),
        "weight on the *": "mean attention weight (0 to 1) there, by the head that gives most",
    }

    steps: int = 600
    lr: float = 1e-2
    batch: int = 128
    people: int = option(6, "people at a table", low=3, high=len(NAMES))
    n_heads: int = option(2, "attention heads", low=1)
    d_model: int = option(32, "components per person, shared out among the heads", low=1)
    d_ff: int = option(0, "numbers within a feed-forward behind the attention; 0 for none", low=0)
    epoch: int = option(100, "steps that make an epoch", unit="steps", low=1)

    def model(self) -> "TableReader":
        """Return the attention layer with its embeddings and its readout."""
        return TableReader(self.n_heads, self.d_model, self.d_ff)

    def task(self, data: Path | None = None) -> "TwoRelationsTask":
        """Return the task; nothing is read from `data`."""
        return TwoRelationsTask(self)


class TableReader(nn.Module):
    """One layer of attention over the people of a table, and a linear layer that reads two numbers off.

    What a person knows (name, friend, boss, number) is four vectors, added up. There are no positions and no
    path around the attention: what it does not fetch is not there.

    Args:
        n_heads: attention heads.
        d_model: components per person.
        d_ff: numbers within a feed-forward behind the attention; 0 for none.
    """

    def __init__(self, n_heads: int = 2, d_model: int = 32, d_ff: int = 0) -> None:
        super().__init__()
        sizes = (len(NAMES), len(NAMES), len(NAMES), NUMBERS)
        tables = [nn.Embedding(size, d_model) for size in sizes]
        for table in tables:
            nn.init.normal_(table.weight, std=0.5)
        self.embeddings = nn.ModuleList(tables)
        self.attention = MultiHeadAttention(d_model, n_heads, bias=False)
        self.ff = FeedForward(d_model, d_ff) if d_ff else nn.Identity()
        self.read = nn.Linear(d_model, len(RELATIONS) * NUMBERS)

    def embed(self, tokens: Tensor) -> Tensor:
        """Return one vector per person, ``[B, T, 4] -> [B, T, D]``."""
        if tokens.dim() != 3 or tokens.shape[2] != len(self.embeddings):
            raise ShapeError(f"tokens: expected [B, T, {len(self.embeddings)}], got {list(tokens.shape)}")
        return torch.stack([embed(tokens[..., i]) for i, embed in enumerate(self.embeddings)]).sum(0)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the logits of the friend's and the boss's number, ``[B, T, 4] -> [B, T, 2, 10]``.

        Raises:
            ShapeError: `tokens` has another shape.
        """
        context = self.attention(self.embed(tokens))  # [B, T, D]
        logits: Tensor = self.read(self.ff(context))  # [B, T, 2 · 10]
        return logits.view(*logits.shape[:2], len(RELATIONS), NUMBERS)


def copy_without_head(model: TableReader, head: int) -> TableReader:
    """Return a copy of `model` in which one head says nothing: its columns of `out_proj` are zero.

    Raises:
        ValueError: there is no such head.
    """
    columns = head_columns(model.attention, head)
    mute = copy.deepcopy(model)
    with torch.no_grad():
        mute.attention.out_proj.weight[:, columns] = 0
    return mute


class TwoRelationsTask:
    """Tables of people, and the model that reports two numbers for each."""

    writes_with: ClassVar[tuple[str, ...]] = ()

    def __init__(self, recipe: TwoRelations) -> None:
        self.recipe = recipe
        self.model = recipe.model()

    def batches(self, split: Split, seed: int, epoch: int) -> Iterator[Batch]:
        """Yield batches ``tokens`` ``[B, T, 4]`` and ``answers`` ``[B, T, 2]``."""
        r = self.recipe
        g = seeded("two-relations", split, seed, epoch)
        for _ in range(r.epoch if split == "train" else 4):
            tables = two_relations(r.batch, seed=g, people=r.people)
            yield {"tokens": tables.tokens, "answers": tables.answers}

    def loss(self, model: TableReader, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the summed cross-entropy of the numbers, and how many there are."""
        smoothing = self.recipe.label_smoothing if model.training else 0.0
        return cross_entropy(model(batch["tokens"]), batch["answers"], label_smoothing=smoothing)

    def evaluate(self, model: TableReader) -> dict[str, float]:
        """Return shares of 6,000 people: the friend's number right, the boss's, both, and the pair.

        The pair is right when the two numbers named most are the right ones, never mind which is whose; only
        people whose friend and boss hold different numbers count. ``both, a head less`` is what is left of
        both when the head is taken out that is missed most. ``weight on the friend`` and ``weight on the
        boss`` are means over people of the attention given there, by the head that gives most.
        """
        r, device = self.recipe, next(model.parameters()).device
        tables = two_relations(1000, seed=seeded("two-relations", "test"), people=r.people)
        answers = tables.answers.to(device)
        with record(model, "attention.weights") as heard:
            logits = model(tables.tokens.to(device))  # [B, T, 2, 10]
        right = logits.argmax(-1) == answers
        named = logits.softmax(-1).sum(2).topk(2).indices  # [B, T, 2]
        differ = answers[..., 0] != answers[..., 1]
        pair = (named.sort(-1).values == answers.sort(-1).values).all(-1)[differ]
        maps = heard["attention.weights"][0]  # [B, H, T, T]
        found = torch.einsum("bhts,brts->hr", maps, tables.alignment.to(device)) / right[..., 0].numel()
        heads = range(model.attention.n_heads)
        less = [
            copy_without_head(model, head)(tables.tokens.to(device)).argmax(-1) == answers for head in heads
        ]
        return {
            "friend": right[..., 0].float().mean().item(),
            "boss": right[..., 1].float().mean().item(),
            "both": right.all(-1).float().mean().item(),
            "both, a head less": min(left.all(-1).float().mean().item() for left in less),
            "pair": pair.float().mean().item(),
            "weight on the friend": found[:, 0].max().item(),
            "weight on the boss": found[:, 1].max().item(),
        }

    def write(self, model: TableReader, prompt: str, options: GenerateOptions) -> str:
        """Return what the model says about a table of a seed, such as ``3``."""
        if not prompt.strip().isdecimal():
            raise ValueError(f"expected the number of a table, such as 3, got {prompt!r}")
        tables = two_relations(1, seed=int(prompt), people=self.recipe.people)
        said = model(tables.tokens.to(next(model.parameters()).device)).argmax(-1)[0].tolist()
        names = [NAMES[name] for name in tables.tokens[0, :, 0].tolist()]
        lines = [
            f"{who}: friend {friend}, boss {boss}" for who, (friend, boss) in zip(names, said, strict=True)
        ]
        return "\n".join(lines)
