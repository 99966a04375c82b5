"""What the training loop asks of a task: a model, batches, a loss, and how good the model is."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from torch import Tensor, nn

__all__ = ["Batch", "GenerateOptions", "Probed", "Split", "Task", "Writer"]

Batch = dict[str, Tensor]
Split = Literal["train", "validation"]


class Task(Protocol):
    """What is learned. The loop knows nothing else about the data.

    Attributes:
        model: made from the seed alone, so that every process makes the same one.
    """

    model: nn.Module

    def batches(self, split: Split, seed: int, epoch: int) -> Iterable[Batch]:
        """Return the batches of one epoch, in the order that `split`, `seed` and `epoch` alone decide.

        Every tensor has one row per sequence in its first dimension: that is what several processes, and the
        parts of an accumulated batch, divide among them. For the validation split the epoch is always 0.
        Whatever is drawn (masks, noise) is drawn here, from a generator seeded with the three.
        """

    def loss(self, model: nn.Module, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the loss summed over the targets of a batch, and how many targets there are.

        It may call any method of `model`; it must use every parameter.
        """

    def evaluate(self, model: nn.Module) -> Mapping[str, float]:
        """Return the figures the recipe is about; called in evaluation mode, without gradients."""


@runtime_checkable
class Probed(Protocol):
    """A task that looks into its model while it learns."""

    def probe(self, model: nn.Module) -> Mapping[str, float]:
        """Return figures to stand beside the validation loss in the curve; called as `Task.evaluate` is.

        It is called at every validation, by one process alone.
        """


@dataclass(frozen=True)
class GenerateOptions:
    """How `unrolled generate` writes; a task ignores what does not apply to it."""

    temperature: float = 0.0
    top_k: int | None = None
    top_p: float | None = None
    beam: int = 1
    max_len: int | None = None
    seed: int = 0


@runtime_checkable
class Writer(Protocol):
    """A task whose model can be asked for text."""

    def write(self, model: nn.Module, prompt: str, options: GenerateOptions) -> str:
        """Return what the model makes of `prompt`.

        Raises:
            ValueError: the prompt or an option is none this model can use.
        """
