"""What followed last time? Attention alone learns to look it up, all at once. Taught in chapter 12."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from torch import Tensor, nn

from unrolled.data.seeds import derived_seed
from unrolled.data.sequences import FIRST_SYMBOL, Repeated, cycled, repeated
from unrolled.nn import GPT, AttentionBlock, GPTConfig
from unrolled.nn.embedding import Positions
from unrolled.probe import map_score, previous_token_score, without_head
from unrolled.tap import record
from unrolled.training.loss import cross_entropy
from unrolled.training.options import option
from unrolled.training.recipe import Recipe
from unrolled.training.task import Batch, Split

__all__ = ["Induction", "InductionTask"]


@dataclass(frozen=True, kw_only=True)
class Induction(Recipe):
    """Options of the induction heads."""

    name = "induction"
    about = "two layers of attention alone learn to continue a stretch they have met before"
    legend: ClassVar[Mapping[str, str]] = {
        "accuracy": "share (0 to 1) of symbols guessed right where exactly one earlier copy tells them",
        "previous *": "mean attention weight (0 to 1) on the symbol just before; 2.1 is head 1 of layer 2",
        "induction *": "mean attention weight (0 to 1) on the symbol that followed last time",
        "accuracy without *": "accuracy with that head switched off",
    }

    steps: int = 400
    lr: float = 5e-3
    log_every: int = 10
    validate_every: int = 10
    length: int = option(48, "symbols of a sequence it learns from", unit="symbols", low=8)
    asked: int = option(32, "symbols of a sequence it is asked about", unit="symbols", low=8)
    symbols: int = option(64, "different ones", unit="symbols", low=8)
    shortest: int = option(6, "fewest symbols before all begins again", unit="symbols", low=2)
    longest: int = option(24, "most symbols before all begins again", unit="symbols", low=2)
    epoch: int = option(100, "steps that make an epoch", unit="steps", low=1)
    positions: Positions = option("learned", "how tokens know where they stand")  # noqa: RUF009
    n_layers: int = option(2, "blocks of attention, without feed-forward", low=1)
    n_heads: int = option(2, "attention heads of each", low=1)
    d_model: int = option(64, "components per symbol", low=1)

    def __post_init__(self) -> None:
        """Refuse to ask about longer sequences than the model can read."""
        super().__post_init__()
        if self.asked > self.length:
            raise ValueError(f"asked: expected at most length={self.length}, got {self.asked}")

    def model(self) -> GPT:
        """Return a GPT without feed-forward networks."""
        gpt = GPT(
            GPTConfig(
                vocab_size=FIRST_SYMBOL + self.symbols,
                max_len=self.length,
                d_model=self.d_model,
                n_heads=self.n_heads,
                n_layers=self.n_layers,
                d_ff=0,
                positions=self.positions,
                tied=False,
            )
        )
        # GPT's own first weights are meant for 768 numbers a word: with 64 the scores would start near zero.
        for name, parameter in gpt.named_parameters():
            if "attention" in name and parameter.dim() == 2:
                nn.init.xavier_uniform_(parameter)
            if "token_embedding" in name or "positions" in name:
                nn.init.normal_(parameter, std=1.0)
        return gpt

    def task(self, data: Path | None = None) -> "InductionTask":
        """Return the task; nothing is read from `data`."""
        return InductionTask(self)


class InductionTask:
    """Random symbols that come again, and the model that continues what it has met before.

    It learns from symbols that come over and over, and is asked about stretches that come twice, amid others
    that come once: what follows stands in exactly one place. The sequences it is asked about are shorter: a
    cycle is looked up where it came first, so in the second half of a sequence it never learns to look.
    """

    def __init__(self, recipe: Induction) -> None:
        self.recipe = recipe
        self.model = recipe.model()
        self._probed = self._draw(100, "probe")

    def _draw(self, n: int, *parts: str | int) -> Repeated:
        r, seed = self.recipe, derived_seed("induction", *parts)
        return repeated(n, seed=seed, length=r.asked, n_symbols=r.symbols)

    def batches(self, split: Split, seed: int, epoch: int) -> Iterator[Batch]:
        """Yield batches ``tokens`` ``[B, T]``, new ones every epoch."""
        r = self.recipe
        for i in range(r.epoch if split == "train" else 4):
            tokens = cycled(
                r.batch,
                seed=derived_seed("induction", split, seed, epoch, i),
                length=r.length,
                n_symbols=r.symbols,
                min_period=r.shortest,
                max_period=r.longest,
            )
            yield {"tokens": tokens}

    def loss(self, model: GPT, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the summed cross-entropy of every symbol but the first, and how many there are."""
        tokens = batch["tokens"]
        smoothing = self.recipe.label_smoothing if model.training else 0.0
        return cross_entropy(model(tokens[:, :-1]), tokens[:, 1:], label_smoothing=smoothing)

    def accuracy(self, model: GPT, drawn: Repeated) -> float:
        """Return the share of symbols that are guessed right where exactly one earlier copy tells them."""
        tokens = drawn.tokens.to(next(model.parameters()).device)
        right = model(tokens[:, :-1]).argmax(-1) == tokens[:, 1:]
        return float(right.cpu()[drawn.looked_up[:, :-1]].float().mean())

    def scores(self, model: GPT, drawn: Repeated) -> dict[str, float]:
        """Return the previous-token score and the induction score of every head.

        ``induction 2.1`` is that of the first head of the second layer.
        """
        with record(model, "layers.*.attention.weights") as heard:
            model(drawn.tokens.to(next(model.parameters()).device))
        figures: dict[str, float] = {}
        for layer, (weights,) in enumerate(heard.values(), 1):
            weights = weights.cpu()
            for head, score in enumerate(previous_token_score(weights).tolist(), 1):
                figures[f"previous {layer}.{head}"] = score
            for head, score in enumerate(map_score(weights, drawn.alignment).tolist(), 1):
                figures[f"induction {layer}.{head}"] = score
        return figures

    def probe(self, model: GPT) -> dict[str, float]:
        """Return accuracy and scores over 100 sequences, for the curve."""
        return {"accuracy": self.accuracy(model, self._probed), **self.scores(model, self._probed)}

    def evaluate(self, model: GPT) -> dict[str, float]:
        """Return accuracy and scores over 1,000 new sequences, and the accuracy without each of the heads."""
        drawn = self._draw(1000, "test")
        figures = {"accuracy": self.accuracy(model, drawn), **self.scores(model, drawn)}
        for i, layer in enumerate(model.layers, 1):
            assert isinstance(layer, AttentionBlock)
            for head in range(self.recipe.n_heads):
                with without_head(layer, head):
                    figures[f"accuracy without {i}.{head + 1}"] = self.accuracy(model, drawn)
        return figures
