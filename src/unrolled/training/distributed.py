"""One process or many: who I am, what my share is, and how sums are put together. Taught in chapter 14.

``torchrun --nproc_per_node=N -m unrolled train …`` starts N processes that differ by the environment
variables RANK, LOCAL_RANK and WORLD_SIZE. Without these there is one process, and nothing here does much.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor

from unrolled.training.task import Batch

__all__ = ["Workers", "choose_device", "split_rows", "workers"]


@dataclass(frozen=True)
class Workers:
    """The processes that train together.

    Attributes:
        rank: which of them this is; 0 writes files and shows progress.
        size: how many there are.
        device: where this one computes.
    """

    rank: int
    size: int
    device: torch.device

    @property
    def first(self) -> bool:
        """Whether this is the process that writes."""
        return self.rank == 0

    def sum(self, *numbers: Tensor) -> Tensor:
        """Return the sums of the numbers over all processes, in float64, ``[len(numbers)]``."""
        total = torch.stack([number.detach().double() for number in numbers])
        if self.size > 1:
            dist.all_reduce(total)
        return total

    def wait(self) -> None:
        """Wait until all processes have come here."""
        if self.size > 1:
            # An all-reduce and no barrier: with NCCL a barrier guesses the device.
            dist.all_reduce(torch.zeros(1, device=self.device))


def choose_device(name: str | None = None, local_rank: int = 0) -> torch.device:
    """Return the device of that name; a GPU if there is one, else the CPU, when none is named.

    Raises:
        ValueError: the name is not that of a CPU or CUDA device, or that device is not here.
    """
    if name is None:
        name = "cuda" if torch.cuda.is_available() else "cpu"
    kind, _, number = name.partition(":")
    if kind not in ("cpu", "cuda") or (number and not number.isdigit()) or (kind == "cpu" and number):
        raise ValueError(f"device: expected cpu, cuda or cuda:0, cuda:1, …, got {name!r}")
    if kind == "cpu":
        return torch.device("cpu")
    found = torch.cuda.device_count()
    index = int(number) if number else local_rank
    if index >= found:
        there = ", ".join(["cpu", *(f"cuda:{number}" for number in range(found))])
        raise ValueError(f"device: expected one that this machine has ({there}), got cuda:{index}")
    return torch.device("cuda", index)


def split_rows(batch: Batch, parts: int) -> list[tuple[Batch, bool]]:
    """Divide the rows of a batch among `parts`: part i gets row i and every `parts`-th after it.

    Returns:
        A batch for every part, and whether it counts. A part for which no row is left gets the first row
        again, which must not count: all processes have to take part in every step.

    Raises:
        ValueError: the tensors of the batch differ in their number of rows, or there are none.
    """
    rows = {name: tensor.shape[0] if tensor.dim() else 0 for name, tensor in batch.items()}
    if not rows or len(set(rows.values())) > 1 or 0 in rows.values():
        raise ValueError(f"batch: expected tensors with the same number of rows, one or more, got {rows}")
    n = next(iter(rows.values()))
    return [
        (
            {name: tensor[i if i < n else 0 : n if i < n else 1 : parts] for name, tensor in batch.items()},
            i < n,
        )
        for i in range(parts)
    ]


@contextmanager
def workers(device: str | None = None) -> Iterator[Workers]:
    """Join the processes that torchrun started, for the length of a block; alone, just choose a device.

    Raises:
        ValueError: the device is not here.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    rank, local_rank = int(os.environ.get("RANK", "0")), int(os.environ.get("LOCAL_RANK", "0"))
    chosen = choose_device(device, local_rank)
    if size == 1:
        yield Workers(0, 1, chosen)
        return
    if chosen.type == "cuda":
        torch.cuda.set_device(chosen)
    dist.init_process_group("nccl" if chosen.type == "cuda" else "gloo")
    try:
        yield Workers(rank, size, chosen)
    finally:
        dist.destroy_process_group()
