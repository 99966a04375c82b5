"""Activation patching: run one text with something in it that was kept from a run of another.

What the model says about a clean text and about a corrupted one differs. Put one activation of the clean run
into the corrupted run: if the answer comes back, that activation carried what the answer needs, whatever the
attention weights look like. Taught in chapter 12.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from unrolled.probe.ablation import check_head
from unrolled.shapes import ShapeError
from unrolled.tap import Edit, edit, record

__all__ = ["Metric", "Patched", "patch_heads", "patch_positions", "put_head", "put_position"]

# From what the model returns to one number.
Metric = Callable[[Tensor], Tensor | float]


@dataclass(frozen=True)
class Patched:
    """The outcome of patching at every place of a grid.

    Attributes:
        clean: the metric of the clean run.
        corrupted: that of the corrupted run.
        patched: that of the corrupted run with one place of the clean run in it: ``[L, H]`` or ``[L, T]``,
            where L counts the taps in the model's order.

    Example:
        >>> import torch
        >>> from unrolled.probe import Patched
        >>> Patched(clean=3.0, corrupted=1.0, patched=torch.tensor([[2.0, 3.0]])).restored
        tensor([[0.5000, 1.0000]])
    """

    clean: float
    corrupted: float
    patched: Tensor

    @property
    def restored(self) -> Tensor:
        """The share of the difference that each place brings back: 0 as corrupted, 1 as clean.

        Raises:
            ValueError: the two runs do not differ.
        """
        if self.clean == self.corrupted:
            raise ValueError(f"restored: expected two runs that differ, got {self.clean} from both")
        return (self.patched - self.corrupted) / (self.clean - self.corrupted)


def put_head(kept: Tensor, head: int) -> Edit:
    """Return an edit that puts one head of a kept activation ``[B, H, ...]`` in the place of what passes.

    Raises:
        ShapeError: when the tap is passed: the two differ in shape.
        ValueError: there is no such head.

    Example:
        >>> import torch
        >>> from unrolled.probe import put_head
        >>> put_head(torch.ones(1, 2, 1, 1), head=1)(torch.zeros(1, 2, 1, 1)).flatten()
        tensor([0., 1.])
    """
    check_head(head, kept.shape[1])
    return _put(kept, (slice(None), head))


def put_position(kept: Tensor, position: int) -> Edit:
    """Return an edit that puts one position of a kept activation ``[..., T, D]`` in the place of what passes.

    Raises:
        ShapeError: when the tap is passed: the two differ in shape.
        ValueError: there is no such position.

    Example:
        >>> import torch
        >>> from unrolled.probe import put_position
        >>> put_position(torch.ones(3, 1), position=1)(torch.zeros(3, 1)).flatten()
        tensor([0., 1., 0.])
    """
    if not 0 <= position < kept.shape[-2]:
        raise ValueError(f"position: expected 0 to {kept.shape[-2] - 1}, got {position}")
    return _put(kept, (..., position, slice(None)))


def _put(kept: Tensor, at: Any) -> Edit:
    def put(x: Tensor) -> Tensor:
        if kept.shape != x.shape:
            raise ShapeError(f"kept: expected shape {list(x.shape)} as what passes, got {list(kept.shape)}")
        x[at] = kept[at]
        return x

    return put


def patch_heads(model: nn.Module, clean: Any, corrupted: Any, metric: Metric, *taps: str) -> Patched:
    """Put each head's part of the clean run into the corrupted run, one at a time, ``[L, H]``.

    Args:
        model: called as ``model(clean)``, in the mode it is in: `eval` comes first where it has dropout.
        clean: what the model is given, or a tuple of all it is given.
        corrupted: the same of the same shape, with the difference that is to be found.
        metric: from what the model returns to one number.
        *taps: where to patch, patterns as for `record`: taps that hear ``[B, H, ...]``, such as `queries` or
            `weights`; what each head found, ``"*.attention.context"``, unless given.

    Raises:
        LookupError: a pattern matches no tap.
        ShapeError: clean and corrupted run differ in shape.
        ValueError: a tap is not passed exactly once.

    Example:
        >>> import torch
        >>> from unrolled.nn import GPT, GPTConfig
        >>> from unrolled.probe import patch_heads
        >>> model = GPT(GPTConfig(vocab_size=11, max_len=7, d_model=8, n_heads=2, n_layers=3)).eval()
        >>> clean, corrupted = torch.tensor([[1, 5, 7]]), torch.tensor([[1, 6, 7]])
        >>> patch_heads(model, clean, corrupted, lambda logits: logits[0, -1, 4]).patched.shape
        torch.Size([3, 2])
    """
    return _patch(model, clean, corrupted, metric, taps or ("*.attention.context",), put_head, dim=1)


def patch_positions(model: nn.Module, clean: Any, corrupted: Any, metric: Metric, *taps: str) -> Patched:
    """Put each position of the clean run into the corrupted run, one at a time, ``[L, T]``.

    The arguments and errors are those of `patch_heads`, for taps that hear ``[..., T, D]``, such as
    ``"*.attention.output"``; the stream after each block, ``"*.stream"``, unless given.

    Example:
        >>> import torch
        >>> from unrolled.nn import GPT, GPTConfig
        >>> from unrolled.probe import patch_positions
        >>> model = GPT(GPTConfig(vocab_size=11, max_len=7, d_model=8, n_heads=2, n_layers=2)).eval()
        >>> clean, corrupted = torch.tensor([[1, 5, 7]]), torch.tensor([[1, 6, 7]])
        >>> patch_positions(model, clean, corrupted, lambda logits: logits[0, -1, 4]).patched.shape
        torch.Size([2, 3])
    """
    return _patch(model, clean, corrupted, metric, taps or ("*.stream",), put_position, dim=-2)


@torch.no_grad()
def _patch(
    model: nn.Module,
    clean: Any,
    corrupted: Any,
    metric: Metric,
    taps: tuple[str, ...],
    put: Callable[[Tensor, int], Edit],
    dim: int,
) -> Patched:
    def run(given: Any) -> float:
        return float(metric(model(*given) if isinstance(given, tuple) else model(given)))

    with record(model, *taps) as heard:
        expected = run(clean)
    for path, passes in heard.items():
        if len(passes) != 1:
            raise ValueError(f"{path}: expected to be passed once in a run, got {len(passes)} times")
    before, rows = run(corrupted), []
    for path, (kept,) in heard.items():
        row = []
        for place in range(kept.shape[dim]):
            with edit(model, {path: put(kept, place)}):
                row.append(run(corrupted))
        rows.append(row)
    return Patched(expected, before, torch.tensor(rows))
