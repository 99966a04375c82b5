"""What every recipe has: the options of the training loop, and a task."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar, Literal

from torch import nn

from unrolled.training.options import changed_options, check_options, option
from unrolled.training.schedule import Schedule
from unrolled.training.task import Task

__all__ = ["Recipe"]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The options of one experiment. A subclass names it, changes defaults, adds its own, and makes the task.

    Attributes:
        name: what it is called on the command line.
        about: what happens in it.
        legend: what each of its figures means, in which unit; ``*`` stands for anything.
        measured_with: packages that its figures need, beside those the course is installed with.

    Raises:
        ValueError: an option is of another type, or out of range.
    """

    name: ClassVar[str]
    about: ClassVar[str]
    legend: ClassVar[Mapping[str, str]] = {}
    measured_with: ClassVar[tuple[str, ...]] = ()

    seed: int = option(0, "what first weights, data order and dropout follow from", low=0, high=2**31)
    steps: int = option(1000, "how long to train", unit="steps", low=1)
    batch: int = option(64, "sequences per step, over all processes together", unit="sequences", low=1)
    accumulate: int = option(1, "parts a batch is computed in, one after another, to save memory", low=1)
    lr: float = option(1e-3, "highest learning rate", low=0)
    schedule: Schedule = option("one_cycle", "how the learning rate goes after warm-up")  # noqa: RUF009
    warmup: float = option(0.1, "share of the steps in which the learning rate rises", low=0, high=1)
    lr_floor: float = option(0.0, "where a falling rate ends, as a share of the highest", low=0, high=1)
    weight_decay: float = option(0.01, "AdamW's pull of matrices towards zero", low=0)
    beta1: float = option(0.9, "AdamW's memory of the gradient", low=0, high=0.99999)
    beta2: float = option(0.98, "AdamW's memory of its square", low=0, high=0.999999)
    clip: float | None = option(1.0, "longest gradient; none for any length", low=1e-12)
    label_smoothing: float = option(0.0, "share of probability spread over all words", low=0, high=0.999)
    precision: Literal["float32", "bf16"] = option("float32", "bf16: multiply matrices in 16 bits")
    compile: bool = option(False, "compile the model with torch.compile before training")
    log_every: int = option(20, "how often the curve gets a point", unit="steps", low=1)
    validate_every: int = option(200, "how often to validate; 0 for never", unit="steps", low=0)
    patience: int = option(0, "stop after so many validations without a new best; 0 for never", low=0)
    keep_best: bool = option(False, "end with the weights of the best validation, not the last ones")
    checkpoint_every: int = option(200, "how often to save", unit="steps", low=1)

    def __post_init__(self) -> None:
        """Refuse options that are out of range or contradict each other."""
        check_options(self)
        if (self.patience or self.keep_best) and not self.validate_every:
            raise ValueError("validate_every: expected 1 or more with patience or keep_best, got 0")

    def task(self, data: Path | None = None) -> Task[Any]:
        """Return the task: data, and a model whose first weights follow from `seed`.

        Args:
            data: a folder to read public data sets from; the cache of the loaders unless given.
        """
        raise NotImplementedError(f"{type(self).__name__} has no task")

    @property
    def public(self) -> bool:
        """Whether the task reads a public data set, which has to be downloaded once."""
        return False

    def model(self) -> nn.Module:
        """Return a new model, its first weights drawn from torch's own generator; no data is needed for it.

        A recipe whose model depends on its data, such as the size of a vocabulary, has none.
        """
        raise NotImplementedError(f"{type(self).__name__} makes its model with its data: ask its task")

    def unused(self) -> dict[str, str]:
        """Return the options that change nothing beside the others, and why, to be read after "not used"."""
        falls = self.schedule not in ("constant", "inverse_sqrt")
        return {} if falls else {"lr_floor": f"with --schedule {self.schedule}"}

    def check_installed(self) -> None:
        """Raise unless what its figures are measured with is there: before it is trained, not after.

        Raises:
            ModuleNotFoundError: a package is missing; the message says how to install it.
        """
        for package in self.measured_with:
            if find_spec(package) is None:
                raise ModuleNotFoundError(
                    f"{self.name} is measured with {package}, which is not installed: pip install {package}"
                )

    def config(self) -> dict[str, Any]:
        """Return all options, as they stand in ``config.json``."""
        return asdict(self)

    def command(self) -> str:
        """Return the command that trains this, without folders and without options at their default."""
        words = ["unrolled", "train", self.name]
        for name, value in changed_options(self).items():
            flag = name.replace("_", "-")
            if isinstance(value, bool):
                words.append(f"--{flag}" if value else f"--no-{flag}")
            else:
                words += [f"--{flag}", "none" if value is None else str(value)]
        return " ".join(words)
