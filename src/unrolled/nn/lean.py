"""The arithmetic of a module without the calls: what a step of generation takes. Taught in chapter 10.

A step multiplies one vector with small matrices, and calling the modules costs more than that. So a module
may say, in a method `lean` beside its `forward`, how the newest token goes through it in evaluation mode,
with the same operations in the same order and nothing checked again. `lean` takes that path only where nobody
could tell the difference; everywhere else the module is called.
"""

from collections.abc import Callable
from types import FunctionType
from typing import Any, TypeVar

from torch import Tensor, nn
from torch.nn.functional import layer_norm, linear

from unrolled.tap import Tap, plain

__all__ = ["Step", "has_lean", "lean"]

Step = Callable[[Tensor], Tensor]
"""From the vectors of the newest token to what a module makes of them."""
Makes = Callable[..., Step | None]
Kind = TypeVar("Kind", bound=type[nn.Module])

_CALLING = {"__call__", "_wrapped_call_impl", "_call_impl", "__getattr__", "__getattribute__"}

# How each kind of module is stepped through, and all functions it had when that was written.
_KINDS: dict[type[nn.Module], tuple[Makes, dict[str, Any]]] = {}


def lean(module: nn.Module, *state: Any, call: Step | None = None) -> Step:
    """Return a function that does to the newest token ``[B, 1, ...]`` what `module` does, with fewer calls.

    It is what the `lean` of the module's class returns (None where it has no other way), if calling the
    module would run the ``forward`` that stands beside it, and nothing else. A subclass, a wrapper or an
    adapter, a parametrization, a hook, `Module.compile`, a method that was replaced on this one module or on
    its class: then it is `call`.

    Args:
        module: the module.
        *state: what the `lean` of its class takes, such as a cache.
        call: how to call the module otherwise; with the token alone unless given.

    Example:
        >>> import torch
        >>> from unrolled.nn.lean import lean
        >>> layer = torch.nn.Linear(3, 2)
        >>> x = torch.rand(1, 1, 3)
        >>> torch.equal(lean(layer)(x), layer(x))
        True
    """
    call = module if call is None else call
    kind = type(module)
    if kind not in _KINDS or module.training or not plain(module):
        return call
    make, functions = _KINDS[kind]
    if functions != _functions(kind) or not functions.keys().isdisjoint(module.__dict__):
        return call
    made = make(module, *state)
    return call if made is None else made


def has_lean(kind: Kind) -> Kind:
    """Let a class of modules be stepped through by its method `lean`: a decorator."""
    _KINDS[kind] = getattr(kind, "lean"), _functions(kind)  # noqa: B009 - not every kind has one
    return kind


def _functions(kind: type) -> dict[str, Any]:
    """Return the functions of a class that a call may run: its own, and those of `nn.Module` that call.

    Libraries change others of `nn.Module`, such as how it is initialised or saved, and no output with them.
    """
    return {
        name: value
        for base in reversed(kind.__mro__)
        for name in (_CALLING & vars(base).keys() if base in (nn.Module, object) else vars(base))
        if isinstance(value := vars(base)[name], FunctionType | property | staticmethod | classmethod)
    }


def _linear(layer: nn.Linear) -> Step:
    weight, bias = layer.weight, layer.bias
    return lambda x: linear(x, weight, bias)


def _layer_norm(norm: nn.LayerNorm) -> Step:
    shape, weight, bias, eps = norm.normalized_shape, norm.weight, norm.bias, norm.eps
    return lambda x: layer_norm(x, shape, weight, bias, eps)


def _unchanged(_: nn.Module) -> Step:
    return lambda x: x


def _forward(module: nn.Module) -> Step:
    forward: Step = module.forward
    return forward


def _tap(tap: Tap) -> Step:
    return tap if tap.listening else lambda x: x


_OF_TORCH: dict[type[nn.Module], Makes] = {
    nn.Linear: _linear,
    nn.LayerNorm: _layer_norm,
    nn.Dropout: _unchanged,
    nn.Identity: _unchanged,
    nn.Embedding: _forward,
    nn.GELU: _forward,
    nn.ReLU: _forward,
    nn.SiLU: _forward,
    Tap: _tap,
}
_KINDS |= {kind: (make, _functions(kind)) for kind, make in _OF_TORCH.items()}
