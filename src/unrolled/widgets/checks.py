"""What every widget refuses, whoever made it: what no page can hold, and what its traits are not of."""

import functools
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from traitlets import TraitError

__all__ = ["LARGEST", "checked", "state_text"]

LARGEST = 1e30
"""Numbers beyond are no figures of a model, and their squares may leave what a computer can hold."""
# As Python writes floats from there on; in a text it may stand too, so what is found is looked at again.
_LARGE = re.compile(r"\de\+(?:[3-9]\d|\d{3})|\d{31}")


def _leaves(value: Any, place: str) -> Iterator[tuple[str, Any]]:
    """Yield texts, numbers and whatever else, with the place where each stands."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield place, key
            yield from _leaves(inner, f"{place}[{key!r:.40}]")
    elif isinstance(value, list | tuple):
        for i, inner in enumerate(value):
            yield from _leaves(inner, f"{place}[{i}]")
    else:
        yield place, value


def _trouble(value: Any) -> str | None:
    """Return what was expected instead of a value, if it was something else."""
    if isinstance(value, str):
        half = any("\ud800" <= letter <= "\udfff" for letter in value)
        return "a text, got one with half a character, which no page can hold" if half else None
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        # Not by abs(value) alone: of what is no number every comparison is false.
        fine = -LARGEST < value < LARGEST
        return None if fine else f"finite numbers of a size below {LARGEST:g}, got {value!r:.40}"
    return f"texts and numbers, got {type(value).__name__}"


def state_text(state: Mapping[str, Any]) -> str:
    """Return a widget's traits as JSON.

    Raises:
        ValueError, TypeError: a trait holds what a page cannot; the message says where.
    """
    try:
        text = json.dumps(state, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        text.encode()
        if not _LARGE.search(text):
            return text
    except (ValueError, TypeError):
        text = ""
    for name, value in state.items():
        for place, leaf in _leaves(value, name):
            if (trouble := _trouble(leaf)) is not None:
                kind = ValueError if isinstance(leaf, str | int | float) else TypeError
                raise kind(f"{place}: expected {trouble}")
    return text or json.dumps(state, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def checked(make: Callable[..., None]) -> Callable[..., None]:
    """Return a widget's `__init__` that raises nothing but ValueError, TypeError and the system's errors."""

    @functools.wraps(make)
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        try:
            make(self, *args, **kwargs)
        except TraitError as error:
            raise TypeError(str(error)) from error
        except (LookupError, AttributeError, ArithmeticError) as error:
            said = f"there is no {error}" if isinstance(error, KeyError) else str(error)
            raise ValueError(f"{type(self).__name__}: expected other arguments: {said}") from error
        state_text(self.state())

    return init
