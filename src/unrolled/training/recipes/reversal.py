"""Read a row of symbols, write it backwards: a task whose attention map is known. Taught in chapter 3."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from unrolled.data.seeds import seeded
from unrolled.generate import translate
from unrolled.nn.seq2seq import Seq2Seq, Seq2SeqConfig
from unrolled.training.loss import cross_entropy
from unrolled.training.options import option
from unrolled.training.recipe import Recipe
from unrolled.training.task import Batch, GenerateOptions, Split

__all__ = ["Reversal", "ReversalTask"]

_EOS, _BOS, _FIRST = 0, 1, 2  # the symbols follow: a is 2, b is 3, ...


@dataclass(frozen=True, kw_only=True)
class Reversal(Recipe):
    """Options of the reversal task."""

    name = "reversal"
    about = "an LSTM with attention learns to write a row of letters backwards"

    steps: int = 400
    lr: float = 4e-3
    symbols: int = option(10, "letters of the alphabet", unit="letters", low=2, high=26)
    shortest: int = option(3, "shortest row", unit="letters", low=1)
    longest: int = option(12, "longest row", unit="letters", low=1)
    epoch: int = option(100, "steps that make an epoch", unit="steps", low=1)
    score: Literal["dot", "scaled_dot", "general", "additive"] | None = option(
        "dot", "how the decoder compares its state with the encoder's; none for no attention"
    )
    d_model: int = option(32, "numbers per word vector", low=1)
    d_hidden: int = option(64, "numbers per state", low=2)

    def __post_init__(self) -> None:
        """Refuse lengths in the wrong order."""
        super().__post_init__()
        if self.longest < self.shortest:
            raise ValueError(f"longest: expected at least shortest={self.shortest}, got {self.longest}")

    def model(self) -> Seq2Seq:
        """Return the LSTM encoder and decoder."""
        size = self.symbols + _FIRST
        return Seq2Seq(Seq2SeqConfig(size, size, self.d_model, self.d_hidden, score=self.score))

    def task(self, data: Path | None = None) -> "ReversalTask":
        """Return the task; nothing is read from `data`."""
        return ReversalTask(self)


class ReversalTask:
    """Rows of random letters, of one length in a batch, and the model that turns them round."""

    def __init__(self, recipe: Reversal) -> None:
        self.recipe = recipe
        self.model: nn.Module = recipe.model()

    def batches(self, split: Split, seed: int, epoch: int) -> Iterator[Batch]:
        """Yield batches ``source`` ``[B, S]``, ``target`` and ``answer`` ``[B, S + 1]``."""
        r = self.recipe
        g = seeded("reversal", split, seed, epoch)
        for _ in range(r.epoch if split == "train" else 4):
            length = int(torch.randint(r.shortest, r.longest + 1, (1,), generator=g))
            source = torch.randint(_FIRST, r.symbols + _FIRST, (r.batch, length), generator=g)
            yield self._batch(source)

    def _batch(self, source: Tensor) -> Batch:
        edge = torch.ones(source.shape[0], 1, dtype=torch.long)
        turned = source.flip(1)
        return {
            "source": source,
            "target": torch.cat([_BOS * edge, turned], 1),
            "answer": torch.cat([turned, _EOS * edge], 1),
        }

    def loss(self, model: nn.Module, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the summed cross-entropy of the letters written, and how many there are."""
        logits = model(batch["source"], batch["target"])
        smoothing = self.recipe.label_smoothing if model.training else 0.0
        return cross_entropy(logits, batch["answer"], label_smoothing=smoothing)

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """Return the share of 200 rows per length that come back wholly right, greedily, over all lengths."""
        r, device = self.recipe, next(model.parameters()).device
        right = n = 0
        for length in range(r.shortest, r.longest + 1):
            g = seeded("reversal", "test", length)
            source = torch.randint(_FIRST, r.symbols + _FIRST, (200, length), generator=g).to(device)
            written = self._write(model, source)
            answer = self._batch(source.cpu())["answer"].to(device)
            if written.shape[1] < length + 1:
                filler = written.new_full((len(written), length + 1 - written.shape[1]), _EOS)
                written = torch.cat([written, filler], 1)
            right += int((written == answer).all(1).sum())
            n += len(source)
        return {"exact_match": right / n}

    def _write(self, model: nn.Module, source: Tensor) -> Tensor:
        assert isinstance(model, Seq2Seq)
        return translate(model, source, bos=_BOS, eos=_EOS, max_len=source.shape[1] + 1)

    def write(self, model: nn.Module, prompt: str, options: GenerateOptions) -> str:
        """Return what the model makes of letters such as ``a b c``; spaces do not count."""
        alphabet = "abcdefghijklmnopqrstuvwxyz"[: self.recipe.symbols]
        letters = prompt.replace(" ", "")
        wrong = sorted(set(letters) - set(alphabet))
        if not letters or wrong:
            raise ValueError(f"expected letters from a to {alphabet[-1]}, got {' '.join(wrong) or 'none'}")
        source = torch.tensor([[alphabet.index(letter) + _FIRST for letter in letters]])
        (words,) = self._write(model, source.to(next(model.parameters()).device)).tolist()
        words = words[: words.index(_EOS)] if _EOS in words else words
        return " ".join(alphabet[word - _FIRST] for word in words if word >= _FIRST)
