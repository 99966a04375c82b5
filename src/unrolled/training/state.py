"""What a checkpoint remembers of a run besides its tensors, and how tensors of several parts share a file."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

__all__ = ["State", "join", "split"]


@dataclass
class State:
    """How far a run is."""

    step: int = 0
    epoch: int = 0
    batch: int = 0
    """Batches of this epoch that have been used."""
    tokens: int = 0
    """Targets so far."""
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    window_loss: float = 0.0
    """Summed since the last point of the curve, as is `window_count`."""
    window_count: float = 0.0
    best_loss: float | None = None
    best_step: int = 0
    validations_since_best: int = 0
    done: bool = False


def join(parts: Mapping[str, Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Return the tensors of all parts under ``part/name``."""
    return {f"{part}/{name}": tensor for part, tensors in parts.items() for name, tensor in tensors.items()}


def split(tensors: Mapping[str, Tensor], *names: str) -> tuple[dict[str, Tensor], ...]:
    """Return the tensors of each of the named parts, as they were given to `join`."""
    return tuple(
        {
            key.removeprefix(f"{part}/"): tensor
            for key, tensor in tensors.items()
            if key.startswith(f"{part}/")
        }
        for part in names
    )
