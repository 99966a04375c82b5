"""Guess the next character, again and again: a small GPT that writes. Taught in chapter 10.

`Gpt` has the sizes nanoGPT gives to a laptop, `GptLarge` those it gives to a GPU: the same text, the same
split, the same model, so the losses can be compared. The loss is that of the whole validation split, cut into
consecutive chunks: every token is guessed once.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import torch
from torch import Tensor

from unrolled.data import text
from unrolled.data.batches import chunks, crops
from unrolled.data.public import tiny_shakespeare
from unrolled.data.seeds import seeded
from unrolled.data.tales import pieces, split, tales
from unrolled.data.tokenizers import Characters, Tokenizer
from unrolled.generate import generate
from unrolled.nn import GPT, GPTConfig
from unrolled.training.loss import cross_entropy
from unrolled.training.options import option
from unrolled.training.recipe import Recipe
from unrolled.training.task import Batch, GenerateOptions, Split

__all__ = [
    "ALPHABETS",
    "END",
    "STORIES",
    "Gpt",
    "GptLarge",
    "GptTask",
    "mean_loss",
]

Corpus = Literal["shakespeare", "stories", "tales"]

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
# Fixed, so that a model can be made and asked without its text.
ALPHABETS: dict[str, str] = {
    "shakespeare": "\n !$&',-.3:;?" + _LETTERS.upper() + _LETTERS,
    "stories": '\n !",.:;?' + _LETTERS.upper() + _LETTERS,
}
END = 10_241  # characters at the end of the validation split whose loss is a figure of its own
STORIES = {"train": (400_000, 0), "validation": (40_000, 1)}  # characters and seed
_WRITTEN = 300  # tokens `write` adds unless told


@dataclass(frozen=True, kw_only=True)
class Gpt(Recipe):
    """Options of a GPT of characters; unless changed, of the size nanoGPT trains on a laptop."""

    name = "gpt"
    about = "a GPT of characters learns to write Shakespeare, or stories of our own"
    legend: ClassVar[Mapping[str, str]] = {
        "loss": "cross-entropy per token of the whole validation split [nats]; lower is better",
        "loss_end": "the same of its last 10,241 tokens [nats]",
    }

    steps: int = 2000
    batch: int = 12
    lr: float = 4e-3
    weight_decay: float = 0.1
    validate_every: int = 500
    checkpoint_every: int = 500
    corpus: Corpus = option(  # noqa: RUF009
        "shakespeare",
        "what it reads: the characters of tiny Shakespeare, those of generated stories, which need no "
        "network, or eighteen books of tales in pieces of words",
    )
    block: int = option(64, "how far it sees", unit="tokens", low=1)
    n_layers: int = option(4, "blocks", low=1)
    n_heads: int = option(4, "attention heads of each", low=1)
    d_model: int = option(128, "components per token", low=1)
    dropout: float = option(0.0, "share of numbers set to zero while training", low=0, high=0.9)
    epoch: int = option(100, "steps that make an epoch: crops are drawn by chance", unit="steps", low=1)

    @property
    def public(self) -> bool:
        """Whether it reads a text that has to be downloaded once."""
        return self.corpus != "stories"

    def tokenizer(self) -> Tokenizer:
        """Return what cuts the corpus into tokens; the text is not needed for it."""
        return pieces() if self.corpus == "tales" else Characters(ALPHABETS[self.corpus])

    def model(self) -> GPT:
        """Return a new model for the tokens of the corpus."""
        return GPT(
            GPTConfig(
                vocab_size=self.tokenizer().vocab_size,
                max_len=self.block,
                d_model=self.d_model,
                n_heads=self.n_heads,
                n_layers=self.n_layers,
                dropout=self.dropout,
            )
        )

    def task(self, data: Path | None = None) -> "GptTask":
        """Return the task; public texts are read from `data`, or downloaded once."""
        return GptTask(self, *self._texts(data))

    def _texts(self, data: Path | None) -> tuple[str, str]:
        """Return what it learns from, and what it is validated on."""
        if self.corpus == "stories":
            return text.corpus(*STORIES["train"]), text.corpus(*STORIES["validation"])
        if self.corpus == "tales":
            train, held = split(tales(folder=data))
            return "\n\n".join(train), "\n\n".join(held)
        shakespeare = tiny_shakespeare(folder=data)
        cut = int(0.9 * len(shakespeare))  # where nanoGPT cuts
        return shakespeare[:cut], shakespeare[cut:]


@dataclass(frozen=True, kw_only=True)
class GptLarge(Gpt):
    """The size nanoGPT trains on a GPU: 10.7 million parameters, minutes there, a day or more on a CPU."""

    name = "gpt-large"
    about = "the GPT of characters in the size that needs a GPU"

    steps: int = 5000
    batch: int = 64
    lr: float = 1e-3
    block: int = 256
    n_layers: int = 6
    n_heads: int = 6
    d_model: int = 384
    dropout: float = 0.2
    validate_every: int = 250
    keep_best: bool = True


class GptTask:
    """A text, and a model that continues it.

    Args:
        recipe: its options.
        train: what is learned from.
        validation: what is not.
    """

    writes_with: ClassVar[tuple[str, ...]] = ("temperature", "top_k", "top_p", "max_len", "seed")

    def __init__(self, recipe: Gpt, train: str, validation: str) -> None:
        self.recipe = recipe
        self.tokenizer = recipe.tokenizer()
        self._tokens: dict[Split, Tensor] = {
            "train": torch.tensor(self.tokenizer.encode(train)),
            "validation": torch.tensor(self.tokenizer.encode(validation)),
        }
        self.model = recipe.model()

    def batches(self, split: Split, seed: int, epoch: int) -> Iterator[Batch]:
        """Yield batches ``tokens`` and ``answers`` ``[B, T]``: crops to train on, the whole to validate."""
        r, tokens = self.recipe, self._tokens[split]
        if split == "validation":
            inputs, answers = chunks(tokens, r.block)
            for some in torch.split(torch.arange(len(inputs)), 64):
                yield {"tokens": inputs[some], "answers": answers[some]}
            return
        g = seeded("gpt", split, seed, epoch)
        for _ in range(r.epoch):
            inputs, answers = crops(tokens, r.batch, r.block, g)
            yield {"tokens": inputs, "answers": answers}

    def loss(self, model: GPT, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the summed cross-entropy in nats, and how many tokens were guessed."""
        smoothing = self.recipe.label_smoothing if model.training else 0.0
        return cross_entropy(model(batch["tokens"]), batch["answers"], label_smoothing=smoothing)

    def evaluate(self, model: GPT) -> dict[str, float]:
        """Return the loss per token in nats, of the whole validation split and of its last `END`."""
        tokens = self._tokens["validation"]
        return {"loss": mean_loss(model, tokens), "loss_end": mean_loss(model, tokens[-END:])}

    def sample(
        self, model: GPT, n: int, length: int, *, temperature: float = 1.0, seed: int = 0
    ) -> list[str]:
        """Return `n` texts of `length` tokens that begin where a story or a speech begins."""
        device = next(model.parameters()).device
        start = torch.tensor([self.tokenizer.encode("\n")] * n, device=device)
        chance = torch.Generator(device).manual_seed(seed)
        with torch.no_grad():
            written = generate(model, start, length, temperature=temperature, generator=chance)
        return [self.tokenizer.decode(row[1:]) for row in written.tolist()]

    def write(self, model: GPT, prompt: str, options: GenerateOptions) -> str:
        """Return the prompt and what the model writes after it, 300 tokens unless told.

        Raises:
            ValueError: a character is not in the alphabet.
        """
        device = next(model.parameters()).device
        tokens = torch.tensor([self.tokenizer.encode(prompt or "\n")], device=device)
        with torch.no_grad():
            written = generate(
                model,
                tokens,
                _WRITTEN if options.max_len is None else options.max_len,
                temperature=options.temperature,
                top_k=options.top_k,
                top_p=options.top_p,
                generator=torch.Generator(device).manual_seed(options.seed),
            )
        return self.tokenizer.decode(written[0].tolist())


def mean_loss(model: GPT, tokens: Tensor, batch: int = 64) -> float:
    """Return the cross-entropy per token in nats of a text ``[N]``, cut into chunks as long as it sees.

    What is left at the end, less than a block, is not counted.
    """
    device = next(model.parameters()).device
    inputs, answers = chunks(tokens.to(device), model.config.max_len)
    total, n = 0.0, 0
    with torch.no_grad():
        for some, right in zip(torch.split(inputs, batch), torch.split(answers, batch), strict=True):
            loss, count = cross_entropy(model(some), right)
            total, n = total + float(loss), n + int(count)
    return total / n
