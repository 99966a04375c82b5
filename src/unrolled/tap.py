"""See what flows inside a model without touching the computation, or put something else in its place.

A `Tap` is an identity with a name: the module path it stands at. A layer sends its attention weights
through one, ``weights = self.weights(weights)``, and `record` collects what passes:

>>> with record(model, "*.weights") as rec:         # doctest: +SKIP
...     model(x)
>>> rec["encoder.layers.0.weights"][0].shape        # doctest: +SKIP
torch.Size([2, 4, 7, 7])

`edit` changes what passes: here every head attends evenly, and all that follows goes on from there.

>>> with edit(model, {"*.scores": torch.zeros_like}):   # doctest: +SKIP
...     model(x)

A layer may ask ``self.weights.listening`` and take a fused path, which never forms the weights, while
nobody looks. Tests prove that fused, explicit and recorded computations agree. Taught in chapter 12.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from fnmatch import fnmatchcase
from typing import Any

from torch import Tensor, nn
from torch.nn.modules import module as torch_module

__all__ = ["Edit", "Tap", "edit", "listening", "plain", "record"]

Edit = Callable[[Tensor], Tensor]
"""What is put in the place of a tensor that passes a tap: a function of it."""

# As torch defines it: tracers put another in its place.
_CALL = nn.Module.__call__


def plain(module: nn.Module) -> bool:
    """Whether calling `module` does what its class's ``forward`` does, and nothing besides.

    Not so with hooks, on the module or on all modules, with a ``forward`` that was replaced on this one
    module, with ``module.compile()``, or while a tracer follows the calls. Code that knows the class of a
    plain module may do its arithmetic without calling it; otherwise the module has to be called.

    Example:
        >>> import torch
        >>> from unrolled.tap import plain
        >>> layer = torch.nn.Linear(2, 2)
        >>> plain(layer)
        True
        >>> hook = layer.register_forward_hook(lambda *_: None)
        >>> plain(layer)
        False
    """
    own = module.__dict__
    return not (
        own["_forward_hooks"]
        or own["_forward_pre_hooks"]
        or own["_backward_hooks"]
        or own["_backward_pre_hooks"]
        or torch_module._global_forward_hooks
        or torch_module._global_forward_pre_hooks
        or torch_module._global_backward_hooks
        or torch_module._global_backward_pre_hooks
        or "forward" in own
        or "_compiled_call_impl" in own
        or type(module).__call__ is not _CALL
    )


class Tap(nn.Module):
    """An identity that can be listened to. It holds no parameters and no state of the computation.

    Example:
        >>> import torch
        >>> from unrolled.tap import Tap
        >>> x, tap = torch.ones(2), Tap()
        >>> tap(x) is x
        True
    """

    def __init__(self) -> None:
        super().__init__()
        self._edits: list[Edit] = []
        self._listeners: list[list[Tensor]] = []

    @property
    def listening(self) -> bool:
        """Whether anybody records or edits this tap just now, or has a hook on it, which may do either."""
        return bool(self._edits or self._listeners) or not plain(self)

    @property
    def edited(self) -> bool:
        """Whether anybody edits this tap just now."""
        return bool(self._edits)

    def forward(self, x: Tensor) -> Tensor:
        """Return `x` itself, or what the edits make of it; hand a detached view to whoever listens."""
        for change in self._edits:
            x = change(x)
        for heard in self._listeners:
            heard.append(x.detach())
        return x

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy or a pickle takes along: all but who listens to, or edits, this tap only."""
        return self.__dict__ | {"_edits": [], "_listeners": []}


def listening(tap: nn.Module) -> bool:
    """Whether what stands at a tap's place has to be called: a tap somebody listens to, or another module.

    Example:
        >>> from unrolled.tap import Tap, listening
        >>> listening(Tap())
        False
    """
    return type(tap) is not Tap or tap.listening


