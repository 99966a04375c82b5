"""See what flows inside a model without touching the computation.

A `Tap` is an identity with a name: the module path it stands at. A layer sends its attention weights
through one, ``weights = self.weights(weights)``, and `record` collects what passes:

>>> with record(model, "*.weights") as rec:         # doctest: +SKIP
...     model(x)
>>> rec["encoder.layers.0.weights"][0].shape        # doctest: +SKIP
torch.Size([2, 4, 7, 7])

A layer may ask ``self.weights.listening`` and take a fused path, which never forms the weights, while
nobody looks. Tests prove that fused, explicit and recorded computations agree.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase

from torch import Tensor, nn

__all__ = ["Tap", "record"]


class Tap(nn.Module):
    """An identity that can be listened to. It holds no parameters and no state of the computation."""

    def __init__(self) -> None:
        super().__init__()
        self._listeners: list[list[Tensor]] = []

    @property
    def listening(self) -> bool:
        """Whether anybody records this tap just now."""
        return bool(self._listeners)

    def forward(self, x: Tensor) -> Tensor:
        """Return `x` itself; hand a detached view to whoever listens."""
        for heard in self._listeners:
            heard.append(x.detach())
        return x


@contextmanager
def record(model: nn.Module, pattern: str = "*") -> Iterator[dict[str, list[Tensor]]]:
    """Collect what passes the taps of `model` whose path matches `pattern`.

    Args:
        model: any module that holds taps, however deep.
        pattern: a shell-style pattern over `named_modules` paths, such as ``"*.weights"``. A tap at the
            root's own attribute is matched by its bare name: ``"weights"`` and ``"*.weights"`` both find it.

    Yields:
        A dictionary from module path to the list of detached tensors, one for every time the tap was
        passed: a decoder that unrolls T steps leaves T tensors. After the block the dictionary stays
        filled, and the model hears nothing more, also after an exception.

    Raises:
        LookupError: no tap matches; the message lists the taps there are.
    """
    taps = {path: module for path, module in model.named_modules() if isinstance(module, Tap)}
    # A leading dot lets "*.weights" match a tap of the root module too.
    chosen = {p: t for p, t in taps.items() if fnmatchcase(p, pattern) or fnmatchcase(f".{p}", pattern)}
    if not chosen:
        there = ", ".join(taps) if taps else "none"
        raise LookupError(f"record: no tap matches {pattern!r}; the taps of this model: {there}")
    heard: dict[str, list[Tensor]] = {path: [] for path in chosen}
    for path, tap in chosen.items():
        tap._listeners.append(heard[path])
    try:
        yield heard
    finally:
        for path, tap in chosen.items():
            # By identity: two recordings may hold equal lists.
            tap._listeners = [kept for kept in tap._listeners if kept is not heard[path]]
