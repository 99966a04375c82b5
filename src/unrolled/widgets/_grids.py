"""The values `explore` lets a reader try, each grid checked."""

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import ipywidgets

__all__ = ["Grid", "control", "read_grids", "spell"]


class Grid(NamedTuple):
    """The values an argument takes, what each is called, and whether they lie on a line."""

    name: str
    labels: list[str]
    values: list[Any]
    ordered: bool

    @property
    def start(self) -> int:
        """Return where a control stands at first: in the middle of a line, at the first of several names."""
        return (len(self.values) - 1) // 2 if self.ordered else 0


def read_grids(fn: Callable[..., Any], grids: Mapping[str, Any]) -> list[Grid]:
    """Return the grids, each checked, in the order they were given.

    Raises:
        TypeError: an argument `fn` does not have, one that is missing, or a grid that is no list of values.
        ValueError: an empty grid.
    """
    if not grids:
        raise TypeError("explore: expected a grid for at least one argument, got none")
    parameters = inspect.signature(fn).parameters.values()
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    takes = f"{getattr(fn, '__name__', 'fn')} takes {', '.join(names) or 'none'}"
    for name in grids:
        if name not in names and not any(p.kind is p.VAR_KEYWORD for p in parameters):
            raise TypeError(f"explore: expected arguments of the function, got {name!r}; {takes}")
    for p in parameters:
        if p.name in names and p.default is p.empty and p.name not in grids:
            raise TypeError(f"explore: expected a grid for {p.name!r}, got none; {takes}")
    return [_grid(name, given) for name, given in grids.items()]


def control(grid: Grid) -> Any:
    """Return the live control: a slider along the values, or a choice among names."""
    kind = ipywidgets.SelectionSlider if grid.ordered else ipywidgets.Dropdown
    options = list(zip(grid.labels, grid.values, strict=True))
    return kind(options=options, index=grid.start, description=grid.name)


def spell(point: dict[str, str]) -> str:
    """Return where a point lies: ``"c = 2, layer = 1"``."""
    return ", ".join(f"{name} = {label}" for name, label in point.items())


def _grid(name: str, given: Any) -> Grid:
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise TypeError(f"explore: {name}: expected a list of values, got {type(given).__name__}")
    named = isinstance(given, Mapping)
    values = list(given.values()) if isinstance(given, Mapping) else list(given)
    labels = [str(label) for label in given] if named else [_label(value) for value in values]
    if not values:
        raise ValueError(f"explore: {name}: expected at least one value, got an empty {type(given).__name__}")
    numbers = all(map(_number, values))
    ordered = not named and numbers and values in (sorted(values), sorted(values, reverse=True))
    return Grid(name, labels, values, ordered and len(values) > 2)


def _label(value: Any) -> str:
    # A real minus sign, as in every number of a page.
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return text.replace("-", "−") if _number(value) else text


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