@contextmanager
def record(model: nn.Module, *patterns: str) -> Iterator[dict[str, list[Tensor]]]:
    """Collect what passes the taps of `model` whose path matches one of the `patterns`.

    What is heard is what goes on from the tap: with an `edit` inside or around, the edited tensor.

    Args:
        model: any module that holds taps, however deep.
        *patterns: shell-style patterns over `named_modules` paths, such as ``"*.weights"``; all taps unless
            given. A tap at the root's own attribute is matched by its bare name: ``"weights"`` and
            ``"*.weights"`` both find it.

    Yields:
        A dictionary from module path to the list of detached tensors, one for every time the tap was
        passed: a decoder that unrolls T steps leaves T tensors. After the block the dictionary stays
        filled, and the model hears nothing more, also after an exception.

    Raises:
        LookupError: a pattern matches no tap; the message lists the taps there are.

    Example:
        >>> import torch
        >>> from unrolled.nn import MultiHeadAttention
        >>> from unrolled.tap import record
        >>> layer = MultiHeadAttention(d_model=8, n_heads=2)
        >>> with record(layer, "weights") as rec:
        ...     out = layer(torch.rand(1, 3, 8))
        >>> rec["weights"][0].shape
        torch.Size([1, 2, 3, 3])
    """
    taps = _matching("record", model, patterns or ("*",))
    heard: dict[str, list[Tensor]] = {path: [] for path in taps}
    for path, tap in taps.items():
        tap._listeners.append(heard[path])
    try:
        yield heard
    finally:
        for path, tap in taps.items():
            # By identity: two recordings may hold equal lists.
            tap._listeners = [kept for kept in tap._listeners if kept is not heard[path]]


@contextmanager
def edit(model: nn.Module, edits: Mapping[str, Edit]) -> Iterator[None]:
    """Put something else in the place of what passes the taps of `model`, until the ``with`` ends.

    Where several edits meet at one tap, each gets what the one before returned, in the order of the mapping,
    and an inner ``with`` comes after an outer one. Layers form for an edit what a fused path would skip.
    After the block nothing is left behind, also after an exception; a copy or a pickle of the model that is
    made within the block is free of the edits.

    Args:
        model: any module that holds taps, however deep.
        edits: from a shell-style pattern, as for `record`, to a function. It gets a copy of what passes, with
            its graph, so it may change that in place and gradients flow through; what it returns goes on
            instead, with the same shape, dtype and device. It is called once for every time a tap is passed:
            a decoder that unrolls T steps calls it T times. With a cache, `keys` and `values` pass whole at
            each step, and the cache keeps them as they were before the edit.

    Raises:
        LookupError: a pattern matches no tap; the message lists the taps there are.
        TypeError: an edit is no function, or returned something else than a tensor of the same dtype.
        ValueError: an edit returned a tensor of another shape, or on another device.

    Example:
        >>> import torch
        >>> from unrolled.nn import MultiHeadAttention
        >>> from unrolled.tap import edit, record
        >>> layer = MultiHeadAttention(d_model=8, n_heads=2)
        >>> with edit(layer, {"scores": torch.zeros_like}), record(layer, "weights") as rec:
        ...     out = layer(torch.rand(1, 4, 8))
        >>> rec["weights"][0][0, 0, 0]  # every head attends evenly
        tensor([0.2500, 0.2500, 0.2500, 0.2500])
    """
    for pattern, change in edits.items():
        if not callable(change):
            raise TypeError(f"edit: expected a function for {pattern!r}, got {type(change).__name__}")
    placed = [
        (tap, _checked(path, change))
        for pattern, change in edits.items()
        for path, tap in _matching("edit", model, (pattern,)).items()
    ]
    for tap, change in placed:
        tap._edits.append(change)
    try:
        yield
    finally:
        for tap, change in placed:
            tap._edits = [kept for kept in tap._edits if kept is not change]


def _matching(caller: str, model: nn.Module, patterns: Iterable[str]) -> dict[str, Tap]:
    """Return the taps whose path matches one of the patterns, in the model's order."""
    taps = {path: module for path, module in model.named_modules() if isinstance(module, Tap)}
    found: set[str] = set()
    for pattern in patterns:
        # A leading dot lets "*.weights" match a tap of the root module too.
        matching = {p for p in taps if fnmatchcase(p, pattern) or fnmatchcase(f".{p}", pattern)}
        if not matching:
            there = ", ".join(taps) if taps else "none"
            raise LookupError(f"{caller}: no tap matches {pattern!r}; the taps of this model: {there}")
        found |= matching
    return {path: tap for path, tap in taps.items() if path in found}


def _checked(path: str, change: Edit) -> Edit:
    """Return `change`, held to give back what can go on where `x` came from."""

    def checked(x: Tensor) -> Tensor:
        # A copy: x may be a view of a cache, or of what somebody has recorded or put in at another tap.
        new = change(x.clone())
        if not isinstance(new, Tensor):
            raise TypeError(f"edit of {path}: expected a tensor {_look(x)}, got {type(new).__name__}")
        if new.shape != x.shape or new.dtype != x.dtype or new.device != x.device:
            kind = TypeError if new.dtype != x.dtype else ValueError
            raise kind(f"edit of {path}: expected a tensor {_look(x)}, got {_look(new)}")
        return new

    return checked


def _look(x: Tensor) -> str:
    return f"{list(x.shape)} of {str(x.dtype).removeprefix('torch.')} on {x.device}"
