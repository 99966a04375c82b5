"""What the training loop asks of a task: a model, batches, a loss, and how good the model is."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol, TypeVar, runtime_checkable

from torch import Tensor, nn

from unrolled.generate.sampling import check_sampling

__all__ = ["Batch", "GenerateOptions", "Probed", "Split", "Task", "Writer"]

Batch = dict[str, Tensor]
"""Tensors by name, whose first dimension is the batch."""
Split = Literal["train", "validation"]
"""What a model learns from, or what it is measured on."""
M = TypeVar("M", bound=nn.Module)
Asked = TypeVar("Asked", bound=nn.Module, contravariant=True)


class Task(Protocol[M]):
    """What is learned, by a model of one class. The loop knows nothing else about the data.

    Attributes:
        model: made from the seed alone, so that every process makes the same one.
    """

    model: M

    def batches(self, split: Split, seed: int, epoch: int) -> Iterable[Batch]:
        """Return the batches of one epoch, in the order that `split`, `seed` and `epoch` alone decide.

        Every tensor has one row per sequence in its first dimension: that is what several processes, and the
        parts of an accumulated batch, divide among them. For the validation split the epoch is always 0.
        Whatever is drawn (masks, noise) is drawn here, from a generator seeded with the three.
        """

    def loss(self, model: M, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the loss summed over the targets of a batch, and how many targets there are.

        It may call any method of `model`; it must use every parameter.
        """

    def evaluate(self, model: M) -> Mapping[str, float]:
        """Return the figures the recipe is about; called in evaluation mode, without gradients."""


@runtime_checkable
class Probed(Protocol[Asked]):
    """A task that looks into its model while it learns."""

    def probe(self, model: Asked) -> Mapping[str, float]:
        """Return figures to stand beside the validation loss in the curve; called as `Task.evaluate` is.

        It is called at every validation, by one process alone.
        """


@dataclass(frozen=True)
class GenerateOptions:
    """How `unrolled generate` writes; `Writer.writes_with` says which of them a task uses.

    Raises:
        ValueError: one is out of range.
    """

    temperature: float = 0.0
    top_k: int | None = None
    top_p: float | None = None
    beam: int = 1
    max_len: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what no task could write with, also where this one would not look at it."""
        check_sampling(self.temperature, self.top_k, self.top_p)
        for name, low in (("beam", 1), ("max_len", 1), ("seed", 0)):
            value = getattr(self, name)
            if value is not None and value < low:
                raise ValueError(f"{name}: expected {low} or more, got {value}")


@runtime_checkable
class Writer(Protocol[Asked]):
    """A task whose model can be asked for text.

    Attributes:
        writes_with: the names of the `GenerateOptions` that it uses.
    """

    writes_with: ClassVar[tuple[str, ...]]

    def write(self, model: Asked, prompt: str, options: GenerateOptions) -> str:
        """Return what the model makes of `prompt`.

        Raises:
            ValueError: the prompt or an option is none this model can use.
        """
