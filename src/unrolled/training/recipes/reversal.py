"""Read a row of symbols, write it backwards: a task whose attention map is known. Taught in chapter 3."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import torch
from torch import Tensor

from unrolled._typed import plain_text
from unrolled.data.batches import IGNORED
from unrolled.data.seeds import derived_seed
from unrolled.data.sequences import FIRST_SYMBOL, Transduction, reversal
from unrolled.data.special_tokens import SPECIAL
from unrolled.generate import translate
from unrolled.nn.seq2seq import Seq2Seq, Seq2SeqConfig
from unrolled.tap import record
from unrolled.training.loss import cross_entropy
from unrolled.training.options import option
from unrolled.training.recipe import Recipe
from unrolled.training.task import Batch, GenerateOptions, Split

__all__ = ["Reversal", "ReversalTask"]

_TEST_ROWS = 300  # for each range of lengths


@dataclass(frozen=True, kw_only=True)
class Reversal(Recipe):
    """Options of the reversal task."""

    name = "reversal"
    about = "an LSTM with attention learns to write a row of letters backwards"
    legend: ClassVar[Mapping[str, str]] = {
        "exact *": "share (0 to 1) of rows of so many letters that come back wholly right, written greedily",
        "argmax *": (
            "share (0 to 1) of steps whose greatest attention weight is on the letter that is written"
        ),
        "early *": "share (0 to 1) of steps whose greatest weight is on the letter of the step before",
        "late *": "share (0 to 1) of steps whose greatest weight is on the letter of the step after",
        "mass *": "mean weight (0 to 1) on the letter that is written",
    }

    steps: int = 800
    lr: float = 4e-3
    symbols: int = option(10, "letters of the alphabet", unit="letters", low=2, high=26)
    shortest: int = option(3, "shortest row", unit="letters", low=1)
    longest: int = option(12, "longest row", unit="letters", low=1)
    epoch: int = option(100, "steps that make an epoch", unit="steps", low=1)
    score: Literal["dot", "scaled_dot", "general", "additive"] | None = option(
        "dot", "how the decoder compares its state with the encoder's; none for no attention"
    )
    d_model: int = option(32, "components per word vector", low=1)
    d_hidden: int = option(64, "components per state", low=2)

    def __post_init__(self) -> None:
        """Refuse lengths in the wrong order."""
        super().__post_init__()
        if self.longest < self.shortest:
            raise ValueError(f"longest: expected at least shortest={self.shortest}, got {self.longest}")

    def model(self) -> Seq2Seq:
        """Return the LSTM encoder and decoder."""
        size = FIRST_SYMBOL + self.symbols
        return Seq2Seq(Seq2SeqConfig(size, size, self.d_model, self.d_hidden, score=self.score))

    def task(self, data: Path | None = None) -> "ReversalTask":
        """Return the task; nothing is read from `data`."""
        return ReversalTask(self)


class ReversalTask:
    """Rows of random letters, and the model that turns them round."""

    writes_with: ClassVar[tuple[str, ...]] = ()

    def __init__(self, recipe: Reversal) -> None:
        self.recipe = recipe
        self.model = recipe.model()

    @property
    def ranges(self) -> list[tuple[int, int]]:
        """Lengths to test: those of training, up to one and a half times the longest, up to twice."""
        r = self.recipe
        ends = [r.longest, 3 * r.longest // 2, 2 * r.longest]
        starts = [r.shortest, ends[0] + 1, ends[1] + 1]
        return [(low, high) for low, high in zip(starts, ends, strict=True) if low <= high]

    def rows(self, n: int, low: int, high: int, *seed: str | int) -> Transduction:
        """Return `n` rows of `low` to `high` letters, decided by the parts of `seed`."""
        number = derived_seed("reversal", *seed)
        return reversal(n, seed=number, min_len=low, max_len=high, n_symbols=self.recipe.symbols)

    def batches(self, split: Split, seed: int, epoch: int) -> Iterator[Batch]:
        """Yield ``source`` ``[B, S]``, ``lengths`` ``[B]``, ``target`` and ``labels`` ``[B, S + 1]``."""
        r = self.recipe
        for i in range(r.epoch if split == "train" else 4):
            yield self.batch(self.rows(r.batch, r.shortest, r.longest, split, seed, epoch, i))

    @staticmethod
    def batch(rows: Transduction) -> Batch:
        """Return rows for teacher forcing: `labels` end in ``<eos>``, what is behind it is `IGNORED`."""
        edge = rows.target.new_zeros(len(rows.target), 1)
        labels = torch.cat([rows.target, edge], 1)
        steps = torch.arange(labels.shape[1])
        labels = labels.masked_fill(steps == rows.lengths[:, None], SPECIAL.eos)
        return {
            "source": rows.source,
            "lengths": rows.lengths,
            "target": torch.cat([edge + SPECIAL.bos, rows.target], 1),
            "labels": labels.masked_fill(steps > rows.lengths[:, None], IGNORED),
        }

    def loss(self, model: Seq2Seq, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the summed cross-entropy of the letters written, and how many there are."""
        logits = model(batch["source"], batch["target"], batch["lengths"])
        smoothing = self.recipe.label_smoothing if model.training else 0.0
        return cross_entropy(logits, batch["labels"], label_smoothing=smoothing)

    def attention(self, model: Seq2Seq, rows: Transduction) -> Tensor:
        """Return the attention map ``[B, S, S]`` of the steps that write letters, under teacher forcing.

        Row t belongs to letter t of the answer, as in `Transduction.alignment`.

        Raises:
            LookupError: the model has no attention.
        """
        batch, device = self.batch(rows), next(model.parameters()).device
        with torch.no_grad(), record(model, "weights") as heard:
            model(*(batch[name].to(device) for name in ("source", "target", "lengths")))
        return heard["weights"][0][:, :-1].cpu()  # the last step writes <eos>: it has no letter to look at

    def evaluate(self, model: Seq2Seq) -> dict[str, float]:
        """Return figures for every range of lengths, such as ``exact 3-12``.

        ========== ==========================================================================================
        exact      share of rows that come back wholly right, written greedily
        argmax     share of steps whose greatest weight is on the letter that is written
        early      share of steps whose greatest weight is on the letter of the step before
        late       share of steps whose greatest weight is on the letter of the step after
        mass       mean weight on the letter that is written
        ========== ==========================================================================================

        All but the first are of the attention map, under teacher forcing; without attention there are none.
        """
        figures: dict[str, float] = {}
        for low, high in self.ranges:
            rows, of = self.rows(_TEST_ROWS, low, high, "test", low, high), f"{low}-{high}"
            figures[f"exact {of}"] = self._exact(model, rows)
            if model.score is not None:
                weights, asked = self.attention(model, rows), rows.alignment.sum(-1) > 0  # [B, S, S], [B, S]
                # On which letter of the row is the greatest weight, and on which should it be?
                distance = (weights.argmax(-1) - rows.alignment.argmax(-1))[asked]
                for name, places in (("argmax", 0), ("early", 1), ("late", -1)):
                    figures[f"{name} {of}"] = float((distance == places).double().mean())
                figures[f"mass {of}"] = float((weights * rows.alignment).sum(-1)[asked].double().mean())
        return figures

    def _exact(self, model: Seq2Seq, rows: Transduction) -> float:
        labels = self.batch(rows)["labels"]
        written = self._write(model, rows.source, rows.lengths)
        # What was written may be shorter than the longest row, or longer than this one.
        whole = torch.full_like(labels, SPECIAL.eos)
        whole[:, : written.shape[1]] = written
        return float(((whole == labels) | (labels == IGNORED)).all(1).double().mean())

    @staticmethod
    def _write(model: Seq2Seq, source: Tensor, lengths: Tensor) -> Tensor:
        device = next(model.parameters()).device
        return translate(
            model,
            source.to(device),
            bos=SPECIAL.bos,
            eos=SPECIAL.eos,
            max_len=source.shape[1] + 1,
            lengths=lengths.to(device),
        ).cpu()

    def write(self, model: Seq2Seq, prompt: str, options: GenerateOptions) -> str:
        """Return what the model makes of letters such as ``a b c``; spaces do not count."""
        alphabet = "abcdefghijklmnopqrstuvwxyz"[: self.recipe.symbols]
        letters = plain_text(prompt).replace(" ", "").lower()
        wrong = sorted(set(letters) - set(alphabet))
        if not letters or wrong:
            raise ValueError(f"expected letters from a to {alphabet[-1]}, got {' '.join(wrong) or 'none'}")
        source = torch.tensor([[alphabet.index(letter) + FIRST_SYMBOL for letter in letters]])
        (words,) = self._write(model, source, torch.tensor([len(letters)])).tolist()
        words = words[: words.index(SPECIAL.eos)] if SPECIAL.eos in words else words
        return " ".join(alphabet[word - FIRST_SYMBOL] for word in words if word >= FIRST_SYMBOL)
