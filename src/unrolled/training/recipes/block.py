"""Where the norm stands, with residual connections or without, how deep: what trains. Taught in chapter 8."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from unrolled.data.batches import chunks
from unrolled.data.story_words import story_tokenizer
from unrolled.nn import AttentionBlock, EncoderBlock, Learned
from unrolled.nn.lean import Step
from unrolled.shapes import Sequence, Tokens
from unrolled.training.loss import cross_entropy
from unrolled.training.options import option
from unrolled.training.recipe import Recipe
from unrolled.training.story_task import StoryTask

__all__ = ["Block", "BlockStack", "BlockTask", "gradient_norms", "post_norm_alone", "pre_norm_alone"]

_STORIES = {"train": (4000, 0), "validation": (130, 1), "test": (260, 2)}  # how many, and their seed


def pre_norm_alone(x: Tensor, norm: Step, sublayer: Step) -> Tensor:
    r"""Return :math:`\mathrm{sublayer}(\mathrm{norm}(x))`: `pre_norm` without the path around."""
    return sublayer(norm(x))


def post_norm_alone(x: Tensor, norm: Step, sublayer: Step) -> Tensor:
    r"""Return :math:`\mathrm{norm}(\mathrm{sublayer}(x))`: `post_norm` without the path around."""
    return norm(sublayer(x))


@dataclass(frozen=True, kw_only=True)
class Block(Recipe):
    """Options of the comparison of blocks."""

    name = "block"
    about = "a language model of one kind of block or another, deep or shallow, learns or does not"
    legend: ClassVar[Mapping[str, str]] = {
        "loss": "cross-entropy per word of new stories [nats]; lower is better",
        "loss by frequency": "that of a model that knows nothing but how frequent words are [nats]",
        "trained": "1 where the first is lower than the second by 0.1 or more, else 0",
        "gradient *": "length of the gradient in the weights of that block, before the first step",
    }

    steps: int = 300
    batch: int = 32
    lr: float = 2e-3
    warmup: float = 0.3
    schedule: Literal["constant", "linear", "cosine", "one_cycle", "inverse_sqrt"] = "linear"
    log_every: int = 10
    validate_every: int = 0
    norm: Literal["pre", "post"] = option("pre", "whether the norm stands before or after the sum")
    kind: Literal["whole", "no-residual", "attention-only"] = option(
        "whole", "a whole block, one without residual paths, or one without feed-forward"
    )
    n_layers: int = option(6, "blocks", low=1)
    n_heads: int = option(4, "attention heads of each", low=1)
    d_model: int = option(48, "components per word", low=1)
    length: int = option(32, "length of the texts", unit="words", low=2)
    epoch: int = option(100, "steps that make an epoch: crops are drawn by chance", unit="steps", low=1)

    def model(self) -> "BlockStack":
        """Return the stack of blocks with its embeddings and its output layer."""
        return BlockStack(self)

    def task(self, data: Path | None = None) -> "BlockTask":
        """Return the task; nothing is read from `data`."""
        return BlockTask(self)


class BlockStack(nn.Module):
    """A causal language model, like `GPT`, of any kind of block.

    The first weights are as large as those of the transformer of 2017 (Glorot and Bengio, 2010). GPT-2's are
    smaller, and hide what the place of the norm does.

    Args:
        options: kinds and sizes.
    """

    def __init__(self, options: Block) -> None:
        super().__init__()
        o = options
        vocab_size = story_tokenizer().vocab_size
        self.token_embedding = nn.Embedding(vocab_size, o.d_model)
        self.positions = Learned(o.d_model, o.length)
        self.layers = nn.ModuleList(self._block(o) for _ in range(o.n_layers))
        # As in `Encoder`: with the norm before each sublayer, the sum of all blocks arrives unnormalised.
        self.final_norm = nn.LayerNorm(o.d_model) if o.norm == "pre" else nn.Identity()
        self.lm_head = nn.Linear(o.d_model, vocab_size)
        for weight in self.layers.parameters():
            if weight.dim() == 2:
                nn.init.xavier_uniform_(weight)

    @staticmethod
    def _block(o: Block) -> EncoderBlock | AttentionBlock:
        if o.kind == "attention-only":
            return AttentionBlock(o.d_model, o.n_heads, norm=o.norm)
        alone = pre_norm_alone if o.norm == "pre" else post_norm_alone
        norm = alone if o.kind == "no-residual" else o.norm
        return EncoderBlock(o.d_model, o.n_heads, 4 * o.d_model, norm=norm)

    def forward(self, tokens: Tokens) -> Tensor:
        """Return the logits of the next words, ``[B, T] -> [B, T, V]``."""
        x: Sequence = self.positions(self.token_embedding(tokens))
        for layer in self.layers:
            x = layer(x, causal=True)
        logits: Tensor = self.lm_head(self.final_norm(x))
        return logits


def gradient_norms(model: BlockStack, loss: Tensor) -> list[float]:
    """Return the norm of the gradient of `loss` in all weights of each block, from the first on."""
    weights = [list(layer.parameters()) for layer in model.layers]
    gradients = iter(torch.autograd.grad(loss, [weight for some in weights for weight in some]))
    return [math.sqrt(sum(float(next(gradients).square().sum()) for _ in some)) for some in weights]


class BlockTask(StoryTask):
    """Stories in pieces, and the model that guesses the next word."""

    recipe: Block

    def __init__(self, recipe: Block) -> None:
        super().__init__(recipe, _STORIES)

    def frequencies_loss(self) -> float:
        """Return the loss of guessing by how frequent each word is, whatever stands before, in nats."""
        counts = torch.bincount(self.words["train"], minlength=story_tokenizer().vocab_size).double() + 1
        return float(-(counts / counts.sum()).log()[self.words["test"]].mean())

    def first_gradients(self) -> list[float]:
        """Return the gradient norms of the blocks before the first step, at the first batch."""
        with torch.random.fork_rng(devices=[]), torch.enable_grad():
            torch.manual_seed(self.recipe.seed)
            model = self.recipe.model()
            loss, count = self.loss(model, next(iter(self.batches("train", self.recipe.seed, 0))))
            return gradient_norms(model, loss / count)

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """Return the figures.

        ``loss`` per word of new stories; ``loss by frequency``, that of a model that has learned nothing but
        how frequent words are; ``trained``, 1 where the first is lower than the second by a tenth of a nat or
        more; and ``gradient 1``, ``gradient 2``, …, the norm of the gradient in each block before the first
        step.
        """
        device = next(model.parameters()).device
        inputs, answers = chunks(self.words["test"], self.recipe.length)
        parts = zip(torch.split(inputs, 128), torch.split(answers, 128), strict=True)
        losses = [cross_entropy(model(some.to(device)), right.to(device))[0].item() for some, right in parts]
        loss, by_frequency = sum(losses) / answers.numel(), self.frequencies_loss()
        figures = {
            "loss": loss,
            "loss by frequency": by_frequency,
            "trained": float(loss < by_frequency - 0.1),
        }
        return figures | {f"gradient {i}": norm for i, norm in enumerate(self.first_gradients(), 1)}
